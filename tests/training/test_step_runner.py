"""Steps that are stopped, kept and taken up again are the same steps; a wish in seconds is kept by arithmetic."""

from __future__ import annotations

import math
import time

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from synthkit.errors import ArtefactError
from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.early_stopping import BestWeights, spacing
from synthkit.training.loop import ema_update
from synthkit.training.state import State, TrainState
from synthkit.training.step_runner import StepRunner
from synthkit.training.time_budget import MAX_TIMED_STEPS, MIN_TIMED_STEPS, WARM_UP_STEPS, fitting, seconds_a_step

CPU = torch.device("cpu")


class Pair:
    """Two networks against each other, each with its optimizer, an average of one, and noise from two generators."""

    def __init__(self):
        torch.manual_seed(0)
        self.g, self.c = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 2)), nn.Linear(2, 1)
        self.average = nn.Linear(2, 1)
        self.for_g = torch.optim.Adam(self.g.parameters(), lr=0.1)
        self.for_c = torch.optim.AdamW(self.c.parameters(), lr=0.1, fused=True)
        self.drawn = torch.Generator().manual_seed(5)
        self.train_state = TrainState(
            modules={"g": self.g, "c": self.c, "average": self.average},
            optimizers={"g": self.for_g, "c": self.for_c},
            generators={"drawn": self.drawn},
            device=CPU,
        )

    def makes(self, steps, start):
        """What a step does depends on its number, on both generators and on all that was learned."""
        for t in range(start, steps):
            for optimizer, sign in ((self.for_c, 1), (self.for_g, -1)):
                optimizer.param_groups[0]["lr"] = 0.1 * (1 - t / steps)
                x = torch.randn(8, 3, generator=self.drawn)
                loss = sign * F.softplus(self.c(self.g(x) + torch.randn(8, 2))).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            ema_update(self.average, self.c, 0.9)
            yield float(loss.detach())

    def tensors(self):
        return {k: v for k, v in self.train_state.state().tensors.items() if k.startswith("module")}


class Shelf:
    """Keeps every state in memory; what it gives back is read from the one of step `at`."""

    def __init__(self, taken=None):
        self.taken, self.states = taken, {}

    def load(self):
        return self.taken

    def due(self):
        return True

    def save(self, state):
        self.states[state.part("course").facts["done"]] = state


def walk(pair, callbacks, wanted=20):
    course = StepRunner(pair.makes, pair.train_state, callbacks, wanted=wanted)
    keeper = BestWeights(pair.average, None, steps=course.steps, evaluations=4, patience=3)
    torch.manual_seed(1)
    losses = [loss for done, loss in course.run(keeper) if not keeper.stop(done, loss)]
    return course, keeper, losses


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_a_training_taken_up_anywhere_ends_as_if_it_had_never_stopped():
    """Two optimizers, dropout, a schedule, an average and a generator of its own: bit for bit."""
    shelf, whole = Shelf(), Pair()
    course, keeper, losses = walk(whole, TrainingCallbacks(store=shelf))
    assert sorted(shelf.states) == list(range(1, 20))  # all but the last, after which nothing is left
    for done in (1, 7, 19):
        said = []
        other = Pair()
        again, kept, rest = walk(other, TrainingCallbacks(store=Shelf(shelf.states[done]), say=said.append), wanted=999)
        assert same(whole.tensors(), other.tensors())
        assert rest == losses[done:]
        assert (again.steps, again.done) == (course.steps, course.done) == (20, 20)
        assert (kept.best_step, kept.at, kept.train) == (keeper.best_step, keeper.at, keeper.train)
        assert same(kept.best, keeper.best)
        assert again.seconds >= shelf.states[done].part("course").facts["seconds"]
        assert said == [f"training goes on after step {done} of 20"]


def test_a_state_is_a_copy_and_holds_the_rate():
    pair = Pair()
    before = pair.train_state.state()
    assert not any(name.startswith("optimizer") for name in before.tensors)
    next(pair.makes(10, 5))
    after = pair.train_state.state()
    assert after.facts == {"rates": {"g": [0.05], "c": [0.05]}}
    assert not same(before.tensors, after.tensors)
    pair.train_state.restore(before)
    assert same(pair.train_state.state().tensors, before.tensors)
    assert pair.for_g.param_groups[0]["lr"] == 0.1


def test_states_together_come_apart_again():
    states = {"a": State({"x": torch.ones(2)}, {"n": 1}), "a b": State({"x/y": torch.zeros(1)}, {})}
    both = State.together(states)
    assert set(both.tensors) == {"a/x", "a b/x/y"}
    for name, state in states.items():
        assert same(both.part(name).tensors, state.tensors)
        assert both.part(name).facts == state.facts


def test_a_wish_lowers_the_number_of_steps_and_changes_nothing_else():
    """The probe is undone: a course that was paced to n steps is the course of n steps."""
    said, paced, plain = [], Pair(), Pair()
    torch.manual_seed(9)
    course = StepRunner(paced.makes, paced.train_state, TrainingCallbacks(seconds=0.05, say=said.append), wanted=10**6)
    assert torch.equal(torch.rand(3), torch.rand(3, generator=torch.Generator().manual_seed(9)))
    assert 1 <= course.steps < 10**6
    fit = "1 step, the least there is, may fit" if course.steps == 1 else f"about {course.steps:,} steps fit"
    assert said == [f"{fit} into 0.05 seconds; without that limit there would be 1,000,000"]
    torch.manual_seed(1)
    for _ in course.run():
        pass
    walk(plain, TrainingCallbacks(), wanted=course.steps)
    assert same(paced.tensors(), plain.tensors())


