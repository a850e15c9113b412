"""Ours and theirs on the same tables, and what is asked of ours."""
