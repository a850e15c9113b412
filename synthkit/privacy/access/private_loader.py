"""The loader under a budget: rows and units stay behind it, and what it makes are DP-SGD steps."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthkit.encoding.layout import Layout, Rows
from synthkit.errors import BudgetExceededError, ConfigError, UnsupportedError
from synthkit.privacy.dpsgd.clipping import Clipper, private_gradient
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan
from synthkit.privacy.dpsgd.noisy_descent import CalibratedDPSGD
from synthkit.privacy.mechanisms.rng import gaussian, order
from synthkit.privacy.mechanisms.unit_sampling import PoissonSampling, kept
from synthkit.training.dummy_rows import dummy_rows
from synthkit.training.loader import Batching, M, Step
from synthkit.training.loop import seeded

ROWS_AT_ONCE = (
    2048  # rows worked on at once, copies counted; public, for free memory may follow from the size of the table
)
TRIED = 8  # dummy rows on which it is found out where weights meet rows


class PrivateLoader:
    r"""Training rows under a budget: each step is one draw of a mechanism that was charged before.

        gradient = (sum over units that take part of their clipped gradients + sigma C z) / (q n)

    Who takes part, the noise z, and whatever a loss draws come from the operating system: known orders of rows would
    tell a batch from the next, and how many random numbers a batch takes would tell its size. More steps than were
    charged are refused. Losses, batch sizes and the number of rows never come out.

    Args:
        rows: encoded rows.
        units: whose row it is. **Shape**: (B,).
        layout: of the rows.
        noisy: the plan and its noise.
        n: number of units, declared or paid for; never counted here.
        most: rows of one unit that may be looked at, chosen here once and in secret; 1 or more.
        device: where to compute.
        tried: made-up rows, each of a unit of its own, on which it is found out where weights meet rows; drawn from the
            layout if not given.

    Raises:
        ConfigError: n is not positive, or units are not one a row, or no row of a unit may be looked at.

    References:
        Abadi et al.: Deep learning with differential privacy (2016).

    Example:
        >>> from synthkit.encoding.layout import Slot
        >>> slot = Slot(name="x", size=2, ordinal=False, missing=False, parent=None, prior=np.zeros(2, np.float32))
        >>> rows = Rows(torch.tensor([[0], [1], [1]]), torch.zeros(3, 0))
        >>> plan = DPSGDPlan(sampling_rate=0.5, steps=2, clip_norm=1.0)
        >>> noisy = CalibratedDPSGD(plan=plan, noise_multiplier=1.0)
        >>> loader = PrivateLoader(rows, np.arange(3), Layout((slot,), ("x",)), noisy, n=4.0)
        >>> net = torch.nn.Linear(1, 1)
        >>> optimizer = torch.optim.SGD(net.parameters())
        >>> step = loader.stepping(net, lambda net, r: net(r.cat.float()).squeeze(1), optimizer)
        >>> step(), step(), loader.left
        (None, None, 0)
    """

    def __init__(
        self,
        rows: Rows,
        units: NDArray[np.int64],
        layout: Layout,
        noisy: CalibratedDPSGD,
        *,
        n: float,
        most: int = 1,
        device: torch.device | str = "cpu",
        tried: Rows | None = None,
    ) -> None:
        if not 0 < n < float("inf"):
            msg = f"the number of units must be above 0; however: {n:g}. Declare it, or pay for it"
            raise ConfigError(msg)
        if len(units) != len(rows):
            msg = "units must be one a row; however: there are more of one than of the other. Pass one number a row"
            raise ConfigError(msg)
        chosen = kept(units, most)
        names, owner = np.unique(units[chosen], return_inverse=True)
        self._rows = rows[torch.from_numpy(chosen).to(rows.cat.device)].to(device)
        self._owner, self._many = torch.from_numpy(owner).to(device), len(names)
        self._layout, self._noisy, self._n = layout, noisy, float(n)
        self._left, self._tried = noisy.plan.steps, tried

    @property
    def layout(self) -> Layout:
        """Layout of the rows."""
        return self._layout

    @property
    def n(self) -> float:
        """Number of units as it was given."""
        return self._n

    @property
    def device(self) -> torch.device:
        """Where the rows live."""
        return self._owner.device

    @property
    def plan(self) -> DPSGDPlan:
        """The plan, charged before."""
        return self._noisy.plan

    @property
    def rows(self) -> Rows | None:
        """None: they stay here."""
        return None

    @property
    def planned_steps(self) -> int | None:
        """All steps of the plan."""
        return self.plan.steps

    @property
    def left(self) -> int:
        """Steps that are paid for and not made."""
        return self._left

    def validation(self) -> Rows | None:
        """None: whatever is looked at must be paid for."""
        return None

    def stepping(
        self, module: M, loss: Callable[[M, Rows], Tensor], optimizer: torch.optim.Optimizer
    ) -> Callable[[], None]:
        """What makes one step each time it is called.

        Args:
            module: its parameters get noisy gradients.
            loss: loss of each row, which must depend on no row of another unit. **Shape**: Rows of B -> (B,).
            optimizer: of these parameters.

        Raises:
            UnsupportedError: a weight meets rows in a way of which no norm is known, or rows lean on each other.
            BudgetExceededError: from the step on that was not charged.
        """
        sums: Clipper[M, Rows] = Clipper(module, loss, clip=self.plan.clip_norm)
        with self._secretly():
            tried = self._tried or dummy_rows(TRIED, self._layout, torch.default_generator)
            sums(tried.to(self.device), torch.arange(len(tried), device=self.device))

        def step() -> None:
            self._pay()
            optimizer.zero_grad(set_to_none=True)
            self._gradient(sums)
            optimizer.step()

        return step

    def steps(
        self,
        module: M,
        loss: Callable[[M, Rows], Tensor],
        optimizer: torch.optim.Optimizer,
        batching: Batching,
        *,
        at_once: Callable[[], int] | None = None,
    ) -> Iterator[Callable[[], float]]:
        """Noisy steps, as many as were charged; sizes and orders follow from the plan and the operating system."""
        del at_once
        step = self.stepping(module, loss, optimizer)

        def unseen() -> float:
            step()
            return math.nan

        return iter([unseen] * (batching.steps - batching.start))

    def batches(self, optimizer: torch.optim.Optimizer, batching: Batching) -> Iterator[tuple[Rows, Step]]:
        """None.

        Raises:
            UnsupportedError: always.
        """
        del optimizer, batching
        msg = "under a privacy budget rows stay behind the loader; however: batches are asked for. Train by `steps`"
        raise UnsupportedError(msg)

    def _gradient(self, sums: Clipper[M, Rows]) -> None:
        """Noisy gradients of a fresh batch."""
        sampling = PoissonSampling(rate=self.plan.sampling_rate, steps=1)
        taking = torch.from_numpy(next(sampling.masks(self._many))).to(self.device)
        batch = torch.nonzero(taking[self._owner]).ravel()
        labels = self._labels()
        with self._secretly():
            private_gradient(
                sums,
                self._rows[batch],
                labels[self._owner[batch]],
                multiplier=self._noisy.noise_multiplier,
                expected=self.plan.expected(self._n),
                noise=gaussian,
                size=ROWS_AT_ONCE,
                copies=self.plan.augmentation_multiplicity,
            )

    def _labels(self) -> Tensor:
        """New numbers of the units, by which they are ordered: what a loss draws for a row must not follow from others.

        **Shape**: (U,), a secret permutation.
        """
        return torch.from_numpy(order(self._many)).to(self.device)

    def _pay(self) -> None:
        if self._left < 1:
            msg = (
                f"a training may make the {self.plan.steps:,} steps that were charged; however: there is one more. "
                "Plan more steps before the first"
            )
            raise BudgetExceededError(msg)
        self._left -= 1

    def _secretly(self) -> AbstractContextManager[None]:
        """Torch's own generators under a key of the operating system, put back afterwards."""
        return seeded(int.from_bytes(os.urandom(8)) >> 1, self.device)
