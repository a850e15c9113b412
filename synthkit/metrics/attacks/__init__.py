"""Privacy attacks on synthetic rows, every figure compared with people who were not in the data."""
