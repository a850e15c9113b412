"""A schema of linked tables drafted from a look at them."""
