"""Who reads real rows: the curator, and the loader through which models train."""
