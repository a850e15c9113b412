"""Joint diffusion of categorical and numeric slots."""
