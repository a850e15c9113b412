"""Texts that are numbers are drafted as numbers, with how they are written; others never without a word."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.schema import Code, Identifier, Numeric, Schema
from synthkit.schema.conform import conform
from synthkit.schema.infer.draft import draft, infer_schema
from synthkit.schema.infer.number_notation import infer_notation
from synthkit.schema.number_formats import write_numbers
from synthkit.schema.validation import validate
from synthkit.tables import table_files
from tests.schema.test_number_formats import columns, decimals_of, spelled

GERMAN = ["1.234,50", "0,75", "12.000,00", "980,20"]


def drafted(cells: list[object], name: str = "x") -> tuple[object, str]:
    """The column of a draft, and its text."""
    text = draft(pd.DataFrame({name: pd.Series(cells, dtype=object)}))
    return Schema.loads(text).columns[name], text


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


TENTHS = [f"{x / 10:.1f}" for x in range(-30, 300, 7)]
SIGNED = [f"{x / 10:+.1f}" for x in range(-31, 300, 7)]


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "ng/L",
            "mm/h",
            "ml/min",
            "G/l",
            "10^9/L",
            "10*9/l",
            "x10^9/L",
            "µg/dL",
            "\u03bcg/dL",
            "mL/min/1.73m2",
            "mm Hg",
        ),
        *("beats per minute", "Punkte", "/nl", "(SD)"),
    ],
)
def test_what_stands_behind_a_blank_beside_every_number_is_its_unit(unit):
    cells = [f"{x} {unit}" for x in TENTHS]
    column, _ = drafted(cells)
    assert isinstance(column, Numeric)
    assert column.suffix == f" {unit}"
    schema = Schema(columns={"x": column})
    assert validate(pd.DataFrame({"x": cells}), schema).success
    assert write_numbers(conform(pd.DataFrame({"x": cells}), schema)["x"], column).tolist() == cells


@pytest.mark.parametrize("unit", ["ng/L", "mm/h", "G/l", "x10^9/L", "×10^9/L", "µg/dL", "mL/min/1.73m2", "°dH", "/nl"])
def test_a_unit_without_a_blank_is_told_by_its_signs(unit):
    column, _ = drafted([f"{x}{unit}" for x in TENTHS])
    assert isinstance(column, Numeric)
    assert column.suffix == unit


@pytest.mark.parametrize(
    ("cells", "censored"),
    [
        (["<5 ng/l", *(f"{x}.5 ng/l" for x in range(5, 40))], {"below": 5, "above": None}),
        ([">60 ng/l", *(f"{x}.5 ng/l" for x in range(5, 59))], {"below": None, "above": 60}),
        (["<4.5 10^9/L", *(f"{x}.5 10^9/L" for x in range(5, 40))], {"below": 4.5, "above": None}),
    ],
)
def test_limits_with_any_unit_are_drafted_as_such(cells, censored):
    column, _ = drafted(cells)
    assert column.censored.model_dump() == censored
    assert [column.text(float(column.cell(cell))) for cell in cells] == cells


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\t"])
@pytest.mark.parametrize("side", ["before", "behind", "around some"])
def test_blanks_around_numbers_are_read_over_and_said(side, blank):
    cells = [f"{blank}{x}" if side == "before" else f"{x}{blank}" for x in TENTHS]
    cells = [x if k % 5 else cell for k, (x, cell) in enumerate(zip(TENTHS, cells, strict=True))]
    column, text = drafted(cells)
    assert isinstance(column, Numeric)
    padded = sum(cell != cell.strip() for cell in cells)
    assert f"{padded} cells have blanks around them, which do not come out" in text
    schema = Schema(columns={"x": column})
    assert validate(pd.DataFrame({"x": cells}), schema).success
    assert conform(pd.DataFrame({"x": cells}), schema)["x"].tolist() == [float(x) for x in TENTHS]


@pytest.mark.parametrize(
    ("cells", "keys"),
    [
        ([x.replace("-", "\u2212") for x in TENTHS], {"minus": "\u2212", "plus": False}),
        (SIGNED, {"minus": "-", "plus": True}),
        ([x.replace("-", "\u2212") for x in SIGNED], {"minus": "\u2212", "plus": True}),
        ([f"{x} ng/L" for x in SIGNED], {"minus": "-", "plus": True, "suffix": " ng/L"}),
        ([x.replace(".", ",") for x in SIGNED], {"plus": True, "decimal": ","}),
    ],
)
def test_signs_are_read_and_written_back_as_they_came(cells, keys):
    column, text = drafted(cells)
    assert isinstance(column, Numeric)
    assert {key: getattr(column, key) for key in keys} == keys
    assert "written in another way" not in text
    schema = Schema(columns={"x": column})
    assert Schema.loads(schema.dumps()) == schema
    assert validate(pd.DataFrame({"x": cells}), schema).success
    typed = conform(pd.DataFrame({"x": cells}), schema)["x"]
    plain = [cell.replace("\u2212", "-").replace(",", ".").split()[0] for cell in cells]
    assert typed.tolist() == [float(cell) for cell in plain]
    assert write_numbers(typed, column).tolist() == cells


def test_a_few_signs_among_numbers_without_are_counted():
    column, text = drafted(["+1.5", "-2.5", *TENTHS])
    assert isinstance(column, Numeric)
    assert not column.plus
    assert "1 cells are written in another way" in text


@pytest.mark.parametrize(
    "cells",
    [
        [f"A{x}" for x in range(10, 40)],
        [f"G{x}" for x in range(1, 5)] * 5,
        [f"{x}A" for x in range(30)],
        [f"{x}/B" for x in range(30)],
        [f"{x} of 9" for x in range(9)] * 3,
        [f"{x}. M\u00e4rz 2021" for x in range(1, 29)],
        [f"+4917012345{x}" for x in range(10, 40)],
        ["+1", "+2", "+3"] * 9,
        ["1 ", "2 ", "3 "] * 9,
        [f" {2**53 + 2 * x + 1}" for x in range(30)],
        [f"Room {x}" for x in range(30)],
        [f" 0{x}" for x in range(10, 40)],
    ],
)
def test_what_signs_blanks_or_words_stand_beside_may_still_be_codes(cells):
    assert not isinstance(drafted(cells)[0], Numeric)


def test_codes_of_a_catalogue_stay_codes_though_blanks_stand_around_them():
    assert not isinstance(drafted([f"{x}.5 " for x in range(200, 260)], "diag_icd9")[0], Numeric)


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


@pytest.mark.parametrize("dtype", [object, "string", "category"])
@pytest.mark.parametrize(
    ("cells", "reformatted"),
    [
        ([".80", ".75", "-.55"], 3),
        (["5.63e+04", "1.20e+01", "3.14e+00"], 3),
        (["7.", "8.5", "9"], 1),
        (["0.80", "1.5", "1e-07", "2.50"], 0),
    ],
)
def test_plain_numbers_that_come_out_in_another_way_are_counted(cells, reformatted, dtype):
    text = draft(pd.DataFrame({"x": pd.Series(cells * 7, dtype=dtype)}))
    assert isinstance(Schema.loads(text).columns["x"], Numeric)
    said = " ".join(line.strip(" #") for line in text.splitlines())
    words = "cells have no digit before or behind the point, or an exponent: they come out as plain numbers"
    assert (f"{7 * reformatted} {words}" in said) == bool(reformatted)
    assert (words in said) == bool(reformatted)
    frame = pd.DataFrame({"x": pd.Series(cells * 7, dtype=dtype).astype(float)})
    assert infer_schema(frame) == Schema.loads(text)
    assert words not in draft(frame)


@pytest.mark.parametrize(
    "cells", [[",80", "0,75", "1,5"], [".8 mg", ".75 mg", "1.5 mg"], [".80 ", ".7", "1.5", "2.5", "3"]]
)
def test_a_nought_that_is_left_out_beside_other_signs_is_counted_too(cells):
    column, text = drafted(cells)
    assert isinstance(column, Numeric)
    assert "cells are written in another way than the draft says" in " ".join(text.replace("#", " ").split())


def test_keys_and_codes_stay_keys_and_codes():
    assert isinstance(drafted([f"{k:,}" for k in range(1000, 1040)], "patient_id")[0], Identifier)
    icd = [f"{k}.0" for k in range(250, 290)] + ["V10", "E880"] * 20
    assert isinstance(drafted(icd, "diag_icd9")[0], Code)


@given(st.data())
def test_whatever_is_written_in_one_way_is_drafted_so_that_it_is_read_and_written_back(data):
    column = data.draw(columns())
    numbers = data.draw(st.lists(decimals_of(column), min_size=3, max_size=12, unique=True))
    texts = [spelled(number, column) for number in numbers]
    found = infer_notation([*texts, *column.missing])
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
    assert draft(table_files.read(tmp_path / "x.csv").frame()) == expected
    assert draft(table_files.read(tmp_path / "x.parquet").frame()) == expected


def test_rules_are_drafted_from_numbers_however_they_are_written():
    low = [1.5, 2.5, 10.0, 11.5, 3.5, 4.0] * 30
    texts = [f"{x:.1f}".replace(".", ",") for x in low]
    ward = {"ward": [f"{int(x)} mg" for x in low], "name": [chr(97 + int(x)) for x in low]}
    frame = pd.DataFrame({"bp_low": texts, "bp_high": [x + 2 for x in low], **ward})
    numbers = pd.DataFrame({"bp_low": low, "bp_high": [x + 2 for x in low], **ward})
    assert infer_schema(frame).rules == infer_schema(numbers).rules
    assert [rule.rule for rule in infer_schema(frame).rules] == ["comparison", "fixed_combination"]
    assert validate(frame, infer_schema(frame)).success
