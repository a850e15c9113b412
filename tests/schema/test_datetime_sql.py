"""DuckDB reads moments in any writing as the validation reads them, in texts, whole numbers and timestamps."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.schema import Datetime, Schema
from synthkit.schema.datetime_formats import Format
from synthkit.schema.datetime_sql import datetime_sql
from synthkit.schema.datetimes import read_datetimes
from synthkit.schema.rules_sql import checks
from synthkit.schema.validation import validate

WRITINGS = [
    {"format": "%d.%m.%Y"},
    {"format": "%m/%d/%y", "pivot": 1930},
    {"format": "%-d %^b %Y %-I:%M:%S %P"},
    {"format": "%Y%m%d"},
    {"format": "%d%m%Y"},
    {"format": "%d%b%Y:%H:%M:%S.%3f"},
    {"format": "%j/%Y %H:%M"},
    {"format": "%Y-%m-%dT%H:%M:%SZ", "zone": "Europe/Berlin"},
    {"format": "%Y-%m-%d %H:%M:%S%z", "zone": "UTC"},
    {"format": "%Y-%m-%d %H:%M%:z", "zone": "-03:30"},
    {"zone": "UTC"},
    {},
]
ODD = [
    *("", "yesterday", "2021-02-30", "2021-03-04", "2021-03-04T07:00", "2021-03-04T07:00:00Z", "19991231", "10000"),
    *(
        "2021-03-04 07:00:00-02:30",
        "04.03.2021",
        "4.3.2021",
        "30.02.2021",
        "20210304",
        "20210304.0",
        "20211304",
        "4032021",
    ),
    "13 MAR 2021 00:15:00 am",
]


@pytest.fixture(scope="module")
def asked():
    """What DuckDB reads in a column, as pandas holds it; by one database, which costs more to open than to ask."""

    def read(column, values):
        database.register("rows", pa.table({"n": list(range(len(values))), "t": values}))
        found = database.execute(f"SELECT {datetime_sql(column, 't')} FROM rows ORDER BY n").fetchall()
        return [row[0] for row in found]

    with duckdb.connect() as database:
        yield read


@settings(max_examples=80)
@given(
    st.sampled_from(WRITINGS),
    st.lists(
        st.datetimes(dt.datetime(1905, 1, 1), dt.datetime(2199, 1, 1)) | st.sampled_from(ODD) | st.none(),
        min_size=1,
        max_size=9,
    ),
)
def test_texts_are_read_alike(asked, keys, cells):
    column = Datetime(**keys, nullable=True)
    how = column.written_as
    texts = [
        cell
        if cell is None or isinstance(cell, str)
        else cell.isoformat(" ")
        if how is None
        else how.write(cell.replace(tzinfo=dt.UTC))
        for cell in cells
    ]
    assert (
        asked(column, pa.array(texts, pa.string())) == read_datetimes(pd.Series(texts, dtype=object), column).tolist()
    )


@given(
    st.sampled_from(["%Y%m%d", "%d%m%Y"]),
    st.lists(st.dates(dt.date(1000, 1, 1)) | st.integers(0, 10**8), min_size=1, max_size=9),
)
def test_whole_numbers_are_read_alike(asked, pattern, cells):
    column = Datetime(format=pattern)
    numbers = [
        c if isinstance(c, int) else int(Format(pattern).write(dt.datetime(c.year, c.month, c.day))) for c in cells
    ]
    expected = read_datetimes(pd.Series(numbers), column).tolist()
    for type_ in (pa.int64(), pa.float64(), pa.uint32()):
        assert asked(column, pa.array(numbers, type_)) == expected


@given(st.lists(st.datetimes(), min_size=1, max_size=9), st.sampled_from(WRITINGS))
def test_timestamps_are_what_they_are(asked, found, keys):
    assert asked(Datetime(**keys), pa.array(found, pa.timestamp("us"))) == found


def test_timestamps_with_a_zone_are_shown_on_the_clock_of_the_column(asked):
    values = pa.array([dt.datetime(2021, 7, 1, tzinfo=dt.UTC)], pa.timestamp("us", "UTC"))
    assert asked(Datetime(zone="Europe/Berlin"), values) == [dt.datetime(2021, 7, 1, 2)]
    assert asked(Datetime(), values) == [None]


@pytest.mark.parametrize("stored", ["text", "whole"])
def test_sql_counts_what_the_validation_counts(tmp_path, stored):
    numbers = [20210304, 20210230, 19991231, 20220101, 20200229]
    column = {"kind": "datetime", "format": "%Y%m%d", "precision": "day", "min": "2020-01-01", "max": "2021-12-31"}
    schema = Schema(columns={"t": column})
    frame = pd.DataFrame({"t": numbers if stored == "whole" else [str(n) for n in numbers]})
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "t.parquet")
    with duckdb.connect() as database:
        counts = [database.execute(c.sql).fetchone()[0] for c in checks(schema, str(tmp_path / "t.parquet"))]
    assert counts == [
        0,
        0,
        1,
        3,
    ]  # the columns, missing cells, no moment, outside (what is no moment is outside as well)
    good = frame[np.array([True, False, True, True, True])]
    assert sum(v.count for v in validate(frame, schema).violations) == 1  # cells of another type first
    assert sum(v.count for v in validate(good, schema).violations) == 2
