"""Expressions by which columns are computed from others: grammar, evaluation and SQL."""
