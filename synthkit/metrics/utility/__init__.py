"""Utility: train on synthetic rows, test on real ones."""
