"""Noisy mechanisms as plain records: what each one does to the true answer, and no interpretation of it.

A record never changes its meaning: a mechanism that differs gets a record and a `kind` of its own. Sensitivities are
for adding or removing one unit with all its rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from numbers import Integral
from typing import ClassVar, SupportsFloat

from synthkit.errors import ConfigError
from synthkit.privacy.mechanisms.noise_tails import laplace_tail, normal_tail


@dataclass(frozen=True, kw_only=True)
class Gaussian:
    r"""A vector plus independent normal noise: $f(D) + N(0, \sigma^2 I)$.

    Args:
        sensitivity: most by which one unit moves $f$ in Euclidean norm, above 0.
        sigma: standard deviation of the noise, above 0, in the same units.
    """

    kind: ClassVar[str] = "gaussian"
    sensitivity: float
    sigma: float

    def __post_init__(self) -> None:
        _positive(self, "sensitivity", "sigma")


@dataclass(frozen=True, kw_only=True)
class DiscreteGaussian:
    r"""Whole numbers plus independent discrete normal noise, $P[Z = z] \propto e^{-z^2 / 2 \sigma^2}$.

    One unit moves at most `cells` groups of numbers, each by at most `change` in total. A histogram with one row
    of a unit in it has one cell and a change of 1.

    Args:
        sigma: scale of the noise, above 0; nearly its standard deviation.
        change: most by which one unit moves one group, in L1 norm, 1 or more.
        cells: how many groups one unit moves, 1 or more.

    References:
        Canonne, Kamath, Steinke: The discrete Gaussian for differential privacy (2020).
    """

    kind: ClassVar[str] = "discrete-gaussian"
    sigma: float
    change: int = 1
    cells: int = 1

    def __post_init__(self) -> None:
        _positive(self, "sigma")
        _counted(self, "change", "cells")


@dataclass(frozen=True, kw_only=True)
class StackedGaussian:
    r"""Whole numbers plus independent discrete normal noise, of which one unit moves any by any amount within a norm.

    All tables of counts of a unit, one below the other, are one vector; its Euclidean norm is clipped to C, so that the
    price does not depend on how many tables or rows there are: $\rho = C^2 / 2 \sigma^2$. C may be bought itself, and
    the price is the same whatever it is; so the record holds $\sigma / C$ alone.

    Args:
        noise_multiplier: $\sigma / C$, above 0.

    References:
        Canonne, Kamath, Steinke: The discrete Gaussian for differential privacy (2020), for several dimensions.
    """

    kind: ClassVar[str] = "stacked-gaussian"
    noise_multiplier: float

    def __post_init__(self) -> None:
        _positive(self, "noise_multiplier")


@dataclass(frozen=True, kw_only=True)
class Laplace:
    r"""A vector plus independent noise of density $e^{-|z| / b} / 2b$.

    Args:
        sensitivity: most by which one unit moves the vector in L1 norm, above 0.
        scale: $b$, above 0, in the same units.
    """

    kind: ClassVar[str] = "laplace"
    sensitivity: float
    scale: float

    def __post_init__(self) -> None:
        _positive(self, "sensitivity", "scale")


@dataclass(frozen=True, kw_only=True)
class DiscreteLaplace:
    r"""Whole numbers plus independent noise with $P[Z = z] \propto e^{-|z| / b}$.

    Args:
        scale: $b$, above 0.
        change: most by which one unit moves the numbers in L1 norm, 1 or more.
    """

    kind: ClassVar[str] = "discrete-laplace"
    scale: float
    change: int = 1

    def __post_init__(self) -> None:
        _positive(self, "scale")
        _counted(self, "change")


@dataclass(frozen=True, kw_only=True)
class PoissonSubsampledGaussian:
    r"""Steps, each a sum over an independent Poisson sample of the units plus normal noise.

    In every step each unit takes part with probability `rate`, independently of all others and of other steps; its
    contribution is clipped to norm $C$, and noise of standard deviation `noise_multiplier` $\times C$ is added.

    Args:
        noise_multiplier: standard deviation of the noise over the clip norm, above 0.
        rate: probability of a unit to take part in a step, in (0, 1].
        steps: how many steps, 1 or more.

    References:
        Abadi et al.: Deep learning with differential privacy (2016).
    """

    kind: ClassVar[str] = "poisson-subsampled-gaussian"
    noise_multiplier: float
    rate: float
    steps: int

    def __post_init__(self) -> None:
        _positive(self, "noise_multiplier", "rate")
        _counted(self, "steps")
        if self.rate > 1:
            msg = (
                f"`rate` of {self.kind} must be a probability in (0, 1]; however: {self.rate!r}. "
                "Divide the expected batch size by the number of units"
            )
            raise ConfigError(msg)


@dataclass(frozen=True, kw_only=True)
class ReportNoisyMax:
    r"""The candidates with the highest noisy scores: Gumbel noise of a scale on each score, the top `picks` told.

    Equal in law to `picks` exponential mechanisms one after the other, each without the candidates picked before.
    Of each, the privacy loss over all outputs lies in an interval as wide as $\epsilon = 2 \Delta / b$.

    Args:
        sensitivity: $\Delta$, most by which one unit moves any one score, above 0.
        scale: $b$, scale of the Gumbel noise, above 0; with exponential noise it is another mechanism.
        picks: how many candidates are told, 1 or more.

    References:
        Durfee, Rogers: Practical differentially private top-k selection with pay-what-you-get composition (2019).
    """

    kind: ClassVar[str] = "report-noisy-max"
    sensitivity: float
    scale: float
    picks: int = 1

    def __post_init__(self) -> None:
        _positive(self, "sensitivity", "scale")
        _counted(self, "picks")

    @property
    def width(self) -> float:
        r"""Width of the interval of privacy losses of one pick, $2 \Delta / b$."""
        return 2 * self.sensitivity / self.scale


@dataclass(frozen=True, kw_only=True)
class SparseHistogram:
    r"""Noisy counts of levels nobody declared: only levels that occur get noise, only high noisy counts are told.

    Each unit is in one cell by one row. A level that occurs gets discrete normal noise, and is told, with its noisy
    count, if that is `threshold` or more. A level that one unit alone brings is told with probability
    $\delta' = P[1 + Z \ge t]$; all others are counts with that noise. The tail is lighter than that of Laplace noise at
    the same price in zCDP by so much that far rarer levels are told.

    Args:
        sigma: $\sigma$, above 0.
        threshold: $t$, the lowest noisy count that is told, 2 or more.

    References:
        Korolova, Kenthapadi, Mishra, Ntoulas: Releasing search queries and clicks privately (2009). Wilkins, Kifer,
        Zhang, Karrer: Exact privacy analysis of the Gaussian sparse histogram mechanism (2024).
    """

    kind: ClassVar[str] = "sparse-histogram"
    sigma: float
    threshold: int

    def __post_init__(self) -> None:
        _positive(self, "sigma")
        _counted(self, "threshold")
        _beyond_one(self)

    @property
    def failure(self) -> float:
        r"""$\delta'$: probability that a level of one unit alone is told."""
        return normal_tail(self.sigma, self.threshold - 1)


