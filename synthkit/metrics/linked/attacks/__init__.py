"""Attacks on the people of linked tables: a target is a unit with all its rows."""
