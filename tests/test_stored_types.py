"""Columns whose cells are moments with zones, days beside moments, times of day, periods, intervals, fixed bytes."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from synthkit import Schema, Synthesizer, validate
from synthkit.errors import SchemaError
from synthkit.storage import restore, storages

N = 120
CLOCK = [pd.Timestamp("2021-01-04") + pd.Timedelta(hours=k * 37 % 8000) for k in range(N)]  # before the clocks go back
PLUS = dt.timezone(dt.timedelta(hours=1))


def objects(cells):
    return pd.Series(list(cells), dtype=object)


def drawn(values, schema=None):
    """A column learned and drawn; whatever was drafted, or declared, the table it came from keeps."""
    frame = pd.DataFrame({"seen": values, "x": np.arange(len(values)) * 1.5})
    schema = schema or Schema.infer(frame)
    assert validate(frame, schema).success
    out = Synthesizer(schema, "independent").fit(frame, seed=1).sample(60, seed=2)
    assert validate(out, schema).success
    return schema.columns["seen"], out["seen"]


def refused(values, says, schema=None):
    frame = pd.DataFrame({"seen": values, "x": np.arange(len(values)) * 1.5})
    with pytest.raises(SchemaError, match=says) as caught:
        Schema.infer(frame) if schema is None else Synthesizer(schema, "independent").fit(frame, seed=1)
    assert "`seen`" in str(caught.value) or "seen  " in str(caught.value)
    if schema is not None:
        assert not validate(frame, schema).success
    return str(caught.value)


ONE_ZONE = {
    "universal": ([t.tz_localize("UTC") for t in CLOCK], "UTC"),
    "universal of Python": ([t.to_pydatetime().replace(tzinfo=dt.UTC) for t in CLOCK], "UTC"),
    "a place": ([t.tz_localize("Europe/Berlin", nonexistent="shift_forward") for t in CLOCK], "Europe/Berlin"),
    "a place of Python": ([t.to_pydatetime().replace(tzinfo=ZoneInfo("Asia/Tokyo")) for t in CLOCK], "Asia/Tokyo"),
    "an offset": ([t.to_pydatetime().replace(tzinfo=PLUS) for t in CLOCK], "+01:00"),
}


@pytest.mark.parametrize("how", ONE_ZONE)
@pytest.mark.parametrize("stored", ["objects", "missing", "category"])
def test_moments_in_objects_keep_their_one_zone(how, stored):
    cells, zone = ONE_ZONE[how]
    values = objects([*cells, None] if stored == "missing" else cells)
    column, out = drawn(values.astype("category") if stored == "category" else values)
    assert column.zone == zone
    assert column == drawn(pd.Series(cells))[0].model_copy(update={"nullable": column.nullable})  # as with a dtype
    if stored != "category":  # pandas made Timestamps of its categories
        assert {type(cell) for cell in out.dropna()} == {type(cells[0])}
    low, high = min(cells), max(cells)
    for cell in out.dropna():
        assert cell.utcoffset() == cell.astimezone(cells[0].tzinfo).utcoffset()
        assert low <= cell <= high


def test_exact_moments_with_a_zone_come_back():
    for cells, zone in ONE_ZONE.values():
        frame = pd.DataFrame({"seen": objects(cells)})
        schema = Schema(columns={"seen": {"kind": "datetime", "zone": zone}})
        naive = pd.DataFrame({"seen": pd.Series([t.replace(tzinfo=None) for t in cells])})
        assert restore(naive, storages(frame, schema), schema)["seen"].tolist() == cells


SEASONS = [
    t.to_pydatetime().replace(tzinfo=dt.timezone(dt.timedelta(hours=2 if 4 <= t.month <= 9 else 1))) for t in CLOCK
]


def test_moments_with_several_zones_are_refused_before_the_fit():
    said = refused(objects(SEASONS), "in one zone, or all without; however: `seen` holds moments with 2 zones in 120")
    assert "2021" not in said
    refused(objects([*SEASONS[:9], *CLOCK[9:]]), "a zone beside moments without")
    refused(objects([*SEASONS[:9], *(t.date() for t in CLOCK[9:])]), "a zone beside moments without")
    plain = Schema(columns={"seen": {"kind": "datetime"}, "x": {"kind": "numeric"}})
    refused(objects(SEASONS), "without a time zone", plain)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "+01:00"])
def test_moments_with_several_zones_are_shown_in_the_declared_one(zone):
    column = {"kind": "datetime", "zone": zone, "precision": "hour", "min": "2020-12-31", "max": "2022-01-31"}
    schema = Schema(columns={"seen": column, "x": {"kind": "numeric"}})
    _, out = drawn(objects(SEASONS), schema)
    assert {type(cell) for cell in out} == {dt.datetime}
    shift = {"UTC": {0}, "+01:00": {1}, "Europe/Berlin": {1, 2}}[zone]
    assert {cell.utcoffset() // dt.timedelta(hours=1) for cell in out} == shift
    stored = storages(pd.DataFrame({"seen": objects(SEASONS)}))
    back = restore(pd.DataFrame({"seen": [pd.Timestamp(2021, 7, 1, 12)]}), stored, schema)
    assert back["seen"][0].tzinfo is not None


DAYS = [t.date() if k % 3 else t.to_pydatetime() for k, t in enumerate(CLOCK)]


@pytest.mark.parametrize("cells", [DAYS, DAYS[::-1], [*DAYS, None], [None, *DAYS[1:]]])
def test_days_beside_moments_keep_the_time_of_day(cells):
    column, out = drawn(objects(cells))
    assert column.precision == "hour"
    assert {type(cell) for cell in out.dropna()} == {dt.datetime}
    assert len({cell.hour for cell in out.dropna()}) > 3


def test_days_beside_moments_of_pandas_come_back_as_moments_and_days_alone_as_days():
    _, out = drawn(objects([t.date() if k % 3 else t for k, t in enumerate(CLOCK)]))
    assert {type(cell) for cell in out} == {pd.Timestamp}
    column, out = drawn(objects([t.date() for t in CLOCK]))
    assert column.precision == "day"
    assert {type(cell) for cell in out} == {dt.date}
