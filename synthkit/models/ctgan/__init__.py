"""The conditional generative adversarial network (CTGAN) for tables."""
