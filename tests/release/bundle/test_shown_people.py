"""Timelines of a page are known among the units they are of, on every clock, and not among others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from linked_worlds import make_world, plain_frames
from small_hospital import SMALL, small_hospital

from synthkit.metrics.linked.drawn_timelines import drawn_timelines
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.release.bundle.checks.shown_people import unknown_timeline
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

SCHEMA = LinkedSchema.parse(SMALL)


def hospital(seed, units=60):
    return LinkedTables.of(small_hospital(units, seed), SCHEMA)


def panel_of(tables, seed=0):
    compared = LinkedEvaluationData(train=tables, holdout=tables, synthetic=tables)
    return drawn_timelines(compared, np.random.default_rng(seed))[1].get("timelines")


@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_timelines_of_random_worlds_are_known_again(seed):
    """Moments, numbers and places; units without rows; ends."""
    world = make_world(np.random.default_rng(seed))
    tables = LinkedTables.of(plain_frames(world), LinkedSchema.parse(world.schema))
    panel = panel_of(tables, seed)
    if panel is not None:
        assert unknown_timeline(panel, tables) is None


def test_those_of_a_part_are_known_in_the_whole_and_not_in_the_rest():
    tables = hospital(1)
    panel = panel_of(tables.take(np.arange(20)))
    assert unknown_timeline(panel, tables) is None
    assert unknown_timeline(panel, tables.take(np.arange(20, 60))) is not None


@pytest.mark.parametrize("seed", range(3))
def test_those_of_strangers_are_not_known(seed):
    assert unknown_timeline(panel_of(hospital(10 + seed), seed), hospital(20 + seed)) is not None


def test_the_first_that_is_of_nobody_is_named():
    tables = hospital(1)
    panel = panel_of(tables)
    unit = next(k for k, each in enumerate(panel["units"]) if len(each["events"]) > 1)
    panel["units"][unit]["events"][1][0] += 0.5
    assert unknown_timeline(panel, tables) == unit + 1
    assert unknown_timeline({**panel_of(tables), "clock": "numbers"}, tables) == 1
