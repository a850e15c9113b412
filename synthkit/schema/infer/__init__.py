"""Schema inference: what columns seem to mean, with reasons and questions for whoever knows the table."""
