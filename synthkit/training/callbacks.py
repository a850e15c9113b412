"""Callbacks of a training: who is told of each step, how long it may take, where its state is kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from synthkit.errors import ArtefactError
from synthkit.training.state import State

Progress = Callable[[int, int, float], None]  # step, steps, loss


class Store(Protocol):
    """Where the state of a training is kept, so that it can be taken up again."""

    def load(self) -> State | None:
        """The state to go on from; None to begin at the beginning."""
        ...

    def due(self) -> bool:
        """Whether it is time to keep the state again."""
        ...

    def save(self, state: State) -> None:
        """Keep a state in place of the one before."""
        ...


@dataclass(frozen=True, kw_only=True)
class TrainingCallbacks:
    """What stands around a training without being part of it: nothing here changes what one step does.

    Args:
        progress: called after each step with step, steps and the running loss.
        stage: called with the name of a training as it begins, where a model has several.
        say: called with a sentence for people.
        seconds: a time budget, not a limit: as many steps are planned as fit, never more than without it.
        since: when the time budget began, by the monotonic clock.
        store: where the state is kept, and found again.

    Example:
        >>> callbacks = TrainingCallbacks(progress=lambda step, steps, loss: print(f"{step}/{steps}: {loss:.1f}"))
        >>> callbacks.on_step(3, 10, 1.23)
        3/10: 1.2
    """

    progress: Progress | None = None
    stage: Callable[[str], None] | None = None
    say: Callable[[str], None] | None = None
    seconds: float | None = None
    since: float = field(default_factory=time.monotonic)
    store: Store | None = None

    def left(self) -> float:
        """Seconds left of the time budget; none below nought, and no end without one."""
        return math.inf if self.seconds is None else max(self.seconds - (time.monotonic() - self.since), 0.0)

    def begin(self, name: str) -> None:
        """Tell that one training of several begins; its steps are counted by themselves."""
        if self.stage is not None:
            self.stage(name)

    def on_step(self, step: int, steps: int, loss: float) -> None:
        """Tell of a step that was made."""
        if self.progress is not None:
            self.progress(step, steps, loss)

    def log(self, sentence: str) -> None:
        """Say a sentence."""
        if self.say is not None:
            self.say(sentence)

    def log_all(self, sentences: Iterable[str]) -> None:
        """Say several sentences."""
        for sentence in sentences:
            self.log(sentence)

    def kept(self) -> State | None:
        """The state to go on from, if there is one."""
        return None if self.store is None else self.store.load()

    def keep(self, state: Callable[[], State]) -> None:
        """Keep the state if it is time to; a full disk is said and costs no training."""
        if self.store is not None and self.store.due():
            try:
                self.store.save(state())
            except ArtefactError as error:
                self.log(f"the state of the training could not be kept: {error}")
