"""Epsilon and delta of charges composed jointly; the one place that knows dp-accounting.

Charges whose numbers were all fixed before the first draw are composed as privacy loss distributions, which is
numerically tight; as soon as one is a reserve for adaptive steps, all are composed in Rényi divergences, which such a
reserve has. Every figure is an upper bound. Epsilons are never added here.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthkit.privacy.accounting import zcdp
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import (
    Concentrated,
    DiscreteGaussian,
    DiscreteLaplace,
    Event,
    Gaussian,
    Laplace,
    PoissonSubsampledGaussian,
    ReportNoisyMax,
    SparseHistogram,
    StableHistogram,
    StackedGaussian,
)

if TYPE_CHECKING:
    from dp_accounting.pld.privacy_loss_distribution import PrivacyLossDistribution

STATED_GRID = 1e-4  # grid of privacy losses for figures that are stated
SEARCH_GRID = 1e-3  # for a first search: five times faster, a thousandth too high
HOPELESS = 200.0  # a loss from which on a grid is too long to be worth it: infinity is a bound too


def epsilon(charges: Sequence[Charge], delta: float, *, grid: float = STATED_GRID) -> float:
    """Smallest epsilon at which all charges together keep their promise.

    Args:
        charges: everything that is released, in any order.
        delta: probability at which the promise may fail, in (0, 1).
        grid: distance of the privacy losses computed with; a wider one is faster and never too low.

    Returns:
        The total epsilon, infinite where nothing finite can be shown.

    Example:
        >>> from synthkit.privacy.accounting.events import Laplace
        >>> once = Charge(what="count of rows", spent=Laplace(sensitivity=1, scale=2))
        >>> round(epsilon([once], 1e-6), 3)
        0.5
    """
    if not charges:
        return 0.0
    if not bearable(charges):
        return math.inf
    if adaptive(charges):
        return renyi(charges, delta)
    tight = float(_composed(charges, grid).get_epsilon_for_delta(delta))
    # the one worst case that dominates every choice of a maximum is wider than any: of many, divergences know more
    return min(tight, renyi(charges, delta)) if _picking(charges) else tight


def delta(charges: Sequence[Charge], epsilon: float, *, grid: float = STATED_GRID) -> float:
    """Smallest delta at an epsilon: a point of the curve of all charges together; 1 where nothing can be shown.

    Args:
        charges: everything that is released, in any order.
        epsilon: 0 or more.
        grid: distance of the privacy losses computed with.
    """
    if not charges:
        return 0.0
    if not bearable(charges):
        return 1.0
    if adaptive(charges):
        return _renyi_delta(charges, epsilon)
    tight = float(_composed(charges, grid).get_delta_for_epsilon(epsilon))
    return min(tight, _renyi_delta(charges, epsilon)) if _picking(charges) else tight


def renyi(charges: Sequence[Charge], delta: float) -> float:
    """Total epsilon by Rényi divergences alone: valid for every plan, looser, a check on the other way.

    References:
        Mironov: Rényi differential privacy (2017). Canonne, Kamath, Steinke: The discrete Gaussian for differential
        privacy (2020), for the conversion.
    """
    from dp_accounting.rdp import rdp_privacy_accountant as library

    if not charges:
        return 0.0
    if not bearable(charges):
        return math.inf
    orders, divergences, failure = _divergences(charges)
    if delta <= failure:
        return math.inf
    with _silent():
        return float(library.compute_epsilon(orders, divergences, delta - failure)[0])


def adaptive(charges: Sequence[Charge]) -> bool:
    """Whether there is a mechanism of which only divergences are known: a reserve, or counts stacked by unit."""
    return any(isinstance(charge.spent, Concentrated | StackedGaussian) for charge in charges)


def method(charges: Sequence[Charge], library: str | None = None) -> str:
    """How epsilon is computed, in words, with the version of the library; that which is installed if none is given."""
    how = "privacy loss distributions"
    if adaptive(charges):
        how = "Rényi divergences"
    elif _picking(charges):
        how += " or Rényi divergences, whichever is lower"
    return f"{how}, dp-accounting {library or version('dp-accounting')}"


def bearable(charges: Sequence[Charge]) -> bool:
    """Whether there is noise enough for a finite bound to be computed."""
    return math.fsum(charge.times * _loss(charge.spent) for charge in charges) <= HOPELESS


def _loss(event: Event) -> float:
    """Expected privacy loss of a mechanism, roughly."""
    match event:
        case PoissonSubsampledGaussian(noise_multiplier=sigma, rate=rate, steps=steps):
            whole = 1 / (2 * sigma**2)
            return rate * steps * min(whole, rate * math.expm1(min(2 * whole, 700.0)) / 2)
        case Laplace() | DiscreteLaplace() | StableHistogram():
            return min(zcdp.pure(event), zcdp.cost(event).rho)
        case ReportNoisyMax(picks=picks):
            return picks * min(event.width, event.width**2 / 8)
        case _:
            return zcdp.cost(event).rho


def _picking(charges: Sequence[Charge]) -> bool:
    return any(isinstance(charge.spent, ReportNoisyMax) for charge in charges)


def _renyi_delta(charges: Sequence[Charge], epsilon: float) -> float:
    from dp_accounting.rdp import rdp_privacy_accountant as library

    orders, divergences, failure = _divergences(charges)
    with _silent():
        found, _ = library.compute_delta(orders, divergences, epsilon)
    return min(1.0, float(found) + failure)


def _merged(charges: Sequence[Charge]) -> list[tuple[Event, int]]:
    """Equal mechanisms counted, all normal noise as one; the same list for every order of the charges."""
    counts: Counter[Event] = Counter()
    normal: list[float] = []
    for charge in charges:
        if isinstance(charge.spent, Gaussian):
            normal.append(charge.times * (charge.spent.sensitivity / charge.spent.sigma) ** 2)
        else:
            counts[charge.spent] += charge.times
    out = sorted(counts.items(), key=repr)
    if normal:
        out.append((Gaussian(sensitivity=1, sigma=1 / math.sqrt(math.fsum(normal))), 1))
    return out


def _composed(charges: Sequence[Charge], grid: float) -> PrivacyLossDistribution:
    from dp_accounting.pld import privacy_loss_distribution as library

    total = library.identity(value_discretization_interval=grid)
    for event, times in _merged(charges):
        total = total.compose(_distribution(event, times, grid))
    return total


@lru_cache(maxsize=16)
def _distribution(event: Event, times: int, grid: float) -> PrivacyLossDistribution:
    """Privacy losses of one mechanism run `times` times. A library's name for it is looked up, never guessed."""
    from dp_accounting.pld import privacy_loss_distribution as library

    options: dict[str, Any] = {"value_discretization_interval": grid, "use_connect_dots": True}
    match event:
        case Gaussian(sensitivity=sensitivity, sigma=sigma):
            one = library.from_gaussian_mechanism(sigma / sensitivity, **options)
        case DiscreteGaussian(sigma=sigma, change=change, cells=cells):
            one, times = library.from_discrete_gaussian_mechanism(sigma, sensitivity=change, **options), times * cells
        case Laplace(sensitivity=sensitivity, scale=scale):
            one = library.from_laplace_mechanism(scale / sensitivity, **options)
        case DiscreteLaplace(scale=scale, change=change):
            one = library.from_discrete_laplace_mechanism(1 / scale, sensitivity=change, **options)
        case PoissonSubsampledGaussian(noise_multiplier=sigma, rate=rate, steps=steps):
            one, times = library.from_gaussian_mechanism(sigma, sampling_prob=rate, **options), times * steps
        case ReportNoisyMax(picks=picks):
            one, times = _bounded_range(event.width, grid), times * picks
        case StableHistogram(scale=scale):
            one = library.from_discrete_laplace_mechanism(1 / scale, **options).compose(_failing(event.failure, grid))
        case SparseHistogram(sigma=sigma):
            one = library.from_discrete_gaussian_mechanism(sigma, sensitivity=1, **options)
            one = one.compose(_failing(event.failure, grid))
        case _:
            one = _failing(1.0, grid)  # no distribution is known: everything is told
    return one.self_compose(times) if times > 1 else one


