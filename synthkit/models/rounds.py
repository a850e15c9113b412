"""The rounds of the marginal model: what is counted when, and what it costs, laid out before anything is drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from synthkit.encode.counting import Scope

DOWN = 1 - 1e-12  # rounding must not let the parts cost more than the whole


@dataclass(frozen=True, kw_only=True)
class Split:
    """How a budget is shared out.

    Args:
        singles: share of single slots.
        triples: share of triples in what is left.
        choice: share of a table's price that chooses it.
        rounds: rounds of pairs.
        growth: share of a round over the one before.
        largest: cells a triple may have.
    """

    singles: float
    triples: float
    choice: float
    rounds: int
    growth: float
    largest: int


@dataclass(frozen=True, kw_only=True)
class Round:
    """Tables chosen one after the other and told together.

    Args:
        width: slots in a table, 2 or 3.
        many: tables.
        choice: price of choosing one, rho.
        told: price of telling one, rho.
    """

    width: int
    many: int
    choice: float
    told: float


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """A whole plan; its prices add up to the budget.

    Args:
        single: price of the counts of each single slot, rho.
        rounds: the rest, in order.
    """

    single: float
    rounds: tuple[Round, ...]

    @classmethod
    def of(cls, sizes: Sequence[int], rho: float, split: Split) -> Rounds:
        """Share a budget out; public numbers decide.

        Pairs are chosen max(5, d / 3) a round, each round costing `growth` times the one before; then triples, half as
        many, in two rounds. Without pairs or triples to choose from, their share goes to what is left.

        Args:
            sizes: levels of every slot.
            rho: the whole budget; infinite for exact answers.
            split: how to share.
        """
        d, rho = len(sizes), rho * DOWN
        pairs, triples = d * (d - 1) // 2, sum(1 for _ in small(sizes, split.largest))
        many = min(max(5, d // 3), pairs)
        left = (1 - split.singles) if pairs else 0.0
        third = split.triples * left if triples else 0.0
        weights = [split.growth**t for t in range(split.rounds)]
        stages = [(2, many, (left - third) * w / sum(weights)) for w in weights] if pairs else []
        stages += [(3, min(max(many // 2, 1), triples), third / 2)] * 2 if third else []
        return cls(
            single=(1 - left) * rho / max(d, 1),
            rounds=tuple(
                Round(width=w, many=m, choice=split.choice * s * rho / m, told=(1 - split.choice) * s * rho / m)
                for w, m, s in stages
            ),
        )

    def total(self, d: int) -> float:
        """What the plan costs over d slots, rho."""
        return math.fsum([d * self.single, *(r.many * (r.choice + r.told) for r in self.rounds)])


def small(sizes: Sequence[int], largest: int) -> list[Scope]:
    """Triples with at most `largest` cells."""
    every = itertools.combinations(range(len(sizes)), 3)
    return [(a, b, c) for a, b, c in every if sizes[a] * sizes[b] * sizes[c] <= largest]


def screened(triples: list[Scope], strength: torch.Tensor, most: int, generator: torch.Generator) -> list[Scope]:
    """At most so many triples: half those whose pairs depend most on each other, half any others.

    A parity shows in no pair, so that pairs alone must not decide.

    Args:
        triples: all of them.
        strength: dependence of each pair in the model so far, which has seen noisy counts only. **Shape**: (d, d).
        most: how many to keep.
        generator: of the others.
    """
    if len(triples) <= most:
        return triples
    a, b, c = torch.tensor(triples).T
    order = torch.argsort(-(strength[a, b] + strength[a, c] + strength[b, c]))
    kept, rest = order[: most // 2], order[most // 2 :]
    others = rest[torch.randperm(len(rest), generator=generator)[: most - len(kept)]]
    return [triples[int(k)] for k in torch.cat([kept, others]).sort().values]
