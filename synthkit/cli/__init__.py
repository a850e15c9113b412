"""What the command line can do: each module parses, calls and prints; what is done lives elsewhere."""
