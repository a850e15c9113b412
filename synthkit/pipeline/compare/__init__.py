"""Several models on one table, each fitted and measured in a process of its own."""
