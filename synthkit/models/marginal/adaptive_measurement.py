"""Learning a mixture of products from counts alone: measure, choose what is fitted worst, measure it, fit again."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthkit.encoding.slot_counts import AskedCounts, Counting, MeasuredCounts, Scope, StratifiedCounting
from synthkit.models.marginal.budget_schedule import (
    BudgetShares,
    Round,
    Rounds,
    around,
    outcome_pairs,
    screened,
    small,
)
from synthkit.models.marginal.dependent_slots import DependentSlot, found
from synthkit.models.marginal.mixture_fit import Tables, descend
from synthkit.models.marginal.pooled_levels import Pooled
from synthkit.models.product_mixture import MIN_PROBABILITY, ProductMixture

ALLOWED = 0.5  # part of its noise that a table may be missed by before it is worth its price; 1 and 0 were worse
CERTAIN = 30.0  # logits by which a component is of rows that have something, or lack it
PREDICTED_WIDTH = 5  # slots of the widest tables of an outcome
UNSEEN = 0.5  # rows a level starts with at least, so that its logarithm is a number


@dataclass(frozen=True, kw_only=True)
class FitSchedule:
    """How long and how fast to fit.

    Args:
        components: of the mixture.
        spread: standard deviation of the initial logits around those of independent slots.
        learning_rate: of Adam.
        first, between, last: steps before the rounds, after each, and at the end.
        candidates: triples looked at in a round, and half as many quadruples, and tables of five with an outcome.
        largest: cells a triple may have; a quadruple a quarter of them, a table of five an eighth.
        shrinkage: whether what noise alone reaches is cut from pairs before they are fitted.
    """

    components: int
    spread: float
    learning_rate: float
    first: int
    between: int
    last: int
    candidates: int
    largest: int
    shrinkage: bool = True


@dataclass(frozen=True)
class MeasuredMixture:
    """A fitted mixture over all levels, and what was told on the way; all of it after noise.

    Args:
        logits: log-laws. **Shape**: (D, K).
        weights: log-shares of the components. **Shape**: (K,).
        rows: number of rows, as measured.
        losses: of every step. **Shape**: (steps,).
        scopes: tables measured.
        followers: slots that another one all but determines.
        remembered: own slots with what came before them: rows by level, over all levels of the own slot.
    """

    logits: Tensor
    weights: Tensor
    rows: float
    losses: tuple[float, ...]
    scopes: tuple[Scope, ...]
    followers: tuple[DependentSlot, ...]
    remembered: tuple[MeasuredCounts, ...] = ()

    def restored(self, rows: NDArray[np.float64]) -> MeasuredMixture:
        r"""The mixture without its last slot, whose levels get the shares that they are known to have.

        $p(x) = \sum_n p(x \mid n) r_n / r$, which is the mixture with weights
        $\pi_k \sum_n P_k(n) (r_n / r) / p(n)$.

        Args:
            rows: r_n, rows of each level of the last slot, above 0. **Shape**: (levels,).
        """
        slots, shares = len(self.logits) - len(rows), torch.softmax(self.weights.double(), dim=0)
        law = torch.softmax(self.logits[slots:].double(), dim=0)
        ratio = torch.from_numpy(rows / rows.sum()) / (law @ shares).clamp(min=MIN_PROBABILITY)
        weights = (shares * (ratio @ law)).clamp(min=MIN_PROBABILITY).log().float()
        last = max((j for scope in self.scopes for j in scope), default=0)
        return replace(
            self,
            logits=self.logits[:slots],
            weights=weights,
            rows=float(rows.sum()),
            scopes=tuple(scope for scope in self.scopes if scope[-1] < last),
            followers=tuple(each for each in self.followers if max(each.slot, each.leader) < last),
        )


@dataclass(frozen=True, kw_only=True)
class KnownSlots:
    """What is always known of a row, and stands beside the slots that are drawn.

    Args:
        own: how many slots, the first, are drawn; tables of the others alone are not asked for.
        absent: known slots that come from one source each: where it is absent, all of them are at their last level.
        remembered: own slots with what came before them, in slots that stand last and are in no mixture; told without
            having been chosen.
        outcomes: slots that are to be predicted. What predicts them is often weak in each pair: their pairs are fitted
            as they were told, and tables of five slots with one of them may be chosen.
    """

    own: int
    absent: tuple[tuple[int, ...], ...] = ()
    remembered: tuple[Scope, ...] = ()
    outcomes: tuple[int, ...] = ()

    def plain(self, scope: Scope) -> bool:
        """Whether a table has a slot that is to be predicted."""
        return not set(self.outcomes).isdisjoint(scope)

    def settle(self, mixture: ProductMixture, pools: Sequence[Pooled], generator: torch.Generator) -> None:
        """Let each component be of rows that have a source, or of rows that lack it, in about their shares."""
        for slots in self.absent:
            alone = [j for j in slots if (pools[j].group == pools[j].group[-1]).sum() == 1]
            if not alone:
                continue
            told = pools[alone[0]].told.counts
            share = projected(told / max(float(told.sum()), 1.0))[pools[alone[0]].group[-1]]
            lacking = torch.rand(mixture.logits.shape[1], generator=generator) < float(np.clip(share, 0.1, 0.9))
            with torch.no_grad():
                for j in alone:
                    at = mixture.starts[j] + int(pools[j].group[-1])
                    mixture.logits[at] += torch.where(lacking, CERTAIN, -CERTAIN)


Course = Generator[AskedCounts, list[MeasuredCounts], MeasuredMixture]  # asks for tables, gets them, gives a mixture


def measure_adaptively(
    counting: Counting,
    split: BudgetShares,
    course: FitSchedule,
    generator: torch.Generator,
    device: torch.device,
    told: Callable[[int, int, float], None],
    *,
    outcomes: Sequence[int] = (),
) -> MeasuredMixture:
    """Spend the whole budget of `counting` on tables and fit a mixture to them.

    Args:
        counting: the rows.
        split: how the budget is shared out.
        course: how to fit.
        generator: of initial logits and candidates, on the processor; never of noise.
        device: where to fit.
        told: called with step, steps and loss.
        outcomes: slots that are to be predicted; each is told with every other slot.

    References:
        McKenna, Mullins, Sheldon and Miklau, "AIM: An Adaptive and Iterative Mechanism for Differentially Private
        Synthetic Data", 2022. Liu, Vietri and Wu, "Iterative Methods for Private Synthetic Data: Unifying Framework
        and New Methods", 2021. NOTE[DIFF] Free logits in place of a network, several tables a round, a fixed plan.
    """
    plan = Rounds.of(counting.sizes, counting.rho, split, outcome_pairs(len(counting.sizes), outcomes))
    known = KnownSlots(own=len(counting.sizes), outcomes=tuple(outcomes))
    wanted = adaptive_course(counting, plan, course, generator, device, told, known)
    learned = in_step([wanted], lambda asked: [each.counting.measure(each.scopes, each.rho) for each in asked])[0]
    return learned.restored(counting.rows) if isinstance(counting, StratifiedCounting) else learned


def in_step(
    courses: Sequence[Course], answer: Callable[[list[AskedCounts]], list[list[MeasuredCounts]]]
) -> list[MeasuredMixture]:
    """Courses side by side: what all of them ask next is told together.

    Args:
        courses: of several mixtures.
        answer: tells tables. **Shape**: as many lists as were asked for.
    """
    done = dict[int, MeasuredMixture]()
    asked = {k: next(each) for k, each in enumerate(courses)}
    while asked:
        told = dict(zip(asked, answer(list(asked.values())), strict=True))
        asked = {}
        for k, tables in told.items():
            try:
                asked[k] = courses[k].send(tables)
            except StopIteration as end:
                done[k] = end.value
    return [done[k] for k in range(len(courses))]


def adaptive_course(
    counting: Counting,
    plan: Rounds,
    course: FitSchedule,
    generator: torch.Generator,
    device: torch.device,
    told: Callable[[int, int, float], None],
    known: KnownSlots | None = None,
) -> Course:
    """A course that asks for tables and fits a mixture to them.

    Args:
        counting: the rows.
        plan: what is asked when, and its prices.
        course: how to fit.
        generator: of initial logits and candidates, on the processor; never of noise.
        device: where to fit.
        told: called with step, steps and loss.
        known: slots that are always known; none if not given.
    """
    known = known or KnownSlots(own=len(counting.sizes))
    mixed = len(counting.sizes) - len(known.remembered)
    singles = yield AskedCounts(counting=counting, scopes=[(j,) for j in range(mixed)], rho=plan.single)
    rows = _number(singles)
    change = singles[0].sigma * math.sqrt(2 * plan.single) if singles and singles[0].sigma else 1.0
    if known.remembered:  # of rows that lean on each other; what one unit brings is told by the noise
        plan = plan.affordable(change / rows if singles and singles[0].sigma else 0.0)
    pools = [Pooled.of(single) for single in singles]
    pooled = counting.pooled([*(pool.group for pool in pools), *(np.arange(k) for k in counting.sizes[mixed:])])
    told_first: list[MeasuredCounts] = []
    if plan.known:
        told_first = yield AskedCounts(counting=pooled, scopes=plan.known, rho=plan.pair)
    remembered = [table for table in told_first if table.scope in known.remembered]
    pools = [pool.beside([t for t in remembered if t.scope[0] == j]) for j, pool in enumerate(pools)]
    mixture = _start(pools, rows, course, generator)
    known.settle(mixture, pools, generator)
    mixture = mixture.to(device)
    plain = known.plain if course.shrinkage else lambda scope: True
    tables = Tables(pooled.sizes[:mixed], rows, device, plain)
    tables.add([*(pool.told for pool in pools), *(t for t in told_first if t.scope not in known.remembered)])
    before = [_over_levels(table, pools[table.scope[0]]) for table in remembered]
    steps = course.first + len(plan.rounds) * course.between + course.last
    losses: list[float] = []

    def heard(loss: float) -> None:
        losses.append(loss)
        told(len(losses), steps, loss)

    descend(mixture, tables, course.first, course.learning_rate, heard, last=False)
    candidates = Candidates.of(pooled.sizes[:mixed], course, known, generator)
    for round_ in plan.rounds:
        scopes = _worst(pooled, mixture, rows, round_, candidates, generator, change)
        tables.add((yield AskedCounts(counting=pooled, scopes=scopes, rho=round_.told)))
        descend(mixture, tables, course.between, course.learning_rate, heard, last=False)
    descend(mixture, tables, course.last, course.learning_rate, heard, last=True)
    followers = _followers(tables, mixture.cpu(), pools)
    logits, weights = _spread_out(mixture, pools)
    return MeasuredMixture(logits, weights, rows, tuple(losses), tables.scopes, followers, tuple(before))


@dataclass(frozen=True)
class Candidates:
    """Tables that may be chosen.

    Args:
        wider: triples, quadruples, and tables of five with an outcome. **Shape**: (t, 3), (t, 4), (t, 5).
        many: of each that are looked at in a round.
        own: slots that are to be drawn, the first ones: one of them is in every table.
    """

    wider: tuple[Tensor, ...]
    many: tuple[int, ...]
    own: int

    @classmethod
    def of(cls, sizes: Sequence[int], course: FitSchedule, known: KnownSlots, generator: torch.Generator) -> Candidates:
        """Those of few cells."""
        wider = [small(sizes, w, course.largest // part, generator) for w, part in ((3, 1), (4, 4))]
        many = [course.candidates, course.candidates // 2]
        if known.outcomes:  # the parity of four shows in no table of fewer than five
            wider.append(around(sizes, known.outcomes, PREDICTED_WIDTH, course.largest // 8, generator))
            many.append(course.candidates // 2)
        mine = tuple(tables[tables[:, 0] < known.own] for tables in wider)
        return cls(mine, tuple(many), known.own)

    def among(
        self, blocks: dict[Scope, NDArray[np.float64]], d: int, generator: torch.Generator
    ) -> tuple[dict[Scope, NDArray[np.float64]], list[Scope]]:
        """Those of a round: pairs with what the mixture says of them, and wider tables."""
        strength, larger = _dependence(blocks, d), list[Scope]()
        for tables, most in zip(self.wider, self.many, strict=True):
            larger += screened(tables, strength, most, generator)
        return {scope: table for scope, table in blocks.items() if scope[0] < self.own}, larger


def _number(singles: list[MeasuredCounts]) -> float:
    """Rows there are: the sums of all single tables, each weighed by the variance of its noise."""
    weight = np.array([1 / table.counts.size for table in singles])
    total = np.array([table.counts.sum() for table in singles], dtype=np.float64)
    return max(float((weight * total).sum() / weight.sum()), 1.0) if singles else 1.0


def _start(pools: list[Pooled], rows: float, course: FitSchedule, generator: torch.Generator) -> ProductMixture:
    """A mixture near independence, where few steps leave what was not measured."""
    mixture = ProductMixture([len(pool.told.counts) for pool in pools], course.components)
    shares = [np.maximum(projected(pool.told.counts / rows), UNSEEN / rows) for pool in pools]
    with torch.no_grad():
        mixture.bias.copy_(torch.from_numpy(np.log(np.concatenate([*shares, np.empty(0)]))))
        mixture.logits.normal_(0, course.spread, generator=generator)
    return mixture


def projected(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest law: the point of the simplex nearest to `shares` in the Euclidean distance. **Shape**: (K,).

    Example:
        >>> projected(np.array([0.7, 0.5, -0.1])).round(2).tolist()
        [0.6, 0.4, 0.0]
    """
    falling = -np.sort(-shares)
    excess = (np.cumsum(falling) - 1) / np.arange(1, len(shares) + 1)
    return np.asarray(np.maximum(shares - excess[np.flatnonzero(falling > excess)[-1]], 0))


