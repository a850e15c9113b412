"""The command line, one file a command: each parses, calls and prints; what is done lives elsewhere."""
