"""Moments as whole steps: every date of the years 1 to 9999 comes back exactly, held against Python's own calendar."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.encoding import Coding, TableEncoder, datetime_numbers
from synthkit.encoding.encoder import histograms_of
from synthkit.schema import Datetime, Schema
from synthkit.schema.datetimes import PRECISION_STEPS
from synthkit.schema.infer.draft import infer_schema

EPOCH = dt.datetime(1970, 1, 1)
MICROSECOND = dt.timedelta(microseconds=1)


def series(moments):
    return pd.Series(np.array(moments, dtype="datetime64[us]"))


def floored(moment, precision):
    """The moment on the lattice of a precision, by Python's whole numbers alone."""
    step = PRECISION_STEPS[precision]
    return EPOCH + ((moment - EPOCH) // MICROSECOND) // step * step * MICROSECOND


@given(st.lists(st.datetimes() | st.none(), min_size=1, max_size=20), st.sampled_from(sorted(PRECISION_STEPS)))
def test_steps_are_pythons_count_of_the_same_unit(moments, precision):
    column = Datetime(precision=precision, nullable=True)
    counted = datetime_numbers.datetime_steps_of(series(moments), column)
    expected = [
        datetime_numbers.MISSING_STEP if m is None else ((m - EPOCH) // MICROSECOND) // PRECISION_STEPS[precision]
        for m in moments
    ]
    assert counted.tolist() == expected


@settings(max_examples=60)
@given(
    st.lists(st.datetimes() | st.none(), min_size=2, max_size=30),
    st.sampled_from(sorted(PRECISION_STEPS)),
    st.lists(st.datetimes(), max_size=3, unique_by=lambda t: t.date()),
)
def test_any_moments_of_the_calendar_come_back_exactly(moments, precision, atoms):
    moments = [m if m is None else floored(m, precision) for m in moments] + atoms
    keys = {"precision": precision, "nullable": True, "atoms": [a.isoformat() for a in atoms]}
    frame = pd.DataFrame({"t": series(moments)})
    schema = Schema(columns={"t": {"kind": "datetime", **keys}})
    places = {(a - EPOCH) // MICROSECOND // PRECISION_STEPS[precision] for a in atoms}
    clear = [
        m is None or m in atoms or (m - EPOCH) // MICROSECOND // PRECISION_STEPS[precision] not in places
        for m in moments
    ]
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame), Coding(rare=1))
    back = encoder.decode(encoder.encode(frame), np.random.default_rng(0))["t"]
    assert back[clear].equals(frame["t"][clear])
    read = TableEncoder.from_dict(encoder.to_dict(), schema)
    assert read.decode(encoder.encode(frame), np.random.default_rng(0))["t"].equals(back)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.datetimes(), st.datetimes() | st.none()), min_size=2, max_size=30), st.booleans())
