"""A blind review: synthetic and held-out timelines side by side, a score sheet, and what the filled sheet says."""
