"""Mechanisms of differential privacy: noise, private choice, quantiles and histograms."""
