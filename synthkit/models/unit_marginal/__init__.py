"""Linked tables from counts alone: mixtures of products of what happens next and of the rows of each table."""
