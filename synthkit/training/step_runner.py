"""The way through the steps of a training: how many there are, where it stands, who is told, what is kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.state import State, Stateful, TrainState
from synthkit.training.time_budget import MAX_TIMED_STEPS, WARM_UP_STEPS, fitting, seconds_a_step

Makes = Callable[[int, int], Iterator[float]]  # steps, steps made before -> the loss of each step as it is made


class StepRunner:
    """Steps that callbacks may time, keep and take up again; any loop that trains can be run by it.

    The steps are made by a function `makes(steps, start)` that yields the loss of each step once it is made. What a
    step does may depend on `steps` (schedules), on its number from `start` on, and on what the state holds; batches
    come from the loader with the same `start`. Then

        runner = StepRunner(makes, state, callbacks, wanted=2000)
        for done, loss in runner.run(best):
            if best.stop(done, loss):
                break

    makes the same steps whether or not it was stopped on the way.

    Args:
        makes: makes the steps.
        train_state: everything that a step changes.
        callbacks: callbacks of the training.
        wanted: steps to make; their time budget may lower the number, a state taken up again brings its own.
        check: makes one evaluation, for its time; what it does to the state is undone.
        checks: how many evaluations a plan of n steps has.
    """

    def __init__(
        self,
        makes: Makes,
        train_state: TrainState,
        callbacks: TrainingCallbacks,
        *,
        wanted: int,
        check: Callable[[], object] | None = None,
        checks: Callable[[int], int] = lambda steps: 0,
    ) -> None:
        self._makes, self._train_state, self._callbacks = makes, train_state, callbacks
        self._since, self._before = time.perf_counter(), 0.0
        self._kept = callbacks.kept()
        self.done, self.loss = 0, math.nan
        if self._kept is not None:
            self.steps = int(self._kept.part("course").facts["steps"])
        elif callbacks.seconds is not None:
            self.steps = self._paced(callbacks.seconds, wanted, check, checks)
        else:
            self.steps = wanted

    @property
    def seconds(self) -> float:
        """Time spent, that before an interruption included."""
        return self._before + time.perf_counter() - self._since

    def run(self, *parts: Stateful) -> Iterator[tuple[int, float]]:
        """Make the steps that are left; yields the number of steps made and the running loss after each.

        Args:
            parts: what else is kept and taken up again, beside that state.
        """
        every: dict[str, Stateful] = {
            "trainee": self._train_state,
            **{f"part {k}": part for k, part in enumerate(parts)},
        }
        if self._kept is not None:
            self._take_up(self._kept, every)
        for value in self._makes(self.steps, self.done):
            self.loss = value if self.done == 0 else 0.98 * self.loss + 0.02 * value
            self.done += 1
            self._callbacks.on_step(self.done, self.steps, self.loss)
            yield self.done, self.loss
            if self.done < self.steps:
                self._callbacks.keep(lambda: self._state(every))

    def _take_up(self, kept: State, every: dict[str, Stateful]) -> None:
        facts = kept.part("course").facts
        self.done, self.loss, self._before = facts["done"], facts["loss"], facts["seconds"]
        for name, part in every.items():
            part.restore(kept.part(name))
        self._kept = None
        self._callbacks.log(f"training goes on after step {self.done:,} of {self.steps:,}")

    def _state(self, every: dict[str, Stateful]) -> State:
        here = {"steps": self.steps, "done": self.done, "loss": self.loss, "seconds": self.seconds}
        return State.together({"course": State({}, here), **{name: part.state() for name, part in every.items()}})

    def _paced(
        self, seconds: float, wanted: int, check: Callable[[], object] | None, checks: Callable[[int], int]
    ) -> int:
        """As many steps as fit; the steps of the probe are undone."""
        before = self._train_state.state()
        step = seconds_a_step(self._makes(max(wanted, WARM_UP_STEPS + MAX_TIMED_STEPS), 0), seconds)
        since = time.perf_counter()
        if check is not None:
            check()
        one = time.perf_counter() - since
        self._train_state.restore(before)
        steps = fitting(self._callbacks.left(), wanted, step, one, checks)
        limit = f"{seconds / 60:.3g} minutes" if seconds >= 60 else f"{seconds:.2g} seconds"
        if steps == wanted:
            self._callbacks.log(f"all {wanted:,} steps fit into {limit}")
        else:
            fit = "1 step, the least there is, may fit" if steps == 1 else f"about {steps:,} steps fit"
            self._callbacks.log(f"{fit} into {limit}; without that limit there would be {wanted:,}")
        return steps
