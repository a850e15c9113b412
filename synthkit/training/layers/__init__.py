"""Network layers that act on all slots of a row at once."""
