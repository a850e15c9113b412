"""Privacy: who may learn what of real rows, at what price, by which mechanism, and who keeps the account."""
