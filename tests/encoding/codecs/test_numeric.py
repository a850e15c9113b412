"""Every codec: what is encoded comes back, widths are the layout's, cells cover everything, JSON changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.encoding import Coding, NumericCodec
from synthkit.encoding.codecs import numeric
from synthkit.encoding.wide_gaps import CHANCE
from synthkit.errors import EncodingError
from synthkit.schema import Condition

SMALL = Coding(exact=5, heavy=0.1, coarse=4, fine=4, rare=3, per_cell=4)  # small tables meet every branch with it
COUNT = st.integers(1, 40)
WHOLE = st.one_of(st.integers(-50, 50), st.integers(-(10**9), 10**9), st.sampled_from([-1, 999, 99999])).map(float)
GRID = st.tuples(st.integers(-(10**6), 10**6), st.integers(0, 3)).map(lambda t: t[0] / 10 ** t[1])
REAL = st.one_of(
    st.floats(-1e300, 1e300),
    st.floats(-10, 10, width=32),
    st.floats(0, 1).map(lambda x: float(np.float32(x))),
    st.sampled_from([0.0, 1.0, 1e-300, 1e300, -1e300, 0.1 + 0.2]),
)
CODINGS = st.sampled_from([Coding(), SMALL])


@st.composite
def whole_histograms(draw):
    return draw(st.dictionaries(WHOLE, COUNT, max_size=60)), 0


@st.composite
def grid_histograms(draw):
    decimals = draw(st.integers(1, 3))
    cells = draw(st.dictionaries(GRID.map(lambda x: round(x, decimals) + 0.0), COUNT, max_size=60))
    return cells, decimals


@st.composite
def real_histograms(draw):
    return draw(st.dictionaries(REAL.map(lambda x: x + 0.0), COUNT, max_size=60)), None


@st.composite
def codecs(draw, kinds=(whole_histograms, grid_histograms, real_histograms)):
    """A fitted codec, the values it was fitted to, and its decimals."""
    cells, decimals = draw(st.one_of(*(h() for h in kinds)))
    x = np.array(sorted(cells), dtype=np.float64)
    counts = np.array([cells[v] for v in sorted(cells)], dtype=np.int64)
    missing = draw(st.sampled_from([None, 0, 7])) if len(x) else draw(st.integers(0, 7))
    some = st.sampled_from(x.tolist()) if len(x) else st.just(0.0)
    codec = numeric.fit(
        x,
        counts,
        missing,
        decimals=decimals,
        atoms=tuple(draw(st.lists(some, max_size=2))),
        cuts=tuple(draw(st.lists(some, max_size=2, unique=True))),
        coding=draw(CODINGS),
    )
    return codec, x, decimals


def cell_of(codec: NumericCodec, cat: np.ndarray) -> np.ndarray:
    """Index of the cell of each code, counted out by hand from `group`."""
    fine = cat[:, 1] if cat.shape[1] > 1 else np.zeros(len(cat), dtype=int)
    return np.array([np.flatnonzero(codec.group == g)[f] for g, f in zip(cat[:, 0], fine, strict=True)], dtype=int)


def all_codes(codec: NumericCodec) -> np.ndarray:
    """Every code a model can draw with a fine level inside its group."""
    rows = [(g, f) for g in np.unique(codec.group) for f in range(int((codec.group == g).sum()))]
    two = len(codec.slots("x", 0)) > 1
    return np.array([r if two else r[:1] for r in rows], dtype=np.int64).reshape(-1, 2 if two else 1)


@given(codecs())
def test_numbers_come_back_to_the_stated_precision(fitted):
    """Exactly on points and on grids up to 2^23 steps a cell, else to the cell's width * 2^-23.

    Values too rare for a cell of their own lie in none and come back as the nearest cell: not asked here.
    """
    codec, x, decimals = fitted
    cat, num = codec.encode(x)
    back = codec.decode(cat, num)
    cell = cell_of(codec, cat)
    held = (x >= codec.low[cell]) & (x <= codec.high[cell])
    x, back, cell = x[held], back[held], cell[held]
    width = codec.high[cell] - codec.low[cell]
    exact = width == 0 if decimals is None else width * 10**decimals < 2**23
    assert np.array_equal(back[exact], x[exact])
    slack = np.spacing(np.abs(x)) + (0.0 if decimals is None else 10.0**-decimals)
    assert (np.abs(back - x) <= width * 2.0**-23 + slack).all()


@given(codecs())
def test_widths_are_the_layouts(fitted):
    codec, x, _ = fitted
    slots = codec.slots("x", 3)
    cat, num = codec.encode(x)
    assert cat.shape == (len(x), len(slots))
    assert num.shape == (len(x),)
    assert all(((cat[:, k] >= 0) & (cat[:, k] < s.size)).all() for k, s in enumerate(slots))
    assert ((num >= 0) & (num < 1)).all()
    assert [s.prior.shape for s in slots] == [(slots[0].size,), (slots[0].size, slots[-1].size)][: len(slots)]
    for slot in slots:  # each law is normalised wherever it applies
        law = np.exp(slot.prior.astype(np.float64)).reshape(-1, slot.size)
        law = law[law.sum(axis=1) > 0]
        assert np.allclose(law.sum(axis=1), 1, atol=1e-5)


@given(codecs())
def test_missing_is_the_last_level_and_comes_back(fitted):
    codec, x, _ = fitted
    if codec.missing is None:
        with pytest.raises(EncodingError, match=r"every value must be present; however: 1 are missing.*nullable: true"):
            codec.encode(np.array([np.nan, *x]))
        return
    cat, num = codec.encode(np.array([np.nan, *x]))
    assert cat[0, 0] == codec.levels - 1
    assert (cat[1:, 0] < codec.levels - 1).all()
    assert np.isnan(codec.decode(cat, num)).tolist() == [True] + [False] * len(x)


@given(codecs())
def test_groups_do_not_decrease_and_hold_at_most_fine_cells(fitted):
    codec, _, _ = fitted
    assert (np.diff(codec.group) >= 0).all()
    assert set(np.diff(codec.group).tolist()) <= {0, 1}
    assert codec.group[:1].tolist() in ([], [0])
    assert np.bincount(codec.group).max(initial=0) <= 32


@given(codecs())
def test_mass_is_counted_once(fitted):
    """Each value falls into the cell that counted it: the cells' masses are the histogram's."""
    codec, x, _ = fitted
    cell = cell_of(codec, codec.encode(x)[0])
    assert set(cell.tolist()) == set(np.flatnonzero(codec.mass > 0).tolist())


@given(codecs(), st.integers(0, 2**24 - 1))
def test_whatever_is_drawn_lies_in_its_cell(fitted, u):
    """Any code with any residual decodes to a value of that cell, on the grid."""
    codec, _, decimals = fitted
    cat = all_codes(codec)
    num = np.full(len(cat), u / 2**24, dtype=np.float32)
    x = codec.decode(cat, num)
    cell = cell_of(codec, cat)
    low, high = codec.low[cell], codec.high[cell]
    assert np.where(low == high, x == low, (low <= x) & (x < high)).all()
    if decimals is not None:
        assert np.allclose(x, np.round(x, decimals), rtol=0, atol=1e-9)


@given(codecs(), st.lists(REAL, max_size=20))
def test_cells_cover_everything(fitted, fresh):
    """Values never seen in fitting get a code, and a value near them back."""
    codec, x, _ = fitted
    new = np.array(fresh, dtype=np.float64)
    cat, num = codec.encode(new)
    assert np.isfinite(num).all()
    if len(x):
        back = codec.decode(cat, num)
        assert ((back >= codec.low.min()) & (back <= codec.high.max())).all()


@given(codecs(), st.data())
def test_meets_agrees_with_every_cell(fitted, data):
    """Surely: all cells of the level meet the condition. Possibly: at least one value of one cell does."""
    codec, x, decimals = fitted
    bound = st.one_of(st.none(), *([st.sampled_from(x.tolist())] if len(x) else []), WHOLE)
    low, high = data.draw(bound), data.draw(bound)
    if low is not None and high is not None and low > high:
        low, high = high, low
    levels = (
        data.draw(st.one_of(st.none(), st.lists(st.sampled_from(x.tolist()), min_size=1, max_size=3)))
        if len(x)
        else None
    )
    missing = None if (low, high, levels) != (None, None, None) else data.draw(st.booleans())
    condition = Condition(min=low, max=high, missing=missing, **{"in": levels} if levels else {})
    surely, possibly = codec.meets(condition)
    assert surely.shape == possibly.shape == (codec.levels,)
    step = None if decimals is None else 10.0**-decimals
    for level in range(codec.levels):
        cells = np.flatnonzero(codec.group == level)
        if not len(cells):  # missing
            assert surely[level] == possibly[level] == (missing is True)
            continue
        ends = [
            (a, a if a == b else (np.nextafter(b, a) if step is None else round(b - step, decimals)))
            for a, b in zip(codec.low[cells], codec.high[cells], strict=True)
        ]
        met = [condition.met(pd.Series(e)).all() for e in ends]
        if levels is None:
            assert surely[level] == all(met)
            overlaps = [
                missing is not True
                and b >= (-np.inf if low is None else low)
                and a <= (np.inf if high is None else high)
                for a, b in ends
            ]
            assert possibly[level] == any(overlaps)
        else:
            assert surely[level] == (all(met) and all(a == b for a, b in ends))
            inside = [v for v in levels if condition.met(pd.Series([v]))[0] and any(a <= v <= b for a, b in ends)]
            assert possibly[level] >= bool(inside)


@given(codecs())
def test_numeric_codecs_survive_json(fitted):
    codec, x, _ = fitted
    again = NumericCodec.from_dict(json.loads(json.dumps(codec.to_dict(), allow_nan=False)))
    assert again.to_dict() == codec.to_dict()
    assert all(np.array_equal(a, b) for a, b in zip(again.encode(x), codec.encode(x), strict=True))


@given(codecs((real_histograms,)), REAL)
def test_a_value_outside_all_cells_takes_the_nearest(fitted, value):
    codec, x, _ = fitted
    if len(x):
        cat, _ = codec.encode(np.array([value]))
        cell = cell_of(codec, cat)[0]
        away = np.maximum(np.maximum(codec.low - value, value - codec.high), 0)
        assert away[cell] <= away.min()


def test_a_value_far_from_the_narrowest_cell_there_is():
    """Divided by the smallest number there is, a distance of 1 would be infinite."""
    ends = {"low": np.array([0.0]), "high": np.array([5e-324]), "group": np.array([0]), "mass": np.array([1])}
    codec = NumericCodec(**ends, missing=None, decimals=None, minimum=None, maximum=None)
    cat, num = codec.encode(np.array([1.0, 0.0]))
    assert ((num >= 0) & (num < 1)).all()
    assert np.isin(codec.decode(cat, num), [0.0, 5e-324]).all()


@pytest.mark.parametrize("decimals", [1, 2])
def test_single_precision_comes_back_rounded(decimals):
    """0.4 written by a program that stored it as 0.39999998 is 0.4 again, point or interval, drawn or coded."""
    x = np.arange(300) / 10**decimals
    noisy = x.astype(np.float32).astype(np.float64)
    counts = np.where(np.arange(300) % 7 == 0, 50, 2)
    codec = numeric.fit(noisy, counts, None, decimals=decimals)
    cat, num = codec.encode(noisy)
    assert np.array_equal(codec.decode(cat, num), np.round(x, decimals))
    zero = np.zeros(len(cat), dtype=np.float32)
    assert np.isin(codec.decode(cat, zero), np.round(x, decimals)).all()


def test_cuts_divide_cells_and_groups():
    """No cell and no coarse level holds numbers of both sides of a cut, on grids and off them."""
    x = np.arange(2000.0)
    codec = numeric.fit(x, np.full(2000, 2, dtype=np.int64), None, decimals=0, cuts=(180.0, 731.0))
    real = numeric.fit(x + 0.3, np.full(2000, 2, dtype=np.int64), None, cuts=(180.5, 731.0))
    for fitted, cuts in ((codec, (180.0, 731.0)), (real, (180.5, 731.0))):
        side = np.searchsorted(cuts, fitted.low, side="right")
        assert np.array_equal(
            side, np.searchsorted(cuts, np.maximum(fitted.low, np.nextafter(fitted.high, -np.inf)), side="right")
        )
        assert all(len(set(side[fitted.group == g])) == 1 for g in np.unique(fitted.group))


def test_heavy_values_and_atoms_are_levels_by_themselves():
    x = np.arange(1000.0)
    counts = np.full(1000, 2, dtype=np.int64)
    counts[500] = 400
    codec = numeric.fit(x, counts, None, decimals=0, atoms=(7.0,))
    for value in (7.0, 500.0):
        level = codec.encode(np.array([value]))[0][0, 0]
        assert codec.low[codec.group == level].tolist() == [value] == codec.high[codec.group == level].tolist()


def test_rare_values_are_hidden_in_intervals():
    """A value that few rows share is no point: what is drawn from its cell can be anything in between."""
    x = np.array([1.0, 2.0, 3.0, 1000.0, 1010.0])
    codec = numeric.fit(x, np.array([50, 50, 50, 3, 3]), None, decimals=0)
    assert sorted(codec.low[codec.low == codec.high]) == [1.0, 2.0, 3.0]
    assert (codec.low.max(), codec.high.max()) == (1000.0, 1011.0)


@pytest.mark.parametrize("decimals", [None, 0, 1])
def test_nothing_is_drawn_where_nothing_is(decimals):
    """Counts up to 40 and some about 500, as children of a visit and of a stay: none of 100 or 200 is drawn."""
    few, many = np.arange(0, 40, 2, dtype=float), np.arange(400.0, 600.0, 10)
    codec = numeric.fit(np.concatenate([few, many]), np.ones(40, dtype=np.int64), None, decimals=decimals)
    cat = all_codes(codec)
    drawn = np.concatenate([codec.decode(cat, np.full(len(cat), u, np.float32)) for u in np.linspace(0, 0.999, 50)])
    assert drawn.min() < 10
    assert drawn.max() > 500
    assert not ((drawn > 45) & (drawn < 380)).any()
    found = codec.encode(np.array([60.0, 350.0]))  # what lies in the gap is coded as the nearest
    assert codec.decode(*found) == pytest.approx([40, 400], abs=12)


@pytest.mark.parametrize("decimals", [None, 0])
def test_a_smooth_law_has_hardly_a_hole(decimals):
    """20 columns of 5,000 rows of a heavy tail: no more gaps than chance shows, each judged twice."""
    rng = np.random.default_rng(4)
    holes = n = 0
    for _ in range(20):
        x = np.exp(rng.normal(3, 2, 5000)) * (1 if decimals is None else 1000)
        values, counts = np.unique(x if decimals is None else x.round(), return_counts=True)
        codec = numeric.fit(values, counts, None, decimals=decimals)
        spans = codec.low < codec.high
        low, high = np.sort(codec.low[spans]), np.sort(codec.high[spans])
        holes, n = holes + int((low[1:] > high[:-1]).sum()), n + len(values)
    assert holes / n < 1.5 * 2 * CHANCE


@pytest.mark.parametrize("alone", [[1], [1, 1], [2, 2]])
def test_values_too_few_for_an_interval_are_never_released(alone):
    """Fewer than five rows beyond all points: no cell is about them alone, and they are coded as the nearest point."""
    x = np.array([1.0, 2.0, 3.0, *(1000.0 + np.arange(len(alone)))])
    codec = numeric.fit(x, np.array([50, 50, 50, *alone]), None, decimals=0)
    assert codec.high.max() == 3
    assert codec.mass.sum() == 150 + sum(alone)
    assert codec.decode(*codec.encode(x)).max() == 3


@given(codecs())
def test_no_interval_is_about_fewer_rows_than_rare(fitted):
    codec, _, _ = fitted
    spans = codec.low < codec.high
    if (~spans).any():  # a column without any point keeps one interval whatever its mass
        assert (codec.mass[spans] >= SMALL.rare).all()


def test_declared_bounds_hold_whatever_is_drawn():
    x = np.linspace(0, 1, 500)
    codec = replace(numeric.fit(x, np.ones(500, dtype=np.int64), None), minimum=0.0, maximum=1.0)
    cat = all_codes(codec)
    for u in (0.0, 0.5, float(np.nextafter(np.float32(1), np.float32(0)))):
        back = codec.decode(cat, np.full(len(cat), u, dtype=np.float32))
        assert ((back >= 0) & (back <= 1)).all()


@pytest.mark.parametrize("decimals", [None, 0, 2])
def test_a_column_without_values_is_all_missing(decimals):
    codec = numeric.fit(np.empty(0), np.empty(0, dtype=np.int64), 9, decimals=decimals)
    cat, num = codec.encode(np.full(3, np.nan))
    assert cat.tolist() == [[0]] * 3
    assert np.isnan(codec.decode(cat, num)).all()
