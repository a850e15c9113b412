"""Copied patients are found, three events of each are seen, and nothing is found where nothing leaks."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.risk import planted_patients as planting
from synthkit.errors import SynthkitError

KEPT = json.loads(planting.FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def people():
    pytest.importorskip("pyarrow")
    try:
        return planting.everybody()
    except (SystemExit, SynthkitError) as error:
        pytest.skip(f"needs published_argn_baseball: {error}")


def test_the_page_shows_what_is_recorded():
    text = planting.PAGE.read_text(encoding="utf-8")
    assert text.split(planting.START)[1].split(planting.END)[0].strip() == planting.markdown(KEPT)


def test_what_is_recorded_is_what_must_be():
    assert KEPT["copies"]["found"] >= planting.SHARE_NEEDED * KEPT["copies"]["trials"] >= 9
    assert KEPT["false_alarms"]["throws"] == 1_000
    assert KEPT["false_alarms"]["share"] <= 0.05
    for plant in ("copies", "events"):
        hits = [each["epsilon"] > 0 and each["p"] < planting.SURE_P for each in KEPT[plant]["each"]]
        assert KEPT[plant]["found"] == sum(hits)


def test_plants_are_what_they_are_said_to_be(people):
    plants = ("nothing", "copies", "events")
    nothing, copies, events = (planting.trial(people, plant, 3, scale=0.2) for plant in plants)
    assert nothing.views.pool.member[nothing.planted].all()
    assert (copies.planted == nothing.planted).all()
    sizes = [len(each.views.released.frames["players"]) for each in (nothing, copies, events)]
    assert sizes == [400, 400, 400]
    mine = copies.views.pool.tables.take(copies.planted).frames["players"]["playerID"]
    assert mine.isin(copies.views.released.frames["players"]["playerID"]).all()
    assert not mine.isin(nothing.views.released.frames["players"]["playerID"]).any()
    rows = [len(each.views.released.frames["fielding"]) for each in (nothing, events)]
    seasons = np.bincount(events.views.pool.tables.take(np.sort(events.planted)).units["fielding"], minlength=20)
    assert rows[1] - rows[0] == np.minimum(seasons, planting.EVENTS).sum()


@pytest.mark.slow
def test_copies_are_found_and_nothing_where_nothing_is(people):
    found = planting.power(people, "copies", 5, scale=0.25)
    assert found["found"] == 5
    alarms = planting.false_alarms(people, 150, scale=0.25)
    assert alarms["alarms"] <= binom.isf(0.001, 150, 0.05)