def test_a_wish_never_raises_the_number_of_steps():
    said, pair = [], Pair()
    assert (
        StepRunner(pair.makes, pair.train_state, TrainingCallbacks(seconds=3600, say=said.append), wanted=30).steps
        == 30
    )
    assert said == ["all 30 steps fit into 60 minutes"]


def test_time_of_evaluations_is_set_aside(monkeypatch):
    """By a clock that only they move, 1 ms a step, 200 an evaluation: four of them and what was tried are set aside."""
    clock = [0.0]
    for name in ("perf_counter", "monotonic"):
        monkeypatch.setattr(time, name, lambda: clock[0])

    def moved(seconds):
        clock[0] += seconds

    def steps(check):
        pair = Pair()

        def makes(planned, done):
            for loss in pair.makes(planned, done):
                moved(0.001)
                yield loss

        clock[0] = 0.0
        callbacks = TrainingCallbacks(seconds=2.0, since=0.0)
        return StepRunner(makes, pair.train_state, callbacks, wanted=10**6, check=check, checks=lambda n: 4).steps

    tried = 0.001 * (WARM_UP_STEPS + MAX_TIMED_STEPS)
    assert steps(lambda: None) == pytest.approx(0.95 * (2 - tried) / 0.001, abs=2)
    assert steps(lambda: moved(0.2)) == pytest.approx((0.95 * (2 - tried - 0.2) - 4 * 0.2) / 0.001, abs=2)


@given(st.floats(0.01, 1e4), st.integers(1, 5000), st.floats(1e-4, 10), st.floats(0, 10), st.integers(1, 20))
def test_as_many_steps_as_fit_by_brute_force(seconds, wanted, step, check, spaced):
    fits = [n for n in range(1, wanted + 1) if n * step + n // spaced * check <= 0.95 * seconds]
    assert fitting(seconds, wanted, step, check, lambda n: n // spaced) == max(fits, default=1)


def test_a_step_is_timed_after_a_few_and_not_for_longer_than_needed(monkeypatch):
    """A clock that only steps move: three of ten seconds each, then two."""
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    made = []

    def makes():
        while True:
            clock[0] += 10.0 if len(made) < WARM_UP_STEPS else 2.0
            made.append(None)
            yield 0.0

    assert seconds_a_step(makes(), 1.0) == 2.0
    assert len(made) == WARM_UP_STEPS + MIN_TIMED_STEPS
    assert seconds_a_step(makes(), 1e9) == 2.0
    assert len(made) == 2 * WARM_UP_STEPS + MIN_TIMED_STEPS + MAX_TIMED_STEPS


def test_a_state_that_cannot_be_kept_is_said_and_costs_nothing():
    class Full(Shelf):
        def save(self, state):
            raise ArtefactError("no room")

    said, pair, plain = [], Pair(), Pair()
    walk(pair, TrainingCallbacks(store=Full(), say=said.append))
    walk(plain, TrainingCallbacks())
    assert same(pair.tensors(), plain.tensors())
    assert said[0] == "the state of the training could not be kept: no room"
    assert len(said) == 19


def test_a_keeper_takes_up_its_best_and_its_patience():
    """Scores 3, 1, 2 before the break and 2, 2 after it: stopped by the third without improvement, best the second."""
    module, scores = nn.Linear(1, 1), iter([3.0, 1.0, 2.0, 2.0, 2.0])
    first = BestWeights(module, lambda: next(scores), steps=10, evaluations=10, patience=3)
    empty = first.state()
    assert (empty.facts["lowest"], empty.tensors) == (None, {})
    for step in (1, 2, 3):
        assert not first.stop(step, 0.5)
        with torch.no_grad():
            module.weight.add_(1.0)
    second = BestWeights(module, lambda: next(scores), steps=10, evaluations=10, patience=3)
    second.restore(first.state())
    assert [second.stop(4, 0.5), second.stop(5, 0.5)] == [False, True]
    assert (second.best_step, second.validation, second.at) == (2, [3.0, 1.0, 2.0, 2.0, 2.0], [1, 2, 3, 4, 5])
    assert same(second.best, first.best)
    third = BestWeights(module, lambda: 9.0, steps=10, evaluations=10, patience=3)
    third.restore(empty)
    third.stop(1, 0.5)
    assert third.best_step == 1


@pytest.mark.parametrize(("steps", "every"), [(1, 1), (11, 1), (12, 1), (25, 2), (2000, 166)])
def test_spacing_of_scores(steps, every):
    assert spacing(steps, 12) == every


def test_nobody_watches_by_default():
    callbacks = TrainingCallbacks()
    callbacks.on_step(1, 2, math.nan)
    callbacks.log("nothing")
    callbacks.keep(lambda: pytest.fail("nothing is due"))
    assert callbacks.kept() is None
