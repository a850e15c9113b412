"""How long work tells of itself: stages with a name, and steps inside them."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Somebody who wants to know how far things are."""

    def stage(self, name: str) -> None:
        """A new stage begins; the one before it is done."""
        ...

    def advance(self, done: int, total: int, note: str = "") -> None:
        """`done` of `total` steps of the stage are behind us."""
        ...


class Silent:
    """Nobody is watching."""

    def stage(self, name: str) -> None:
        """Nothing."""

    def advance(self, done: int, total: int, note: str = "") -> None:
        """Nothing."""
