"""A DP-SGD training with its noise multiplier, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import PoissonSubsampledGaussian
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan

WHAT = "clipped gradients of training steps"


@dataclass(frozen=True, kw_only=True)
class CalibratedDPSGD:
    r"""A plan and the noise on every sum of clipped gradients, $N(0, (\sigma C)^2)$ in each number.

    Args:
        plan: sampling rate, steps, clip norm $C$ and augmentation multiplicity.
        noise_multiplier: $\sigma$, above 0.

    Raises:
        ConfigError: the noise is none.

    References:
        Abadi et al.: Deep learning with differential privacy (2016).

    Example:
        >>> from synthkit.privacy.accounting.noise_calibration import smallest_noise
        >>> plan = DPSGDPlan(sampling_rate=0.1, steps=500, clip_norm=1.0)
        >>> steps = lambda s: [CalibratedDPSGD(plan=plan, noise_multiplier=s).charge()]
        >>> round(smallest_noise(steps, epsilon=3.0, delta=1e-5), 2)
        3.25
    """

    plan: DPSGDPlan
    noise_multiplier: float

    def __post_init__(self) -> None:
        self.charge()

    def charge(self) -> Charge:
        """The price of all steps together, to be put down before the first."""
        spent = PoissonSubsampledGaussian(
            noise_multiplier=self.noise_multiplier, rate=self.plan.sampling_rate, steps=self.plan.steps
        )
        return Charge(what=WHAT, spent=spent)
