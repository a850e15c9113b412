"""Precision and recall of drafts: counted by hand on a small table, and the page says what was measured."""

import json

import pandas as pd
import pytest

from benchmarks.parts import drafts
from benchmarks.places import MEASURED
from benchmarks.tables import stand_ins
from synthkit.schema import Schema

WRITTEN = json.loads((MEASURED / "drafts.json").read_text(encoding="utf-8"))


def test_the_page_says_what_was_measured():
    text = drafts.PAGE.read_text(encoding="utf-8")
    assert text.split(drafts.START)[1].split(drafts.END)[0].strip() == drafts.table(WRITTEN)


@pytest.mark.parametrize("name", ["insurance", "cohort", "registry", "credit"])
def test_made_tables_are_measured_as_they_are_written(name):
    measured = drafts.measure(stand_ins.table(name), stand_ins.schema(name))
    assert measured == WRITTEN[name]


@pytest.mark.parametrize("name", ["insurance", "cohort", "registry", "credit"])
def test_made_tables_satisfy_their_schemas(name):
    frame, schema = stand_ins.table(name), stand_ins.schema(name)
    assert list(frame.columns) == list(schema.columns)
    assert [c for c, kind in schema.columns.items() if not kind.admits(frame[c]).all()] == []
    assert [c for c, kind in schema.columns.items() if frame[c].isna().any() and not kind.nullable] == []
    assert [rule.sentence for rule in schema.rules if not rule.holds(frame).all()] == []


def test_lines_are_counted_by_hand():
    n = 40
    frame = pd.DataFrame(
        {
            "patient_id": [k // 2 + 100 for k in range(n)],
            "age": [20 + k for k in range(n)],
            "grade": [1, 2, 3, 4] * 10,
            "died": [0, 1] * 20,
        }
    )
    columns = {
        "patient_id": {"kind": "identifier"},
        "age": {"kind": "numeric", "min": 0, "max": 60, "atoms": [0]},
        "grade": {"kind": "ordinal", "levels": [4, 3, 2, 1]},
        "died": {"kind": "boolean", "levels": [0, 1]},
    }
    targets = [{"column": "died", "task": "binary", "positive": 1}, {"column": "age", "task": "regression"}]
    said = drafts.measure(frame, Schema(unit="patient_id", columns=columns, targets=targets))
    counts = {title: (each["right"], each["drafted"], each["declared"]) for title, each in said.items()}
    assert counts["unit"] == counts["keys"] == counts["kind: identifier"] == (1, 1, 1)
    assert counts["kind: ordinal"] == (1, 1, 1)
    assert counts["order of levels"] == (0, 1, 1)  # the other way round
    assert counts["targets"] == (1, 1, 2)
    assert said["targets"]["missed"] == ["age, regression"]
    assert counts["bounds"] == (1, 2, 2)  # 60 is near 59, 20 is not near 0
    assert counts["atoms"] == (0, 0, 1)


def test_shares_are_sums_over_tables():
    cell = {"unit": {"right": 1, "drafted": 2, "declared": 4}}
    assert drafts.total({"a": cell, "b": cell}, {"a": 0, "b": 0}) == {"unit": (2, 4, 8)}
    assert drafts._cells((2, 4, 8)) == ("2 / 4 / 8", "0.50", "0.25")
    assert drafts._cells((0, 0, 0)) == ("0 / 0 / 0", "–", "–")
