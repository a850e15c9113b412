"""Use cases, one page each: synthesize, evaluate, compare."""
