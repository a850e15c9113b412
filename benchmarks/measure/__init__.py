"""What a piece of work takes and what came of it: one cell, on which machine, by which code, with which scores."""
