"""A fit of the marginal model to an imagined table under the noise of a plan: what is left of its tables."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from synthkit.encoding.slot_counts import Scope
from synthkit.models.marginal.adaptive_measurement import MeasuredMixture, measure_adaptively
from synthkit.models.marginal.budget_schedule import Rounds, outcome_pairs
from synthkit.models.marginal.config import MarginalConfig
from synthkit.planning.imagined_domain import ImaginedSlot, imagined, outcomes
from synthkit.privacy.access.counts import ExactCounting, NoisyCounting

MAX_IMAGINED_ROWS = 20_000  # at most so many rows are imagined; noise shrinks with them, so that its share stays
PAIRS = 200  # at most so many pairs are looked at
TIE = 0.4  # makes pairs of a large table depend about as much as those of a census
SIMULATED_MODEL = MarginalConfig(
    components=800, candidates=100
)  # less than what is shipped: seconds instead of a minute
SIMULATION_SEED = 20


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Mean total variation, from 0 to 1, over the tables of one imagined table.

    Args:
        dependence: how far pairs are from independent columns.
        noise_one, noise_two: of noise alone, tables of one slot and of two as they are told.
        one, two: of the fitted model.
    """

    dependence: float
    noise_one: float
    noise_two: float
    one: float
    two: float


def simulate(
    slots: Sequence[ImaginedSlot],
    units: int,
    rho: float,
    *,
    tie: float,
    told: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> Simulated:
    """Fit an imagined table with real noise.

    Only the noise over the number of units matters to shares, so that a large table is imagined smaller and its noise
    with it: rho (units / rows)^2 is spent on so many rows.

    Args:
        slots: columns with their laws.
        units: how many units will be counted.
        rho: what the model may spend on counts.
        tie: how much columns depend on a hidden class.
        told: called with step, steps and loss.
    """
    rows = min(units, MAX_IMAGINED_ROWS)
    rho = rho * (units / rows) ** 2
    sizes = tuple(slot.size for slot in slots)
    rng = np.random.default_rng(SIMULATION_SEED)
    cat = imagined(slots, rows, tie, rng)
    noisy = NoisyCounting.of(cat, sizes, rho, lambda charge: None)  # the rows are nobody's: there is nothing to pay
    exact = ExactCounting.of(cat, sizes)
    pairs = list(itertools.combinations(range(len(sizes)), 2))
    pairs = [pairs[k] for k in sorted(rng.permutation(len(pairs))[:PAIRS])]
    predicted = outcomes(slots)
    noise_one, noise_two = _noise(
        noisy, exact, pairs, Rounds.of(sizes, rho, SIMULATED_MODEL.split(), outcome_pairs(len(sizes), predicted)), rows
    )
    generator = torch.Generator().manual_seed(SIMULATION_SEED)
    learned = measure_adaptively(
        noisy,
        SIMULATED_MODEL.split(),
        SIMULATED_MODEL.course(),
        generator,
        torch.device("cpu"),
        told,
        outcomes=predicted,
    )
    two = _shares(exact, pairs, rows)
    fitted = _Fitted.of(learned, sizes)
    singles = [(j,) for j in range(len(sizes))]
    return Simulated(
        dependence=_mean([_apart(table, np.outer(table.sum(axis=1), table.sum(axis=0))) for _, table in two]),
        noise_one=noise_one,
        noise_two=noise_two,
        one=_mean([_apart(table, fitted.one(*slot)) for slot, table in _shares(exact, singles, rows)]),
        two=_mean([_apart(table, fitted.two(*pair)) for pair, table in two]),
    )


@dataclass(frozen=True)
class _Fitted:
    """Tables of a fitted mixture. **Shape**: laws (D, K), shares (K,)."""

    laws: NDArray[np.float64]
    shares: NDArray[np.float64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, learned: MeasuredMixture, sizes: Sequence[int]) -> _Fitted:
        shares = torch.softmax(learned.weights.double(), dim=0).numpy()
        return cls(learned.logits.double().exp().numpy(), shares, np.concatenate([[0], np.cumsum(sizes)]))

    def _laws(self, j: int) -> NDArray[np.float64]:
        return self.laws[self.starts[j] : self.starts[j + 1]]

    def one(self, j: int) -> NDArray[np.float64]:
        return np.asarray(self._laws(j) @ self.shares)

    def two(self, a: int, b: int) -> NDArray[np.float64]:
        return np.asarray((self._laws(a) * self.shares) @ self._laws(b).T)


def _noise(
    noisy: NoisyCounting, exact: ExactCounting, pairs: Sequence[tuple[int, int]], rounds: Rounds, rows: int
) -> tuple[float, float]:
    """Tables as they are told against tables as they are, at the prices of a plan."""
    ones: list[Scope] = [(j,) for j in range(len(noisy.sizes))]
    both: list[Scope] = list(pairs)
    prices = [(ones, rounds.single, 1), *((both, r.told, r.many) for r in rounds.rounds)]
    found = []
    for scopes, price, many in prices:
        told = zip(noisy.measure(scopes, price), exact.measure(scopes, price), strict=True)
        found.append((_mean([0.5 * np.abs(x.counts - y.counts).sum() / rows for x, y in told]), many))
    weights = [many for _, many in found[1:]]
    two = float(np.average([error for error, _ in found[1:]], weights=weights)) if weights else 0.0
    return found[0][0], two


def _shares(
    exact: ExactCounting, scopes: Sequence[tuple[int, ...]], rows: int
) -> list[tuple[tuple[int, ...], NDArray[np.float64]]]:
    return [(table.scope, table.counts / rows) for table in exact.measure(scopes, 1.0)]


def _apart(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return 0.5 * float(np.abs(first - second).sum())


def _mean(numbers: Sequence[float]) -> float:
    return float(np.mean(numbers)) if len(numbers) else 0.0
