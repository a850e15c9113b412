"""Who runs numbered pieces of work: this process, others on this machine, or a Ray cluster.

A piece follows from its module, a card of plain data and its number alone. So it does not matter who makes it, or how
often it was begun. What passes between processes is that card and numbers; rows are read and written by path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Protocol, cast

from synthkit.errors import ConfigError
from synthkit.io.json_types import JSONObject

MOST_LOST = 3  # workers that may be lost in one piece of work, before it is given up
PACKAGE = "synthkit."
Piece = Callable[[int], JSONObject]


class Engine(Protocol):
    """Somebody who runs pieces of work."""

    def map(self, module: str, card: JSONObject, numbers: Sequence[int]) -> Iterator[tuple[int, JSONObject]]:
        """The pieces with these numbers, as they are done: each number with what came of it, in any order.

        Args:
            module: name of a module of ours; its `piece(card)` gives a function that makes a piece by its number.
            card: what all pieces have in common, as plain data for JSON.
            numbers: of the pieces.

        Raises:
            WorkerError: a worker was lost more often than is allowed.
            SynthkitError: a piece cannot be made.
        """
        ...


def piece_maker(module: str, card: JSONObject) -> Piece:
    """The function that makes pieces; what all have in common is loaded once.

    Raises:
        ConfigError: the module is none of ours.
    """
    if not module.startswith(PACKAGE):
        msg = f"work is done by a module of {PACKAGE[:-1]}; however: `{module}` is none. Name another"
        raise ConfigError(msg)
    return cast("Piece", import_module(module).piece(card))


class InProcess:
    """This process, one piece after the other."""

    def map(self, module: str, card: JSONObject, numbers: Sequence[int]) -> Iterator[tuple[int, JSONObject]]:
        """See `Engine`."""
        make = piece_maker(module, card)
        for number in numbers:
            yield number, make(number)
