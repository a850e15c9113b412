"""Texts that a spreadsheet may run are escaped in CSV, and read back as they were."""

from __future__ import annotations

import csv

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.errors import TableError
from synthkit.io.provenance_marks import provenance_mark, sidecar_path
from synthkit.schema import Schema
from synthkit.schema.spreadsheet_formulas import (
    declared_formulas,
    escape_formula,
    formulas_in_cells,
    is_formula,
    unescape_formula,
)
from synthkit.tables import table_files

BEGINS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", " =", "\u00a0="]
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    st.builds(lambda a, b: a + b, st.sampled_from([*BEGINS, "'", "''", '"=']), st.text("a1=+'\" ,;", max_size=4)),
)


@pytest.mark.parametrize("begin", BEGINS)
def test_what_begins_like_a_formula_is_one(begin):
    assert is_formula(begin + "cmd|' /C calc'!A0")
    assert not is_formula("x" + begin)


@pytest.mark.parametrize("text", ["-5", "+5", "-0.5", "-.5", "-1e-3", "+1E5", "5", "", "a=1", "'=1"])
def test_a_number_is_no_formula(text):
    assert not is_formula(text)


@pytest.mark.parametrize("text", ["-5%", "-1,5", "-5 -6", "+", "-", "-5e", "-inf", "-٥"])
def test_what_is_nearly_a_number_may_be_one(text):
    assert is_formula(text)


@given(texts)
@settings(deadline=None)
def test_escaping_can_be_undone_and_leaves_nothing_to_run(text):
    assert unescape_formula(escape_formula(text)) == text
    assert not is_formula(escape_formula(text))
    assert (escape_formula(text) == text) == (not is_formula(text) and not text.startswith("'"))


@given(st.lists(texts, min_size=1, max_size=6), texts.filter(lambda text: text.strip()))
@settings(deadline=None, max_examples=40)
@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_a_file_that_is_safe_is_read_back_as_it_was(ending, tmp_path_factory, cells, name):
    path = tmp_path_factory.mktemp("safe") / f"a.{ending}"
    frame = pd.DataFrame({name: cells, "n" + name: range(-1, len(cells) - 1)})
    table_files.write(frame, path, mark=provenance_mark(), spreadsheet_safe=True)
    with path.open(encoding="utf-8", newline="") as file:
        written = list(csv.reader(file, delimiter="," if ending == "csv" else "\t"))
    assert not any(is_formula(cell) for row in written for cell in row)
    back = table_files.read_cells(path, delimiter="," if ending == "csv" else "\t")
    assert list(back.columns) == list(frame.columns)
    assert back[name].tolist() == cells
    assert back["n" + name].astype(int).tolist() == frame["n" + name].tolist()


def test_other_kinds_of_cells_stay_and_missing_ones_too(tmp_path):
    columns = {
        "rh": {"kind": "categorical", "levels": ["+", "-"], "nullable": True},
        "change": {"kind": "numeric", "decimals": 0},
        "seen": {"kind": "datetime", "format": "=%d.%m.%Y"},
    }
    schema = Schema.model_validate({"columns": columns})
    frame = pd.DataFrame(
        {
            "rh": ["+", None, "-"],
            "change": [-5, 5, 0],
            "seen": pd.to_datetime(["2020-01-31"] * 3).astype("datetime64[us]"),
        }
    )
    frame["rh"] = frame["rh"].astype("category")
    table_files.write(frame, tmp_path / "a.csv", schema=schema, mark=provenance_mark(), spreadsheet_safe=True)
    text = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    assert text[1:] == ['"\'+",-5,"\'=31.01.2020"', ',5,"\'=31.01.2020"', '"\'-",0,"\'=31.01.2020"']
    back = table_files.read(tmp_path / "a.csv", schema=schema).frame()
    pd.testing.assert_frame_equal(back, table_files.conform(frame, schema))


def test_only_a_file_that_says_so_is_undone(tmp_path):
    frame = pd.DataFrame({"a": ["'tis", "=1"], "b": [1, 2]})
    table_files.write(frame, tmp_path / "a.csv", mark=provenance_mark())
    assert table_files.read(tmp_path / "a.csv").frame()["a"].tolist() == ["'tis", "=1"]
    table_files.write(frame, tmp_path / "b.csv", mark=provenance_mark(), spreadsheet_safe=True)
    (tmp_path / "b.csv").write_text("a,b\n'x,1\n", encoding="utf-8")
    with pytest.raises(TableError, match="the rows have changed since"):
        table_files.read(tmp_path / "b.csv")
    sidecar_path(tmp_path / "b.csv").unlink()
    assert table_files.read(tmp_path / "b.csv").frame()["a"].tolist() == ["'x"]


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_what_is_no_text_needs_no_escaping(ending, tmp_path):
    with pytest.raises(TableError, match="only delimited text is made safe for spreadsheets"):
        table_files.write(pd.DataFrame({"a": ["=1"]}), tmp_path / f"a.{ending}", spreadsheet_safe=True)


def test_columns_are_named_that_begin_so():
    columns = {
        "=a": {"kind": "numeric"},
        "b": {"kind": "categorical", "levels": ["-5", "x"]},
        "c": {"kind": "ordinal", "levels": [-1, 1]},
        "d": {"kind": "code", "levels": ["@home"]},
    }
    assert declared_formulas(Schema.model_validate({"columns": columns})) == ["=a", "d"]
    frame = pd.DataFrame({"=a": [1], "b": ["-5"], "c": [-1], "d": pd.Categorical(["@home"])})
    assert formulas_in_cells(frame) == ["=a", "d"]


def test_numbers_that_are_written_as_texts_are_named_where_they_may_begin_like_a_formula():
    columns = {
        "comma": {"kind": "numeric", "decimal": ","},
        "unit": {"kind": "numeric", "suffix": " mg"},
        "above": {"kind": "numeric", "suffix": " mg", "min": 0},
        "sign": {"kind": "numeric", "prefix": "=", "min": 0},
        "limit": {"kind": "numeric", "censored": {"below": 0}},
        "none": {"kind": "numeric"},
    }
    assert declared_formulas(Schema.model_validate({"columns": columns})) == ["comma", "unit", "sign"]
