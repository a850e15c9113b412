"""What a column's numbers and moments span: bounds rounded outward, decimals, atoms, precision."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import numpy as np

from synthkit.schema.datetimes import PRECISION_STEPS
from synthkit.schema.number_cells import rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SENTINEL_NUMBERS = frozenset((-1, -9, -99, -999, -9999, 88, 99, 888, 999, 8888, 9999, 88888, 99999, 999999, 9999999))
MICROSECONDS_FAR_OFF = 50 * 365 * 86_400_000_000  # microseconds: so far from all others no patient's date lies
MAX_SPECIAL_VALUES = 3  # special moments at either end
MIN_DISTINCT_FOR_RANGE = 30  # distinct numbers from which on a column can have spikes rather than a few steps


def outward(distinct: NDArray[np.float64]) -> tuple[float, float]:
    """Round bounds that hold all values: to a step of 1, 2 or 5 times a power of ten, a twentieth of the span or less.

    Whole numbers that span at most 20 keep their bounds: such scales and counts are what they seem.

    Args:
        distinct: the distinct finite values, ascending.
    """
    low, high = float(distinct[0]), float(distinct[-1])
    width = high - low
    whole = bool((distinct == np.floor(distinct)).all())
    fine = width <= 1e-9 * max(abs(low), abs(high)) or width < 1e-100  # nothing a rounded bound would help
    if fine or not math.isfinite(width) or (whole and width <= 20):
        return low, high
    target = width / 20
    power = math.floor(math.log10(target))
    unit = next((u for u in (5, 2) if u * 10.0**power <= target * (1 + 1e-9)), 1)
    digits = max(0, -power)
    step = unit * 10.0**power
    down, up = round(math.floor(low / step) * step, digits), round(math.ceil(high / step) * step, digits)
    return (down if -math.inf < down <= low else low), (up if high <= up < math.inf else high)


def decimals(distinct: NDArray[np.float64], most: int = 4) -> int | None:
    """Smallest number of decimals that every value has, or None beyond `most`.

    More than four decimals are rarely what was measured: 0.39996338 is 0.4 that went through single precision. So
    are three and four if all values are whole numbers of eighths or sixteenths, as 17528.4375 is.
    """
    for digits in range(most + 1):
        if rounded(distinct, digits).all():
            parts = np.remainder(distinct, 2.0**-digits)
            return None if digits >= 3 and not parts.any() else digits
    return None


def atoms(distinct: NDArray[np.float64], counts: NDArray[np.int64], share: float = 0.05) -> tuple[float, ...]:
    """Values with a meaning of their own: spikes and sentinels.

    A spike has at least `share` of the cells and three times as many as either neighbour. A sentinel is a number
    such as 999 at the end of the column, farther from the rest than half their span; or -1 below counts. More than
    three spikes are people rounding (blood pressure to the ten): of those only values with a fifth of the cells stay.
    """
    if len(distinct) < MIN_DISTINCT_FOR_RANGE:
        return ()
    padded = np.concatenate([[0], counts, [0]])
    spikes = (counts >= share * counts.sum()) & (counts >= 3 * np.maximum(padded[:-2], padded[2:]))
    if spikes.sum() > 3:
        spikes &= counts >= 0.2 * counts.sum()
    found = {float(v) for v in distinct[spikes]}
    low, high = distinct[0], distinct[-1]
    if high in _SENTINEL_NUMBERS and high - distinct[-2] > 0.5 * (distinct[-2] - low):
        found.add(float(high))
    if low in _SENTINEL_NUMBERS and (
        distinct[1] - low > 0.5 * (high - distinct[1]) or (low == -1 and distinct[1] >= 0)
    ):
        found.add(float(low))
    return tuple(sorted(found))


def special(t: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Moments with a meaning of their own: up to three at an end that are repeated and farther off than the rest spans.

    So far means 50 years at least: 9999-12-31 for what is still open, or 1900-01-01 for what nobody knows.

    **Shape**: (n,) -> (atoms,), rising.

    Example:
        >>> special(np.array(["2020-01-01", "2020-03-01", "9999-12-31", "9999-12-31"], dtype="datetime64[us]")).tolist()
        [datetime.datetime(9999, 12, 31, 0, 0)]
    """
    distinct, counts = np.unique(t.astype("datetime64[us]").astype(np.int64), return_counts=True)
    above = _far(distinct, counts)
    rest = slice(len(distinct) - above)
    below = _far(-distinct[rest][::-1], counts[rest][::-1])
    return np.concatenate([distinct[:below], distinct[len(distinct) - above :]]).astype("datetime64[us]")


def _far(distinct: NDArray[np.int64], counts: NDArray[np.int64]) -> int:
    """How many of the last values stand apart."""
    for k in range(1, min(MAX_SPECIAL_VALUES, len(distinct) - 1) + 1):
        off, rest = distinct[-k] - distinct[-k - 1], distinct[-k - 1] - distinct[0]
        if off > max(rest, MICROSECONDS_FAR_OFF) and (counts[-k:] > 1).all():
            return k
    return 0


def span(t: NDArray[np.datetime64]) -> tuple[str | None, str | None, str]:
    """First and last day of the years (of the months, within two years) that hold all moments, and their precision."""
    ticks = t.astype("datetime64[us]").astype(np.int64)
    precision = next(name for name, step in PRECISION_STEPS.items() if not (ticks % step).any())
    first, last = (np.datetime64(int(k), "us").item() for k in (ticks.min(), ticks.max()))
    if not isinstance(first, dt.datetime) or not isinstance(last, dt.datetime):
        return None, None, precision
    yearly = last.year - first.year >= 2
    low = dt.datetime(first.year, 1 if yearly else first.month, 1)
    following = (last.year + 1, 1) if yearly or last.month == 12 else (last.year, last.month + 1)
    if following[0] > dt.MAXYEAR:
        high = last
    else:
        high = dt.datetime(*following, 1) - dt.timedelta(days=1 if precision == "day" else 0)
    if precision == "day":
        return low.date().isoformat(), high.date().isoformat(), precision
    return low.isoformat(), high.isoformat(), precision
