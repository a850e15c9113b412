"""Commands that write CSV name what a spreadsheet may run, and escape it where they are asked to."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from synthkit.cli.app import app
from synthkit.schema import Schema
from synthkit.schema.spreadsheet_formulas import is_formula
from synthkit.tables import table_files

SCHEMA = Schema.model_validate(
    {
        "name": "toy",
        "columns": {
            "=rh": {"kind": "categorical", "levels": ["+", "-", "'o"], "nullable": True},
            "change": {"kind": "numeric", "min": -9, "max": 9, "decimals": 0},
        },
    }
)


def asked(words, *, code=0):
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A table, its schema, and a model of it."""
    place = tmp_path_factory.mktemp("spreadsheets")
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"=rh": rng.choice(["+", "-", "'o"], 60), "change": rng.integers(-9, 10, 60)})
    table_files.write(frame, place / "table.csv")
    SCHEMA.save(place / "toy.yaml")
    words = ["fit", place / "table.csv", "--schema", place / "toy.yaml", "--model", "independent"]
    asked([*words, "--out", place / "model", "--seed", 1, "--quiet"])
    return place


def written(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def test_a_drafted_schema_names_columns_that_begin_so(place, tmp_path):
    said = asked(["init", place / "table.csv", "-o", tmp_path / "drafted.yaml"])
    assert "texts of `=rh` begin with =, +, -, @ or a tab" in said
    table_files.write(pd.DataFrame({"a": ["x", "y"] * 20, "b": range(-20, 20)}), tmp_path / "plain.csv")
    assert "begin with" not in asked(["init", tmp_path / "plain.csv", "-o", tmp_path / "plain.yaml"])


@pytest.mark.parametrize("command", ["sample", "impute", "score"])
def test_texts_are_named_or_escaped(command, place, tmp_path):
    words = [command, place / "model"]
    words += ["--rows", 40] if command == "sample" else [place / "table.csv"]
    said = asked([*words, "--seed", 2, "--out", tmp_path / "plain.csv"])
    assert "plain.csv: texts of `=rh` begin with" in said
    assert any(map(is_formula, written(tmp_path / "plain.csv")))
    said = asked([*words, "--seed", 2, "--out", tmp_path / "safe.csv", "--spreadsheet-safe"])
    assert "begin with" not in said
    assert not any(map(is_formula, written(tmp_path / "safe.csv")))
    if command != "score":  # which is no table to be read again
        safe, plain = (table_files.read(tmp_path / f"{name}.csv", schema=SCHEMA).frame() for name in ("safe", "plain"))
        pd.testing.assert_frame_equal(safe, plain)


def test_it_is_refused_where_nothing_is_escaped(place, tmp_path):
    words = ["sample", place / "model", "--rows", 5, "--out", tmp_path / "rows.parquet"]
    assert "--spreadsheet-safe is for CSV; however: rows.parquet" in asked([*words, "--spreadsheet-safe"], code=2)
    assert not (tmp_path / "rows.parquet").exists()
    assert "begin with" not in asked(words)
