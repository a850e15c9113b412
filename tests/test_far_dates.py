"""Dates that nanoseconds cannot hold, before 1678 and after 2262, through every way in: none is changed in silence."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pytest

from synthkit import Synthesizer
from synthkit.errors import SchemaError
from synthkit.metrics.stats.binning import Binning
from synthkit.metrics.stats.distances import DistanceSpace
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.schema import Schema
from synthkit.schema.clamp import clamp
from synthkit.schema.domain_mapping import map_into_domain
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.rules_sql import checks
from synthkit.schema.validation import validate
from synthkit.tables import table_files

ENDS = ("0001-01-01", "1600-02-29", "2020-06-01", "9999-12-31T23:59:59.999999")
OPEN = "9999-12-31"


def moments(*texts):
    return np.array(texts, dtype="datetime64[us]")


def stays(n=300):
    """A start and an end; a third is still open, a tenth has a start nobody knows."""
    rng = np.random.default_rng(0)
    start = np.datetime64("2020-01-01", "us") + rng.integers(0, 700, n) * np.timedelta64(1, "D")
    stop = np.where(rng.random(n) < 0.3, np.datetime64(OPEN, "us"), start + np.timedelta64(9, "D"))
    return pd.DataFrame({"start": np.where(rng.random(n) < 0.1, moments("1600-01-01"), start), "stop": stop})


@pytest.mark.parametrize("epsilon", [None, 3.0])
def test_still_open_comes_back_as_still_open(epsilon, tmp_path):
    """Declared bounds and atoms: whatever is drawn is an atom or lies in the bounds, with a budget or without."""
    frame = stays()
    keys = {"kind": "datetime", "precision": "day", "min": "2020-01-01", "max": "2022-12-31"}
    columns = {"start": {**keys, "atoms": ["1600-01-01"]}, "stop": {**keys, "atoms": [OPEN]}}
    rule = {"rule": "comparison", "left": "start", "op": "<=", "right": "stop"}
    schema = Schema(columns=columns, rules=[rule], declared_by="A. Lee: codebook of 2019")
    ledger = None if epsilon is None else Ledger.new(tmp_path / "l.json", Budget(epsilon=epsilon, delta=1e-5))
    drawn = Synthesizer(schema, model="marginal").fit(frame, seed=1, ledger=ledger).sample(400, seed=2)
    assert validate(drawn, schema).success
    for name, atom in (("start", "1600-01-01"), ("stop", OPEN)):
        at = drawn[name].to_numpy() == np.datetime64(atom)
        assert abs(at.mean() - (frame[name].to_numpy() == np.datetime64(atom)).mean()) < (
            0.08 if epsilon is None else 0.2
        )


@pytest.mark.parametrize("keys", [{}, {"min": "0001-01-01", "max": "9999-12-31T23:59:59.999999"}])
def test_declared_bounds_at_the_ends_of_the_calendar_are_sampled(keys):
    frame = pd.DataFrame({"t": np.tile(moments(*ENDS), 30)})
    schema = Schema(columns={"t": {"kind": "datetime", "precision": "microsecond", **keys}})
    drawn = Synthesizer(schema, model="independent").fit(frame, seed=1).sample(200, seed=2)
    assert set(drawn["t"].to_numpy()) == set(moments(*ENDS))


def test_a_draft_of_far_dates_is_one_the_table_keeps_and_that_is_sampled():
    frame = pd.DataFrame({"t": np.tile(moments("1600-01-01", "1650-05-05", "2020-06-01", "9999-12-30"), 30)})
    frame["t"] += np.repeat(np.arange(30), 4) * np.timedelta64(1, "h")
    schema = infer_schema(frame)
    assert validate(frame, schema).success
    drawn = Synthesizer(schema, model="independent").fit(frame, seed=1).sample(100, seed=2)
    assert validate(drawn, schema).success


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "arrow"])
def test_files_hold_every_year(tmp_path, ending):
    frame = pd.DataFrame({"t": moments(*ENDS), "d": moments("0001-01-01", "1600-02-29", "2020-06-01", OPEN)})
    schema = Schema(columns={c: {"kind": "datetime", "precision": "microsecond"} for c in "td"})
    path = tmp_path / f"t.{ending}"
    table_files.write(frame, path, schema=schema)
    pd.testing.assert_frame_equal(table_files.read(path, schema=schema).frame(), frame)
    if ending == "parquet":
        found = duckdb.sql(f"SELECT t, d FROM '{path}'").fetchall()
        assert [row[0] for row in found] == frame["t"].to_numpy().astype("datetime64[us]").tolist()


def test_bounds_and_atoms_are_held_alike_by_validation_sql_and_python(tmp_path):
    """Against Python's own comparison, at the entrance and in DuckDB."""
    cells = ["0001-01-01", "1599-12-31", "1600-01-01", "2020-01-01", "2262-04-12", "9999-12-30", OPEN]
    frame = pd.DataFrame({"t": moments(*cells)})
    column = {"kind": "datetime", "precision": "day", "min": "1600-01-01", "max": "2262-04-11", "atoms": [OPEN]}
    schema = Schema(columns={"t": column})
    low, high = dt.date(1600, 1, 1), dt.date(2262, 4, 11)
    outside = [not (low <= d <= high or d == dt.date(9999, 12, 31)) for d in map(dt.date.fromisoformat, cells)]
    (broken,) = validate(frame, schema).violations
    assert [k + 1 in broken.rows for k in range(len(cells))] == outside
    table_files.write(frame, tmp_path / "t.parquet")
    asked = checks(schema, str(tmp_path / "t.parquet"))
    counts = {check.rule: duckdb.connect().execute(check.sql).fetchone()[0] for check in asked}
    assert counts == {
        "exactly the declared columns": 0,
        "no missing cell": 0,
        "a moment": 0,
        ">= 1600-01-01 and <= 2262-04-11, or one of the atoms": sum(outside),
    }
    clamped, changed = clamp(frame, schema)
    assert changed == {"t": sum(outside)}
    assert clamped["t"].tolist() == map_into_domain(frame, schema).frame["t"].tolist()
    assert clamped["t"].to_numpy().astype("datetime64[D]").tolist()[0] == low


