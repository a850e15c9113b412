"""Networks and the training loop; no tables, no privacy."""
