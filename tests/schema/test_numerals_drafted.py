"""Texts that are numbers are drafted as numbers, with how they are written; others never without a word."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit import tables
from synthkit.schema import Code, Identifier, Numeric, Schema
from synthkit.schema.conform import conform
from synthkit.schema.expectations import validate
from synthkit.schema.files import loads
from synthkit.schema.infer import draft
from synthkit.schema.readings import reading
from tests.schema.test_numerals import columns, decimals_of, spelled

GERMAN = ["1.234,50", "0,75", "12.000,00", "980,20"]


def drafted(cells: list[object], name: str = "x") -> tuple[object, str]:
    """The column of a draft, and its text."""
    text = draft(pd.DataFrame({name: pd.Series(cells, dtype=object)}))
    return loads(text).columns[name], text


@pytest.mark.parametrize(
    ("cells", "keys"),
    [
        (GERMAN, {"decimal": ",", "thousands": ".", "decimals": 2, "trailing_zeros": True}),
        (["1'234.5", "7.25"], {"thousands": "'", "decimals": 2}),
        (["12\u202f345,5", "7"], {"decimal": ",", "thousands": "\u202f", "decimals": 1}),
        (["1.234.567", "45"], {"decimal": ",", "thousands": ".", "decimals": 0}),
        (["1,5", "22,75"], {"decimal": ",", "decimals": 2}),
        (["0,123", "0,456"], {"decimal": ",", "decimals": 3}),
        (["45%", "7%"], {"percent": True, "decimals": 0}),
        (["45 %", "7,5 %"], {"suffix": " %", "decimal": ",", "decimals": 1}),
        (["12 mg", "250 mg"], {"suffix": " mg", "decimals": 0}),
        (["12kg/m2", "25kg/m2"], {"suffix": "kg/m2", "decimals": 0}),
        (["$1,234,567", "-$950"], {"prefix": "$", "thousands": ",", "decimals": 0}),
        (["1", "2", "?", "4"], {"missing": ("?",), "decimals": 0, "nullable": True}),
        (["1.5", "NaN", "n/a", "NaN"], {"missing": ("NaN", "n/a"), "decimals": 1, "nullable": True}),
        (["1,5", "", "2,25"], {"missing": ("",), "decimal": ",", "nullable": True}),
        ([1, 2, "?", 4], {"missing": ("?",), "decimals": 0, "nullable": True}),
    ],
)
def test_numbers_as_people_write_them_are_drafted_numeric(cells, keys):
    column, text = drafted(cells)
    assert isinstance(column, Numeric)
    plain = Numeric().model_dump()
    assert {k: v for k, v in column.model_dump().items() if k in (*keys, *Numeric.model_fields) and k in keys} == keys
    assert set(keys) - {"nullable"} <= set(column.observed)
    how = set(Numeric(decimals=2).model_fields) - {"min", "max", "atoms", "decimals", "nullable", "observed", "kind"}
    assert {k for k in how if getattr(column, k) != plain[k]} == set(keys) & how
    assert "numbers as people write them" in text
    assert validate(pd.DataFrame({"x": cells}), Schema(columns={"x": column})).success


@pytest.mark.parametrize(
    "cells",
    [
        ["01234", "04567", "0815"],
        ["V10", "V27", "V30"],
        ["T1", "T2", "T3"],
        ["3A", "4A", "5A"],
        ["0-10", "10-20", "20+"],
        ["12:30", "7:45"],
        ["1.2.3", "1.2.4"],
        ["555-1234", "555-9876"],
        ["?", "n/a"],
        ["1,23,456", "5"],
    ],
)
def test_what_is_no_quantity_is_not_drafted_as_one(cells):
    assert not isinstance(drafted(cells)[0], Numeric)


@pytest.mark.parametrize(
    ("cells", "strange"),
    [
        (["1,5", "2,5", "3,5", "unknown"], 1),
        (["5 mg", "7 mg", "1 g", "2 mg"], 1),
        (["1", "2", "3", "see note", "see note"], 2),
        ([1, 2, 3, "unknown"], 1),
    ],
)
def test_a_column_that_is_numbers_but_for_some_cells_says_how_many_and_what_to_do(cells, strange):
    column, text = drafted(cells)
    assert not isinstance(column, Numeric)
    assert f"{strange} cells are no numbers, the others are" in text.replace("\n  # ", " ")
    assert "`missing`" in text
    comments = " ".join(line for line in text.splitlines() if line.lstrip().startswith("#"))
    assert "see note" not in comments
    assert "unknown" not in comments


SEVEN = ["5", "6", "7", "8", "9", "10", "11"]


@pytest.mark.parametrize(
    ("cells", "censored"),
    [
        (["<5", *SEVEN], {"below": 5, "above": None}),
        (["< 5", *SEVEN, ">11"], {"below": "< 5", "above": 11}),
        (["\u22645 mg", *[f"{x} mg" for x in SEVEN]], {"below": "\u22645 mg", "above": None}),
        (["<0,5", *[f"{x},5" for x in SEVEN]], {"below": 0.5, "above": None}),
        (["<5", *map(int, SEVEN)], {"below": 5, "above": None}),
    ],
)
def test_limits_of_detection_are_drafted_as_such(cells, censored):
    column, text = drafted(cells)
    assert isinstance(column, Numeric)
    assert column.censored.model_dump() == censored
    assert "censored" in column.observed
    assert "min" not in column.observed
    assert "infinite" not in text
    assert validate(pd.DataFrame({"x": cells}), Schema(columns={"x": column})).success
    assert [column.text(float(column.cell(c))) if isinstance(c, str) else c for c in cells] == cells


@pytest.mark.parametrize("cells", [["<5", "<6", *SEVEN], ["<7", *SEVEN], ["<5", *SEVEN, ">10"], ["<1", "1", "2", ">2"]])
def test_several_limits_numbers_beyond_one_or_few_numbers_are_said_and_not_drafted(cells):
    column, text = drafted(cells)
    assert not isinstance(column, Numeric)
    assert "cells are no numbers, the others are" in text.replace("\n  # ", " ")


def test_texts_that_are_hardly_numbers_at_all_have_no_such_word():
    for cells in (["a", "b", "5"], ["V10", "V20", "250.00"], ["A1", "A2", "10"]):
        assert "no numbers" not in drafted(cells)[1]


@pytest.mark.parametrize(
    ("cells", "other"),
    [(["1,234", "12,500", "7"], '`decimal: ","`'), (["1.234 mg", "12.500 mg"], '`decimal: ","` and `thousands: "."`')],
)
def test_a_sign_that_may_group_or_divide_is_asked_about(cells, other):
    column, text = drafted(cells)
    assert isinstance(column, Numeric)
    assert f"there is another reading: if it is meant, {other}" in text.replace("\n  # ", " ")
    assert "another reading" not in drafted(["1.234.567", "5"])[1]


def test_cells_written_in_another_way_than_most_are_counted():
    column, text = drafted(["1.234,5", "1234,5", "12 ,5".replace(" ", "")])
    assert isinstance(column, Numeric)
    assert "1 cells are written in another way" in text.replace("\n  # ", " ")


def test_keys_and_codes_stay_keys_and_codes():
    assert isinstance(drafted([f"{k:,}" for k in range(1000, 1040)], "patient_id")[0], Identifier)
    icd = [f"{k}.0" for k in range(250, 290)] + ["V10", "E880"] * 20
    assert isinstance(drafted(icd, "diag_icd9")[0], Code)


@given(st.data())
def test_whatever_is_written_in_one_way_is_drafted_so_that_it_is_read_and_written_back(data):
    column = data.draw(columns())
    numbers = data.draw(st.lists(decimals_of(column), min_size=3, max_size=12, unique=True))
    texts = [spelled(number, column) for number in numbers]
    found = reading([*texts, *column.missing])
    if not found.keys:  # plain numbers, or a nought before the digits
        return
    how = Numeric(**{"decimals": column.decimals, "nullable": True, **found.keys})
    typed = conform(pd.DataFrame({"x": texts}), Schema(columns={"x": how}))["x"]
    same = typed.astype(float).tolist() == [float(number) for number in numbers]
    assert same or any("another reading" in note for note in found.notes)
    assert [how.cell(word) for word in column.missing] == [None] * len(column.missing)
    assert all(how.text(x) == t for x, t in zip(typed, texts, strict=True)) or not same or found.notes


@pytest.mark.parametrize("cells", [GERMAN, ["5 mg", "7 mg"], ["1,5", "?", "2,5"], ["1", "?", "22"]])
def test_drafts_of_files_and_frames_are_the_same(tmp_path, cells):
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=object), "y": 1.5})
    frame.to_csv(tmp_path / "x.csv", index=False, sep=";")
    frame.to_parquet(tmp_path / "x.parquet")
    whole = frame.astype({"x": "string"})
    expected = draft(frame)
    assert draft(whole) == expected
    assert draft(tables.read(tmp_path / "x.csv").frame()) == expected
    assert draft(tables.read(tmp_path / "x.parquet").frame()) == expected


def test_rules_are_drafted_from_numbers_however_they_are_written():
    low = [1.5, 2.5, 10.0, 11.5, 3.5, 4.0] * 30
    texts = [f"{x:.1f}".replace(".", ",") for x in low]
    ward = {"ward": [f"{int(x)} mg" for x in low], "name": [chr(97 + int(x)) for x in low]}
    frame = pd.DataFrame({"bp_low": texts, "bp_high": [x + 2 for x in low], **ward})
    numbers = pd.DataFrame({"bp_low": low, "bp_high": [x + 2 for x in low], **ward})
    assert Schema.infer(frame).rules == Schema.infer(numbers).rules
    assert [rule.rule for rule in Schema.infer(frame).rules] == ["comparison", "fixed_combination"]
    assert validate(frame, Schema.infer(frame)).success
