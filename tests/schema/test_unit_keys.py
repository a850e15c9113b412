"""Which cells name the same person: a function of the cell alone, the same however it is spelled."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import odd_cells
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.schema import Schema
from synthkit.schema.columns import Datetime, Numeric
from synthkit.schema.conform import conform
from synthkit.schema.unit_keys import unit_codes, unit_key, unit_keys

NOON = dt.datetime(2020, 5, 1, 12)
ONE = {
    "7": [
        "7",
        "07",
        "7.0",
        " 7",
        "7\u00a0",
        "+7",
        "7e0",
        "70e-1",
        "\u0667",
        "\uff17",
        7,
        7.0,
        np.int8(7),
        np.float32(7),
    ],
    "1000": ["1e3", "1000", "1000.00", 1000, 1e3, Decimal("1E+3"), "01000"],
    "0": ["0", "-0", "00", "0.0", 0, -0.0, False, "false", "FALSE "],
    "1": ["1", "true", True, np.bool_(1), 1.0, Decimal("1.00")],
    "-7.5": ["-7.5", "-07.50", -7.5, Decimal("-7.500"), "-75e-1"],
    "0.1": ["0.1", ".1", 0.1, np.float32("0.1"), "00.100"],
    "9007199254740993": ["9007199254740993", 2**53 + 1, np.uint64(2**53 + 1), Decimal(2**53 + 1)],
    "p 1": ["P 1", " p  1 ", "p\u00a01", "p\t1", "\uff30 1", "p\u200b 1", b"P 1", "p 1\x00"],
    "\u00e9": ["\u00e9", "e\u0301", "\u00c9"],
    "strasse": ["stra\u00dfe", "STRASSE"],
    "2020-05-01": [
        "2020-05-01",
        "2020-05-01T00:00:00",
        "2020-05-01 00:00",
        dt.date(2020, 5, 1),
        np.datetime64("2020-05-01"),
    ],
    "2020-05-01T12:00:00": ["2020-05-01T12:00:00Z", "2020-05-01 14:00:00+02:00", NOON, pd.Timestamp(NOON, tz="UTC")],
    None: ["", " ", "\u200b", "\x00", "\t\n", *odd_cells.MISSING],
}


@pytest.mark.parametrize("key", ONE, ids=repr)
def test_one_person_is_one_unit_however_spelled(key):
    assert [unit_key(cell) for cell in ONE[key]] == [key] * len(ONE[key])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("7", "8"),
        ("7", "-7"),
        ("p1", "p 1"),
        ("A-1", "A1"),
        (2**53, 2**53 + 1),
        ("9" * 50, "9" * 49 + "8"),
        ("1e400", "1e401"),
        ("0x7", "7"),
        ("2020-05-01", "2020-05-02"),
        ("nan", ""),
    ],
)
def test_two_persons_are_two(one, other):
    assert unit_key(one) != unit_key(other)


CELLS = st.text(max_size=8) | st.integers() | st.floats() | st.decimals() | st.booleans() | st.datetimes() | st.none()
CELLS |= st.text("0123456789.eE+-", max_size=6) | st.binary(max_size=4) | st.sampled_from(odd_cells.units())


@given(cell=CELLS)
@settings(deadline=None, max_examples=300)
def test_a_key_is_its_own_key(cell):
    key = unit_key(cell)
    assert key is None or (key and unit_key(key) == key)


@given(cells=st.lists(CELLS, max_size=8))
@settings(deadline=None, max_examples=100)
def test_a_cell_has_the_same_key_whoever_else_is_there(cells):
    column = pd.Series(cells, dtype=object) if cells else pd.Series([], dtype=object)
    assert unit_keys(column).tolist() == [unit_key(cell) for cell in cells]


@given(n=st.integers(-(10**20), 10**20), zeros=st.integers(0, 4))
@settings(deadline=None)
def test_whole_numbers_are_compared_as_python_compares_them(n, zeros):
    """Python's whole numbers are exact: the judge of which spellings are one number."""
    sign, digits = ("-", str(-n)) if n < 0 else ("", str(n))
    for spelled in (f"{sign}{'0' * zeros}{digits}", f" {n}.{'0' * zeros}", Decimal(n), n):
        assert int(unit_key(spelled)) == n


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float64", "object", "string", "category", "int64[pyarrow]"])
def test_the_dtype_of_the_column_makes_nobody_another(dtype):
    assert unit_keys(pd.Series([7, 8, 7]).astype(dtype)).tolist() == ["7", "8", "7"]


def test_moments_are_read_as_their_column_writes_them():
    column = Datetime(format="%d/%m/%Y")
    cells = pd.Series(["01/05/2020", "2020-05-01", dt.date(2020, 5, 1)], dtype=object)
    assert unit_keys(cells, column).tolist() == ["2020-05-01"] * 3


@pytest.mark.parametrize("cells", [["7", "07", " 7", "8"], ["7", "8.0", "7.0", "8"]])
def test_the_keys_with_and_without_a_budget_are_the_same(cells):
    """Without one the cells went through their schema before."""
    frame = pd.DataFrame({"who": cells})
    schema = Schema(unit="who", columns={"who": Numeric(decimals=0), "x": Numeric()})
    codes, keys = unit_codes(frame, schema)
    typed, names = unit_codes(conform(frame.assign(x=1), schema), schema)
    assert codes.tolist() == typed.tolist()
    assert keys.tolist() == names.tolist()


def test_rows_of_nobody_have_no_unit():
    schema = Schema(unit="who", columns={"who": Numeric(), "x": Numeric()})
    codes, keys = unit_codes(pd.DataFrame({"who": ["7", None, " ", "8", 7]}, dtype=object), schema)
    assert codes.tolist() == [0, -1, -1, 1, 0]
    assert keys.tolist() == ["7", "8"]
