"""A mixture of product distributions fitted to noisy marginals."""