def _bounded_range(width: float, grid: float) -> PrivacyLossDistribution:
    r"""Worst case of every mechanism whose privacy loss lies in some interval of a width.

    At each $e$ the worst pair has two losses, $t$ and $t - w$ with $t = (w + e) / 2$, so that
    $\delta(e) = (1 - e^{(e - w) / 2})^2 / (1 - e^{-w})$ for $|e| \le w$. As a maximum of curves that are convex in
    $\exp e$ it is itself the curve of a pair of distributions, which dominates all others and so may be composed.

    References:
        Dong, Durfee, Rogers: Optimal differential privacy composition for exponential mechanisms (2020), for the worst
        pair. Zhu, Dong, Wang: Optimal accounting of differential privacy via characteristic function (2022), for
        composing it.
    """
    from dp_accounting.pld import pld_pmf
    from dp_accounting.pld.privacy_loss_distribution import PrivacyLossDistribution

    reach = math.ceil(width / grid)
    steps = np.arange(-reach, reach + 1)
    losses = np.clip(steps * grid, -width, width)
    deltas = np.expm1((losses - width) / 2) ** 2 / -math.expm1(-width)
    deltas[0] = -math.expm1(-reach * grid)  # below the interval all of it is lost
    deltas[-1] = 0.0
    return PrivacyLossDistribution(pld_pmf.create_pmf_pessimistic_connect_dots(grid, steps, deltas))


