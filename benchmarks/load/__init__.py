"""How time and memory grow: with rows, with columns, with privacy, with a whole evaluation or validation."""
