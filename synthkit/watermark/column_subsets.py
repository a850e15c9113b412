"""Which columns are scored together: small sets, drawn by the key, each read finely or coarsely."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import comb

from synthkit.watermark.key import WatermarkKey
from synthkit.watermark.keyed_hash import digest

SUBSET_SIZES = (2, 3, 4)  # columns in a set, in turn: small ones outlive lost columns, large ones tell rows apart
SUBSET_COUNT = 64  # sets, where the table has as many


@dataclass(frozen=True)
class Subset:
    """Columns that are scored together.

    Args:
        columns: their names, sorted.
        coarse: whether numbers are read by two significant digits and moments by months, so that rounding is survived.
    """

    columns: tuple[str, ...]
    coarse: bool

    def key(self, key: WatermarkKey) -> tuple[int, int]:
        """128 secret bits for the coins of this set alone."""
        words = ("coarse" if self.coarse else "fine", *self.columns)
        return digest(key.raw, "left", *words), digest(key.raw, "right", *words)


def subsets(key: WatermarkKey) -> tuple[Subset, ...]:
    """The sets of a key: 64, or all there are.

    The t-th set holds the columns whose digests of (t, name) are smallest, so the sets follow from secret and
    names alone.

    Example:
        >>> from synthkit.schema import Schema
        >>> key = WatermarkKey.new(Schema(columns={c: {"kind": "numeric"} for c in "abcdefgh"}))
        >>> len(subsets(key)), len(set(subsets(key)))
        (64, 64)
    """
    names = sorted(column.name for column in key.columns)
    sizes = sorted({min(size, len(names)) for size in SUBSET_SIZES})
    there = 2 * sum(comb(len(names), size) for size in sizes)
    return tuple(islice(_distinct(key, names, sizes), min(SUBSET_COUNT, there)))


def _distinct(key: WatermarkKey, names: list[str], sizes: list[int]) -> Iterator[Subset]:
    seen: set[Subset] = set()
    raw, draw = key.raw, 0
    while True:
        size = sizes[draw // 2 % len(sizes)]
        ranked = sorted(names, key=lambda name: digest(raw, "subset", str(draw), name))
        found = Subset(tuple(sorted(ranked[:size])), coarse=bool(draw % 2))
        if found not in seen:
            seen.add(found)
            yield found
        draw += 1
