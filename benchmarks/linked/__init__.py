"""Several linked tables: published ones of others, scored by our evaluation."""
