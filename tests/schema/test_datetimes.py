"""Moments as people write them: read as Python's own strptime reads them, written back as they came."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.errors import SchemaError
from synthkit.schema import Datetime, Schema
from synthkit.schema.conform import conform, type_column
from synthkit.schema.datetime_formats import Format
from synthkit.schema.datetimes import MomentWriting, as_numbers, read_datetimes, write_datetimes
from synthkit.schema.domain_mapping import map_column
from tests.helpers import odd_cells

DATES = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%-m/%-d/%Y",
    "%d-%b-%Y",
    "%d%^b%Y",
    "%B %-d, %Y",
    "%a, %d %b %Y",
    "%Y%m%d",
    "%j/%Y",
]
CLOCKS = ["", " %H:%M", " %H:%M:%S", "T%H:%M:%S.%f", " %-I:%M %p", " %I:%M:%S%P", ":%H:%M:%S.%3f"]
FORMATS = [date + clock for date in DATES for clock in CLOCKS]
PLAIN = [f for f in FORMATS if not set("^P") & set(f) and "%-" not in f and "%3f" not in f]


def told(moment, pattern):
    """The moment without what the format does not write."""
    step = dt.timedelta(microseconds=1000 if "%3f" in pattern else Format(pattern).step)
    return dt.datetime.min + (moment - dt.datetime.min) // step * step


@given(st.datetimes(), st.sampled_from(FORMATS))
def test_what_is_written_is_read_back_and_written_the_same(moment, pattern):
    how = Format(pattern)
    text = how.write(moment)
    assert how.read(text) == told(moment, pattern)
    assert how.write(how.read(text)) == text


@given(st.datetimes(min_value=dt.datetime(1000, 1, 1)), st.sampled_from(PLAIN))
def test_texts_are_those_of_strftime_and_strptime(moment, pattern):
    """From the year 1000 on; before, Python leaves out the zeros it then cannot read."""
    how = Format(pattern)
    assert how.write(moment) == moment.strftime(pattern)
    assert how.read(moment.strftime(pattern)) == dt.datetime.strptime(moment.strftime(pattern), pattern)


@given(st.text(alphabet="0123456789/:. JanMyPAZ+-T", max_size=24), st.sampled_from(PLAIN))
def test_no_text_is_read_that_strptime_does_not_read_as_the_same(text, pattern):
    read = Format(pattern).read(text)
    if read is not None and "%f" not in pattern:
        assert read == dt.datetime.strptime(text.strip(), pattern)


@given(st.datetimes(min_value=dt.datetime(1000, 1, 1)), st.integers(1, 9900))
def test_two_digits_of_a_year_mean_one_of_a_hundred_years(moment, pivot):
    how = Format("%d/%m/%y", pivot=pivot)
    read = how.read(moment.strftime("%d/%m/%y"))
    if read is not None:  # 29 February is no day in another year
        assert pivot <= read.year < pivot + 100
        assert (read.year - moment.year) % 100 == 0
        assert how.write(read) == moment.strftime("%d/%m/%y")


def test_the_pivot_of_nobody_is_that_of_posix():
    for year in range(1969, 2069):
        text = f"04/07/{year % 100:02d}"
        assert Format("%d/%m/%y").read(text) == dt.datetime.strptime(text, "%d/%m/%y")


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("12:00 am", "%I:%M %p", (1900, 1, 1, 0, 0)),
        ("12:00 P.M.", "%I:%M %p", (1900, 1, 1, 12, 0)),
        ("01MAR2021:07:00:00", "%d%b%Y:%H:%M:%S", (2021, 3, 1, 7, 0)),
        ("3/4/2021 7:05\u202fPM", "%m/%d/%Y %I:%M %p", (2021, 3, 4, 19, 5)),
        ("366/2020", "%j/%Y", (2020, 12, 31)),
    ],
)
def test_what_people_and_programs_write(text, pattern, expected):
    assert Format(pattern).read(text) == dt.datetime(*expected)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("30.02.2021", "%d.%m.%Y"),
        ("366/2021", "%j/%Y"),
        ("13:00 PM", "%I:%M %p"),
        ("2021034", "%Y%m%d"),
        ("2021-03-04", "%Y/%m/%d"),
    ],
)
def test_what_is_no_moment(text, pattern):
    assert Format(pattern).read(text) is None


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"format": "%Q"}, "%Q not known"),
        ({"format": "%Y %Y"}, "%Y stands twice"),
        ({"format": "%Y%m%d", "pivot": 1950}, "no `%y`"),
        ({"format": "%Y-%m-%d %H:%M %z"}, "no `zone` is given"),
        ({"zone": "Mars/Olympus"}, "`zone` must be UTC"),
        ({"format": "%d.%m.%y", "max": "2070-01-01"}, "means 1969 to 2068"),
    ],
)
def test_a_writing_that_cannot_be_read_is_refused_with_the_schema(keys, named):
    with pytest.raises(SchemaError, match=named):
        Schema.parse({"columns": {"t": {"kind": "datetime", **keys}}})


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("hello", "the year is left out, %Y or %y"),
        ("", "the year is left out"),
        ("%d.%m", "the year is left out"),
        ("%H:%M", "the year is left out, %Y or %y; an hour or a weekday needs its day"),
        ("%R", "the year is left out"),
        ("%Y-%d", "a day needs its month, %m or %b, or is %j"),
        ("%Y %H:%M", "an hour or a weekday needs its day, %d or %j"),
        ("%Y-%m %I %p", "an hour or a weekday needs its day"),
        ("%A, %B %Y", "an hour or a weekday needs its day"),
        ("%F %I:%M", "the hour %I needs %p or %P"),
        ("%F %p", "%p and %P need the hour, %I"),
        ("%F %M", "a minute needs its hour, %H or %I"),
        ("%F %H:%S", "a second needs its minute, %M"),
        ("%F %H:%M.%3f", "a fraction needs its second, %S"),
    ],
)
def test_a_format_that_cannot_hold_a_moment_is_refused_with_the_schema(pattern, said):
    with pytest.raises(SchemaError, match="`format` must hold a whole moment; however: in") as refused:
        Schema.parse({"columns": {"t": {"kind": "datetime", "format": pattern}}})
    assert said in str(refused.value)


@pytest.mark.parametrize("pattern", ["%Y", "%y", "%Y-%m", "%b %Y", "%Y/%j", "%F %T", "%D %R", "%j/%Y %I %p", "%F %H"])
def test_a_format_may_be_coarse_and_what_it_writes_is_read_back(pattern):
    column = Schema.parse({"columns": {"t": {"kind": "datetime", "format": pattern}}}).columns["t"]
    times = pd.Series(pd.date_range("2020-01-01", periods=24 * 366, freq="h").to_numpy("datetime64[us]"))
    texts = write_datetimes(times, column)
    assert write_datetimes(pd.Series(read_datetimes(texts, column)), column).tolist() == texts.tolist()


WHOLE = Datetime(format="%Y%m%d", precision="day", nullable=True)


@given(st.lists(st.dates(min_value=dt.date(1000, 1, 1)) | st.none(), min_size=1))
def test_days_in_whole_numbers_are_read_from_every_storage_and_written_back(days):
    numbers = [None if d is None else int(d.strftime("%Y%m%d")) for d in days]
    expected = np.array(days, dtype="datetime64[us]")
    stored = [
        pd.Series(numbers, dtype="Int64"),
        pd.Series(numbers, dtype="float64"),
        pd.Series(numbers, dtype=object),
        pd.Series([None if n is None else str(n) for n in numbers], dtype=object),
        pd.Series([None if n is None else f"{n}.0" for n in numbers], dtype="string"),
        pd.Series([None if n is None else str(n) for n in numbers], dtype="category"),
        pd.Series([None if n is None else Decimal(n) for n in numbers], dtype=object),
    ]
    for values in stored:
        typed, bad, _ = type_column(values, WHOLE)
        assert not bad.any()
        np.testing.assert_array_equal(typed.to_numpy(), expected)
        np.testing.assert_array_equal(map_column(values, WHOLE)[0].to_numpy(), expected)
    texts = write_datetimes(pd.Series(expected), WHOLE)
    assert texts.tolist() == [None if n is None else str(n) for n in numbers]
    assert [None if pd.isna(n) else int(n) for n in as_numbers(texts)] == numbers


@pytest.mark.parametrize(
    "cell", [20210230, 210304, -20210304, 20210304.5, True, 10**30, Decimal("sNaN"), np.timedelta64(5)]
)
def test_numbers_that_are_no_days(cell):
    assert WHOLE.micro(cell) is None


def test_a_leading_zero_that_a_number_lost_is_put_back():
    assert MomentWriting(format="%d%m%Y").micro(1022020) == MomentWriting().micro("2020-02-01")


@given(st.lists(st.datetimes() | st.none(), min_size=1, max_size=9), st.sampled_from(FORMATS))
def test_a_column_reads_and_writes_as_each_cell_does(found, pattern):
    column = Datetime(format=pattern, nullable=True, precision="microsecond")
    expected = [None if t is None else told(t, pattern) for t in found]
    texts = write_datetimes(pd.Series(np.array(expected, dtype="datetime64[us]")), column)
    assert texts.tolist() == [None if t is None else Format(pattern).write(t) for t in expected]
    read = read_datetimes(texts, column)
    assert read.tolist() == expected


def test_iso_8601_is_read_beside_any_format():
    column = Datetime(format="%d.%m.%Y")
    assert column.admits(pd.Series(["04.03.2021", "2021-03-04", "2021-03-04T07:00"])).tolist() == [True] * 3


def test_a_column_of_whole_numbers_that_are_no_moments_is_refused_by_count():
    schema = Schema(columns={"t": WHOLE.model_dump()})
    with pytest.raises(SchemaError, match=r"a moment written as %Y%m%d.*\b2\b"):
        conform(pd.DataFrame({"t": [20210304, 20210230, 7]}), schema)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"format": "%Y%m%d"},
        {"format": "%d.%m.%y", "pivot": 1930},
        {"format": "%Y-%m-%dT%H:%M:%S%z", "zone": "Europe/Berlin"},
        {"format": "%d%b%Y", "min": "1600-01-01", "max": "2100-12-31", "atoms": ["9999-12-31"]},
    ],
)
def test_under_a_budget_every_cell_is_mapped_by_itself_and_none_refused(keys):
    """Cells of every kind, not only of dates: what becomes of one does not depend on those beside it."""
    column = Datetime(**keys)
    cells = [*odd_cells.of("datetime"), *odd_cells.of("numeric"), *odd_cells.of("categorical"), 20210304, "04.03.21"]
    together, changed, _ = map_column(pd.Series(cells, dtype=object), column)
    alone = [map_column(pd.Series([cell], dtype=object), column)[0].iloc[0] for cell in cells]
    assert together.tolist() == alone
    assert column.admits(together).all()
    assert together.notna().all()
    assert changed.any()
