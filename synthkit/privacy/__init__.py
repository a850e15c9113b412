"""What may be learned of real rows, at what price, and who keeps them; names are loaded when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthkit.privacy.access.curator import Curator
    from synthkit.privacy.access.loader import Door
    from synthkit.privacy.access.private_curator import PrivateCurator
    from synthkit.privacy.accounting.budget import Budget
    from synthkit.privacy.accounting.charge import Charge
    from synthkit.privacy.accounting.events import NonPrivate
    from synthkit.privacy.accounting.ledger import Ledger

_HOMES = {
    "Budget": "accounting.budget",
    "Charge": "accounting.charge",
    "Ledger": "accounting.ledger",
    "Curator": "access.curator",
    "Door": "access.loader",
    "NonPrivate": "accounting.events",
    "PrivateCurator": "access.private_curator",
}

__all__ = ["Budget", "Charge", "Curator", "Door", "Ledger", "NonPrivate", "PrivateCurator"]


def __getattr__(name: str) -> Any:
    """Import names when they are first used: reading a ledger needs no tensors."""
    if name not in _HOMES:
        msg = f"module 'synthkit.privacy' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"synthkit.privacy.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
