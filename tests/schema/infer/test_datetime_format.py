"""Drafts of dates as people write them: the format of all cells, the same for every storage; what is open is asked."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.schema import Datetime, Schema
from synthkit.schema.conform import conform
from synthkit.schema.datetime_formats import Format
from synthkit.schema.datetimes import read_datetimes, write_datetimes
from synthkit.schema.infer.datetime_format import infer_datetime_format
from synthkit.schema.infer.draft import draft, examine, infer_schema
from synthkit.schema.infer.type_inference import infer_column

DAYS = [
    *("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%-m/%-d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m/%d/%y", "%d.%m.%y", "%Y%m%d"),
    *("%d-%b-%Y", "%d-%^b-%y", "%d%^b%Y", "%d %B %Y", "%b %-d, %Y", "%B %d, %Y", "%a, %d %b %Y", "%d. %B %Y"),
]
CLOCKS = [" %H:%M", " %H:%M:%S", " %I:%M %p", " %-I:%M:%S %P", ":%H:%M:%S"]
SEEN = st.lists(
    st.datetimes(min_value=dt.datetime(1970, 1, 1), max_value=dt.datetime(2060, 1, 1)),
    min_size=20,
    max_size=30,
    unique=True,
)


def clear(times):
    """With a day after the 12th, an hour and days of one and two digits: nothing is open."""
    return [
        dt.datetime(1999, 12, 31, 23, 59, 58),
        dt.datetime(2001, 2, 3, 1, 2, 3),
        dt.datetime(2001, 11, 3, 14, 2, 3),
        *times,
    ]


@settings(max_examples=15)
@given(SEEN, st.sampled_from(DAYS), st.sampled_from(["", *CLOCKS]))
def test_the_format_that_wrote_them_is_drafted(times, day, clock):
    pattern = day + ("" if day == "%Y%m%d" else clock)
    texts = pd.Series([Format(pattern).write(t) for t in clear(times)])
    drafted = infer_column("seen", texts)
    assert isinstance(drafted.column, Datetime)
    assert drafted.column.format == pattern
    assert drafted.about == ""
    read = read_datetimes(texts, drafted.column)
    assert write_datetimes(pd.Series(read), drafted.column).tolist() == texts.tolist()


@settings(max_examples=8)
@given(SEEN, st.sampled_from(DAYS))
def test_drafts_of_the_same_days_agree_over_formats_and_storages(times, day):
    """Kind, bounds, precision and atoms, and what a column typed by them holds, are those of moments."""
    days = [t.replace(hour=0, minute=0, second=0, microsecond=0) for t in clear(times)]
    texts = [Format(day).write(t) for t in days]
    numbers = [int(t.strftime("%Y%m%d")) for t in days]
    stored = {
        "moments": pd.Series(np.array(days, dtype="datetime64[us]")),
        "dates": pd.Series([t.date() for t in days], dtype=object),
        "iso": pd.Series([t.date().isoformat() for t in days]),
        "texts": pd.Series(texts, dtype=object),
        "string": pd.Series(texts, dtype="string"),
        "category": pd.Series(texts, dtype="category"),
        "categories of days": pd.Series(numbers, dtype="category"),
        "whole": pd.Series(numbers),
        "float": pd.Series(numbers, dtype=float),
        "nullable": pd.Series(numbers, dtype="Int32"),
        "zoned": pd.Series(np.array(days, dtype="datetime64[us]")).dt.tz_localize("UTC"),
    }
    expected = infer_schema(pd.DataFrame({"seen": stored["moments"]})).columns["seen"]
    for name, values in stored.items():
        drafted = infer_schema(pd.DataFrame({"seen": values})).columns["seen"]
        assert isinstance(drafted, Datetime), name
        assert (drafted.min, drafted.max, drafted.precision, drafted.atoms) == (
            *(expected.min, expected.max, expected.precision, expected.atoms),
        )
        schema = Schema(columns={"seen": drafted.model_dump()})
        assert conform(pd.DataFrame({"seen": values}), schema)["seen"].tolist() == days, name


@pytest.mark.parametrize(
    ("texts", "format_", "zone"),
    [
        (["2021-03-04T07:00:00Z", "2021-03-05T08:30:00Z"], "%Y-%m-%dT%H:%M:%SZ", "UTC"),
        (["2021-03-04T07:00:00.125Z", "2021-03-05T08:30:00.500Z"], "%Y-%m-%dT%H:%M:%S.%3fZ", "UTC"),
        (["2021-03-04 07:00:00+01:00", "2021-03-05 08:30:00+01:00"], "%Y-%m-%d %H:%M:%S%:z", "+01:00"),
        (["2021-03-04 07:00:00+0100", "2021-07-05 08:30:00+0200"], "%Y-%m-%d %H:%M:%S%z", "UTC"),
        (["04/03/2021 07:00 UTC", "14/03/2021 07:00 UTC"], "%d/%m/%Y %H:%M UTC", "UTC"),
    ],
)
def test_moments_that_name_their_zone_are_drafted_with_one(texts, format_, zone):
    drafted = infer_column("seen", pd.Series(texts)).column
    assert (drafted.kind, drafted.format, drafted.zone) == ("datetime", format_, zone)


def test_offsets_that_differ_are_said():
    notes = " ".join(infer_column("seen", pd.Series(["2021-03-04 07:00+01:00", "2021-07-05 08:30+02:00"])).notes)
    assert "name the `zone` they come from" in notes


@pytest.mark.parametrize(
    ("rows", "about"), [(["01/02/2020", "03/04/2021"], "date order"), (["01/02/2020", "03/14/2021"], "")]
)
def test_day_and_month_are_asked_where_every_cell_can_be_read_both_ways(rows, about):
    frame = pd.DataFrame({"seen": rows * 12})
    asked = [q for q in examine(frame).questions if q.about == "date order"]
    assert bool(asked) == bool(about)
    if asked:
        assert 'format: "%d/%m/%Y"' in asked[0].otherwise
        assert "QUESTION: Does the day or the month come first in `seen`?" in " ".join(
            draft(frame).replace("#", " ").split()
        )


def test_one_cell_among_many_decides_and_all_are_asked():
    """Ten thousand cells that can be read both ways, and one at the end that cannot."""
    cells = [f"{1 + k % 12:02d}/{1 + k // 12 % 12:02d}/2020" for k in range(10_000)]
    assert infer_column("seen", pd.Series([*cells, "25/03/2020"])).column.format == "%d/%m/%Y"
    assert infer_column("seen", pd.Series([*cells, "03/25/2020"])).column.format == "%m/%d/%Y"


def test_two_digits_of_a_year_are_said():
    drafted = infer_column("born", pd.Series(["04/13/21", "05/17/35"]))
    assert drafted.column.pivot == 1969
    assert any("1969 to 2068" in note for note in drafted.notes)


def test_cells_that_are_no_moments_among_others_that_are_get_a_word():
    texts = [f"{1 + k % 28:02d}.03.{1990 + k}" for k in range(30)]
    drafted = infer_column("seen", pd.Series([*texts, "unknown"]))
    assert drafted.column.kind != "datetime"
    assert any("1 cells are no moments, the others are, written as %d.%m.%Y" in n for n in drafted.notes)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("patient_id", [20210101 + k for k in range(28)]),
        ("dose", [20210304]),
        ("amount", [20211301, 20211401]),
        ("code", ["1.2.3", "4.5.6"]),
        ("icd", ["E10.1", "E11.9"]),
        ("time", ["07:00", "08:30"]),
        ("score", [1, 2, 3]),
    ],
)
def test_what_only_looks_like_a_date_is_none(name, values):
    assert infer_column(name, pd.Series(values)).column.kind != "datetime"


@pytest.mark.parametrize(
    "texts", [["Mar 4, 2021", "Apr 5, 2020"], ["3/14/2021 7:00 AM", "3/15/2021 8:00 PM"], [20210304, 20200405]]
)
def test_dates_are_said_to_identify_people(texts):
    """HIPAA's dates more exact than the year: the warning that codes would not get."""
    assert "dates more exact than the year" in " ".join(
        draft(pd.DataFrame({"x": texts * 12})).replace("#", " ").split()
    )


@pytest.mark.parametrize(
    "months", [("März", "Mai", "Okt."), ("janvier", "août", "mai"), ("de enero de", "de marzo de", "de mayo de")]
)
def test_months_of_another_language_get_a_word(months):
    drafted = infer_column("seen", pd.Series([f"{1 + k % 28} {months[k % 3]} 2021" for k in range(60)]))
    assert any("another language than English" in note for note in drafted.notes)


def test_no_cells_are_no_moments():
    assert infer_datetime_format("seen", []) is None


def test_comparisons_are_found_between_dates_however_they_are_written():
    start = pd.Series(pd.date_range("2020-01-01", periods=60))
    frame = pd.DataFrame(
        {"in": start.dt.strftime("%Y%m%d").astype(int), "out": (start + pd.Timedelta(days=3)).dt.strftime("%d.%m.%Y")}
    )
    assert [rule.sentence for rule in infer_schema(frame).rules] == ["in <= out"]
