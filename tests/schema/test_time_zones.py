"""Moments that name their zone are shown on one clock, and written back as they came; held against pandas' zones."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.errors import SchemaError
from synthkit.schema import Datetime, Schema
from synthkit.schema.conform import conform
from synthkit.schema.datetimes import MomentWriting, read_datetimes, write_datetimes
from synthkit.schema.domain_mapping import map_column
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.time_zones import at_clock_time
from synthkit.schema.unit_keys import unit_key
from synthkit.tables.storage import storages
from synthkit.tables.table_files import as_it_came

ZONES = ["UTC", "+05:45", "-03:00", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
NOW = st.datetimes(min_value=dt.datetime(1910, 1, 1), max_value=dt.datetime(2199, 1, 1))


def z(name):
    sign = {"+": 1, "-": -1}.get(name[0])
    if sign is None:
        return ZoneInfo(name)
    return dt.timezone(sign * dt.timedelta(hours=int(name[1:3]), minutes=int(name[4:])))


@given(st.lists(NOW, min_size=1, max_size=9), st.sampled_from(ZONES))
def test_a_z_is_shown_on_the_clock_of_the_zone_as_pandas_shows_it(found, zone):
    texts = pd.Series([t.isoformat(timespec="microseconds") + "Z" for t in found])
    column = Datetime(format="%Y-%m-%dT%H:%M:%S.%fZ", zone=zone, precision="microsecond")
    expected = pd.Series(np.array(found, dtype="datetime64[us]")).dt.tz_localize("UTC").dt.tz_convert(z(zone))
    np.testing.assert_array_equal(read_datetimes(texts, column), expected.dt.tz_localize(None).to_numpy())
    zoned = pd.Series(np.array(found, dtype="datetime64[us]")).dt.tz_localize("UTC")
    np.testing.assert_array_equal(read_datetimes(zoned, column), read_datetimes(texts, column))


@given(
    st.lists(NOW, min_size=1, max_size=9),
    st.sampled_from(["UTC", "+05:45", "-03:00"]),
    st.sampled_from(["Z", "%z", "%:z"]),
)
def test_texts_with_a_zone_are_written_back_as_they_came(found, zone, ending):
    column = Datetime(format=f"%Y-%m-%dT%H:%M:%S.%f{ending}", zone=zone, precision="microsecond")
    aware = [t.replace(tzinfo=dt.UTC if ending == "Z" else z(zone)) for t in found]
    written = {"Z": "Z", "%z": "%z", "%:z": ""}[ending]
    texts = [
        t.isoformat(timespec="microseconds") if ending == "%:z" else t.strftime(f"%Y-%m-%dT%H:%M:%S.%f{written}")
        for t in aware
    ]
    read = read_datetimes(pd.Series(texts), column)
    assert write_datetimes(pd.Series(read), column).tolist() == texts


@given(NOW, st.sampled_from(ZONES))
def test_what_a_clock_shows_is_told_and_shown_again(clock, zone):
    """But in the hour that is left out in spring, which no clock shows."""
    moment = at_clock_time(clock, zone, universal=True)
    if at_clock_time(clock, zone, universal=False).replace(tzinfo=None) == clock:
        assert MomentWriting(zone=zone).moment(moment).astimezone(z(zone)).replace(tzinfo=None) == clock


@pytest.mark.parametrize("dtype", ["datetime64[ns, UTC]", "datetime64[us, Europe/Berlin]"])
def test_frames_with_a_zone_come_back_with_it(dtype):
    values = pd.Series(pd.to_datetime(["2021-07-01T10:00Z", "2021-12-24T23:30Z"], utc=True)).astype(dtype)
    schema = infer_schema(pd.DataFrame({"t": values}))
    assert schema.columns["t"].zone == ("UTC" if "UTC" in dtype else "Europe/Berlin")
    typed = conform(pd.DataFrame({"t": values}), schema)["t"]
    assert typed.tolist() == values.dt.tz_localize(None).tolist()
    back = as_it_came(pd.DataFrame({"t": typed}), schema, storages(pd.DataFrame({"t": values})))["t"]
    pd.testing.assert_series_equal(back, values, check_names=False)


def test_without_a_zone_cells_that_name_one_are_refused_and_under_a_budget_read_by_the_wall():
    values = pd.Series(["2021-07-01T10:00:00+02:00", "2021-07-01T10:00:00"])
    with pytest.raises(SchemaError, match="name a `zone`"):
        conform(pd.DataFrame({"t": values}), Schema(columns={"t": {"kind": "datetime"}}))
    mapped, changed, _ = map_column(values, Datetime())
    assert mapped.tolist() == [pd.Timestamp("2021-07-01T10:00:00")] * 2
    assert changed.tolist() == [True, False]
    mapped, changed, _ = map_column(values, Datetime(zone="UTC"))
    assert mapped.tolist() == [pd.Timestamp("2021-07-01T08:00:00"), pd.Timestamp("2021-07-01T10:00:00")]
    assert not changed.any()


def test_beyond_the_calendar_of_the_zone_there_is_no_moment():
    """Under a budget such a cell is mapped like any that cannot be read."""
    column = Datetime(zone="+05:00", nullable=True)
    assert column.micro("9999-12-31T23:00:00Z") is None
    mapped, changed, _ = map_column(pd.Series(["9999-12-31T23:00:00Z"]), column)
    assert mapped.isna().all()
    assert changed.all()


def test_one_instant_is_one_person_whatever_its_offset():
    how = MomentWriting(format="%Y-%m-%dT%H:%M:%S%z", zone="UTC")
    assert unit_key("2021-03-04T08:00:00+0100", how) == unit_key("2021-03-04T07:00:00Z", how)


def test_moments_are_compared_on_one_clock():
    """A drafted rule is between columns of one zone, a declared one between others is refused."""
    start = pd.Series(pd.date_range("2020-01-01", periods=60, tz="UTC"))
    frame = pd.DataFrame({"a": start, "b": start + pd.Timedelta(hours=3)})
    assert [rule.sentence for rule in infer_schema(frame).rules] == ["a <= b"]
    assert not infer_schema(frame.assign(b=frame["b"].dt.tz_convert("Europe/Berlin"))).rules
    columns = {"a": {"kind": "datetime", "zone": "UTC"}, "b": {"kind": "datetime", "zone": "Europe/Berlin"}}
    rule = {"rule": "comparison", "left": "a", "op": "<=", "right": "b"}
    with pytest.raises(SchemaError, match="moments compare on one clock"):
        Schema.parse({"columns": columns, "rules": [rule]})
