"""How long work tells of itself: stages with a name, steps inside them, and the seconds they took."""

from __future__ import annotations

import math
import time
from typing import Protocol


class Progress(Protocol):
    """Somebody who wants to know how far things are."""

    def stage(self, name: str) -> None:
        """A new stage begins; the one before it is done. An empty name: all is done."""
        ...

    def advance(self, done: int, total: int, note: str = "") -> None:
        """`done` of `total` steps of the stage are behind us."""
        ...

    def say(self, sentence: str) -> None:
        """Something happened that people should know of."""
        ...


class Silent:
    """Nobody is watching."""

    def stage(self, name: str) -> None:
        """Nothing."""

    def advance(self, done: int, total: int, note: str = "") -> None:
        """Nothing."""

    def say(self, sentence: str) -> None:
        """Nothing."""


class Clock:
    """Takes the time of each stage, remembers what was said, and passes progress on.

    Args:
        progress: who is told.

    Example:
        >>> clock = Clock(Silent())
        >>> clock.stage("read")
        >>> clock.stage("")
        >>> list(clock.seconds)
        ['read']
    """

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self.said: list[str] = []
        self._progress, self._name, self._since = progress, "", time.perf_counter()

    def stage(self, name: str) -> None:
        """A new stage begins; an empty name ends the last."""
        now = time.perf_counter()
        if self._name:
            self.seconds[self._name] = round(now - self._since, 2)
        self._name, self._since = name, now
        self._progress.stage(name)

    def part(self, name: str) -> None:
        """A part of the stage begins: people are told of it as of a stage, its seconds are those of the stage."""
        self._progress.stage(f"{self._name}: {name}")

    def say(self, sentence: str) -> None:
        """Something happened that people should know of."""
        self.said.append(sentence)
        self._progress.say(sentence)

    def training(self, done: int, total: int, loss: float) -> None:
        """`done` of `total` steps of training are made; under a privacy budget there is no loss to tell."""
        self._progress.advance(done, total, "" if math.isnan(loss) else f"loss {loss:.3f}")

    def rows(self, done: int, total: int) -> None:
        """`done` of `total` rows are drawn."""
        self._progress.advance(done, total)

    def metric(self, name: str, done: int, total: int) -> None:
        """`done` of `total` metrics are measured; `name` is under way."""
        self._progress.advance(done, total, name)
