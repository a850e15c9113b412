"""The plan of a DP-SGD training: sampling rate, steps, clip norm; public, and fixed before a row is looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass

from synthkit.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class DPSGDPlan:
    r"""The plan of a training under a privacy budget. Every number in it is public and none follows from the rows.

    In each of `steps` steps each unit takes part with probability `sampling_rate`. Its gradient, the sum of those of
    its rows, each the mean of `augmentation_multiplicity` looks at the row, is clipped to `clip_norm`; then noise is
    added.

    Args:
        sampling_rate: probability of a unit to take part in a step, in (0, 1].
        steps: how many steps, 1 or more.
        clip_norm: most by which one unit moves the sum of gradients, above 0.
        augmentation_multiplicity: random orders of a row, or times or codes, averaged before clipping, 1 or more. They
            cost no privacy.

    Raises:
        ConfigError: one of them is out of its range.

    References:
        Abadi et al.: Deep learning with differential privacy (2016).
        De et al.: Unlocking high-accuracy differentially private image classification through scale (2022), for
            augmentation multiplicity.

    Example:
        >>> DPSGDPlan(sampling_rate=0.1, steps=500, clip_norm=1.0, augmentation_multiplicity=4).expected(30_000)
        3000.0
    """

    sampling_rate: float
    steps: int
    clip_norm: float
    augmentation_multiplicity: int = 1

    def __post_init__(self) -> None:
        wrong = [] if 0 < self.sampling_rate <= 1 else [f"sampling_rate {self.sampling_rate:g} (above 0, at most 1)"]
        counts = {"steps": self.steps, "augmentation_multiplicity": self.augmentation_multiplicity}
        wrong += [f"{k} {x} (at least 1)" for k, x in counts.items() if x < 1]
        wrong += [] if 0 < self.clip_norm < math.inf else [f"clip_norm {self.clip_norm:g} (above 0)"]
        if wrong:
            msg = f"the plan of a private training must lie in its ranges; however: {', '.join(wrong)}. Correct it"
            raise ConfigError(msg)

    def expected(self, n: float) -> float:
        """Expected number of units in a step, of n that are public or paid for."""
        return self.sampling_rate * n