@torch.no_grad()
def _worst(
    counting: Counting,
    mixture: ProductMixture,
    rows: float,
    round_: Round,
    candidates: Candidates,
    generator: torch.Generator,
    change: float,
) -> list[Scope]:
    """The tables of a round: pairs, triples and quadruples that are missed most, beyond a part of their noise.

    `change` is what one unit moves a table by, in rows, as the noise of the single slots tells it.
    """
    laws = mixture.laws()
    blocks = _blocks(((laws * mixture.shares()) @ laws.T).double().cpu(), mixture)
    blocks, larger = candidates.among(blocks, len(mixture.sizes), generator)
    scopes = [*blocks, *larger]
    joint = (mixture.table(scope, laws).double().cpu().numpy() for scope in larger)
    expected = (rows * table for table in itertools.chain(blocks.values(), joint))
    noise = math.sqrt(2 / math.pi) * change * math.sqrt(1 / (2 * round_.told))
    allowed = [ALLOWED * noise * math.prod(counting.sizes[j] for j in scope) for scope in scopes]
    return counting.worst(scopes, expected, allowed, many=round_.many, rho=round_.choice)


def _blocks(pairs: Tensor, mixture: ProductMixture) -> dict[Scope, NDArray[np.float64]]:
    every = pairs.numpy()
    scopes = itertools.combinations(range(len(mixture.sizes)), 2)
    return {(a, b): every[mixture.slot(a), mixture.slot(b)] for a, b in scopes}


