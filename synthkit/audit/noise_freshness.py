"""Whether noise can be had twice: two processes with the same memory must still draw differently."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

from synthkit.errors import UnsupportedError

WAIT = 60  # seconds


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """Whether two copies of a process drew the same.

    Args:
        what: which mechanism.
        repeated: they did.
    """

    what: str
    repeated: bool

    @property
    def verdict(self) -> Literal["holds", "broken"]:
        """`broken` where noise repeats: whoever knows the state knows the noise."""
        return "broken" if self.repeated else "holds"


def audit_freshness(what: str, draw: Callable[[], str]) -> Freshness:
    """Two forked children call `draw`; any seed, stored state or generator of a library would make them agree.

    Args:
        what: which mechanism.
        draw: noise in words, long enough not to agree by chance.

    Raises:
        UnsupportedError: the system has no fork, or a child did not answer.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        msg = "the system must be able to fork a process; however: this one is not. Audit on Linux or macOS"
        raise UnsupportedError(msg)
    context = multiprocessing.get_context("fork")
    pairs = [context.Pipe(duplex=False) for _ in range(2)]
    children = [context.Process(target=_tell, args=(end, draw), daemon=True) for _, end in pairs]
    for child, (_, end) in zip(children, pairs, strict=True):
        child.start()
        end.close()
    try:
        first, second = (_hear(ear) for ear, _ in pairs)
    finally:
        for child in children:
            child.kill()
            child.join()
        for ear, _ in pairs:
            ear.close()
    return Freshness(what=what, repeated=first == second)


def _tell(end: Connection, draw: Callable[[], str]) -> None:
    end.send(draw())


def _hear(ear: Connection) -> str:
    try:
        if ear.poll(WAIT):
            return str(ear.recv())
    except EOFError:
        pass
    msg = f"each child must draw within {WAIT} s; however: one did not. Draw once in this process to see why"
    raise UnsupportedError(msg)
