"""Copying: do synthetic rows repeat people or rows of the training table."""
