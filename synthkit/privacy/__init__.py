"""What may be learned of real rows, at what price, and who keeps them; names are loaded when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthkit.privacy.budget import Budget
    from synthkit.privacy.charges import Charge
    from synthkit.privacy.curator import Curator
    from synthkit.privacy.door import Door
    from synthkit.privacy.events import NonPrivate
    from synthkit.privacy.ledger import Ledger
    from synthkit.privacy.private import PrivateCurator

_HOMES = {
    "Budget": "budget",
    "Charge": "charges",
    "Ledger": "ledger",
    "Curator": "curator",
    "Door": "door",
    "NonPrivate": "events",
    "PrivateCurator": "private",
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
