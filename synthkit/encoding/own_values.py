"""Values of a column that say more than its distance from another one: the first day of a stay, whatever its length.

A column that is coded as a gap keeps what repeats in its gaps, and loses what repeats in its values. Here each row is
coded by the more frequent of the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from synthkit.encoding.arrays import Bools, Floats, Ints

LEAST_SHARE = 0.005  # of all rows, from which on a value may be kept
MIXTURE_ROUNDS = 50  # of expectation and maximization; the shares no longer move in the third digit
FIRST_OWN_CODE = -(2.0**40)  # of the first own value, each next one as far below; no gap is so far below nought


@dataclass(frozen=True, kw_only=True)
class OwnValues:
    """Which rows are coded by the value itself, and by which code.

    A row with value v and gap g is, if v is among the values and weighs more than g.

    Args:
        values: the values, rising.
        weights: rows that each accounts for.
        gaps: gaps that weigh more than some of the values, rising.
        gap_weights: rows that each accounts for.

    Example:
        >>> own = OwnValues(values=(1.0,), weights=(90.0,), gaps=(0.0,), gap_weights=(800.0,))
        >>> code = own.coded(np.array([1.0, 1.0, 2.0]), np.array([7.0, 0.0, 7.0]))
        >>> own.values_of(code).tolist()
        [1.0, nan, nan]
    """

    values: tuple[float, ...]
    weights: tuple[float, ...]
    gaps: tuple[float, ...]
    gap_weights: tuple[float, ...]

    @property
    def codes(self) -> tuple[float, ...]:
        """The code of each value. **Shape**: (values,)."""
        return tuple(FIRST_OWN_CODE * (k + 1) for k in range(len(self.values)))

    def coded(self, x: Floats, gap: Floats) -> Floats:
        """The code of each row: that of its value, or its gap. **Shape**: (n,), (n,) -> (n,)."""
        here = _found(x, self.values)
        own = np.array([*self.weights, 0.0])[here] > np.array([*self.gap_weights, 0.0])[_found(gap, self.gaps)]
        return np.where(own, np.array([*self.codes, np.nan])[here], gap)

    def values_of(self, code: Floats) -> Floats:
        """The value each code stands for, NaN where it is a gap. **Shape**: (n,) -> (n,)."""
        return np.array([*self.values, np.nan])[_found(code, self.codes)]

    def to_dict(self) -> dict[str, list[float]]:
        """Plain data for JSON."""
        return {field.name: list(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        return cls(**{field.name: tuple(float(v) for v in data[field.name]) for field in fields(cls)})


def find_own_values(x: Floats, gap: Floats, counts: Ints, rows: int, rare: int) -> OwnValues | None:
    r"""The values of a column that are to be kept, from how often each goes with each gap; None if there are none.

    Rows are a mixture of two laws, one of values, w, and one of gaps, u, fitted by expectation and maximization: a row
    of value v and gap g is of the first with probability $w_v / (w_v + u_g)$. Those of which it is the larger are
    coded by it, if they are a share of `LEAST_SHARE` of all rows for their value.

    **Shape**: (pairs,), (pairs,), (pairs,).

    Args:
        x: value of each pair.
        gap: its gap.
        counts: rows that have the pair.
        rows: all rows, those without a value too.
        rare: rows that must share a value, at least.

    References:
        Dempster, Laird, Rubin: Maximum likelihood from incomplete data via the EM algorithm (1977).
    """
    if not len(x):
        return None
    values, value_at = np.unique(x, return_inverse=True)
    gaps, gap_at = np.unique(gap, return_inverse=True)
    own = np.full(len(x), 0.5)
    for _ in range(MIXTURE_ROUNDS):
        weights, rivals = np.bincount(value_at, counts * own), np.bincount(gap_at, counts * (1 - own))
        both = weights[value_at] + rivals[gap_at]
        own = np.divide(weights[value_at], both, out=np.zeros(len(x)), where=both > 0)
    taken = weights[value_at] > rivals[gap_at]
    kept = np.bincount(value_at[taken], counts[taken], minlength=len(values)) >= max(LEAST_SHARE * rows, rare)
    if not kept.any():
        return None
    heavy = rivals >= weights[kept].min()
    return OwnValues(
        values=tuple(values[kept].tolist()),
        weights=tuple(weights[kept].tolist()),
        gaps=tuple(gaps[heavy].tolist()),
        gap_weights=tuple(rivals[heavy].tolist()),
    )


def _found(x: Floats, among: Sequence[float]) -> Ints:
    """Where each number stands in a list, -1 if it does not. **Shape**: (n,) -> (n,)."""
    listed = np.array(among, dtype=np.float64)
    if not len(listed):
        return np.full(len(x), -1, dtype=np.int64)
    order = np.argsort(listed)
    at = order[np.clip(np.searchsorted(listed[order], np.nan_to_num(x)), 0, len(listed) - 1)]
    same: Bools = np.isclose(listed[at], x, rtol=1e-12, atol=1e-12)
    return np.where(same, at, -1).astype(np.int64)
