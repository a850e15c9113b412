"""Cells of a number laid out before a row is looked at, and noisy counts of them made into a codec.

The cells follow from declared bounds, digits and spikes alone; only their counts are noisy. What is done
with noisy counts afterwards - merging cells the noise cannot tell apart, leaving out negative mass, grouping - costs
nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from synthkit.encoding.arrays import Bools, Floats, Ints, Numbers
from synthkit.encoding.cell_cutting import coarse_levels
from synthkit.encoding.codecs.datetime_steps import StepsCodec
from synthkit.encoding.codecs.numeric import NumericCodec
from synthkit.encoding.coding import Coding

MOST_COUNTED_VALUES = 512  # as many values of a lattice are counted one by one; more are counted in intervals
INTERVALS_OF_A_GRID = 256  # intervals otherwise
MOST_SEARCHED_VALUES = 200_000  # values of a lattice among which spikes are looked for


def grid(
    low: float,
    high: float,
    *,
    decimals: int | None = None,
    step: float | None = None,
    atoms: tuple[float, ...] = (),
    cuts: tuple[float, ...] = (),
    missing: bool = False,
    bounds: tuple[float | None, float | None] = (None, None),
) -> NumericCodec:
    """Cells between two public bounds, no row in any of them yet: each value of a short lattice, else intervals.

    Intervals are of equal length in sign(x) log(1 + |x|), so that a long tail takes few of them.

    Args:
        low: public lower bound.
        high: public upper bound, not below it.
        decimals: digits behind the point, None if unrestricted.
        step: what values are multiples of, where that is not a unit of the last decimal.
        atoms: values with a cell of their own.
        cuts: numbers no cell may straddle.
        missing: whether a cell for missing values is there too.
        bounds: declared bounds, to which decoded values are kept.

    Example:
        >>> grid(0, 3, decimals=0).low
        array([0., 1., 2., 3.])
        >>> cells = grid(0, 100_000, decimals=0, atoms=(0.0,))
        >>> len(cells.low), float(cells.high[-1])
        (210, 100001.0)
    """
    if values(low, high, decimals, step) <= MOST_COUNTED_VALUES:
        points, edges = lattice(low, high, decimals, step), np.empty(0)
    else:
        points, edges = np.unique(np.array(atoms, dtype=np.float64)), _edges(low, high, decimals, step, cuts)
    starts, ends = np.concatenate([points, edges[:-1]]), np.concatenate([points, edges[1:]])
    order = np.lexsort((ends, (starts + ends) / 2))
    none = np.zeros(len(starts), dtype=np.int64)
    return NumericCodec(
        low=starts[order],
        high=ends[order],
        group=none,
        mass=none,
        missing=0 if missing else None,
        decimals=decimals,
        minimum=bounds[0],
        maximum=bounds[1],
        step=step,
    )


def grid_of_steps(low: int, high: int, *, atoms: tuple[int, ...] = (), missing: bool = False) -> StepsCodec:
    """The same of whole steps, without a float between: each of a short calendar, else intervals.

    Args:
        low: public lower bound.
        high: public upper bound, not below it.
        atoms: steps with a cell of their own, wherever they lie.
        missing: whether a cell for missing values is there too.

    Example:
        >>> grid_of_steps(18262, 18264, atoms=(2932896,)).low.tolist()
        [18262, 18263, 18264, 2932896]
    """
    points, edges = np.array(sorted(set(atoms)), dtype=np.int64), np.empty(0, dtype=np.int64)
    if high - low < MOST_COUNTED_VALUES:
        points = np.union1d(points, np.arange(low, high + 1))
    else:
        ends = np.sign([low, high]) * np.log1p(np.abs([low, high]))
        at = np.linspace(ends[0], ends[1], INTERVALS_OF_A_GRID + 1)
        near = np.ceil(np.sign(at) * np.expm1(np.abs(at)) - 1e-6).astype(np.int64)
        edges = np.unique(np.concatenate([[low], np.clip(near[1:-1], low, high), [high + 1]]))
    starts, ends_ = np.concatenate([points, edges[:-1]]), np.concatenate([points, edges[1:]])
    order = np.lexsort((ends_, starts + ends_))
    none = np.zeros(len(starts), dtype=np.int64)
    return StepsCodec(
        low=starts[order], high=ends_[order], group=none, mass=none, missing=0 if missing else None, decimals=0
    )


def bounded_steps(found: tuple[float, float], known: tuple[float, float], calendar: tuple[int, int]) -> tuple[int, int]:
    """Bounds of a grid of steps: those declared, and where none is one that was found, moved outward, in the calendar.

    Args:
        found: low and high, the first not above the second.
        known: declared bounds, infinite where open.
        calendar: first and last step there can be.

    Example:
        >>> bounded_steps((0.5, 2.0**60), (-math.inf, math.inf), (-719162, 2932896))
        (0, 2932896)
    """
    low = int(known[0]) if math.isfinite(known[0]) else max(math.floor(found[0]), calendar[0])
    high = int(known[1]) if math.isfinite(known[1]) else min(math.ceil(found[1]), calendar[1])
    if low < high or (math.isfinite(known[0]) and math.isfinite(known[1])):
        return low, high
    return (high - 1, high) if math.isfinite(known[1]) else (low, low + 1)


def values(low: float, high: float, decimals: int | None, step: float | None = None) -> float:
    """How many values lie between two bounds; infinitely many without digits.

    Example:
        >>> values(0, 1, 2)
        101.0
    """
    if step is not None:
        return float(math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1)
    return math.inf if decimals is None else float(round((high - low) * 10**decimals) + 1)


def bounded(
    found: tuple[float, float], known: tuple[float, float], decimals: int | None, step: float | None = None
) -> tuple[float, float]:
    """Bounds of a grid: those declared, and where none is one that was found, moved outward onto the digits.

    At least two values with so many digits lie between them, whatever was found.

    Args:
        found: low and high, the first not above the second.
        known: declared bounds, infinite where open.
        decimals: digits behind the point, None if unrestricted.
        step: what values are multiples of, where that is not a unit of the last decimal.

    Example:
        >>> bounded((0.25, 0.5), (-math.inf, math.inf), 0), bounded((2.0, 8.0), (100.0, math.inf), 1)
        ((0.0, 1.0), (100.0, 100.1))
    """
    scale = 1 / step if step is not None else None if decimals is None else 10.0**decimals
    low = known[0] if math.isfinite(known[0]) else _moved(found[0], scale, math.floor)
    high = known[1] if math.isfinite(known[1]) else _moved(found[1], scale, math.ceil)
    first, last = _moved(low, scale, math.ceil), _moved(high, scale, math.floor)
    if first < last or (math.isfinite(known[0]) and math.isfinite(known[1])):
        return low, high
    unit = max(1.0 if scale is None else 1 / scale, 2 * float(np.spacing(max(abs(first), abs(last)))))
    if math.isfinite(known[1]):
        return round(last - unit, 15 if decimals is None else decimals), high
    return low, round(first + unit, 15 if decimals is None else decimals)


def first_of(low: float, high: float, decimals: int | None) -> float:
    """The smallest value with so many digits from `low` on, at most `high`."""
    return min(_moved(low, None if decimals is None else 10.0**decimals, math.ceil), high)


def _moved(x: float, scale: float | None, to: Callable[[float], int]) -> float:
    """A number on the nearest multiple of 1 / scale on one side; where floats have no more digits, itself."""
    return x if scale is None or abs(x) * scale >= 2.0**53 else to(round(x * scale, 9)) / scale


def lattice(low: float, high: float, decimals: int | None, step: float | None = None) -> Floats:
    """The values between two bounds, of a number with digits. **Shape**: (values,)."""
    digits = decimals or 0
    if step is not None:
        return np.round(np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1) * step, digits)
    first = math.ceil(low * 10**digits - 1e-9)
    last = math.floor(high * 10**digits + 1e-9)
    return np.asarray(np.round(np.arange(first, last + 1) / 10**digits, digits))


def _edges(low: float, high: float, decimals: int | None, step: float | None, cuts: tuple[float, ...]) -> Floats:
    """Edges of intervals, rising. **Shape**: (at most INTERVALS_OF_A_GRID + cuts + 1,)."""
    ends = np.sign([low, high]) * np.log1p(np.abs([low, high]))
    at = np.linspace(ends[0], ends[1], INTERVALS_OF_A_GRID + 1)
    edges = np.sign(at) * np.expm1(np.abs(at))
    edges[0] = low
    if decimals is None:
        edges[-1] = np.nextafter(high, np.inf)
    elif step is not None:
        edges = np.round(np.ceil(edges / step - 1e-6) * step, decimals)
        edges[-1] = round((math.floor(high / step + 1e-9) + 1) * step, decimals)
    else:
        edges = np.round(np.ceil(edges * 10**decimals - 1e-6) / 10**decimals, decimals)
        edges[-1] = round(high + 10.0**-decimals, decimals)
    inside = [cut for cut in cuts if low < cut <= high]
    return np.unique(np.concatenate([edges, inside]))


def denoised(counts: Floats, sigma: float) -> Floats:
    """Noisy counts of neighbouring cells, those averaged that noise alone would make as different.

    A run of m cells is halved where a cell is more than sqrt(2 ln m) + 1.5 standard deviations off the mean, where the
    means of the halves are more than two apart, or where the variance is beyond 1 + 2.5 sqrt(2 / m) times the noise's.

    **Shape**: (m,) -> (m,).

    Args:
        counts: by position.
        sigma: standard deviation of the noise of each, 0 for none.

    Example:
        >>> denoised(np.array([3.0, -2.0, 1.0, 2.0, 90.0, 110.0, 101.0, 99.0]), 5.0)
        array([  1.,   1.,   1.,   1., 100., 100., 100., 100.])
    """
    if sigma == 0:
        return counts.astype(np.float64)
    out = np.empty(len(counts))
    left = [(0, len(counts))] if len(counts) else []
    while left:
        a, b = left.pop()
        if _alike(counts[a:b], sigma):
            out[a:b] = counts[a:b].mean()
        else:
            middle = (a + b) // 2
            left += [(a, middle), (middle, b)]
    return out


def _alike(counts: Floats, sigma: float) -> bool:
    m, half = len(counts), len(counts) // 2
    if m == 1:
        return True
    z = (counts - counts.mean()) / sigma
    apart = abs(z[:half].mean() - z[half:].mean()) / math.sqrt(1 / half + 1 / (m - half))
    far = bool(np.abs(z).max() > math.sqrt(2 * math.log(m)) + 1.5)
    return not (far or apart > 2 or float(z.var()) > 1 + 2.5 * math.sqrt(2 / m))


def projected(counts: Floats) -> Floats:
    """The nearest counts that are not negative and add up to the same, in Euclidean distance; zeros if that is below 0.

    **Shape**: (m,) -> (m,).

    References:
        Duchi, Shalev-Shwartz, Singer, Chandra: Efficient projections onto the l1-ball for learning in high dimensions
        (2008).

    Example:
        >>> projected(np.array([4.0, -1.0, 3.0]))
        array([3.5, 0. , 2.5])
    """
    total = float(counts.sum())
    if total <= 0 or not len(counts):
        return np.zeros(len(counts))
    falling = np.sort(counts)[::-1]
    over = (np.cumsum(falling) - total) / np.arange(1, len(counts) + 1)
    kept = np.flatnonzero(falling >= over)  # the largest is, even where rounding leaves nothing of a sum near 0
    return np.asarray(np.maximum(counts - over[kept[-1]], 0.0))


def binned_codec(
    cells: NumericCodec, counts: Ints, sigma: float, *, cuts: tuple[float, ...] = (), coding: Coding | None = None
) -> NumericCodec:
    """The codec that noisy counts of cells make: averaged where alike, not negative, empty runs joined, grouped.

    Args:
        cells: what was counted, of `grid`.
        counts: noisy counts of the cells, that of missing values last where there is one. **Shape**: (m or m + 1,).
        sigma: standard deviation of the noise.
        cuts: numbers no cell and no group may straddle.
        coding: how finely to cut.
    """
    coding = coding or Coding()
    m = len(cells.low)
    apart = _apart(cells)
    # of a lattice all are points: spikes are those that lie apart from it
    spikes = (cells.low == cells.high) & (bool((cells.low < cells.high).any()) | (apart & np.r_[apart[1:], True]))
    smooth = np.concatenate([counts[:m].astype(np.float64), counts[m:]])
    smooth[:m][~spikes] = denoised(smooth[:m][~spikes], sigma)
    mass = np.rint(projected(smooth)).astype(np.int64)
    if not mass[:m][~spikes].any():  # the noise left nothing: joined to one, all these cells would be drawn evenly
        mass[:m][~spikes] = 1
    missing = None if cells.missing is None else int(mass[m])
    low, high, mass = _joined(cells, mass[:m], cuts)
    return grouped(replace(cells, low=low, high=high, missing=missing), mass, cuts, coding)


def _ends(cells: NumericCodec) -> Numbers:
    """Where the next cell begins, if it follows at once."""
    if cells.decimals is None or bool((cells.low < cells.high).any()):
        return cells.high
    return np.round(cells.high + cells.low.dtype.type(cells.unit), cells.decimals)


def _apart(cells: NumericCodec) -> Bools:
    """Points of a lattice of steps that do not follow the one before: atoms beyond its bounds. **Shape**: (m,)."""
    if not cells.whole or bool((cells.low < cells.high).any()):
        return np.zeros(len(cells.low), dtype=bool)
    return np.asarray(np.r_[True, cells.low[1:] > _ends(cells)[:-1]])


def _joined(cells: NumericCodec, mass: Ints, cuts: tuple[float, ...]) -> tuple[Numbers, Numbers, Ints]:
    """Runs of empty cells as one interval each, on one side of every cut; spikes stay."""
    lattice_ = not bool((cells.low < cells.high).any())
    ends = _ends(cells)
    side = np.searchsorted(np.sort(np.array(cuts)), cells.low, side="right")
    joins = (mass == 0) & ((cells.low < cells.high) | (lattice_ and cells.decimals is not None))
    fresh = ~(joins & np.r_[False, joins[:-1]] & np.r_[False, side[1:] == side[:-1]] & ~_apart(cells))
    first = np.flatnonzero(fresh)
    last = np.r_[first[1:] - 1, len(mass) - 1]
    alone = first == last
    return (
        cells.low[first],
        np.where(alone, cells.high[last], ends[last]),
        mass[first],
    )


def grouped(cells: NumericCodec, mass: Ints, cuts: tuple[float, ...], coding: Coding) -> NumericCodec:
    """Cells with their mass, grouped: each by itself where they are few, else a point as heavy as half a group alone.

    Args:
        cells: by position. **Shape**: m cells.
        mass: rows in each, noisy or not. **Shape**: (m,).
        cuts: values no group may straddle.
        coding: how finely to cut.
    """
    heavy = (cells.low == cells.high) & (mass >= mass.sum() / (2 * coding.coarse))
    alone = np.full(len(mass), fill_value=True) if len(mass) <= coding.exact else heavy
    return replace(cells, mass=mass, group=coarse_levels(cells.low, mass, alone, cuts, coding))
