"""Metrics of linked tables: keys, fan-outs, time, histories; each with intervals by units."""
