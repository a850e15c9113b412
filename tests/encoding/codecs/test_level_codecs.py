"""Codecs of levels, codes, combinations and moments: all come back, rare codes as relatives; JSON changes nothing."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from synthkit.encoding import TableEncoder
from synthkit.encoding.codecs.categorical import LevelsCodec, fit_code
from synthkit.encoding.codecs.combination import CombinationCodec
from synthkit.encoding.coding import Coding
from synthkit.encoding.encoder import histograms_of
from synthkit.errors import EncodingError
from synthkit.schema import Condition, Schema

LEVEL = st.one_of(st.text(max_size=4), st.integers(-5, 5), st.floats(-5, 5).map(lambda x: x + 0.25), st.booleans())
LEVELS = st.lists(LEVEL, min_size=1, max_size=12, unique_by=lambda v: str(v) if isinstance(v, str) else float(v) + 0.0)


@given(LEVELS, st.booleans(), st.randoms(use_true_random=False))
def test_levels_come_back(levels, nullable, random):
    codec = LevelsCodec(
        levels=tuple(levels), counts=np.ones(len(levels), dtype=np.int64), missing=3 if nullable else None, ordinal=True
    )
    cells = [random.choice([*levels, *([None] if nullable else [])]) for _ in range(20)]
    cat = codec.encode(pd.Series(cells, dtype=object))
    assert cat.shape == (20, 1)
    assert ((cat >= 0) & (cat < codec.size)).all()
    back = codec.decode(cat).tolist()
    assert back == cells
    assert [type(b) for b in back] == [type(levels[levels.index(c)]) if c is not None else type(None) for c in cells]
    slot = codec.slots("x")[0]
    assert (slot.size, slot.missing, slot.prior.shape) == (codec.size, nullable, (codec.size,))
    again = LevelsCodec.from_dict(json.loads(json.dumps(codec.to_dict())))
    assert again.to_dict() == codec.to_dict()
    assert np.array_equal(again.encode(pd.Series(cells, dtype=object)), cat)


@given(LEVELS, st.data())
def test_levels_meet_what_their_values_meet(levels, data):
    codec = LevelsCodec(levels=tuple(levels), counts=np.ones(len(levels), dtype=np.int64), missing=1, ordinal=False)
    some = data.draw(st.lists(st.sampled_from(levels), min_size=1))
    assert codec.meets(Condition(**{"in": some}))[0].tolist() == [v in some for v in levels] + [False]
    assert codec.meets(Condition(missing=True))[1].tolist() == [False] * len(levels) + [True]


@pytest.mark.parametrize(
    ("cells", "message"), [(["c"], "1 rows are not \\(0 of them"), ([None], "1 rows are not \\(1")]
)
def test_a_value_that_is_no_level_is_refused(cells, message):
    codec = LevelsCodec(levels=("a", "b"), counts=np.array([1, 1]), missing=None, ordinal=False)
    with pytest.raises(EncodingError, match=message):
        codec.encode(pd.Series(cells, dtype=object))


CODE = st.text("0123V.", max_size=5)


@given(st.dictionaries(CODE, st.integers(1, 12), min_size=1, max_size=40), st.sampled_from([None, 4]))
def test_rare_codes_stand_for_their_nearest_relatives(cells, missing):
    """Longest common prefix first, then the most frequent: checked against every pair."""
    codes, counts = list(cells), np.array(list(cells.values()), dtype=np.int64)
    codec = fit_code(codes, counts, missing, rare=5)
    assert counts.sum() == codec.counts.sum()
    frequent = {c for c in codes if cells[c] >= 5}
    assert set(codec.levels) == (frequent or {c for c in codes if cells[c] == max(cells.values())})
    back = codec.decode(codec.encode(pd.Series(codes, dtype=object))).tolist()
    for code, got in zip(codes, back, strict=True):
        if code in codec.levels:
            assert got == code
            continue
        kin = {other: (shared(code, other), cells[other]) for other in codec.levels}
        assert kin[got] == max(kin.values())
    again = LevelsCodec.from_dict(json.loads(json.dumps(codec.to_dict())))
    assert again.decode(again.encode(pd.Series(codes, dtype=object))).tolist() == back


@given(st.lists(CODE, min_size=1, unique=True), st.lists(CODE))
def test_unlisted_codes_stand_for_relatives_where_that_is_allowed(listed, others):
    counts = np.arange(1, len(listed) + 1, dtype=np.int64)
    codec = LevelsCodec(levels=tuple(listed), counts=counts, missing=2, ordinal=False, relatives=True)
    codec = LevelsCodec.from_dict(json.loads(json.dumps(codec.to_dict())))
    back = codec.decode(codec.encode(pd.Series([*others, None], dtype=object))).tolist()
    assert back[-1] is None
    weight = dict(zip(listed, counts.tolist(), strict=True))
    for code, got in zip(others, back[:-1], strict=True):
        kin = {other: (shared(code, other), weight[other]) for other in listed}
        assert got == (code if code in listed else max(kin, key=kin.__getitem__))


def shared(a: str, b: str) -> int:
    """Length of the longest common prefix."""
    return next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def test_catalogues_of_thousands_of_codes_are_one_slot():
    rng = np.random.default_rng(0)
    codes = [f"{a:03d}.{b}" for a in range(900) for b in range(10)]
    counts = rng.integers(1, 12, len(codes))
    codec = fit_code(codes, counts, None, rare=5)
    assert len(codec.slots("diag")) == 1
    assert codec.size == int((counts >= 5).sum()) > 700
    cat = codec.encode(pd.Series(codes, dtype=object))
    back = codec.decode(cat)
    assert (back[counts >= 5] == np.array(codes, dtype=object)[counts >= 5]).all()
    assert (back.str[:2] == pd.Series(codes).str[:2]).all()


def test_codes_that_were_never_seen_are_refused():
    codec = fit_code(["250", "401"], np.array([9, 9]), None, rare=5)
    with pytest.raises(EncodingError, match="every value must be a level"):
        codec.encode(pd.Series(["25"]))


@st.composite
def combinations(draw):
    width = draw(st.integers(2, 3))
    cell = st.one_of(st.none(), st.sampled_from(["a", "b", "c"]))
    rows = draw(st.lists(st.tuples(*[cell] * width), min_size=1, max_size=10, unique=True))
    names = tuple("xyz"[:width])
    return CombinationCodec(columns=names, combinations=tuple(rows), counts=np.arange(1, len(rows) + 1, dtype=np.int64))


@given(combinations(), st.data())
def test_combinations_come_back_and_match_what_is_known(codec, data):
    rows = data.draw(st.lists(st.sampled_from(codec.combinations), min_size=1, max_size=8))
    frame = pd.DataFrame(rows, columns=list(codec.columns), dtype=object)
    cat = codec.encode(frame)
    assert cat.shape == (len(rows), 1)
    assert [tuple(r) for r in codec.decode(cat).itertuples(index=False)] == rows
    again = CombinationCodec.from_dict(json.loads(json.dumps(codec.to_dict())))
    assert again.to_dict() == codec.to_dict()
    assert np.array_equal(again.encode(frame), cat)
    known = np.array([[data.draw(st.booleans()) for _ in codec.columns] for _ in rows])
    for present in (False, True):
        match = codec.matching(frame, known, present=present)
        for r, row in enumerate(rows):
            for k, other in enumerate(codec.combinations):
                cells = zip(row, other, known[r], strict=True)
                want = all(a == b if fixed else (b is not None or not present) for a, b, fixed in cells)
                assert match[r, k] == want


@given(combinations())
def test_combinations_meet_what_their_members_meet(codec):
    met, possible = codec.meets(Condition(**{"in": ["a", "b"]}), "y")
    assert met.tolist() == possible.tolist()
    assert met.tolist() == [row[1] in ("a", "b") for row in codec.combinations]


def test_an_unknown_combination_is_refused():
    codec = CombinationCodec(columns=("x", "y"), combinations=(("a", "b"),), counts=np.array([3]))
    with pytest.raises(EncodingError, match="known combination of x, y; however: 1 rows"):
        codec.encode(pd.DataFrame({"x": ["a", "b"], "y": ["b", "a"]}))


STEPS = {"day": "D", "hour": "h", "minute": "m", "second": "s", "millisecond": "ms", "microsecond": "us"}


@settings(max_examples=40)
@given(st.data(), st.sampled_from(sorted(STEPS)))
def test_moments_come_back_to_their_precision(data, precision):
    """Days, hours and minutes exactly; finer steps to 2^-23 of the span of the table.

    A moment that many rows share is a point, and a few others beside points alone are coded as the nearest.
    """
    days = st.integers(-40000, 40000)
    cells = data.draw(
        st.lists(st.one_of(st.none(), st.tuples(days, st.integers(0, 86_399_999_999))), min_size=1, max_size=30)
    )
    micro = [
        None
        if c is None
        else np.datetime64(c[0] * 86_400_000_000 + c[1], "us").astype(f"datetime64[{STEPS[precision]}]")
        for c in cells
    ]
    moments = pd.Series(np.array([np.datetime64("NaT") if m is None else m for m in micro], dtype="datetime64[us]"))
    assume(moments.value_counts().max() < Coding().rare)
    schema = Schema(columns={"t": {"kind": "datetime", "precision": precision, "nullable": True}})
    frame = pd.DataFrame({"t": moments})
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    back = encoder.decode(encoder.encode(frame), np.random.default_rng(0))["t"]
    assert (back.isna() == moments.isna()).all()
    off = (back - moments).abs().dropna() / pd.Timedelta(1, "us")
    span = (moments.max() - moments.min()) / pd.Timedelta(1, "us") if moments.notna().any() else 0
    step = np.timedelta64(1, STEPS[precision]) / np.timedelta64(1, "us")
    assert (off <= (0 if span / step < 2**23 else span * 2.0**-23 + step)).all()


def test_moments_stay_inside_their_bounds():
    schema = Schema(columns={"t": {"kind": "datetime", "precision": "day", "min": "2020-01-01", "max": "2020-12-31"}})
    frame = pd.DataFrame({"t": pd.date_range("2020-01-01", "2020-12-31", unit="us")})
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    rows = encoder.encode(frame)
    assert encoder.decode(rows, np.random.default_rng(0))["t"].tolist() == frame["t"].tolist()
    assert schema.columns["t"].admits(encoder.decode(rows, np.random.default_rng(0))["t"]).all()
