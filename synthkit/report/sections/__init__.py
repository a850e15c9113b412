"""Sections of the report: what each one says, as plain data."""