def _failing(failure: float, grid: float) -> PrivacyLossDistribution:
    """Everything is told with a small probability, and nothing otherwise."""
    from dp_accounting.pld.common import DifferentialPrivacyParameters
    from dp_accounting.pld.privacy_loss_distribution import from_privacy_parameters

    return from_privacy_parameters(DifferentialPrivacyParameters(0.0, failure), value_discretization_interval=grid)


def _divergences(charges: Sequence[Charge]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Rényi divergences of all charges together. **Shape**: orders (k,), divergences (k,), and what may fail."""
    from dp_accounting.rdp import RdpAccountant

    merged = _merged(charges)
    sampled = any(isinstance(event, PoissonSubsampledGaussian) for event, _ in merged)
    # a series must be summed for each order of a sampled mechanism; all others are cheap at any order
    accountant = RdpAccountant(None if sampled else 1 + np.geomspace(0.05, 1e5, 800))
    failure = 0.0
    extra = np.zeros(len(accountant.orders))
    for event, times in merged:
        match event:
            case DiscreteLaplace() | StableHistogram():
                extra += times * _pure(zcdp.pure(event), accountant.orders)
            case _:
                with _silent():
                    accountant.compose(_named(event), times)
        failure += times * zcdp.failure(event)
    return accountant.orders, accountant.rdp + extra, failure


def _named(event: Event) -> Any:
    """What dp-accounting calls a mechanism."""
    import dp_accounting as library

    match event:
        case Gaussian(sensitivity=sensitivity, sigma=sigma):
            return library.GaussianDpEvent(sigma / sensitivity)
        case Laplace(sensitivity=sensitivity, scale=scale):
            return library.LaplaceDpEvent(scale / sensitivity)
        case PoissonSubsampledGaussian(noise_multiplier=sigma, rate=rate, steps=steps):
            step = library.PoissonSampledDpEvent(rate, library.GaussianDpEvent(sigma))
            return library.SelfComposedDpEvent(step, steps)
        case _:
            return library.ZCDpEvent(zcdp.cost(event).rho)


def _pure(epsilon: float, orders: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Rényi divergences no mechanism with a pure epsilon exceeds, those of randomised response."""
    keep = -math.log1p(math.exp(-epsilon))  # log of e^eps / (1 + e^eps)
    return np.logaddexp(keep + (orders - 1) * epsilon, keep - orders * epsilon) / (orders - 1)


@contextmanager
def _silent() -> Iterator[None]:
    """Without the library's remarks on series that converge slowly: they are bounds none the less."""
    said = logging.getLogger("absl")
    before = said.level
    said.setLevel(logging.ERROR)
    try:
        yield
    finally:
        said.setLevel(before)
