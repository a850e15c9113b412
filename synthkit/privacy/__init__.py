"""What was spent, and the only door to real rows."""

from synthkit.privacy.curator import Curator
from synthkit.privacy.door import Door
from synthkit.privacy.ledger import Budget, Charge, Ledger, NonPrivate

__all__ = ["Budget", "Charge", "Curator", "Door", "Ledger", "NonPrivate"]
