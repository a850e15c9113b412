"""Every attack against what loops and hand calculation give on small tables, and blind to who was trained on."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthkit.evaluate.binning import Binning
from synthkit.evaluate.risk import attacks
from synthkit.evaluate.risk.attacks import ATTACKS, together
from synthkit.evaluate.risk.membership import attacked
from synthkit.evaluate.risk.scene import Scene
from synthkit.schema import Schema
from synthkit.selftest.people import Experiment, people

TINY = Schema(columns={"x": {"kind": "numeric"}, "c": {"kind": "categorical", "levels": list("abc")}})


def table(xs, cs):
    return pd.DataFrame({"x": [float(x) for x in xs], "c": list(cs)})


@pytest.fixture(scope="module")
def tiny():
    rng = np.random.default_rng(0)
    frames = [table(rng.integers(0, 30, n), rng.choice(list("abc"), n)) for n in (60, 40, 25)]
    return Scene.of(*frames, TINY, rng)


@pytest.fixture(scope="module")
def here():
    rng = np.random.default_rng(1)
    return Experiment.of(rng, units=400), people(400, rng)


def nearest(scene, frame):
    """By loops over all pairs of rows."""
    at, of = scene.space.coordinates(scene.targets), scene.space.coordinates(frame)
    return np.array([min(float(scene.space.distances(a, b)) for b in of) for a in at])


def test_distances_to_the_nearest_row(tiny):
    rng = np.random.default_rng(0)
    near, known = nearest(tiny, tiny.synthetic), nearest(tiny, tiny.reference)
    assert attacks.distance(tiny, rng) == pytest.approx(-near, abs=1e-6)
    eta = np.median(known) / 100 or 1e-6
    eta = max(eta, 1e-6)
    assert attacks.relative_distance(tiny, rng) == pytest.approx(np.log((known + eta) / (near + eta)), abs=1e-4)


def test_density_counts_synthetic_rows_among_the_nearest(tiny):
    """Where no distance occurs twice at the border nothing is left to chance."""
    found = attacks.density(tiny, np.random.default_rng(0))
    at = tiny.space.coordinates(tiny.targets)
    both = np.concatenate([tiny.space.coordinates(f) for f in (tiny.synthetic, tiny.reference)])
    checked = 0
    for k, a in enumerate(at):
        distances = np.array([float(tiny.space.distances(a, b)) for b in both])
        border = np.sort(distances)[19:21]
        if border[1] - border[0] < 1e-6:
            continue
        c = int((distances[: len(tiny.synthetic)] <= border[0]).sum())
        odds = math.log((c + 0.5) / (20 - c + 0.5)) - math.log(len(tiny.synthetic) / len(tiny.reference))
        assert found[k] == pytest.approx(odds)
        checked += 1
    assert checked > 2


def test_the_likelihood_ratio_of_small_tables(tiny):
    found = attacks.marginals(tiny, np.random.default_rng(0))
    codes = [tiny.binning.codes(f).T.tolist() for f in (tiny.targets, tiny.synthetic, tiny.reference)]
    alpha = 0.5 / len(tiny.synthetic)

    def share(rows, columns, key):
        return sum(tuple(row[c] for c in columns) == key for row in rows) / len(rows) + alpha

    for row, value in zip(codes[0], found, strict=True):
        expected = 0.0
        for columns in ((0,), (1,), (0, 1)):
            key = tuple(row[c] for c in columns)
            expected += math.log(share(codes[1], columns, key)) - math.log(share(codes[2], columns, key))
        assert value == pytest.approx(expected)


def test_what_is_rare_and_occurs(tiny):
    """One- and two-way combinations that at most two of all targets and reference rows have."""
    found = attacks.rare_values(tiny, np.random.default_rng(0))
    fine = Binning.fit(tiny.reference, TINY, bins=20, levels=10**6)
    frames = (tiny.targets, tiny.reference, tiny.synthetic)
    codes = [list(map(tuple, fine.codes(f).T.tolist())) for f in frames]
    values = [[list(f[c]) for f in frames] for c in ("x", "c")]
    expected = np.zeros(len(tiny.targets))
    for targets, known, synthetic in [*values, codes]:
        everybody = [*targets, *known]
        for k, value in enumerate(targets):
            c = everybody.count(value)
            expected[k] += math.log(len(everybody) / c) if c <= 2 and value in synthetic else 0.0
    assert found == pytest.approx(expected)
    assert (expected > 0).any()


def test_the_classifier_tells_synthetic_from_known_rows():
    """Synthetic rows lie above, known ones below: so do the scores of targets."""
    rng = np.random.default_rng(0)
    low, high = (table(rng.normal(m, 1, 300), ["a"] * 300) for m in (0, 4))
    scene = Scene.of(high, low, table([-1, 0, 4, 5], "aaaa"), TINY, rng)
    found = attacks.classifier(scene, rng)
    assert (found[:2] < -1).all()
    assert (found[2:] > 1).all()


def test_no_attack_looks_at_who_was_trained_on(here):
    experiment, rows = here
    pool = experiment.pool
    turned = replace(pool, member=~pool.member)
    scene = Scene.of(rows, pool.reference, pool.frame, experiment.schema, np.random.default_rng(2))
    first, second = (attacked(scene, p, np.random.default_rng(3)) for p in (pool, turned))
    assert (first == second).all()
    assert first.shape == (len(ATTACKS), len(pool.member))


def test_a_likelihood_that_is_known_is_one_more_attack(here):
    experiment, rows = here
    pool = replace(experiment.pool, likelihood=experiment.pool.frame["age"].to_numpy())
    scene = Scene.of(rows, pool.reference, pool.frame, experiment.schema, np.random.default_rng(2))
    found = attacked(scene, pool, np.random.default_rng(3))
    assert (found[-1] == pool.of_units(pool.frame["age"].to_numpy())).all()


def test_copies_put_into_a_scene_are_as_if_they_had_been_there(here):
    experiment, rows = here
    pool, rng = experiment.pool, np.random.default_rng(4)
    copies = pool.frame.iloc[:7]
    scene = Scene.of(rows, pool.reference, pool.frame, experiment.schema, rng)
    whole = Scene.of(pd.concat([rows, copies]), pool.reference, pool.frame, experiment.schema, rng)
    assert scene.with_copies(copies).near == pytest.approx(whole.near, abs=1e-6)
    assert len(scene.with_copies(copies).synthetic) == len(rows) + 7


def test_ranks_are_averaged():
    assert together(np.array([[1.0, 2.0, 9.0], [5.0, 5.0, 1.0]])).tolist() == [1.75, 2.25, 2.0]


def test_equal_values_have_equal_hashes_whatever_their_type():
    as_int, as_float = pd.Series([3, 4]), pd.Series([3.0, 4.0])
    assert (attacks._values(as_int) == attacks._values(as_float)).all()
    assert len({tuple(attacks._values(pd.Series(v))) for v in itertools.permutations("abc")}) == 6