def test_gaps_between_any_moments_are_exact(pairs, coarse):
    """Also between a day and a microsecond; a gap of 9,998 years in microseconds has more digits than a float."""
    early, late = zip(*[(a, b) if b is None or a <= b else (b, a) for a, b in pairs], strict=True)
    left = "day" if coarse else "microsecond"
    early = [floored(t, left) for t in early]
    frame = pd.DataFrame({"a": series(early), "b": series(late)})
    columns = {
        "a": {"kind": "datetime", "precision": left},
        "b": {"kind": "datetime", "precision": "microsecond", "nullable": True},
    }
    schema = Schema(columns=columns, rules=[{"rule": "comparison", "left": "a", "op": "<=", "right": "b"}])
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame), Coding(rare=1))
    coded = encoder.recoding.forward(frame)
    gaps = [None if b is None else (b - a) // MICROSECOND for a, b in zip(early, late, strict=True)]
    assert [None if pd.isna(g) else int(g) for g in coded["b"]] == gaps
    back = encoder.decode(encoder.encode(frame), np.random.default_rng(0))
    pd.testing.assert_frame_equal(back, frame)


def test_open_ends_are_one_point_and_no_gap_of_thousands_of_years():
    """Drawn rows hold the atom or a moment of the bounds, never one between them."""
    start = np.datetime64("2020-01-01", "us") + np.arange(400) % 300 * np.timedelta64(86_400_000_000, "us")
    stop = np.where(np.arange(400) % 3 == 0, np.datetime64("9999-12-31", "us"), start + np.timedelta64(10, "D"))
    frame = pd.DataFrame({"start": start, "stop": stop})
    schema = infer_schema(frame)
    assert schema.columns["stop"].atoms == ("9999-12-31",)
    assert schema.columns["stop"].max == "2020-11-30"
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    assert encoder.recoding.forward(frame)["stop"].nunique() == 2
    pd.testing.assert_frame_equal(encoder.decode(encoder.encode(frame), np.random.default_rng(0)), frame)


def test_an_atom_between_two_steps_comes_back_with_its_time_of_day():
    """23:59:59 among days: the column counts days, the atom stays what it is."""
    open_ = "9999-12-31T23:59:59"
    frame = pd.DataFrame({"t": series(["2020-01-01", "2020-01-02", open_, open_])})
    schema = Schema(columns={"t": {"kind": "datetime", "precision": "day", "atoms": [open_]}})
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame), Coding(rare=1))
    pd.testing.assert_frame_equal(encoder.decode(encoder.encode(frame), np.random.default_rng(0)), frame)


def test_an_anchor_that_says_nothing_stretches_no_gap():
    """Born 1600 for "not known": the stay is measured from its own bound then, not from 1600."""
    columns = {
        "born": {"kind": "datetime", "precision": "day", "atoms": ["1600-01-01"]},
        "seen": {"kind": "datetime", "precision": "day", "min": "2020-01-01", "max": "2021-12-31"},
    }
    schema = Schema(columns=columns, rules=[{"rule": "comparison", "left": "born", "op": "<=", "right": "seen"}])
    frame = pd.DataFrame({"born": series(["1600-01-01", "2020-06-01"]), "seen": series(["2020-02-01", "2020-06-03"])})
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame), Coding(rare=1))
    assert encoder.recoding.forward(frame)["seen"].tolist() == [31, 2]
    pd.testing.assert_frame_equal(encoder.decode(encoder.encode(frame), np.random.default_rng(0)), frame)


@pytest.mark.parametrize("bound", ["min", "max"])
def test_declared_bounds_off_the_lattice_are_moved_inwards(bound):
    column = Datetime(precision="day", **{bound: "2020-01-01T12:00:00"})
    day = (dt.datetime(2020, 1, 1) - EPOCH).days
    assert datetime_numbers.step_bounds(column)[bound == "max"] == (day + 1 if bound == "min" else day)


def test_models_of_before_which_counted_in_floats_are_still_read():
    frame = pd.DataFrame({"t": series(["2020-01-01", None, "2020-01-03"] * 5)})
    schema = Schema(columns={"t": {"kind": "datetime", "precision": "day", "nullable": True}})
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame), Coding(rare=1))
    saved = encoder.to_dict()
    codec = saved["codecs"]["t"]
    old = codec | {
        "codec": "numeric",
        "low": [float(v) for v in codec["low"]],
        "high": [float(v) for v in codec["high"]],
    }
    read = TableEncoder.from_dict(saved | {"codecs": {"t": old}}, schema)
    pd.testing.assert_frame_equal(read.decode(read.encode(frame), np.random.default_rng(0)), frame)


@given(st.lists(st.integers(-(2**60), 2**60), min_size=1))
def test_floats_for_bounds_that_are_bought_never_lie_nearer_to_0(x):
    near = datetime_numbers.outward_floats(np.array(x, dtype=np.int64))
    assert all(abs(int(f)) >= abs(v) and (f >= 0) == (v >= 0) for f, v in zip(near.tolist(), x, strict=True))
