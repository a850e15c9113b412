"""Linked tables as one sequence a unit: rows in the order in which they happen, and back."""
