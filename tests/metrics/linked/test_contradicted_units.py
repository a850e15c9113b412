"""Declared contradictions and drawn timelines against a loop over rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthkit.metrics.linked.contradicted_units import CONTRADICTIONS_SPEC, contradicted_units
from synthkit.metrics.linked.drawn_timelines import DRAWN_UNITS, drawn_timelines
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.metric import MetricOptions
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

WHEN = {"name": "dear b", "table": "visits", "when": {"ward": {"in": ["b"]}, "cost": {"min": 30}}}


@pytest.fixture
def sides(frames, clinic):
    plain = clinic(4, 1).schema.model_dump(mode="json", by_alias=True)
    schema = LinkedSchema.parse({**plain, "contradictions": [{**WHEN, "unit": {"sex": {"in": ["F"]}}}]})
    made = [LinkedTables.of(frames(n, k), schema) for n, k in ((60, 1), (50, 2), (40, 3))]
    return LinkedEvaluationData(train=made[0], holdout=made[1], synthetic=made[2])


def test_the_share_of_units_is_that_of_a_loop(sides):
    (share, excess), panels = contradicted_units(sides, np.random.default_rng(0))
    counted = []
    for tables in (sides.synthetic, sides.holdout):
        sex = dict(zip(*(tables.frames["people"][c] for c in ("id", "sex")), strict=True))
        rows = [v for _, v in tables.frames["visits"].iterrows() if v["ward"] == "b" and v["cost"] >= 30]
        counted.append({v["id"] for v in rows if sex[v["id"]] == "F"})
    assert share.value == pytest.approx(len(counted[0]) / 40)
    assert share.reference == pytest.approx(len(counted[1]) / 50)
    assert excess.value == pytest.approx(share.value - share.reference)
    assert excess.low < excess.value < excess.high
    (panel,) = panels["contradictions"]
    assert (panel["synthetic"]["units"], panel["real"]["units"]) == tuple(map(len, counted))


def test_a_schema_without_contradictions_has_no_such_metric(clinic, sides):
    assert CONTRADICTIONS_SPEC.metrics(clinic(4, 1).schema, MetricOptions()) == {}
    assert set(CONTRADICTIONS_SPEC.metrics(sides.schema, MetricOptions())) == {"fidelity.contradictions"}


def test_timelines_are_of_synthetic_units_alone(sides):
    scores, panels = drawn_timelines(sides, np.random.default_rng(0))
    panel = panels["timelines"]
    assert scores == []
    assert panel["clock"] == "numbers"
    assert len(panel["units"]) == DRAWN_UNITS
    synthetic, held = ({tuple(e) for e in _events(t, panel["tables"])} for t in (sides.synthetic, sides.holdout))
    drawn = {tuple(map(tuple, u["events"])) for u in panel["units"] if len(u["events"]) > 2}
    assert drawn
    assert drawn <= synthetic
    assert not drawn & held


def test_a_table_without_rows_is_on_no_other_clock(sides, frames):
    """It is named as one without rows, and what stands by places as one that is not drawn."""
    few = frames(40, 3)
    few["labs"] = few["labs"].head(0)
    none = LinkedTables.of(few, sides.schema)
    panel = drawn_timelines(replace(sides, synthetic=none), np.random.default_rng(0))[1]["timelines"]
    assert panel["no rows"] == ["labs"]
    assert "labs" not in [*panel["tables"], *panel["not drawn"]]
    whole = drawn_timelines(sides, np.random.default_rng(0))[1]["timelines"]
    assert whole["no rows"] == []
    assert sorted([*whole["tables"], *whole["not drawn"]]) == ["codes", "labs", "visits"]


def _events(tables, names):
    """Times since the first event and tables of each unit, in order of time; codes stand by their visits."""
    found = []
    for person in tables.frames["people"]["id"]:
        visits = tables.frames["visits"]
        mine = visits[visits["id"] == person]
        rows = []
        for _, visit in mine.iterrows():
            rows.append((visit["start"], "visits", visit["visit"]))
            codes = tables.frames["codes"]
            rows += [(visit["start"], "codes", visit["visit"])] * int((codes["visit"] == visit["visit"]).sum())
        labs = tables.frames["labs"]
        rows += [(at, "labs", "") for at in labs.loc[labs["id"] == person, "at"]]
        times = [t for t, *_ in rows]
        order = {"visits": 0, "labs": 1, "codes": 0.5}
        rows.sort(key=lambda r: (r[0], order[r[1]]))
        found.append([(t - min(times), names.index(name)) for t, name, _ in rows])
    return found
