"""Use cases of linked tables, one page each: synthesize, fit, evaluate, compare."""
