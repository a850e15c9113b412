"""The entrance under a budget: odd rows come in mapped, are listed for the custodian, and refuse nothing."""

from __future__ import annotations

import numpy as np
import odd_cells
import pandas as pd
import pytest

from synthkit.errors import SchemaError
from synthkit.pipeline.load_table import ROWS_WITHOUT_UNIT, UNREADABLE_LINES, find_violations, load_mapped_table
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.split import split
from synthkit.schema import Schema

KINDS = {"age": "numeric", "sex": "categorical", "icd": "code", "seen": "datetime", "died": "boolean"}
SCHEMA = Schema(
    unit="who",
    declared_by="A. Lee: codebook of 2019",
    columns={
        "who": {"kind": "boolean"},
        "age": {"kind": "numeric", "decimals": 0, "min": 0, "max": 99},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "icd": {"kind": "code", "pattern": "[0-9]{3}", "nullable": True},
        "seen": {"kind": "datetime"},
        "died": {"kind": "boolean", "nullable": True},
    },
    rules=[{"rule": "implication", "if": {"sex": {"in": ["m"]}}, "then": {"age": {"max": 50}}}],
)
CONFIG = RunConfig(epsilon=1.0, delta=1e-6)


def odd():
    """A row for every odd cell, in every column at once."""
    table = {}
    for name, kind in {"who": "identifier", **KINDS}.items():
        cells = odd_cells.of(kind)
        table[name] = np.empty(len(cells), dtype=object)
        for k, cell in enumerate(cells):
            table[name][k] = cell
    rows = min(map(len, table.values()))
    return pd.DataFrame({name: cells[:rows] for name, cells in table.items()})


def test_every_odd_row_comes_in_or_is_nobodys():
    made = load_mapped_table(odd(), SCHEMA, CONFIG)
    assert made.frame["who"].notna().all()
    assert made.clamped[ROWS_WITHOUT_UNIT] == len(odd()) - len(made.frame) > 3
    assert set(KINDS) <= set(made.clamped)
    for name, column in SCHEMA.columns.items():
        assert name == "who" or column.admits(made.frame[name]).all()


def test_what_the_input_breaks_is_listed_and_refuses_nothing():
    found = find_violations(odd(), SCHEMA, CONFIG)
    assert not found.unchecked
    listed = {(v.columns, v.rule) for v in found.violations}
    assert (("age",), "a cell of the column's kind") in listed
    assert (("age",), "the declared domain") in listed
    assert (("who",), "no missing cell") in listed
    assert "unheard" not in found.to_json()


def test_a_table_that_keeps_its_schema_breaks_nothing():
    good = pd.DataFrame(
        {
            "who": ["a", "b"],
            "age": [61, 44],
            "sex": ["f", "m"],
            "icd": ["250", None],
            "seen": "2020-01-01",
            "died": True,
        }
    )
    assert find_violations(good, SCHEMA, CONFIG).success
    assert load_mapped_table(good, SCHEMA, CONFIG).clamped == {}


def test_lines_that_are_no_rows_are_counted(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"who,age,sex,icd,seen,died\n1,61,f,250,2020-01-01,true\n2,61\n3,61,f,250,2020-01-01,maybe\n")
    made = load_mapped_table(path, SCHEMA, CONFIG)
    assert made.clamped == {"died": 1, UNREADABLE_LINES: 1}
    assert made.frame["who"].tolist() == ["1", "3"]


def test_columns_refuse_and_the_words_tell_of_no_row():
    said = []
    for frame in (odd(), odd().head(3)):
        with pytest.raises(SchemaError, match="missing from the table") as refused:
            load_mapped_table(frame.drop(columns="age"), SCHEMA, CONFIG)
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_one_person_draws_one_role_however_spelled():
    """The split tells persons apart as the keeper of real rows does."""
    people = [[f"{k}", f"0{k}", f" {k}.0", k, float(k)] for k in range(60)]
    frame = pd.DataFrame({"who": pd.Series([cell for cells in people for cell in cells], dtype=object)})
    frame = frame.assign(age=30, sex="f", icd="250", seen=pd.Timestamp("2020-01-01"), died=True)
    for table in (frame, load_mapped_table(frame, SCHEMA, CONFIG).frame):
        parts = split(table, SCHEMA, np.random.default_rng(0))
        assert len(parts.roles) == 60
        assert parts.unit.tolist() == np.repeat(np.arange(60), 5).tolist()
