"""Sections of a page that compares models: what each one says, as plain data."""
