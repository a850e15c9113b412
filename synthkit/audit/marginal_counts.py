"""How far the marginal model's whole chain of counts and choices tells two small tables apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from synthkit.audit.audit_result import AuditResult, of_finding
from synthkit.audit.lower_bounds import LossBound, mu_of_odds
from synthkit.encoding.slot_counts import Counting, MeasuredCounts, Scope
from synthkit.models.marginal.adaptive_measurement import measure_adaptively
from synthkit.models.marginal.config import MarginalConfig
from synthkit.privacy.access.counts import ExactCounting, NoisyCounting, table_errors

RHO = 6.125  # mu = 3.5: a loss that a few thousand fits can see
SLOTS = 3
TABLE_ROWS = (3, 40)  # rows, in turn: with few all levels of a slot are pooled, with many they stand alone
AUDITED_MODEL = MarginalConfig(components=2, rounds=2, first=0, between=0, last=1, candidates=1)

MakeCounting = Callable[[NDArray[np.int64], tuple[int, ...], float], Counting]


def shipped_counting(rows: NDArray[np.int64], sizes: tuple[int, ...], rho: float) -> Counting:
    """Noisy counts as the marginal model gets them."""
    return NoisyCounting.of(rows, sizes, rho, lambda charge: None)


@dataclass(frozen=True)
class Overheard:
    """A counting of which every answer is overheard by somebody who knows two tables and not which of them is counted.

    Args:
        inner: what answers.
        without: the one table.
        joined: the same with one unit more.
        odds: logarithms of how much likelier each answer is of `joined`, if the noise is what was paid for.
    """

    inner: Counting
    without: ExactCounting
    joined: ExactCounting
    odds: list[float] = field(default_factory=list)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Levels of every slot."""
        return self.inner.sizes

    @property
    def rho(self) -> float:
        """What may be spent."""
        return self.inner.rho

    def pooled(self, groups: Sequence[NDArray[np.int64]]) -> Overheard:
        """All three with levels counted together. **Shape**: (K_j,) a slot."""
        without, joined = self.without.pooled(groups), self.joined.pooled(groups)
        return replace(self, inner=self.inner.pooled(groups), without=without, joined=joined)

    def measure(self, scopes: Sequence[Scope], rho: float) -> list[MeasuredCounts]:
        """What is told, and its odds: (|x - a|^2 - |x - b|^2) rho of normal noise of variance 1 / 2 rho.

        **Shape**: t scopes -> t tables.
        """
        told = self.inner.measure(scopes, rho)
        pairs = zip(self.without.measure(scopes, rho), self.joined.measure(scopes, rho), strict=True)
        for x, (a, b) in zip(told, pairs, strict=True):
            far, near = (float(np.square(x.counts - table.counts).sum()) for table in (a, b))
            self.odds.append(rho * (far - near))
        return told

    def worst(
        self,
        scopes: Sequence[Scope],
        expected: Iterable[NDArray[np.float64]],
        allowances: Sequence[float],
        *,
        many: int,
        rho: float,
    ) -> list[Scope]:
        """What is chosen, and its odds: each choice has probability proportional to exp(score sqrt(2 rho))."""
        expected = list(expected)
        chosen = self.inner.worst(scopes, expected, allowances, many=many, rho=rho)
        places = [scopes.index(scope) for scope in chosen]
        after, before = (
            _log_odds(table_errors(table.tables, scopes, expected, allowances) * math.sqrt(2 * rho), places)
            for table in (self.joined, self.without)
        )
        self.odds.append(after - before)
        return chosen


def marginal(make_counting: MakeCounting, trials: int) -> tuple[AuditResult, ...]:
    r"""So many fits of a small table, and of the same with one strange row, in mu = sqrt(2 rho) of the whole budget.

    The score of a fit is the logarithm of how much likelier everything it was told is with the row than without: no
    test on what is released can be better. Choices lose less than they pay for, so a little less than mu is seen.

    References:
        Dong, Roth, Su: Gaussian differential privacy (2022). Bun, Steinke: Concentrated differential privacy (2016).
    """
    told = np.empty((2, trials))
    for k in range(trials):
        told[:, k] = _odds(make_counting, TABLE_ROWS[k % len(TABLE_ROWS)], k)
    found = LossBound(what="fit of counts", measure="mu", claim=math.sqrt(2 * RHO), measured=mu_of_odds(*told))
    small, large = TABLE_ROWS
    return (of_finding(found, f"fits of {small} or {large} rows, and of one row more"),)


def _odds(make_counting: MakeCounting, n: int, seed: int) -> tuple[float, float]:
    """Of a fit of n rows of two kinds, and of a fit with one row more of a third kind."""
    sizes = (2,) * SLOTS
    table = np.repeat(np.arange(n)[:, None] % 2, SLOTS, axis=1)
    more = np.concatenate([table, np.arange(SLOTS)[None, :] % 2])
    without, joined = (ExactCounting.of(rows, sizes) for rows in (table, more))
    heard = [Overheard(make_counting(rows, sizes, RHO), without, joined) for rows in (table, more)]
    for each in heard:
        _fit(each, seed)
    first, second = (math.fsum(each.odds) for each in heard)
    return first, second


def _fit(counting: Counting, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    measure_adaptively(
        counting,
        AUDITED_MODEL.split(),
        AUDITED_MODEL.course(),
        generator,
        torch.device("cpu"),
        lambda done, steps, loss: None,
    )


def _log_odds(heights: NDArray[np.float64], places: list[int]) -> float:
    """Log-probability of choices one after the other, those chosen before left out. **Shape**: (t,)."""
    left, out = np.ones(len(heights), bool), 0.0
    for place in places:
        out += float(heights[place] - np.logaddexp.reduce(heights[left]))
        left[place] = False
    return out
