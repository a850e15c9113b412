"""The package as a text: files, functions, types, circles of imports, in figures."""
