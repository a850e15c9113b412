"""Sections of the report on linked tables, one a file."""
