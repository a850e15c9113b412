"""Packages of others as contestants, each in an environment of its own."""
