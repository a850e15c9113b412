"""Metrics: how alike, how useful, how risky synthetic rows are; scores with intervals, without torch."""