@dataclass(frozen=True, kw_only=True)
class StableHistogram:
    r"""The same with discrete Laplace noise. Nothing draws it any more; ledgers of earlier versions record it.

    A level that one unit alone brings is told with probability
    $\delta' = P[1 + Z \ge t] = e^{-(t - 1) / b} / (1 + e^{-1 / b})$.

    Args:
        scale: $b$, above 0.
        threshold: $t$, the lowest noisy count that is told, 2 or more.

    References:
        Korolova, Kenthapadi, Mishra, Ntoulas: Releasing search queries and clicks privately (2009).
    """

    kind: ClassVar[str] = "stable-histogram"
    scale: float
    threshold: int

    def __post_init__(self) -> None:
        _positive(self, "scale")
        _counted(self, "threshold")
        _beyond_one(self)

    @property
    def failure(self) -> float:
        r"""$\delta'$: probability that a level of one unit alone is told."""
        return laplace_tail(self.scale, self.threshold - 1)


@dataclass(frozen=True, kw_only=True)
class Concentrated:
    r"""A reserve for steps that depend on earlier noisy answers, closed by a filter once it is spent.

    However the steps are chosen, they are together $\delta$-approximately $\rho$-zCDP: a filter refuses each step with
    which the sum of theirs would exceed the total.

    Args:
        rho: total of the reserve, above 0.
        delta: total probability of failure of the steps, in [0, 1); 0 without sparse histograms among them.

    References:
        Bun, Steinke: Concentrated differential privacy (2016). Whitehouse, Ramdas, Rogers, Wu: Fully-adaptive
        composition in differential privacy (2023).
    """

    kind: ClassVar[str] = "concentrated"
    rho: float
    delta: float = 0.0

    def __post_init__(self) -> None:
        _positive(self, "rho")
        if self.delta != 0 or isinstance(self.delta, bool):
            _positive(self, "delta")
        object.__setattr__(self, "delta", float(self.delta))
        if self.delta >= 1:
            msg = f"`delta` of {self.kind} must be below 1; however: {self.delta!r}. Lower it"
            raise ConfigError(msg)


@dataclass(frozen=True, kw_only=True)
class NonPrivate:
    """An exact answer about real rows. Its privacy loss is infinite."""

    kind: ClassVar[str] = "non-private"


Event = (
    Gaussian
    | DiscreteGaussian
    | StackedGaussian
    | Laplace
    | DiscreteLaplace
    | PoissonSubsampledGaussian
    | ReportNoisyMax
    | SparseHistogram
    | StableHistogram
    | Concentrated
    | NonPrivate
)
EVENTS_BY_NAME: dict[str, type[Event]] = {
    record.kind: record
    for record in (
        Gaussian,
        DiscreteGaussian,
        StackedGaussian,
        Laplace,
        DiscreteLaplace,
        PoissonSubsampledGaussian,
        ReportNoisyMax,
        SparseHistogram,
        StableHistogram,
        Concentrated,
        NonPrivate,
    )
}


def parameters(event: Event) -> dict[str, float | int]:
    """The numbers of a record by name, in order; with the kind they say everything."""
    return {field.name: getattr(event, field.name) for field in fields(event)}


def _positive(event: Event, *names: str) -> None:
    for name in names:
        value = getattr(event, name)
        number = float(value) if isinstance(value, SupportsFloat) and not isinstance(value, bool) else math.nan
        if not (math.isfinite(number) and number > 0):
            msg = f"`{name}` of {event.kind} must be a finite number above 0; however: {value!r}. Correct it"
            raise ConfigError(msg)
        object.__setattr__(event, name, number)  # one form, whatever library the number comes from


def _beyond_one(event: SparseHistogram | StableHistogram) -> None:
    if event.threshold < 2:
        msg = (
            f"`threshold` of {event.kind} must be 2 or more, or a level of one unit is told as often as not; "
            f"however: {event.threshold}. Raise it"
        )
        raise ConfigError(msg)


def _counted(event: Event, *names: str) -> None:
    for name in names:
        value = getattr(event, name)
        number = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else 0
        if number < 1:
            msg = f"`{name}` of {event.kind} must be a whole number of 1 or more; however: {value!r}. Correct it"
            raise ConfigError(msg)
        object.__setattr__(event, name, number)
