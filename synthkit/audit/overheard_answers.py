"""Everything that a fit under a budget is told, overheard beside what was counted; and the same answers given again.

What is audited is the fit as it is shipped: the functions that draw are called through what listens, in this process
and until the fit is done. A second fit, of tables with one patient more, is given the answers of the first, so that
all it asks depends on nothing else than the patient.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthkit.privacy.access import counts, private_curator, unit_counts
from synthkit.privacy.accounting.events import ReportNoisyMax, StackedGaussian
from synthkit.privacy.mechanisms import bounds, noise, noisy_quantile, stacked_counts
from synthkit.privacy.mechanisms.noise import Noise, NoisyAnswer

DRAWN_IN: tuple[tuple[ModuleType, str], ...] = (  # where a fit of linked tables draws, and by which function
    (private_curator, "add_noise"),
    (counts, "add_noise"),
    (bounds, "add_noise"),
    (stacked_counts, "add_noise"),
    (noisy_quantile, "choose"),
    (unit_counts, "choose"),
    (counts, "choose"),
)


@dataclass(frozen=True, kw_only=True)
class HeardAnswer:
    """One answer of a fit.

    Args:
        stage: the part of the fit in which it was told.
        exact: what was counted, or scores. **Shape**: any.
        spent: the mechanism that told it.
        norm: of stacked counts, the most by which one unit moves them in parts of a row; else 1.
        told: what it told.
    """

    stage: str
    exact: NDArray[Any]
    spent: Noise | StackedGaussian | ReportNoisyMax
    norm: float
    told: NDArray[np.int64]

    @property
    def public(self) -> tuple[Any, ...]:
        """What everybody may know of the question: it must not depend on any one unit."""
        return self.stage, self.exact.shape, self.spent, self.norm


@dataclass
class Listener:
    """Listens to the answers of a fit, and gives it those of an earlier fit.

    Args:
        before: the earlier one; None if all is drawn.
        stage: the part of the fit that is under way.
        heard: the answers, in order.
    """

    before: Listener | None = None
    stage: str = ""
    heard: list[HeardAnswer] = field(default_factory=list)

    def noise(self, exact: NDArray[np.int64], spent: Noise | StackedGaussian, norm: float = 1.0) -> NoisyAnswer:
        """In the place of `add_noise`."""
        told = self._earlier(np.shape(exact), spent)
        drawn = noise.add_noise(exact, spent, norm).values if told is None else told
        return self._kept(exact, spent, norm, drawn)

    def choice(self, scores: NDArray[np.float64], spent: ReportNoisyMax) -> NoisyAnswer:
        """In the place of `choose`."""
        told = self._earlier(np.shape(scores), spent)
        return self._kept(scores, spent, 1.0, noise.choose(scores, spent).values if told is None else told)

    def _earlier(
        self, shape: tuple[int, ...], spent: Noise | StackedGaussian | ReportNoisyMax
    ) -> NDArray[np.int64] | None:
        """What the earlier fit was told to this question; None if it asked another one."""
        k = len(self.heard)
        if self.before is None or k >= len(self.before.heard):
            return None
        old = self.before.heard[k]
        same = old.exact.shape == shape and type(old.spent) is type(spent)
        return old.told if same else None

    def _kept(
        self, exact: NDArray[Any], spent: Noise | StackedGaussian | ReportNoisyMax, norm: float, told: NDArray[np.int64]
    ) -> NoisyAnswer:
        counted = np.array(exact)
        self.heard.append(HeardAnswer(stage=self.stage, exact=counted, spent=spent, norm=norm, told=told))
        return NoisyAnswer(values=told, spent=spent)


@contextmanager
def listening(ear: Listener) -> Iterator[None]:
    """All answers of a fit of linked tables go through a listener, in this process, until the end."""
    before = [(module, name, getattr(module, name)) for module, name in DRAWN_IN]
    through = {"add_noise": ear.noise, "choose": ear.choice}
    try:
        for module, name, _ in before:
            setattr(module, name, through[name])
        yield
    finally:
        for module, name, drawn in before:
            setattr(module, name, drawn)
