"""How many rows the unit of a row has, in classes: rows of each are told, so that clipping can be made up for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthkit.encoding.arrays import Floats, Ints
from synthkit.privacy.access.counts import Pay, noise_scale
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.mechanisms.stacked_counts import CountedRows, StackedCounts

CLEAR_CLASS = 3.0  # standard deviations of its noise that the rows of a class must exceed to be told apart


@dataclass(frozen=True, kw_only=True)
class RowStrata:
    r"""Classes of rows by the number of rows of their unit, [1], [2], [3, 4], [5, 8] and so on up to the bound.

    A unit brings $n / e_k \leq 1$ to the one class k it is in, whose largest number of rows is $e_k$, so that all of
    them together are one vector of norm 1 at most. Classes that noise might have filled are joined with smaller ones.

    Args:
        level: class of each row. **Shape**: (n,).
        rows: rows of each class, with noise, above 0. **Shape**: (k,).
    """

    level: Ints
    rows: Floats

    @classmethod
    def told(cls, owner: Ints, *, bound: int, rho: float, pay: Pay) -> RowStrata:
        """The classes of rows, charged before they are told; rows are at most `bound` of each unit.

        Args:
            owner: number of the unit of each row. **Shape**: (n,).
            bound: rows of one unit, at most; public.
            rho: price.
            pay: called with the charge before it is drawn.

        Raises:
            ConfigError: the price is not above 0 and finite.
        """
        ends = class_ends(bound)
        counted = StackedCounts(norm=1.0, noise_multiplier=noise_scale(rho))
        pay(Charge(what="rows by the number of rows of their unit", spent=counted.spent))
        at = np.searchsorted(ends, np.bincount(owner)[owner] if len(owner) else owner)
        parts = [owner[at == k] for k in range(len(ends))]
        zeros = [np.zeros(len(part), dtype=np.int64) for part in parts]
        asked = [
            CountedRows(owner=part, cell=zero, size=1, weight=1 / int(end))
            for part, zero, end in zip(parts, zeros, ends, strict=True)
        ]
        told = np.concatenate(counted.told(asked)) * ends
        group = joined(told, counted.sigma * ends.astype(np.float64))
        return cls(level=group[at], rows=np.maximum(np.bincount(group, told), 1.0))


def class_ends(bound: int) -> Ints:
    """Largest number of rows of each class, the last the bound.

    Example:
        >>> class_ends(10).tolist()
        [1, 2, 4, 8, 10]
    """
    doubled = [2**k for k in range(max(bound - 1, 0).bit_length()) if 2**k < bound]
    return np.array([*doubled, max(bound, 1)], dtype=np.int64)


def joined(told: Floats, sigma: Floats) -> Ints:
    """Number of the joined class of each class: from the largest down, until their rows exceed their noise.

    Args:
        told: rows of each class, with noise. **Shape**: (k,).
        sigma: standard deviation of the noise. **Shape**: (k,).

    Example:
        >>> joined(np.array([90.0, 40.0, 2.0, 1.0]), np.array([1.0, 2.0, 4.0, 8.0])).tolist()
        [0, 1, 1, 1]
    """
    group, now, rows, variance = np.zeros(len(told), dtype=np.int64), 0, 0.0, 0.0
    for k in range(len(told) - 1, -1, -1):
        group[k] = now
        rows, variance = rows + float(told[k]), variance + float(sigma[k]) ** 2
        if rows >= CLEAR_CLASS * variance**0.5:
            now, rows, variance = now + 1, 0.0, 0.0
    last = max(now - 1, 0)  # what is left below is joined with the class above it
    return last - np.minimum(group, last)
