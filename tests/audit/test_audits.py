"""Every audit passes what is shipped and calls each broken twin of it broken, or loose where it overdoes."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from linked_twins import PATIENT_TWINS, PLAN_TWINS, ROW_TWINS

from synthkit.audit import AUDITS
from synthkit.audit.canaries import CanaryTraining
from synthkit.audit.gradient_clipping import AUDIT_CLIP_NORM, LOSS_MULTIPLIER
from synthkit.audit.marginal_counts import RHO
from synthkit.audit.mechanism_audits import BINS, GRID
from synthkit.privacy.access.counts import ExactCounting, NoisyCounting
from synthkit.privacy.access.private_curator import distinct_units
from synthkit.privacy.accounting.events import DiscreteLaplace
from synthkit.privacy.dpsgd.clipping import Clipper, private_gradient
from synthkit.privacy.mechanisms.bounds import Bounds
from synthkit.privacy.mechanisms.noise import add_noise, choose
from synthkit.privacy.mechanisms.quantiles import Edges
from synthkit.privacy.mechanisms.rng import gaussian
from synthkit.privacy.mechanisms.sparse_histogram import tell_levels
from synthkit.schema.cells import is_missing, read_number
from synthkit.schema.domain_mapping import into_domain
from synthkit.schema.unit_keys import unit_key, unit_keys

# Twins that are caught by a wide margin need a part of the quick trials only; what is shipped gets them all.
FEWER = {
    "discrete-gaussian": 8,
    "discrete-laplace": 8,
    "sparse-histogram": 4,
    "bounds": 2,
    "private-step": 5,
    "marginal": 8,
    "linked-plan": 2,
}
LOOSE = {**FEWER, "private-step": 2, "marginal": 3}  # for twice the noise
TIGHT = {"gaussian", "discrete-gaussian", "discrete-laplace", "sparse-histogram"}  # audited from both sides
SEEN = {"choices": 0.3, "bounds": 0.5, "quantiles": 0.3}  # share of the claim seen at least where it is the upper side


def scaled(spent, factor):
    """The record of noise so many times as large."""
    name = "sigma" if hasattr(spent, "sigma") else "scale"
    return replace(spent, **{name: factor * getattr(spent, name)})


def half(counts, spent):
    return add_noise(counts, scaled(spent, 0.5))


def low_threshold(names, counts, spent):
    return tell_levels(names, counts, replace(spent, threshold=spent.threshold - 1))


def bounds_of_data(values):
    return Bounds(low=float(values.min()), high=float(values.max()), spent=GRID.noise)


def quiet_bounds(values):
    noisy = add_noise(GRID.counts(values), DiscreteLaplace(scale=0.5)).values
    return Bounds(low=0.0, high=float(np.flatnonzero(noisy >= GRID.level).max(initial=0)), spent=GRID.noise)


def quantiles_of_data(values):
    cell = int(np.clip(np.searchsorted(BINS.grid, np.quantile(values, 0.5, method="lower")), 1, 10))
    return Edges(values=BINS.grid[[0, cell, 11]], spent=BINS.charge("x").spent, times=1)


def shuffled(units, rate, steps):
    """Epochs of a shuffled table, cut into batches of the same size."""
    rng, size = np.random.default_rng(3), round(units * rate)
    places = np.concatenate([rng.permutation(units) for _ in range(steps * size // units + 1)])
    for k in range(steps):
        mask = np.zeros(units, bool)
        mask[places[k * size : (k + 1) * size]] = True
        yield mask


def never_empty(units, rate, steps):
    rng = np.random.default_rng(3)
    for _ in range(steps):
        mask = rng.random(units) < rate
        while mask.sum() < 0.8 * units * rate:
            mask = rng.random(units) < rate
        yield mask


def everybody(units, rate, steps):
    return (np.ones(units, bool) for _ in range(steps))


def place(owner):
    """Of each row, how many rows of its unit come before it."""
    order = np.argsort(owner, kind="stable")
    out = np.empty(len(owner), int)
    first = np.r_[0, np.cumsum(np.bincount(owner))[:-1]]
    out[order] = np.arange(len(owner)) - first[owner[order]]
    return out


def first_rows(owner, most):
    return place(owner) < most


def same_rows_of_neighbours(owner, most):
    """One order for two units at a time: each row as likely, but units are not by themselves."""
    rng = np.random.default_rng(3)
    rows = owner.size // (owner.max() + 1)
    ranks = np.argsort(rng.random((owner.max() // 2 + 1, rows)), axis=1)
    return ranks[owner // 2, place(owner)] < most


class Unclipped:
    """Sums of gradients as they are."""

    def __init__(self, module, loss, clip):
        self._sums = Clipper(module, loss, clip=1e9)
        self.clip, self.parameters = clip, self._sums.parameters

    def __call__(self, rows, units, copies=1):
        return self._sums(rows, units, copies)


class RowByRow(Unclipped):
    """Each row clipped by itself, however many a unit has."""

    def __init__(self, module, loss, clip):
        super().__init__(module, loss, clip)
        self._sums = Clipper(module, loss, clip=clip)

    def __call__(self, rows, units, copies=1):
        return self._sums(rows, torch.arange(len(units)), copies)


def step(*, noise=gaussian, clip=None, rows_are_units=False):
    """A private step with a part replaced."""

    def made(sums, rows, owner):
        used = sums if clip is None else clip(sums.module, sums.loss, AUDIT_CLIP_NORM)
        units = torch.arange(len(owner)) if rows_are_units else owner
        private_gradient(used, rows, units, multiplier=LOSS_MULTIPLIER, expected=4.0, noise=noise)

    return made


def half_noise(shape, scale):
    return gaussian(shape, scale / 2)


class Wrong(NoisyCounting):
    """Tables of which the noise is not what was paid for."""

    factor = 0.5

    def measure(self, scopes, rho):
        return super().measure(scopes, rho / self.factor**2)


class Overdone(Wrong):
    """Twice the noise."""

    factor = 2.0


class Exact(ExactCounting):
    """Counts without noise, under a plan that pays for it."""

    rho = property(lambda self: RHO)


def counting(kind):
    return lambda rows, sizes, rho: kind.of(rows, sizes, rho, lambda charge: None)


def first_of(frame, owner):
    """The first row of each unit: all rows of a unit of that audit say the same."""
    return frame[place(owner) < 1]


def clamped_first(table, schema):
    """The unit goes through its domain before anybody is told apart, as it did in version 0.1.0."""
    whole = schema.model_copy(update={"unit": None})
    frame = into_domain(table, whole)
    return frame[place(pd.factorize(frame["who"], use_na_sentinel=False)[0]) < 1]


def nobody_is_somebody(table, schema):
    """Rows without a unit are given to one more person."""
    keys = unit_keys(table["who"], schema.columns["who"]).fillna("nobody")
    return first_of(into_domain(table, schema), pd.factorize(keys)[0])


def by_spelling(table, schema):
    """Persons are told apart by the letters of their cells."""
    keys = pd.Series([None if is_missing(cell) or cell == " " else repr(cell) for cell in table["who"]], dtype=object)
    rows = keys.notna().to_numpy()
    return first_of(into_domain(table, schema)[rows], pd.factorize(keys[rows])[0])


def by_float(table, schema):
    """Persons are told apart by the number their cell is closest to, as where one missing cell made all floats."""
    keys = table["who"].map(lambda cell: float(read_number(cell)) if read_number(cell) is not None else unit_key(cell))
    rows = keys.notna().to_numpy()
    return first_of(into_domain(table, schema)[rows], pd.factorize(keys[rows].astype(object))[0])


def all_rows(table, schema):
    return distinct_units(table, schema)[0]


held = np.random.default_rng(int.from_bytes(os.urandom(16)))
TWINS = {
    "freshness": {
        "seeded by a user": {"x": lambda: np.random.default_rng(7).normal(size=8).tolist()},
        "torch's generator": {"x": lambda: torch.randn(8).tolist()},
        "a stored state": {"fresh": lambda: gaussian((8,), 1.0).tolist(), "x": lambda: held.normal(size=8).tolist()},
    },
    "gaussian": {"half the noise": half_noise, "a tenth less": lambda shape, scale: gaussian(shape, 0.9 * scale)},
    "discrete-gaussian": {"half the noise": half},
    "discrete-laplace": {"half the noise": half},
    "choices": {"half the noise": lambda scores, spent: choose(scores, scaled(spent, 0.5))},
    "sparse-histogram": {
        "half the noise": lambda names, counts, spent: tell_levels(names, counts, scaled(spent, 0.5)),
        "a threshold too low by one": low_threshold,
    },
    "bounds": {
        "bounds of the data": bounds_of_data,
        "half the noise": quiet_bounds,
    },
    "quantiles": {"quantiles of the data": quantiles_of_data, "half the noise": replace(BINS, epsilon=2.5).draw},
    "batches": {"shuffled": shuffled, "small ones drawn again": never_empty, "everybody": everybody},
    "rows-of-a-unit": {
        "the first rows": first_rows,
        "one too many": lambda owner, most: place(owner) <= most,
        "all rows": lambda owner, most: np.ones(len(owner), bool),
        "neighbours alike": same_rows_of_neighbours,
    },
    "one-unit": {
        "clamped first": clamped_first,
        "nobody is somebody": nobody_is_somebody,
        "told apart by spelling": by_spelling,
        "told apart by floats": by_float,
        "all rows": all_rows,
    },
    "clipping": {"no clip": Unclipped, "rows instead of units": RowByRow},
    "private-step": {
        "half the noise": step(noise=half_noise),
        "no clip": step(clip=Unclipped),
        "rows instead of units": step(rows_are_units=True),
        "twice the noise": step(noise=lambda shape, scale: gaussian(shape, 2 * scale)),
    },
    "training": {
        "no noise": CanaryTraining(noise=lambda shape, scale: torch.zeros(shape)),
        "no clip": CanaryTraining(clip=Unclipped),
        "everybody in every step": CanaryTraining(masks=everybody),
    },
    "marginal": {
        "half the noise": counting(Wrong),
        "twice the noise": counting(Overdone),
        "no noise": lambda rows, sizes, rho: Exact.of(rows, sizes),
    },
    "linked-rows": ROW_TWINS,
    "linked-patients": PATIENT_TWINS,
    "linked-plan": PLAN_TWINS,
}


@pytest.mark.parametrize("name", AUDITS)
def test_what_is_shipped_keeps_its_claims(name):
    for result in AUDITS[name].run(quick=True):
        assert result.verdict == "holds", f"{name}, {result}"
        assert name not in TIGHT or result.limit == "between"
        assert "of that charged" not in result.what or result.measured > 0.999  # else some noise was not heard
        assert name not in SEEN or result.measured > SEEN[name] * result.claimed


@pytest.mark.parametrize(("name", "twin"), [(name, twin) for name in TWINS for twin in TWINS[name]])
def test_every_broken_twin_is_caught(name, twin):
    audit = AUDITS[name]
    # twice the noise is loose where that many trials of the right noise are not
    fewer = LOOSE.get(name, 1) if twin == "twice the noise" else FEWER.get(name, 1)
    trials = audit.quick // fewer
    verdicts = {result.verdict for result in audit.experiment(TWINS[name][twin], trials)}
    assert ("loose" if twin == "twice the noise" else "broken") in verdicts


def test_every_audit_has_a_twin():
    assert set(TWINS) == set(AUDITS)


def test_a_twin_may_take_the_place_of_what_is_shipped():
    results = AUDITS["gaussian"].run_on(half_noise)
    assert {result.verdict for result in results} == {"broken"}


def test_the_alarm_of_canaries_does_not_hear_half_the_noise():
    """What it cannot see is said: the step by itself is audited for that."""
    (result,) = AUDITS["training"].run_on(CanaryTraining(noise=half_noise))
    assert result.verdict == "holds"


@pytest.mark.slow
@pytest.mark.parametrize("name", AUDITS)
def test_more_trials_say_the_same(name):
    for result in AUDITS[name].run():
        assert result.verdict == "holds", f"{name}, {result}"
