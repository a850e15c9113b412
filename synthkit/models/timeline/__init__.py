"""The model of linked tables over time: a root, then one step after the other."""
