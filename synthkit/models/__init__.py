"""Generative models of encoded rows."""
