"""Fidelity: do synthetic rows look like real ones, in single columns, pairs, and to a classifier."""