def test_late_microseconds_are_told_apart_in_rules_and_evaluation():
    """Floats of microseconds would take these for one moment."""
    late = moments("9999-12-31T23:59:59.999997", "9999-12-31T23:59:59.999998")
    frame = pd.DataFrame({"a": late, "b": late[::-1]})
    rule = {"rule": "comparison", "left": "a", "op": "<=", "right": "b"}
    columns = {c: {"kind": "datetime", "precision": "microsecond"} for c in "ab"}
    schema = Schema(columns=columns, rules=[rule])
    assert schema.rules[0].holds(frame).tolist() == [True, False]
    assert Binning.fit(frame, schema).codes(frame)[0].tolist() == [0, 1]
    space = DistanceSpace.fit(frame, schema)
    at = space.coordinates(frame)
    assert float(space.distances(at[0], at[1])) > 0


def test_labels_of_the_last_day_are_dates():
    frame = pd.DataFrame({"t": np.repeat(moments("0001-01-01", ENDS[-1]), 3)})
    schema = Schema(columns={"t": {"kind": "datetime"}})
    assert Binning.fit(frame, schema).cuts["t"].labels[:2] == ("0001-01-01", "9999-12-31")


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"atoms": ["yesterday"]}, "`atoms` must be a moment in ISO 8601"),
        ({"atoms": ["2020-01-01", "2020-01-01T00:00:00.5"]}, "each second has one atom"),
        ({"precision": "day", "min": "2020-01-01T01:00:00", "max": "2020-01-01T23:00:00"}, "must be a whole day"),
        ({"min": "10000-01-01"}, "`min` must be a moment in ISO 8601"),
    ],
)
def test_bounds_and_atoms_that_are_none_are_refused_when_the_schema_is_read(keys, named):

    with pytest.raises(SchemaError, match=named):
        Schema.parse({"columns": {"t": {"kind": "datetime", **keys}}})


@pytest.mark.parametrize("repeated", [False, True])
def test_a_far_date_is_an_atom_only_if_it_is_repeated(repeated):
    days = np.datetime64("2020-01-01", "us") + np.arange(60) * np.timedelta64(1, "D")
    frame = pd.DataFrame({"t": np.r_[days, moments(*([OPEN] * (2 if repeated else 1)))]})
    column = infer_schema(frame).columns["t"]
    assert (column.atoms, column.max) == (((OPEN,), "2020-02-29") if repeated else ((), OPEN))
