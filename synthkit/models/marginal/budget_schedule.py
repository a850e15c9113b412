"""The rounds of the marginal model: what is counted when, and what it costs, laid out before anything is drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from synthkit.encoding.slot_counts import Scope

SHARE_ROUNDING = 1 - 1e-12  # rounding must not let the parts cost more than the whole
TOLD_CELLS, TOLD_ERROR = 60, 0.08  # of a usual table: its cells, and the error in total variation that is accepted
MAX_CANDIDATE_TABLES = 200_000  # tables of one width that are thought of at all; of wide rows random ones


@dataclass(frozen=True, kw_only=True)
class BudgetShares:
    """How a budget is shared out.

    Args:
        singles: share of single slots.
        outcomes: share of pairs with a slot that is to be predicted, where there is one.
        choice: share of a table's price that chooses it.
        rounds: rounds of tables of several slots.
        growth: share of a round over the one before.
    """

    singles: float
    outcomes: float
    choice: float
    rounds: int
    growth: float


@dataclass(frozen=True, kw_only=True)
class Round:
    """Tables chosen one after the other and told together; pairs compete with triples and quadruples.

    Args:
        many: tables.
        choice: price of choosing one, rho.
        told: price of telling one, rho.

    Attributes:
        width: slots in a table, at least.
    """

    width: ClassVar[int] = 2
    many: int
    choice: float
    told: float


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """A whole plan; its prices add up to the budget.

    Args:
        single: price of the counts of each single slot, rho.
        known: pairs that are told without having been chosen.
        pair: price of each of them, rho; 0 if there are none.
        rounds: the rest, in order.
    """

    single: float
    known: tuple[Scope, ...]
    pair: float
    rounds: tuple[Round, ...]

    @classmethod
    def of(cls, sizes: Sequence[int], rho: float, split: BudgetShares, known: Sequence[Scope] = ()) -> Rounds:
        """Share a budget out; public numbers decide.

        Pairs that are known to matter are told first, such as an outcome with every other slot: what predicts it is
        often weak in each pair, so that none would be chosen. Then max(5, d / 3) tables are chosen a round, each round
        costing `growth` times the one before. A single slot gets all.

        Args:
            sizes: levels of every slot.
            rho: the whole budget; infinite for exact answers.
            split: how to share.
            known: pairs that are told without having been chosen.
        """
        d, rho = len(sizes), rho * SHARE_ROUNDING
        pairs = d * (d - 1) // 2
        told = split.outcomes if known else 0.0
        many, left = min(max(5, d // 3), pairs), (1 - split.singles - told) if pairs else 0.0
        weights = [split.growth**t for t in range(split.rounds)] if pairs else []
        each = [left * w / sum(weights) * rho / many for w in weights]
        return cls(
            single=(1 - left - told) * rho / max(d, 1),
            known=tuple(known),
            pair=told * rho / len(known) if known else 0.0,
            rounds=tuple(Round(many=many, choice=split.choice * r, told=(1 - split.choice) * r) for r in each),
        )

    def affordable(self, change: float) -> Rounds:
        r"""The same budget on fewer rounds, where noise would drown the tables of all of them.

        A table of K cells that is told for rho is off by about $K c / \sqrt{\pi \rho} / 2$ in total variation.

        Args:
            change: c, share of all rows that one unit brings to a table, about.
        """
        if not self.rounds or not change or math.isinf(self.rounds[0].told):
            return self
        least = (TOLD_CELLS * change / (2 * TOLD_ERROR)) ** 2 / math.pi
        whole = math.fsum(r.many * r.told for r in self.rounds)
        few = min(max(round(whole / (least * self.rounds[0].many)), 1), len(self.rounds))
        kept = self.rounds[-few:]
        scale = whole / math.fsum(r.many * r.told for r in kept)
        return replace(self, rounds=tuple(replace(r, choice=r.choice * scale, told=r.told * scale) for r in kept))

    def total(self, d: int) -> float:
        """What the plan costs over d slots, rho."""
        known = len(self.known) * self.pair
        return math.fsum([d * self.single, known, *(r.many * (r.choice + r.told) for r in self.rounds)])


def outcome_pairs(d: int, outcomes: Sequence[int]) -> tuple[Scope, ...]:
    """Each of some of d slots with every other one.

    Example:
        >>> outcome_pairs(3, [1])
        ((0, 1), (1, 2))
    """
    return tuple(sorted({(min(t, j), max(t, j)) for t in outcomes for j in range(d) if j != t}))


def small(sizes: Sequence[int], width: int, largest: int, generator: torch.Generator) -> Tensor:
    """Tables of so many slots with at most `largest` cells, of MANY random ones where there are more.

    Args:
        sizes: levels of every slot.
        width: slots in a table.
        largest: cells it may have.
        generator: of random ones.

    **Shape**: -> (t, width), rows rising.
    """
    d = len(sizes)
    if math.comb(d, width) <= MAX_CANDIDATE_TABLES:
        every = _all(d, width)
    else:
        drawn = torch.randint(d, (MAX_CANDIDATE_TABLES, width), generator=generator).sort(dim=1).values
        every = torch.unique(drawn[(drawn[:, 1:] > drawn[:, :-1]).all(dim=1)], dim=0)
    return every[torch.tensor(sizes)[every].prod(dim=1) <= largest]


def around(
    sizes: Sequence[int], outcomes: Sequence[int], width: int, largest: int, generator: torch.Generator
) -> Tensor:
    """Tables of some slots with others of few levels, so many in all, of at most `largest` cells.

    Args:
        sizes: levels of every slot.
        outcomes: slots of which each table has at least one.
        width: slots in a table.
        largest: cells it may have.
        generator: of random ones where there are too many.

    **Shape**: -> (t, width), rows rising.
    """
    found = []
    for outcome in sorted(outcomes):
        others = [j for j in range(len(sizes)) if j != outcome and sizes[j] * sizes[outcome] << (width - 2) <= largest]
        room = largest // max(sizes[outcome], 1)
        tables = torch.tensor(others, dtype=torch.long)[small([sizes[j] for j in others], width - 1, room, generator)]
        found.append(torch.cat([tables, torch.full((len(tables), 1), outcome)], dim=1).sort(dim=1).values)
    every: Tensor = torch.unique(torch.cat([*found, torch.empty(0, width, dtype=torch.long)]), dim=0)
    return every


@lru_cache(maxsize=4)
def _all(d: int, width: int) -> Tensor:
    """All tables of so many of d slots, kept from one fit to the next: not to be changed. **Shape**: (t, width)."""
    every = torch.arange(d)[:, None]
    for _ in range(width - 1):  # each with every larger slot behind it
        more = d - 1 - every[:, -1]
        every, first = every.repeat_interleave(more, dim=0), (more.cumsum(0) - more).repeat_interleave(more)
        every = torch.cat([every, every[:, -1:] + 1 + (torch.arange(len(every)) - first)[:, None]], dim=1)
    return every


def screened(tables: Tensor, strength: Tensor, most: int, generator: torch.Generator) -> list[Scope]:
    """At most so many tables: half those whose pairs depend most on each other, half any others.

    A parity shows in no pair, so that pairs alone must not decide.

    Args:
        tables: all of them. **Shape**: (t, width).
        strength: dependence of each pair in the model so far, which has seen noisy counts only. **Shape**: (d, d).
        most: how many to keep.
        generator: of the others.
    """
    if len(tables) > most:
        pairs = itertools.combinations(range(tables.shape[1]), 2)
        order = torch.argsort(-sum(strength[tables[:, a], tables[:, b]] for a, b in pairs))  # type: ignore[arg-type]
        kept, rest = order[: most // 2], order[most // 2 :]
        others = rest[torch.randperm(len(rest), generator=generator)[: most - len(kept)]]
        tables = tables[torch.cat([kept, others]).sort().values]
    return [tuple(scope) for scope in tables.tolist()]
