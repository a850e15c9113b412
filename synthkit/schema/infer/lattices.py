"""The lattice that the numbers of a column seem to lie on: the coarsest step, and how they were shortened."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, get_args

import numpy as np

from synthkit.schema.columns import Numeric
from synthkit.schema.lattice import LATTICE_KEYS, NOT_SHORTENED, SHORTENING_KEYS, Lattice, StoredAs, stored
from synthkit.schema.number_cells import MAX_WHOLE_FLOAT, numbers, rounded
from synthkit.schema.number_steps import storage
from synthkit.schema.rare_codes import MIN_ROWS_OF_COMMON_CODE
from synthkit.schema.rules import Comparison

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from synthkit.schema.columns import Column
    from synthkit.schema.rules import Rule

MOST_DECIMALS = 4  # digits behind the point that people measure
LEAST_ON_A_LATTICE = 20  # distinct numbers from which on a common step is no chance
MOST_VALUES_PER_SEEN = 100  # values a lattice may have for each that was seen; of more it says nothing
MOST_OFF = 0.002  # share of rows that may lie elsewhere: numbers mistyped, or measured by another device
_TRIED_FIRST = 64  # distinct numbers that are tried before all
_ALL_DIGITS = 15  # significant digits from which on a float is written whole
_COARSEST_FIRST: tuple[StoredAs, ...] = ("half", "sas3", "single", "sas4", "sas5", "sas6", "sas7")
assert set(_COARSEST_FIRST) == set(get_args(StoredAs))


def find_lattice(distinct: NDArray[np.float64], counts: NDArray[np.int64] | None = None) -> Lattice | None:
    """The lattice of a column's distinct numbers, None if they seem to lie on none.

    Args:
        distinct: finite, ascending. **Shape**: (v,).
        counts: rows that have each; if given, single rows, a share of `MOST_OFF` at most, may lie elsewhere.

    Example:
        >>> kept = np.arange(1, 100).astype(np.float32) / np.float32(10)
        >>> found = find_lattice(kept.astype(np.float64))
        >>> found.step, found.stored_as
        (0.1, 'single')
    """
    if len(distinct) < LEAST_ON_A_LATTICE or np.abs(distinct).max() >= MAX_WHOLE_FLOAT / 10**MOST_DECIMALS:
        return None
    on = _Most(np.ones(len(distinct), dtype=np.int64), 0.0) if counts is None else _Most(counts, MOST_OFF)
    plain = next((d for d in range(MOST_DECIMALS + 1) if on.most(rounded(distinct, d))), None)
    if plain is not None:
        kept = distinct[rounded(distinct, plain)]
        found = None if _halved(kept, plain) else _stepped(kept, plain)
    else:
        found = _shortened(distinct, on)
    return found if found is not None and _size(found, distinct) <= MOST_VALUES_PER_SEEN * len(distinct) else None


@dataclass(frozen=True)
class _Most:
    """Whether what lies elsewhere may be left out: a small share of rows, and no value that several have."""

    counts: NDArray[np.int64]
    share: float

    def most(self, held: NDArray[np.bool_]) -> bool:
        off = self.counts[~held]
        return bool(off.sum() <= self.share * self.counts.sum() and (off < MIN_ROWS_OF_COMMON_CODE).all())


def lattice_keys(lattice: Lattice | None, decimals: int | None) -> dict[str, object]:
    """The keys of a column that say it, but for those that its decimals say already."""
    if lattice is None or (decimals is not None and lattice == Lattice(step=float(Decimal(1).scaleb(-decimals)))):
        return {}
    keys = {"step": lattice.step, **dict(zip(SHORTENING_KEYS, lattice.storage, strict=True))}
    return {key: value for key, value in keys.items() if value is not None}


def shortened_alike(columns: Mapping[str, Column], rules: Iterable[Rule]) -> dict[str, Column]:
    """The columns, those without steps that are compared with columns shortened in other ways."""
    out = dict(columns)
    pairs = [(rule.left, rule.right) for rule in rules if isinstance(rule, Comparison)]
    while mixed := {name for pair in pairs if len({storage(out[name]) for name in pair}) > 1 for name in pair}:
        out |= {name: without_lattice(out[name]) for name in mixed if storage(out[name]) != NOT_SHORTENED}
    return out


def without_lattice(column: Column) -> Column:
    """A column of which nothing is said of steps."""
    if not isinstance(column, Numeric) or column.step is None:
        return column
    observed = tuple(key for key in column.observed if key not in LATTICE_KEYS)
    return column.model_copy(update={**dict.fromkeys(LATTICE_KEYS), "observed": observed})


def _halved(distinct: NDArray[np.float64], decimals: int) -> bool:
    """Whether three or four decimals are those of eighths and sixteenths: a float cut short, not a measurement."""
    return decimals >= 3 and not np.remainder(distinct, 2.0**-decimals).any()


def _stepped(distinct: NDArray[np.float64], decimals: int) -> Lattice:
    """Numbers with so many decimals, all multiples of a number of these."""
    common = int(np.gcd.reduce(np.abs(np.rint(distinct * 10.0**decimals)).astype(np.int64)))
    return Lattice(step=float(Decimal(max(common, 1)).scaleb(-decimals)))


def _shortened(distinct: NDArray[np.float64], on: _Most) -> Lattice | None:
    """Numbers that have few decimals if they were kept in few bytes."""
    digits, places = _written(distinct)
    first = distinct[np.unique(np.linspace(0, len(distinct) - 1, _TRIED_FIRST).astype(int))]
    for decimals in range(MOST_DECIMALS + 1):
        for how in _COARSEST_FIRST:
            tried = Lattice(
                step=float(Decimal(1).scaleb(-decimals)),
                stored_as=how,
                significant_digits=digits,
                written_decimals=places,
            )
            enough = 1.0 if not on.share else 0.8  # of distinct numbers: the rare ones may lie elsewhere
            if tried.holds(first).mean() >= enough and on.most(tried.holds(distinct)):
                return tried
    return None


def _written(distinct: NDArray[np.float64]) -> tuple[int | None, int | None]:
    """Most significant digits and most decimals that any number has, None where they are written whole."""
    said = [Decimal(repr(v)).normalize().as_tuple() for v in distinct.tolist()]
    digits = max(len(each.digits) for each in said)
    places = max(-each.exponent for each in said if isinstance(each.exponent, int))
    return (None, None) if digits > _ALL_DIGITS else (digits, max(places, 0))


def _size(lattice: Lattice, distinct: NDArray[np.float64]) -> float:
    """How many values the lattice has in the range of the numbers, at most."""
    steps = (distinct[-1] - distinct[0]) / lattice.step
    if lattice.stored_as is None:
        return float(steps)
    size = np.abs(distinct[distinct != 0])
    octaves = np.log2(size.max() / size.min()) + 1
    bits = next(b for b in range(53) if stored(np.array([1 + 2.0 ** -(b + 1)]), lattice.stored_as)[0] == 1)
    return float(min(steps, 2 * octaves * 2.0**bits))


def is_silent(column: Column) -> bool:
    """Whether nothing is said of the steps of a column of numbers."""
    return isinstance(column, Numeric) and column.step is None and column.censored is None


def found_keys(values: pd.Series, column: Column) -> dict[str, object]:
    """What the numbers of such a column tell of their steps, as keys of it; what its decimals say is left out.

    Args:
        values: its cells.
        column: what is declared of it.
    """
    x = numbers(values)
    return found_keys_of(*np.unique(x[np.isfinite(x)], return_counts=True), column)


def found_keys_of(distinct: NDArray[np.float64], counts: NDArray[np.int64], column: Column) -> dict[str, object]:
    """What distinct numbers of such a column, and how many rows have each, tell of its steps; see `found_keys`.

    **Shape**: (v,), ascending, and (v,).
    """
    assert isinstance(column, Numeric)
    found = find_lattice(distinct, counts)
    if found is not None and column.decimals is not None and (found.shortens or found.decimals > column.decimals):
        return {}
    return lattice_keys(found, column.decimals)
