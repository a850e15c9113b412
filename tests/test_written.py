"""Tables with moments as people write them, from file to file: what comes out is written as what came in."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit import Synthesizer
from synthkit.schema import Schema
from synthkit.schema.datetime_formats import Format
from synthkit.schema.infer.draft import infer_schema
from synthkit.tables import table_files

FORMATS = [
    "%Y%m%d",
    "%d%m%Y",
    "%d.%m.%Y",
    "%-m/%-d/%y",
    "%d-%^b-%Y",
    "%B %-d, %Y %I:%M %p",
    "%Y-%m-%dT%H:%M:%SZ",
    "%d/%m/%Y %H:%M%:z",
]


def schema_of(pattern):
    zone = {"zone": "UTC"} if pattern[-1] in "zZ" else {}
    return Schema(columns={"t": {"kind": "datetime", "format": pattern, "nullable": True, **zone}})


def told(moment, pattern):
    step = dt.timedelta(microseconds=Format(pattern).step)
    return dt.datetime.min + (moment - dt.datetime.min) // step * step


@settings(max_examples=60)
@given(
    st.lists(st.datetimes(dt.datetime(1969, 1, 1), dt.datetime(2068, 12, 31)) | st.none(), min_size=1, max_size=9),
    st.sampled_from(FORMATS),
    st.sampled_from(["csv", "tsv", "parquet", "arrow"]),
)
def test_files_are_read_back_as_they_were_written(tmp_path_factory, found, pattern, ending):
    schema = schema_of(pattern)
    frame = pd.DataFrame(
        {"t": np.array([None if t is None else told(t, pattern) for t in found], dtype="datetime64[us]")}
    )
    path = tmp_path_factory.mktemp("written") / f"t.{ending}"
    table_files.write(frame, path, schema=schema)
    pd.testing.assert_frame_equal(table_files.read(path, schema=schema).frame(), frame)
    as_text = table_files.as_it_came(frame, schema, {"t": 'object {"cells": "text"}'})
    table_files.write(as_text, path, schema=schema)
    pd.testing.assert_frame_equal(table_files.read(path, schema=schema).frame(), frame)


@pytest.mark.parametrize(
    "dtype", ["int64", "Int32", "float64", "object", "string[python]", "category", "datetime64[us]"]
)
def test_samples_hold_days_as_the_table_did(dtype):
    days = pd.Series(pd.date_range("2021-01-01", periods=120).to_numpy(dtype="datetime64[us]"))
    texts = days.dt.strftime("%Y%m%d")
    values = (
        days if dtype.startswith("datetime") else texts.astype("int64" if dtype[0] in "iIf" else "object").astype(dtype)
    )
    frame = pd.DataFrame({"t": values})
    schema = Schema(
        columns={
            "t": {"kind": "datetime", "format": "%Y%m%d", "precision": "day", "min": "2021-01-01", "max": "2021-12-31"}
        }
    )
    drawn = Synthesizer(schema, model="independent").fit(frame, seed=1).sample(50, seed=2)
    assert type(drawn["t"].dtype) is type(frame["t"].dtype)
    assert str(drawn["t"].dtype) == str(frame["t"].dtype)
    texts = drawn["t"].astype(int if dtype == "float64" else drawn["t"].dtype).astype(str)
    assert set(pd.to_datetime(texts, format="ISO8601").dt.year) == {2021}


def test_whole_days_in_csv_stay_whole_numbers(tmp_path):
    path = tmp_path / "t.csv"
    table_files.write(
        pd.DataFrame({"t": np.array(["2021-03-04", "NaT"], dtype="datetime64[us]")}), path, schema=schema_of("%Y%m%d")
    )
    assert path.read_text() == '"t"\n20210304\n\n'


def test_a_table_with_days_in_whole_numbers_is_drafted_and_run_from_csv(tmp_path):
    """69 % of the days were none before: here every drawn one is a day of the calendar."""
    days = pd.date_range("2019-06-01", periods=200).strftime("%Y%m%d").astype(int)
    path = tmp_path / "in.csv"
    pd.DataFrame({"seen": np.tile(days, 2)}).to_csv(path, index=False)
    frame = table_files.read(path).frame()
    schema = infer_schema(frame)
    assert schema.columns["seen"].format == "%Y%m%d"
    drawn = Synthesizer(schema, model="independent").fit(frame, seed=1).sample(300, seed=2)
    assert drawn["seen"].dtype == frame["seen"].dtype
    assert pd.to_datetime(drawn["seen"].astype(str), format="%Y%m%d", errors="coerce").notna().all()
