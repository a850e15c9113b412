"""Known answers: tables of which it is certain what leaks, and what every figure must say of them."""
