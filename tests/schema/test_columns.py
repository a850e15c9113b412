"""Columns: which values each kind admits, and every declaration it refuses."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from synthkit.schema import Boolean, Categorical, Code, Datetime, Identifier, Numeric, Ordinal
from synthkit.schema.columns import level_key, level_keys
from synthkit.schema.datetimes import read_datetimes
from synthkit.schema.number_cells import numbers


def series(*cells):
    return pd.Series(list(cells), dtype=object)


REFUSED = [
    (Numeric, {"min": 2, "max": 1}, "`min` must not exceed `max`; however: min 2.0 > max 1.0"),
    (Numeric, {"min": 0, "max": 9, "atoms": [5, 99]}, "`atoms` must lie between `min` and `max`; however: 99 outside"),
    (
        Numeric,
        {"min": 0.2, "max": 0.8, "decimals": 0},
        "there must be a number of 0 `decimals`; however: there is none",
    ),
    (Numeric, {"max": float("inf")}, "finite number"),
    (Numeric, {"atoms": [float("nan")]}, "finite number"),
    (Numeric, {"decimals": -1}, "greater than or equal to 0"),
    (Numeric, {"zz": 1}, "Extra inputs"),
    (Numeric, {"observed": ["min", "levels"]}, "`observed` must name keys of this column; however: levels"),
    (Categorical, {"levels": []}, "at least 1"),
    (Categorical, {"levels": ["a", "b", "a"]}, "each level must be listed once; however: a"),
    (Ordinal, {"levels": [1, 2, 1.0]}, "each level must be listed once"),
    (Boolean, {"levels": [True, 1]}, "each level must be listed once"),
    (Categorical, {"levels": [float("nan")]}, "finite number"),
    (Categorical, {"levels": [None]}, "valid"),
    (Boolean, {"levels": ["a"]}, "at least 2"),
    (Boolean, {"levels": ["a", "b", "c"]}, "at most 2"),
    (Datetime, {"min": "2021-01-01", "max": "2020-01-01"}, "`min` must not be after `max`; however: 2021-01-01"),
    (Datetime, {"min": "yesterday"}, "`min` must be a moment in ISO 8601 without a time zone; however: 'yesterday'"),
    (Datetime, {"max": "2020-01-01T00:00:00+01:00"}, "`max` must be a moment in ISO 8601"),
    (Datetime, {"precision": "year"}, "'day', 'hour'"),
    (Code, {"pattern": "("}, "`pattern` must be a regular expression of RE2; however: missing )"),
    (Identifier, {"pattern": "A[0-9]{2}", "faker": "name"}, "takes `pattern` or `faker`; however: both"),
    (Identifier, {"pattern": "(A|B)"}, "literals, `[A-Z0-9]` classes and `{n}` counts; however: '(A|B)'"),
    (Identifier, {"pattern": "A+"}, "literals, `[A-Z0-9]` classes"),
    (Identifier, {"pattern": "[^A]{2}x|y"}, "literals, `[A-Z0-9]` classes"),
    (Identifier, {"pattern": "[9-0]"}, "a class of an identifier's pattern must have letters, the lower end first"),
]


@pytest.mark.parametrize(("kind", "keys", "message"), REFUSED, ids=lambda x: getattr(x, "__name__", None))
def test_declarations_that_cannot_be_meant_are_refused_with_what_came(kind, keys, message):
    with pytest.raises(ValidationError) as caught:
        kind(**keys)
    assert message in str(caught.value)


@pytest.mark.parametrize("pattern", ["[1-9][0-9]{6}", "P-[A-Z]{2}[0-9]{4}", r"A\.\d{3}", "[0-9a-f]{8}-[0-9a-f]{4}"])
def test_an_identifier_takes_the_patterns_a_generator_can_make(pattern):
    assert Identifier(pattern=pattern).pattern == pattern


def test_a_numeric_column_admits_finite_numbers_within_bounds_and_decimals():
    cells = series(0, 1.5, 1.25, 10, 10.1, -0.1, np.inf, "7", "seven", None, np.nan, True, Decimal("2.5"), 10**400)
    admitted = Numeric(min=0, max=10, decimals=1).admits(cells)
    expected = [True, True, False, True, False, False, False, True, False, True, True, True, True, False]
    assert admitted.tolist() == expected


def test_a_numeric_column_refuses_moments_spans_and_complex_numbers():
    column = Numeric()
    assert not column.admits(pd.Series(pd.to_datetime(["2020-01-01"]))).any()
    assert not column.admits(pd.Series(pd.to_timedelta(["1h"]))).any()
    assert not column.admits(pd.Series([1 + 2j])).any()


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1), st.integers(0, 4))
def test_every_decimal_number_has_its_own_number_of_decimals(units, decimals):
    """k / 10^d is admitted under d decimals, and refused under d - 1 exactly if k is no multiple of ten."""
    x = pd.Series([k / 10**decimals for k in units])
    assert Numeric(decimals=decimals).admits(x).all()
    if decimals:
        assert Numeric(decimals=decimals - 1).admits(x).tolist() == [k % 10 == 0 for k in units]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True)), st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_numeric_bounds_agree_with_python(cells, a, b):
    low, high = sorted((a, b))
    expected = [np.isnan(x) or low <= x <= high for x in cells]
    assert Numeric(min=low, max=high).admits(pd.Series(cells, dtype=float)).tolist() == expected


def test_levels_are_compared_as_people_mean_them():
    cells = series(0, 0.0, False, True, 1.0, "1", "0", "NA", "None", None, np.nan, 2)
    numbers, texts = Categorical(levels=[0, 1]), Categorical(levels=["1", "NA", "None"])
    assert numbers.admits(cells).tolist() == [True] * 5 + [False] * 4 + [True] * 2 + [False]
    assert texts.admits(cells).tolist() == [False] * 5 + [True, False] + [True] * 4 + [False]


def test_whole_numbers_beyond_floats_stay_different_levels():
    big = 2**53
    assert level_key(big + 1) != level_key(big + 2)
    assert Categorical(levels=[big + 1]).admits(pd.Series([big + 1, big + 2])).tolist() == [True, False]


@pytest.mark.parametrize("dtype", ["category", "string", object])
def test_levels_are_found_in_every_dtype_text_comes_in(dtype):
    cells = pd.Series(["a", None, "c"], dtype=dtype)
    assert Ordinal(levels=["a", "b"]).admits(cells).tolist() == [True, True, False]


@pytest.mark.parametrize("dtype", ["bool", "boolean", "Int64", float])
def test_true_and_one_are_one_level_in_every_dtype(dtype):
    assert Boolean().admits(pd.Series([True, False], dtype=dtype)).all()
    assert Boolean(levels=[0, 1]).admits(pd.Series([True, False], dtype=dtype)).all()


@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_characters="\0"), max_size=3), st.integers(-3, 3))))
def test_level_keys_is_level_key_cell_by_cell(cells):
    keys = level_keys(pd.Series(cells, dtype=object))
    assert list(keys) == [None if cell is None else level_key(cell) for cell in cells]


def test_a_datetime_column_reads_iso_8601_and_its_own_format():
    cells = series("2020-01-31", "31.01.2020", "2020-02-30", 20200131, None, "x", dt.date(2020, 1, 31))
    assert Datetime().admits(cells).tolist() == [True, False, False, False, True, False, True]
    assert Datetime(format="%d.%m.%Y").admits(cells).tolist() == [True, True, False, False, True, False, True]


def test_a_datetime_column_keeps_its_bounds_in_any_century():
    column = Datetime(min="1900-01-01", max="9999-12-31T12:00:00")
    cells = series("1899-12-31", "1900-01-01", "9999-12-31", "9999-12-31T12:00:01", "2262-05-01")
    assert column.admits(cells).tolist() == [False, True, True, False, True]
    typed = pd.Series(np.array(["1899-12-31", "1900-01-01", "NaT"], dtype="datetime64[us]"))
    assert column.admits(typed).tolist() == [False, True, True]


def test_numbers_and_moments_with_a_time_zone_are_no_moments():
    assert not Datetime().admits(pd.Series([1, 2])).any()
    assert not Datetime().admits(pd.Series(pd.to_datetime(["2020-01-01"]).tz_localize("UTC"))).any()
    assert not Datetime().admits(series("2020-01-01T00:00:00+01:00")).any()


@pytest.mark.parametrize(
    ("precision", "step"),
    [
        ("day", 86_400_000_000),
        ("hour", 3_600_000_000),
        ("minute", 60_000_000),
        ("second", 1_000_000),
        ("millisecond", 1_000),
        ("microsecond", 1),
    ],
)
def test_precision_is_a_number_of_microseconds(precision, step):
    assert Datetime(precision=precision).step == step


def test_a_code_matches_its_pattern_in_full_and_its_list():
    cells = series("250.83", "V27", "2508", "250.8x", None, 276)
    column = Code(pattern=r"[0-9]{3}(\.[0-9]{1,2})?|V[0-9]{2}")
    assert column.admits(cells).tolist() == [True, True, False, False, True, True]
    assert Code(levels=["V27", "276"]).admits(cells).tolist() == [False, True, False, False, True, False]
    assert Code().admits(cells).all()


def test_an_identifier_admits_any_value_since_its_pattern_is_for_fresh_ones():
    assert Identifier(pattern="[0-9]{3}").admits(series("Ann", 3, None)).all()


def test_values_are_frozen():
    with pytest.raises(ValidationError):
        Numeric().min = 3


def test_numbers_and_moments_see_categorical_dtypes():
    assert numbers(pd.Series([1, 2, None], dtype="category")).tolist()[:2] == [1.0, 2.0]
    assert not np.isnat(read_datetimes(pd.Series(pd.to_datetime(["2020-01-01"]), dtype="category"), None)).any()
