"""Attacks alarm no more often than claimed where nothing leaks, and find twenty copied people."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.places import MEASURED
from benchmarks.risk import alarms

WRITTEN = json.loads((MEASURED / "alarms.json").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("design", ["coins", "pairs"])
def test_false_alarms_stay_within_their_band(design):
    """Of 150 throws no more than one in a thousand would exceed, and each test by itself is no idle one."""
    found = alarms.false_alarms(150, units=600, design=design, seed=1)
    assert found["alarms"] <= binom.isf(0.001, 150, 0.05)
    for share in found["each test, not adjusted"].values():
        assert share <= binom.isf(0.001, 150, 0.05) / 150
    assert np.mean(list(found["each test, not adjusted"].values())) > 0.01
    assert max(found["bound above 0"].values()) <= binom.isf(0.001, 150, 0.05) / 150


@pytest.mark.slow
@pytest.mark.parametrize("design", ["coins", "pairs"])
def test_twenty_copies_are_found(design):
    found = alarms.power(10, units=3_000, design=design, seed=1)
    assert found["found"] >= 0.9
    assert found["copies"] == 20
    assert 0.45 < found["AUC of all attacks together, median"] < 0.56  # which says nothing of them


def test_thrown_coins_are_fair_and_pairs_stay_pairs():
    rng = np.random.default_rng(0)
    for design in ("coins", "pairs"):
        pool = alarms.attacked_people(400, design, rng)
        again = alarms.thrown(pool, rng)
        assert 0.35 < (again.member == pool.member).mean() < 0.65
        if design == "pairs":
            assert (np.bincount(pool.pair, weights=again.member) == 1).all()


@pytest.mark.parametrize("design", ["coins", "pairs"])
def test_what_was_written_meets_what_must_hold(design):
    false, power = WRITTEN["false_alarms"][design], WRITTEN["power"][design]
    assert false["throws"] >= 1_000
    assert false["share"] == false["alarms"] / false["throws"] <= binom.isf(0.025, false["throws"], 0.05) / 1_000
    assert false["met"]
    assert power["seeds"] == len(power["each"]) >= 100
    found = [each["epsilon"] > 0 and each["p"] < 0.01 for each in power["each"]]
    assert power["found"] == np.mean(found) >= 0.8
    assert power["met"]
