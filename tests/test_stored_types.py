"""Columns whose cells are moments with zones, days beside moments, times of day, periods, intervals, fixed bytes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthkit import Schema, Synthesizer, validate
from synthkit.errors import SchemaError
from synthkit.schema.conform import conform
from synthkit.schema.domain_mapping import into_domain
from synthkit.schema.infer.draft import infer_schema
from synthkit.tables import table_files
from synthkit.tables.storage import restore, storages

N = 120
CLOCK = [pd.Timestamp("2021-01-04") + pd.Timedelta(hours=k * 37 % 8000) for k in range(N)]  # before the clocks go back
PLUS = dt.timezone(dt.timedelta(hours=1))


def objects(cells):
    return pd.Series(list(cells), dtype=object)


def drawn(values, schema=None):
    """A column learned and drawn; whatever was drafted, or declared, the table it came from keeps."""
    frame = pd.DataFrame({"seen": values, "x": np.arange(len(values)) * 1.5})
    schema = schema or infer_schema(frame)
    assert validate(frame, schema).success
    out = Synthesizer(schema, "independent").fit(frame, seed=1).sample(60, seed=2)
    assert validate(out, schema).success
    return schema.columns["seen"], out["seen"]


def refused(values, says, schema=None):
    frame = pd.DataFrame({"seen": values, "x": np.arange(len(values)) * 1.5})
    with pytest.raises(SchemaError, match=says) as caught:
        infer_schema(frame) if schema is None else Synthesizer(schema, "independent").fit(frame, seed=1)
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


OF_A_DAY = {"D": "day", "h": "hour", "min": "minute", "s": "second", "ms": "second"}


@pytest.mark.parametrize("freq", OF_A_DAY)
@pytest.mark.parametrize("stored", ["dtype", "objects", "missing", "category"])
def test_periods_of_a_day_or_less_are_the_moments_at_which_they_begin(freq, stored):
    values = pd.Series(pd.PeriodIndex([t + pd.Timedelta(seconds=k * 61) for k, t in enumerate(CLOCK)], freq=freq))
    values = values.where(values.index != 3) if stored == "missing" else values
    values = values.astype({"objects": object, "category": "category"}.get(stored, values.dtype))
    column, out = drawn(values)
    assert (column.kind, column.precision, column.nullable) == ("datetime", OF_A_DAY[freq], stored == "missing")
    assert {type(cell) for cell in out.dropna()} == {pd.Period}
    assert {cell.freqstr for cell in out.dropna()} == {freq}
    assert out.dtype == values.dtype or stored == "category"
    frame, schema = pd.DataFrame({"seen": values}), Schema(columns={"seen": column})
    pd.testing.assert_frame_equal(restore(conform(frame, schema), storages(frame, schema), schema), frame)
    begins = pd.Series([pd.NaT if cell is pd.NaT else cell.start_time for cell in values])
    pd.testing.assert_series_equal(
        into_domain(frame, schema)["seen"], begins.astype("datetime64[us]"), check_names=False
    )


@pytest.mark.parametrize("freq", ["M", "Q-DEC", "Y-DEC", "W-SUN"])
@pytest.mark.parametrize("stored", ["dtype", "objects"])
def test_few_longer_periods_are_levels_and_come_back(freq, stored):
    values = pd.Series(pd.PeriodIndex(["2001-05-03", "1999-01-30", "2020-12-31"] * 40, freq=freq))
    _, out = drawn(values.astype(object) if stored == "objects" else values)
    assert set(out) == set(values)
    assert out.dtype == (object if stored == "objects" else values.dtype)


def test_days_of_the_far_past_and_future_are_read_from_periods():
    days = [pd.Period(year=year, month=1, day=2, freq="D") for year in (1, 1500, 9999)]
    frame, schema = pd.DataFrame({"seen": days}), Schema(columns={"seen": {"kind": "datetime"}})
    assert conform(frame, schema)["seen"].dt.year.tolist() == [1, 1500, 9999]
    assert restore(conform(frame, schema), storages(frame, schema), schema)["seen"].tolist() == days


EDGES = np.arange(N + 1)
LOST = {
    "times of day": objects((t + pd.Timedelta(seconds=61 * k)).time() for k, t in enumerate(CLOCK)),
    "periods": pd.Series(pd.period_range("2001-01-01", periods=N, freq="W")),
    "intervals": pd.Series(pd.arrays.IntervalArray.from_breaks(EDGES)),
}
LOST |= {f"{name} of Arrow": v.astype(pd.ArrowDtype(pa.time64("us"))) for name, v in LOST.items() if "time" in name}
LOST |= {f"{name} as objects": v.astype(object) for name, v in LOST.items() if "time" not in name}
LOST |= {f"{name} as categories": v.astype("category") for name, v in LOST.items() if "Arrow" not in name}
LOST["intervals of moments"] = pd.Series(pd.arrays.IntervalArray.from_breaks(pd.date_range("2020", periods=N + 1)))
REMEDIES = {"times": "minutes since midnight", "periods": "moment at which each begins", "intervals": "both ends"}


@pytest.mark.parametrize("name", LOST)
def test_what_a_fresh_identifier_cannot_be_stored_as_is_refused_before_the_fit(name):
    what = " ".join(name.split()[: 3 if name.startswith("times") else 1])
    said = refused(LOST[name], f"`seen` holds {what} in 120 cells, drafted as identifier, and the fresh values")
    assert REMEDIES[name.split()[0]] in said
    schema = Schema(columns={"seen": {"kind": "identifier"}, "x": {"kind": "numeric"}})
    said = refused(
        LOST[name], f"{what} can be given back; however: the fresh values of an identifier are texts", schema
    )
    assert REMEDIES[name.split()[0]] in said
    assert not any(str(cell) in said for cell in LOST[name])
    levels = Schema(columns={"seen": {"kind": "categorical", "levels": ["no such", "cell"]}, "x": {"kind": "numeric"}})
    refused(LOST[name], f"{what} can be given back; however: 2 of the declared levels are none", levels)


def test_years_declared_as_numbers_are_no_periods():
    values = pd.Series(pd.PeriodIndex(["2001", "1999"] * 60, freq="Y"))
    schema = Schema(columns={"seen": {"kind": "categorical", "levels": [1999, 2001]}, "x": {"kind": "numeric"}})
    refused(values, "periods can be given back; however: 2 of the declared levels are none", schema)


@pytest.mark.parametrize("other", [1, "x", pd.Period("2001", "Y"), pd.Interval(0, 1)])
def test_times_of_day_beside_other_cells_are_refused(other):
    refused(objects([dt.time(7, 30), other] * 60), "holds times of day, periods or intervals beside other cells in 120")


def test_business_days_and_long_periods_are_no_moments():
    values = pd.Series(pd.period_range("2001-01", periods=N, freq="M"))
    schema = Schema(columns={"seen": {"kind": "datetime"}, "x": {"kind": "numeric"}})
    refused(values, "periods can be given back; however: only days and parts of a day are moments", schema)
    refused(pd.Series(pd.period_range("2001-01-01", periods=N, freq="2h")), "only days and parts of a day are moments")


def test_a_decimal_key_stays_a_decimal():
    _, out = drawn(objects(Decimal(10**9 + k) for k in range(N)))
    assert {type(cell) for cell in out} == {Decimal}


def test_a_column_that_cannot_be_typed_is_not_called_empty():
    schema = Schema(columns={"seen": {"kind": "datetime"}, "x": {"kind": "numeric"}})
    assert "not nullable" not in refused(pd.Series(["yesterday"] * N), "1 rule is broken", schema)


PADDED = {
    "levels": (pa.array([b"ab", b"cd", None] * 40, pa.binary(2)), "categorical"),
    "keys": (pa.array([b"K%05d" % k for k in range(N)], pa.binary(6)), "identifier"),
    "dictionary": (pa.array([b"ab", b"cd"] * 60, pa.binary(2)).dictionary_encode(), "categorical"),
}


@pytest.mark.parametrize("name", PADDED)
def test_bytes_of_one_length_come_out_as_they_came(name, tmp_path):
    cells, kind = PADDED[name]
    pq.write_table(pa.table({"seen": cells, "x": np.arange(N) * 1.5}), tmp_path / "t.parquet")
    frame = table_files.read(tmp_path / "t.parquet").frame()
    schema = infer_schema(frame)
    assert schema.columns["seen"].kind == kind
    assert validate(frame, schema).success
    out = Synthesizer(schema, "independent").fit(frame, seed=1).sample(50, seed=2)
    table_files.write(out, tmp_path / "out.parquet")
    came = pq.read_table(tmp_path / "out.parquet")["seen"]
    assert came.type == (pa.binary(2) if name == "dictionary" else cells.type)
    assert kind == "identifier" or set(came.to_pylist()) <= set(cells.to_pylist())
    _, held = drawn(pd.Series(cells.to_pylist(), dtype=pd.ArrowDtype(came.type)))
    assert held.dtype == pd.ArrowDtype(came.type)


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([b"%06d" % (k + 100000) for k in range(N)], "the fresh values of an identifier are texts of another length"),
        ([bytes([k, 200, 0, 255]) for k in range(N)], "the fresh values of an identifier are texts of another length"),
        ([b"2020-01-%02d" % (k % 28 + 1) for k in range(N)], "moments and numbers have no such length"),
        ([b"%04d" % (1000 + k % 30 * 97) for k in range(N)], "moments and numbers have no such length"),
    ],
)
def test_bytes_of_one_length_that_would_be_of_another_are_refused(cells, why, tmp_path):
    array = pa.array(cells, pa.binary(len(cells[0])))
    pq.write_table(pa.table({"seen": array}), tmp_path / "t.parquet")
    for frame in (
        table_files.read(tmp_path / "t.parquet").frame(),
        pd.DataFrame({"seen": pd.Series(cells, dtype=pd.ArrowDtype(array.type))}),
    ):
        with pytest.raises(SchemaError, match=f"`seen` holds bytes of one length in 120 cells, .*{why}"):
            infer_schema(frame)
