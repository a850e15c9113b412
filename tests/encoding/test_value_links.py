"""Numbers that repeat others: which are tied, where a source lies in its target, and equal values made equal again."""

import numpy as np
import pandas as pd
import pytest
import torch

from synthkit.encoding import TableEncoder
from synthkit.encoding.encoder import histograms_of
from synthkit.encoding.value_links import Comparing, compare
from synthkit.schema import Schema


def schema(**columns):
    return Schema(columns={name: {"kind": "numeric", "decimals": d} for name, d in columns.items()})


def bills(n=4000, seed=0):
    """b repeats a in three rows of ten, c is like both but by itself, d lies elsewhere."""
    rng = np.random.default_rng(seed)
    a, fresh, c = (np.round(np.exp(rng.normal(8, 1, n))) for _ in range(3))
    b = np.where(rng.random(n) < 0.3, a, fresh)
    return pd.DataFrame({"a": a, "b": b, "c": c, "d": np.round(rng.normal(-1e6, 1e5, n))})


def encoder_of(meaning, frame, most=3):
    coded = TableEncoder.fit(meaning, histograms_of(meaning, frame))
    return coded.with_links(lambda questions: [compare(coded.recoding.forward(frame), q) for q in questions], most)


@pytest.fixture(scope="module")
def fitted():
    frame = bills()
    return encoder_of(schema(a=0, b=0, c=0, d=0), frame), frame


def test_only_what_repeats_is_tied(fitted):
    encoder, _ = fitted
    assert {(t.target, t.source) for t in encoder.links} == {("a", "b"), ("b", "a")}
    assert all(t.equal > 0.9 for t in encoder.links), "sharing a narrow cell by chance is rare"


def test_nearness_is_counted_as_by_hand(fitted):
    encoder, frame = fitted
    codec = encoder.codecs["b"]
    answer = compare(
        frame.assign(a=frame["a"].where(frame.index > 9)),
        Comparing(target="b", source="a", codec=codec),
    )
    rows = range(10, len(frame))

    def interval(x):
        """The interval that holds x, None where x is a point or outside of all."""
        if any(lo == x == hi for lo, hi in zip(codec.low, codec.high, strict=True)):
            return None
        return next((k for k, (lo, hi) in enumerate(zip(codec.low, codec.high, strict=True)) if lo <= x < hi), None)

    shared = [
        i for i in rows if interval(frame["b"][i]) is not None and interval(frame["b"][i]) == interval(frame["a"][i])
    ]
    assert answer.rows == len(frame)
    assert (answer.shared, answer.equal) == (len(shared), sum(frame["a"][i] == frame["b"][i] for i in shared))
    assert answer.near >= answer.shared >= answer.equal > 0.2 * len(frame)


def test_a_pointer_finds_the_cell_of_the_source(fitted):
    encoder, frame = fitted
    coded = encoder.encode(frame).cat.long().numpy()
    layout = encoder.layout
    pointer = next(p for p in layout.links if layout.columns[p.target] == "b")
    first, count = layout.cells(pointer.target)
    source, target = layout.slots_of("a"), layout.slots_of("b")
    part = (encoder.encode(frame).num[:, layout.residuals.index("a")] * pointer.cell.shape[2]).long().numpy()
    cell = pointer.cell[coded[:, source[0]], coded[:, source[1]], part]
    mine = first[coded[:, target[0]]] + coded[:, target[1]]
    equal = (frame["a"] == frame["b"]).to_numpy()
    assert count.sum() == len(encoder.codecs["b"].low)
    assert (cell == mine)[equal & (cell >= 0)].mean() > 0.8, "but for the eighths of a cell"
    assert (cell >= 0).mean() > 0.99


def test_equal_values_are_equal_again(fitted):
    encoder, frame = fitted
    decoded = encoder.decode(encoder.encode(frame), np.random.default_rng(1))
    real = (frame["a"] == frame["b"]).mean()
    bare = TableEncoder.from_dict({**encoder.to_dict(), "ties": []}, encoder.schema)
    without = bare.decode(bare.encode(frame), np.random.default_rng(1))
    shuffled = encoder.encode(frame)
    shuffled.num[:, 1].uniform_(generator=torch.Generator().manual_seed(2))
    again = encoder.decode(shuffled, np.random.default_rng(1))
    blurred = bare.decode(shuffled, np.random.default_rng(1))
    assert (decoded["a"] == decoded["b"]).mean() == pytest.approx(real, abs=0.02)
    assert (without["a"] == without["b"]).mean() == pytest.approx(real, abs=0.02)
    assert (again["a"] == again["b"]).mean() == pytest.approx(real, abs=0.03)
    assert (blurred["a"] == blurred["b"]).mean() < real - 0.1, "positions inside cells alone do not repeat"


def test_saved_and_read_again(fitted):
    encoder, _ = fitted
    again = TableEncoder.from_dict(encoder.to_dict(), encoder.schema)
    assert again.links == encoder.links
    for one, other in zip(again.layout.links, encoder.layout.links, strict=True):
        assert np.array_equal(one.cell, other.cell)


def test_no_ties_where_none_are_wanted_or_asked_of_other_kinds():
    frame = bills(500)
    assert encoder_of(schema(a=0, b=0, c=0, d=0), frame, most=0).links == ()
    mixed = Schema(columns={"a": {"kind": "numeric", "decimals": 0}, "k": {"kind": "categorical", "levels": ["x"]}})
    assert encoder_of(mixed, pd.DataFrame({"a": frame["a"], "k": "x"})).links == ()


def test_missing_values_point_nowhere():
    frame = bills(2000)
    frame.loc[frame.index % 3 == 0, "a"] = np.nan
    meaning = Schema(
        columns={
            "a": {"kind": "numeric", "decimals": 0, "nullable": True},
            "b": {"kind": "numeric", "decimals": 0},
        }
    )
    encoder = encoder_of(meaning, frame)
    pointer = next(p for p in encoder.layout.links if encoder.layout.columns[p.target] == "b")
    assert (pointer.cell[-1] == -1).all()
    decoded = encoder.decode(encoder.encode(frame), np.random.default_rng(0))
    assert (decoded["a"].isna() == frame["a"].isna()).all()
