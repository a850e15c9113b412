"""The page on provenance shows what was measured of linked tables, and that keeps what the page promises."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.linked import made_hospital
from benchmarks.places import MEASURED
from benchmarks.risk import unit_watermark

KEPT = json.loads((MEASURED / "unit_watermark.json").read_text(encoding="utf-8"))


def test_the_page_shows_what_is_recorded():
    text = unit_watermark.PAGE.read_text(encoding="utf-8")
    shown = text.split(unit_watermark.START)[1].split(unit_watermark.END)[0]
    assert shown.strip() == unit_watermark.markdown(KEPT).strip()


@pytest.mark.parametrize("level", [0.1, 0.05, 0.01, 0.001])
def test_small_p_of_tables_without_the_mark_are_no_more_than_chance_makes(level):
    found = KEPT["alarms"]["all"]
    assert found["tables"] == unit_watermark.ALARMS
    assert binom.sf(found["at_most"][f"{level:g}"] - 1, found["tables"], level) > 1e-3


def test_more_people_are_found_more_surely_whatever_is_lost():
    for loss in unit_watermark.LOSSES:
        p = [each["median_p"] for each in KEPT["power"] if each["lost"] == loss]
        assert len(p) == len(unit_watermark.PEOPLE)
        assert p == sorted(p, reverse=True), loss
    whole = {each["people"]: each["found"]["1e-06"] for each in KEPT["power"] if each["lost"] == "nothing"}
    assert whole[200] == 1.0


@pytest.mark.parametrize("name", unit_watermark.LOSSES)
def test_what_is_lost_is_what_it_is_called(name):
    drawn = unit_watermark.pool().take(np.arange(40))
    left = unit_watermark.LOSSES[name](drawn.frames, drawn, np.random.default_rng(1))
    tables = set(made_hospital.schema().graph.records)
    rows = {table: len(frame) for table, frame in left.items()}
    if name == "half the people":
        assert rows["patients"] == 20
        assert set(left["visits"]["patient_id"]) <= set(left["patients"]["patient_id"])
    elif name.startswith("half the rows"):
        assert rows == {table: len(frame) // 2 for table, frame in drawn.frames.items()}
    elif name.startswith("all but"):
        assert set(left) == {name.removeprefix("all but ")}
    elif name.startswith("all"):
        assert set(left) == tables - {name.removeprefix("all ")}
    else:
        assert rows == {table: len(frame) for table, frame in drawn.frames.items()}
