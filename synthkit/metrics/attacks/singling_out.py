"""Singling out: statements from synthetic rows that are true of one person only, and how often that is a member."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats as distributions

from synthkit.metrics.attacks.epsilon_lower_bound import epsilon_lower_bound
from synthkit.metrics.attacks.value_combinations import times
from synthkit.metrics.stats import intervals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_STATEMENT_COLUMNS = 4  # columns a statement speaks of
MAX_COLUMN_SUBSETS = 200  # sets of columns that are tried
CLEAREST_SHARE, MIN_CLEAREST_PEOPLE = (
    0.01,
    20,
)  # share of the people with the most surprising statements, and its least number


@dataclass(frozen=True, kw_only=True)
class SinglingOutRates:
    """How many of the people who were singled out were trained on.

    Args:
        people: that were singled out.
        members: of them.
        coins: number of coins that decided who of all people was trained on.
    """

    people: int
    members: int
    coins: int

    @property
    def at(self) -> intervals.Interval:
        """Share of members with its exact interval; 1/2 with everything possible if nobody was singled out."""
        return intervals.clopper_pearson(self.members, self.people)

    @property
    def p(self) -> float:
        """Probability of as many members if each were a fair coin."""
        return float(distributions.binom.sf(self.members - 1, self.people, 0.5))

    @property
    def epsilon(self) -> float:
        """Privacy that was lost at least, with confidence 95 %."""
        return epsilon_lower_bound(self.coins, self.people, self.members)


def true_of_one(
    synthetic: NDArray[np.int64],
    people: NDArray[np.int64],
    unit: NDArray[np.int64],
    surprise: NDArray[np.float64],
    units: int,
) -> NDArray[np.float64]:
    """Largest surprise of a combination that occurs in one synthetic row and concerns one person, by that person.

    **Shape**: (s,) and (rows,) codes of a combination of values, (rows,) numbers of units, (rows,) how surprising the
    row's combination is -> (units,), -inf for a person of whom nothing is true alone.

    Example:
        >>> people, unit = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 2, 2, 3])
        >>> true_of_one(np.array([0, 1, 2, 2]), people, unit, np.full(5, 7.0), 4).tolist()
        [-inf, -inf, 7.0, -inf]
    """
    size = int(max(synthetic.max(initial=-1), people.max(initial=-1))) + 1
    rows = np.flatnonzero((np.bincount(synthetic, minlength=size) == 1)[people])
    pairs, first = np.unique(people[rows] * units + unit[rows], return_index=True)
    cell, who = np.divmod(pairs, units)
    alone = np.bincount(cell, minlength=size)[cell] == 1
    found = np.full(units, -np.inf)
    np.maximum.at(found, who[alone], surprise[rows[first[alone]]])
    return found


def extremes(
    synthetic: NDArray[np.float64], people: NDArray[np.float64], unit: NDArray[np.int64], units: int
) -> NDArray[np.float64]:
    """The same for "at most the least" and "at least the largest" synthetic value of a quantity; no surprise, nought.

    **Shape**: (s,), (rows,) quantities, nan where missing, (rows,) units -> (units,).
    """
    found = np.full(units, -np.inf)
    known = synthetic[~np.isnan(synthetic)]
    for sign in (1, -1):
        ends = sign * known
        if not len(ends) or (ends == ends.min()).sum() != 1:
            continue
        with np.errstate(invalid="ignore"):
            who = np.unique(unit[sign * people <= ends.min()])
        if len(who) == 1:
            found[who] = 0.0
    return found


def logs_of_shares(synthetic: NDArray[np.int64], people: NDArray[np.int64]) -> NDArray[np.float64]:
    """Logarithm of the share of synthetic rows with the value of each cell, of one row where none has it.

    **Shape**: (s,), (rows,) codes of a column -> (rows,).
    """
    return np.asarray(np.log(np.maximum(times(people, synthetic), 1) / len(synthetic)))


def subsets(columns: int, rng: np.random.Generator, *, most: int = MAX_COLUMN_SUBSETS) -> list[tuple[int, ...]]:
    """Sets of at most four columns: each alone, then all larger ones, or as many random ones as there is room for."""
    alone = [(c,) for c in range(columns)]
    widths = range(2, min(MAX_STATEMENT_COLUMNS, columns) + 1)
    if len(alone) + sum(math.comb(columns, k) for k in widths) <= most:
        return [*alone, *(each for k in widths for each in itertools.combinations(range(columns), k))]
    chosen: set[tuple[int, ...]] = set()
    while len(alone) + len(chosen) < most:
        width = int(rng.choice(list(widths)))
        chosen.add(tuple(sorted(rng.choice(columns, width, replace=False).tolist())))
    return [*alone, *sorted(chosen)]


def singling_out_rates(
    surprise: NDArray[np.float64],
    member: NDArray[np.bool_],
    pair: NDArray[np.int64] | None = None,
    *,
    clearest: bool = False,
) -> SinglingOutRates:
    """Members among the people of whom a statement is true and of nobody else.

    Who is counted depends on the synthetic rows and on the people, never on their coins; so if nothing was learned of
    anybody each of them is a member with probability 1/2, independently. Of a pair only one can be: the one with the
    more surprising statement is counted, and neither if both are as surprising.

    Args:
        surprise: (m,) of the most surprising statement that is true of each person alone, -inf if there is none.
        member: (m,) who was trained on.
        pair: (m,) pairs of whom one was, if that is how it was decided.
        clearest: count only the hundredth with the most surprising statements, at least 20 people.
    """
    counted = surprise > -np.inf
    if pair is not None:
        order = np.lexsort((-surprise, pair))
        first = np.append(True, np.diff(pair[order]) != 0)
        rival = np.where(np.append(first[1:], True), -np.inf, np.append(surprise[order][1:], -np.inf))
        counted = np.zeros(len(member), dtype=bool)
        counted[order] = first & (surprise[order] > rival)
    if clearest and counted.any():
        most = max(MIN_CLEAREST_PEOPLE, math.ceil(CLEAREST_SHARE * counted.sum()))
        ranked = np.sort(surprise[counted])[::-1]
        counted &= surprise >= ranked[min(most, len(ranked)) - 1]
    coins = len(member) if pair is None else len(np.unique(pair))
    return SinglingOutRates(people=int(counted.sum()), members=int((counted & member).sum()), coins=coins)


def univariate(
    synthetic: Sequence[NDArray[np.float64]], people: Sequence[NDArray[np.float64]], is_quantity: Sequence[bool]
) -> tuple[int, int]:
    """Statements about one column that are true of one synthetic row, and how many of them of exactly one person.

    Statements: a value that occurs once, and beyond either end of a quantity.

    **Shape**: columns of (s,) and of (n,) numbers, nan where missing -> number of statements, of those that single out.
    """
    made, right = 0, 0
    for theirs, ours, ordered in zip(synthetic, people, is_quantity, strict=True):
        values, counts = np.unique(theirs[~np.isnan(theirs)], return_counts=True)
        rare = values[counts == 1]
        known = ours[~np.isnan(ours)]
        hits = np.bincount(np.searchsorted(rare, known[np.isin(known, rare)]), minlength=len(rare))
        made, right = made + len(rare), right + int((hits == 1).sum())
        if ordered and len(values):
            ends = [(known <= values[0], counts[0]), (known >= values[-1], counts[-1])]
            made += sum(int(count == 1) for _, count in ends)
            right += sum(int(count == 1 and beyond.sum() == 1) for beyond, count in ends)
    return made, right
