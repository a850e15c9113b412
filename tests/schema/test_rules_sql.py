"""The SQL of a schema, run in DuckDB, counts what pandas counts; tables are broken in every way a schema knows."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.schema import Schema
from synthkit.schema.rules_sql import checks, script

COLUMNS = {
    "id": {"kind": "identifier", "unique": True},
    "odd \"name's": {"kind": "numeric", "min": -5, "max": 0.1, "decimals": 1, "nullable": True},
    "whole": {"kind": "numeric", "min": 0, "max": 10, "decimals": 0, "nullable": True},
    "free": {"kind": "numeric"},
    "upper": {"kind": "numeric", "nullable": True},
    "sex": {"kind": "categorical", "levels": ["f", "m", "it's"]},
    "grade": {"kind": "ordinal", "levels": [1, 2, 3], "nullable": True},
    "large": {"kind": "categorical", "levels": [2**60, 2**60 + 1]},
    "ill": {"kind": "boolean", "nullable": True},
    "icd": {"kind": "code", "pattern": r"[A-Z]\d{2}(\.\d)?", "nullable": True},
    "ward": {"kind": "code", "levels": ["A1", "B2"]},
    "born": {"kind": "datetime", "min": "1900-01-01", "max": "2020-06-30T12:00:00"},
    "seen": {"kind": "datetime", "nullable": True},
}
RULES = [
    {"rule": "comparison", "left": "free", "op": "<=", "right": "upper"},
    {"rule": "comparison", "left": "born", "op": "<", "right": "seen"},
    {"rule": "implication", "if": {"sex": {"in": ["f"]}}, "then": {"grade": {"in": [1, 2]}}},
    {"rule": "implication", "if": {"ill": {"in": [True]}, "whole": {"min": 3}}, "then": {"upper": {"missing": False}}},
    {"rule": "implication", "if": {"icd": {"missing": True}}, "then": {"whole": {"max": 5}, "ward": {"in": ["A1"]}}},
    {
        "rule": "fixed_combination",
        "columns": ["ward", "grade"],
        "combinations": [["A1", 1], ["A1", None], ["B2", 2], ["B2", 3]],
    },
]
SCHEMA = Schema.model_validate({"name": "toy", "columns": COLUMNS, "rules": RULES})
MISSING = {name for name, column in COLUMNS.items() if column.get("nullable")}
CELLS = {  # admissible ones, and others
    "id": ["a", "b", "c", "d", None],
    "odd \"name's": [-5.0, -5.1, 0.0, 0.1, 0.2, 0.05, 0.30000000000000004, None, np.nan],
    "whole": [0.0, 10.0, 11.0, 3.0, 2.5, 5.0, None, -1.0],
    "free": [0.0, 1.0, -3.25, 1e300, None],
    "upper": [0.0, 1.0, 5e-324, None],
    "sex": ["f", "m", "it's", "F", None],
    "grade": [1, 2, 3, 4, None],
    "large": [2**60, 2**60 + 1, 2**60 + 2],
    "ill": [True, False, None],
    "icd": ["A10", "A10.1", "a10", "A1", "A10.1x", None],
    "ward": ["A1", "B2", "C3", None],
    "born": [
        dt.datetime(1900, 1, 1),
        dt.datetime(1899, 12, 31),
        dt.datetime(2020, 6, 30, 12),
        dt.datetime(2020, 6, 30, 12, 0, 1),
        None,
    ],
    "seen": [dt.datetime(1900, 1, 1), dt.datetime(2030, 1, 1), None],
}
TYPES = {
    "id": pa.string(),
    "odd \"name's": pa.float64(),
    "whole": pa.float64(),
    "free": pa.float64(),
    "upper": pa.float64(),
    "sex": pa.string(),
    "grade": pa.int64(),
    "large": pa.int64(),
    "ill": pa.bool_(),
    "icd": pa.string(),
    "ward": pa.string(),
    "born": pa.timestamp("us"),
    "seen": pa.timestamp("us"),
}
tables = st.lists(st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in CELLS.items()}), max_size=12)


def answers(schema, path):
    """Number of violations by what is asked."""
    with duckdb.connect() as database:
        return {
            (each.columns, each.rule): database.execute(each.sql).fetchone()[0]
            for each in checks(schema, str(path))
            if each.sql is not None
        }


def counted(rows):
    """The same from the declarations above, cell by cell, in plain Python."""
    absent = {name: [row[name] is None or row[name] != row[name] for row in rows] for name in CELLS}
    out = {(("(table)",), "exactly the declared columns"): 0}
    for name in COLUMNS:
        if name not in MISSING:
            out[(name,), "no missing cell"] = sum(absent[name])

    def count(columns, rule, broken):
        out[columns, rule] = sum(broken(row) for k, row in enumerate(rows) if not any(absent[c][k] for c in columns))

    ids = [row["id"] for row in rows if row["id"] is not None]
    out[("id",), "no value twice"] = sum(ids.count(each) > 1 for each in ids)
    odd = "odd \"name's"
    for name in (odd, "whole", "free", "upper"):
        count((name,), "a number, finite", lambda row: False)
    count((odd,), ">= -5.0 and <= 0.1", lambda row: not -5 <= row[odd] <= 0.1)
    count((odd,), "at most 1 decimals", lambda row: row[odd] == 0.05)  # 0.1 + 0.2 is a rounding error away from 0.3
    count(("whole",), ">= 0.0 and <= 10.0", lambda row: not 0 <= row["whole"] <= 10)
    count(("whole",), "whole numbers", lambda row: row["whole"] != int(row["whole"]))
    for name in ("sex", "grade", "large", "ill", "ward"):
        levels = COLUMNS[name].get("levels", [False, True])
        count((name,), f"one of the {len(levels)} declared levels", lambda row, n=name, v=levels: row[n] not in v)
    count(("icd",), f"matches {COLUMNS['icd']['pattern']}", lambda row: row["icd"] not in ("A10", "A10.1"))
    for name in ("born", "seen"):
        count((name,), "a moment", lambda row: False)
    low, high = dt.datetime(1900, 1, 1), dt.datetime(2020, 6, 30, 12)
    count(("born",), ">= 1900-01-01 and <= 2020-06-30T12:00:00", lambda row: not low <= row["born"] <= high)
    sentences = [rule.sentence for rule in SCHEMA.rules]
    count(("free", "upper"), sentences[0], lambda row: row["free"] > row["upper"])
    count(("born", "seen"), sentences[1], lambda row: row["born"] >= row["seen"])
    whole = [row["whole"] for row in rows]
    implied = [
        [row["sex"] == "f" and row["grade"] not in (1, 2) for row in rows],
        [
            row["ill"] is True and not absent["whole"][k] and whole[k] >= 3 and absent["upper"][k]
            for k, row in enumerate(rows)
        ],
        [
            row["icd"] is None and (absent["whole"][k] or whole[k] > 5 or row["ward"] != "A1")
            for k, row in enumerate(rows)
        ],
    ]
    for rule, broken in zip(SCHEMA.rules[2:5], implied, strict=True):
        out[rule.columns, rule.sentence] = sum(broken)
    allowed = {("A1", 1), ("A1", None), ("B2", 2), ("B2", 3)}
    out[("ward", "grade"), sentences[5]] = sum((row["ward"], row["grade"]) not in allowed for row in rows)
    return out


def written(rows, path):
    arrays = {name: pa.array([row[name] for row in rows], TYPES[name], from_pandas=False) for name in CELLS}
    pq.write_table(pa.table(arrays), path)
    return path


@given(tables)
@settings(deadline=None, max_examples=25)
def test_duckdb_counts_what_python_counts(tmp_path_factory, rows):
    path = written(rows, tmp_path_factory.mktemp("sql") / "it's.parquet")
    assert answers(SCHEMA, path) == counted(rows)


@given(tables)
@settings(deadline=None, max_examples=10)
def test_it_finds_a_fault_where_the_validation_does_and_nowhere_else(tmp_path_factory, rows):
    from synthkit.schema.conform import type_cells
    from synthkit.tables import table_files as files

    if not rows:
        return
    path = written(rows, tmp_path_factory.mktemp("sql") / "a.parquet")
    frame, faults = type_cells(files.read(path).frame(), SCHEMA)
    assert not faults
    found = answers(SCHEMA, path)
    for rule in SCHEMA.rules:
        assert found[rule.columns, rule.sentence] == int((~rule.holds(frame)).sum()), rule.sentence
    for name, column in SCHEMA.columns.items():
        per_column = {
            rule: n for (columns, rule), n in found.items() if columns == (name,) and rule != "no missing cell"
        }
        if column.kind != "identifier":
            assert (max(per_column.values()) > 0) == bool((~column.admits(frame[name])).any()), name


def test_a_column_that_lacks_or_is_not_declared_is_counted(tmp_path):
    schema = Schema(columns={"a": {"kind": "numeric"}, "b": {"kind": "numeric"}})
    pq.write_table(pa.table({"a": [1.0], "c": [1.0], "d": [1.0]}), tmp_path / "a.parquet")
    with duckdb.connect() as database:
        (first, *_) = checks(schema, str(tmp_path / "a.parquet"))
        assert database.execute(first.sql).fetchone() == (3,)


@pytest.mark.parametrize(
    ("kind", "cells", "broken"),
    [
        ({"kind": "numeric", "nullable": True}, ["1", "1e3", "many", None], 1),
        ({"kind": "numeric", "nullable": True}, [1.0, np.inf, np.nan, None], 1),
        (
            {"kind": "datetime", "nullable": True, "format": "%d.%m.%Y", "max": "2020-12-31"},
            ["01.02.2020", "1.1.2021", "2020-01-01", "soon", None],
            2,
        ),
        ({"kind": "ordinal", "levels": [0.1, 0.30000000000000004]}, [0.1, 0.3, 0.30000000000000004], 1),
        ({"kind": "boolean", "levels": [0, 1]}, [True, False], 0),
    ],
    ids=["text as number", "infinity", "text as moment", "levels to the last bit", "truth as levels"],
)
def test_cells_that_came_otherwise_are_read_as_the_validation_reads_them(kind, cells, broken, tmp_path):
    schema = Schema(columns={"x": kind})
    pq.write_table(pa.table({"x": pa.array(cells, from_pandas=False)}), tmp_path / "a.parquet")
    assert max(answers(schema, tmp_path / "a.parquet").values()) == broken


def test_the_script_asks_everything_of_every_file_in_one_query(tmp_path):
    rows = [{name: cells[k % len(cells)] for name, cells in CELLS.items()} for k in range(9)]
    paths = [str(written(rows[:n], tmp_path / f"{n}.parquet")) for n in (4, 9)]
    with duckdb.connect() as database:
        found = database.execute(script(SCHEMA, paths)).fetchall()
    expected = [
        (path, ", ".join(columns), rule, n) for path in paths for (columns, rule), n in answers(SCHEMA, path).items()
    ]
    assert found == expected


def test_what_cannot_be_asked_is_a_comment(tmp_path):
    columns = {name: {"kind": "code", "nullable": True} for name in ("a", "b")}
    rules = [{"rule": "fixed_combination", "columns": ["a", "b"]}]
    pq.write_table(pa.table({"a": ["x"], "b": ["y"]}), tmp_path / "a.parquet")
    text = script(Schema.model_validate({"columns": columns, "rules": rules}), [str(tmp_path / "a.parquet")])
    assert text.count("-- not asked of") == 1
    with duckdb.connect() as database:
        assert [row[3] for row in database.execute(text).fetchall()] == [0]


def test_the_rows_of_the_real_tables_keep_what_sql_asks(tmp_path):
    """The schema of the demo, on its table."""
    from synthkit.data import support2, support2_schema
    from synthkit.tables import table_files as files

    frame, schema = support2(), support2_schema()
    files.write(files.conform(frame, schema), tmp_path / "a.parquet")
    found = answers(schema, tmp_path / "a.parquet")
    assert len(found) > len(schema.columns)
    assert set(found.values()) == {0}
    broken = frame.copy()
    broken.loc[:6, "meanbp"] = 9999.0
    files.write(files.conform(broken, schema), tmp_path / "b.parquet")
    changed = {key: n for key, n in answers(schema, tmp_path / "b.parquet").items() if n}
    assert list(changed.values()) == [7]


def test_names_that_differ_only_in_case_are_not_mixed_up(tmp_path):
    columns = {"a": {"kind": "numeric", "min": 0}, "A": {"kind": "numeric"}, "b": {"kind": "numeric", "min": 0}}
    schema = Schema.model_validate({"columns": columns})
    pq.write_table(pa.table({"a": [1.0], "A": [-1.0], "b": [-1.0]}), tmp_path / "a.parquet")
    asked = {(each.columns, each.rule) for each in checks(schema, "a.parquet") if each.sql is not None}
    assert {columns for columns, _ in asked} == {("b",)}
    assert answers(schema, tmp_path / "a.parquet")[("b",), ">= 0.0"] == 1
