"""DP-SGD: per-unit gradients, clipped and summed with noise."""