def _dependence(blocks: dict[Scope, NDArray[np.float64]], d: int) -> Tensor:
    """Total variation between each pair and its independent law. **Shape**: (d, d), above the diagonal."""
    out = torch.zeros(d, d)
    for (a, b), joint in blocks.items():
        alone = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
        out[a, b] = 0.5 * float(np.abs(joint - alone).sum())
    return out


def _over_levels(table: MeasuredCounts, pool: Pooled) -> MeasuredCounts:
    """A table of a pooled slot and another one, over all levels of the former."""
    counts = table.counts[pool.group] * pool.within[:, None]
    return MeasuredCounts(scope=table.scope, counts=counts, sigma=table.sigma)


@torch.no_grad()
def _followers(tables: Tables, mixture: ProductMixture, pools: list[Pooled]) -> tuple[DependentSlot, ...]:
    """Slots that another one all but determines, over all levels."""
    laws, pairs = mixture.laws(), list(tables.pairs())
    own = {(a, b): mixture.table((a, b), laws).double().numpy() for a, b, _, _ in pairs}
    out = []
    for follower in found(pairs, own):
        front, back = pools[follower.leader], pools[follower.slot]
        law = follower.law[front.group][:, back.group] * back.within
        out.append(replace(follower, law=law))
    return tuple(out)


@torch.no_grad()
def _spread_out(mixture: ProductMixture, pools: list[Pooled]) -> tuple[Tensor, Tensor]:
    """Log-laws over all levels, rare ones in proportion to their noisy counts. **Shape**: (D, K), (K,)."""
    laws, out = mixture.laws(), []
    for j, pool in enumerate(pools):
        own = laws[mixture.slot(j)][torch.from_numpy(pool.group)]
        out.append(own * torch.from_numpy(pool.within).float()[:, None])
    logits = torch.cat([*out, torch.empty(0, laws.shape[1])]).clamp(min=MIN_PROBABILITY).log()
    return logits, mixture.weights.detach().clone()
