"""Fitting a mixture of products to tables of counts: their noise weighs them, and the fit is stopped early."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthkit.encoding.slot_counts import MeasuredCounts, Scope
from synthkit.models.marginal.spectral_shrinkage import shrunken
from synthkit.models.product_mixture import ProductMixture

FLOOR = 1.0  # rows: standard deviation that a cell counts with at least, for exact counts and cheap noise
AVERAGED_SHARE = 0.3  # part of the last steps over which parameters are averaged
END = 0.02  # share of the learning rate that is left at the end of the last steps
ADAM_EPSILON = 1e-8  # so that what never had a gradient is not divided by nought


class Tables:
    """Everything measured so far; tables told twice are averaged by the precision of their noise.

    Args:
        sizes: levels of every slot.
        rows: number of rows, as far as it is known.
        device: where to compute.
        plain: whether a pair is fitted as it was told; of others what noise alone reaches is cut. All if not given.

    **Shape**: weights and targets of single slots (D,), of pairs (D, D) in blocks above the diagonal.
    """

    def __init__(
        self,
        sizes: tuple[int, ...],
        rows: float,
        device: torch.device,
        plain: Callable[[Scope], bool] = lambda scope: True,
    ) -> None:
        self._sizes, self._rows, self._device, self._plain = sizes, rows, device, plain
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        self._sums: dict[Scope, tuple[float, NDArray[np.float64]]] = {}
        size = int(self._starts[-1])
        self._one = torch.zeros((2, size), device=device)
        self._two = torch.zeros((2, size, size), device=device)
        self._wider: dict[Scope, tuple[float, Tensor]] = {}

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What was measured."""
        return tuple(self._sums)

    def pairs(self) -> Iterator[tuple[int, int, NDArray[np.float64], float]]:
        """Tables of two slots: the slots, counts averaged over what was told, standard deviation of their noise."""
        for scope, (precision, total) in self._sums.items():
            if len(scope) == 2:
                yield scope[0], scope[1], total / precision, 1 / math.sqrt(precision)

    @property
    def targets(self) -> dict[Scope, Tensor]:
        """Shares of each pair as they are fitted. **Shape**: (K, L) a pair."""
        at = [slice(int(a), int(b)) for a, b in itertools.pairwise(self._starts)]
        return {s: self._two[1, at[s[0]], at[s[1]]] for s in self._sums if len(s) == 2}

    def add(self, told: list[MeasuredCounts]) -> None:
        """Take tables in."""
        for table in told:
            precision = 1 / (table.sigma**2 + FLOOR**2)
            before, total = self._sums.get(table.scope, (0.0, np.zeros(table.counts.shape)))
            precision, total = before + precision, total + precision * table.counts
            self._sums[table.scope] = precision, total
            share = total / precision / self._rows
            if table.sigma and len(table.scope) == 2 and not self._plain(table.scope):
                share = self._drawn_in(table.scope, share)
            self._set(table.scope, precision * self._rows**2, share)

    def _drawn_in(self, scope: Scope, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shares of a pair, what noise alone reaches beyond independence cut; as it is where no single was told."""
        if any((j,) not in self._sums for j in scope):
            return share
        alone = [self._sums[j,][1] / self._sums[j,][0] / self._rows for j in scope]
        sigma = self._sums[scope][0] ** -0.5 / self._rows
        return shrunken(share, np.multiply.outer(*alone), sigma)

    def _set(self, scope: Scope, weight: float, share: NDArray[np.float64]) -> None:
        target = torch.from_numpy(share).float().to(self._device)
        where = [slice(int(self._starts[j]), int(self._starts[j + 1])) for j in scope]
        if len(scope) == 1:
            self._one[0, where[0]], self._one[1, where[0]] = weight, target
        elif len(scope) == 2:
            self._two[0, where[0], where[1]], self._two[1, where[0], where[1]] = weight, target
        else:
            self._wider[scope] = weight, target

    def pull(self, mixture: ProductMixture) -> float:
        """The loss, its gradient left in `grad` of the parameters.

        It is the mean over all cells measured of the squared misses in units of the noise: about 1 at the truth. The
        gradient at the laws is worked out table by table, so that no more than one of them is held at a time.
        """
        with torch.enable_grad():
            laws = mixture.laws()
            mixed = laws * mixture.shares()
        with torch.no_grad():
            at_laws, at_mixed = torch.zeros_like(laws), torch.zeros_like(mixed)
            ones = mixed.sum(dim=1) - self._one[1]
            at_mixed += (2 * self._one[0] * ones)[:, None]
            total = (self._one[0] * ones**2).sum()
            for rows, columns in self._blocks():
                weight, target = self._two[:, rows, columns]
                miss = laws[rows] @ mixed[columns].T - target
                total += (weight * miss**2).sum()
                self._push(2 * weight * miss, laws[rows], mixed[columns], at_laws[rows], at_mixed[columns])
            for scope, (heavy, wanted) in self._wider.items():
                total += self._pull_wide(scope, heavy, wanted, (laws, mixed), (at_laws, at_mixed))
            cells = sum(table.size for _, table in self._sums.values())
            at_laws /= cells
            at_mixed /= cells
        # a scalar of the same gradient: given gradients make torch load its symbolic algebra, another 40 MB
        with torch.enable_grad():
            torch.autograd.backward((laws * at_laws).sum() + (mixed * at_mixed).sum())
        return float(total) / cells

    @staticmethod
    def _push(slope: Tensor, front: Tensor, back: Tensor, at_front: Tensor, at_back: Tensor) -> None:
        """Add the gradients of a table front back^T, whose own is `slope`."""
        at_front.addmm_(slope, back)
        at_back.addmm_(slope.T, front)

    def _pull_wide(
        self, scope: Scope, heavy: float, wanted: Tensor, values: tuple[Tensor, Tensor], at: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Loss of a table of three slots or more, its gradients added."""
        where = [slice(int(self._starts[j]), int(self._starts[j + 1])) for j in scope]
        parts, back = [values[0][here] for here in where[:-1]], values[1][where[-1]]
        fronts = [parts[0]]  # of the first slot, the first two, and so on
        for part in parts[1:]:
            fronts.append((fronts[-1][:, None, :] * part[None]).flatten(0, 1))
        miss = fronts[-1] @ back.T - wanted.view(-1, len(back))
        slope = torch.zeros_like(fronts[-1])
        self._push(2 * heavy * miss, fronts[-1], back, slope, at[1][where[-1]])
        for k in range(len(parts) - 1, 0, -1):
            slope = slope.view(len(fronts[k - 1]), len(parts[k]), -1)
            at[0][where[k]] += (slope * fronts[k - 1][:, None, :]).sum(dim=0)
            slope = (slope * parts[k][None]).sum(dim=1)
        at[0][where[0]] += slope
        return heavy * (miss**2).sum()

    def _blocks(self) -> list[tuple[slice, slice]]:
        """Levels of each slot against those from its first to its last partner: slices, so that nothing is copied."""
        partners: dict[int, list[int]] = {}
        for scope in self._sums:
            if len(scope) == 2:
                partners.setdefault(scope[0], []).append(scope[1])
        at = self._starts.tolist()
        return [(slice(at[a], at[a + 1]), slice(at[min(b)], at[max(b) + 1])) for a, b in partners.items()]


def descend(
    mixture: ProductMixture, tables: Tables, steps: int, rate: float, told: Callable[[float], None], *, last: bool
) -> None:
    """Adam with fresh moments and parameters as they are.

    Args:
        mixture: fitted in place.
        tables: what to fit.
        steps: how many.
        rate: learning rate; it falls in a cosine where these are the `last` steps.
        told: called with the loss of every step.
        last: whether parameters end as their average over the last steps.
    """
    parameters: list[Tensor] = [mixture.logits, mixture.weights]
    adam = Adam(parameters)
    sums, averaged = [torch.zeros_like(p) for p in parameters], 0
    for t in range(steps):
        fall = 0.5 * (1 + math.cos(math.pi * t / steps)) if last else 1.0
        for parameter in parameters:
            parameter.grad = None
        loss = tables.pull(mixture)
        adam.step(rate * (END + (1 - END) * fall))
        told(loss)
        if last and t >= (1 - AVERAGED_SHARE) * steps:
            torch._foreach_add_(sums, [p.detach() for p in parameters])
            averaged += 1
    if averaged:
        with torch.no_grad():
            for parameter, total in zip(parameters, sums, strict=True):
                parameter.copy_(total / averaged)


class Adam:
    """Steps along gradients over the root of their running squares, w <- w - rate m / (sqrt(v) + 1e-8).

    Torch's own loads a compiler when it is first made: four seconds and 80 MB that a fit of counts can do without.

    Args:
        parameters: whose `grad` is followed; those without one stay.
        decays: of the running mean and of the running square.

    References:
        Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015.

    Example:
        >>> w = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> w.grad = torch.tensor([5.0, -0.1])
        >>> Adam([w]).step(0.1)
        >>> [round(x, 3) for x in w.tolist()]
        [0.9, -1.9]
    """

    def __init__(self, parameters: list[Tensor], decays: tuple[float, float] = (0.9, 0.99)) -> None:
        self._parameters, self._decays, self._steps = parameters, decays, 0
        self._means = [torch.zeros_like(p) for p in parameters]
        self._squares = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step of the size `rate`."""
        self._steps += 1
        first, second = (1 - decay**self._steps for decay in self._decays)
        for parameter, mean, square in zip(self._parameters, self._means, self._squares, strict=True):
            if parameter.grad is None:
                continue
            mean.lerp_(parameter.grad, 1 - self._decays[0])
            square.mul_(self._decays[1]).addcmul_(parameter.grad, parameter.grad, value=1 - self._decays[1])
            parameter.addcdiv_(mean, (square / second).sqrt_().add_(ADAM_EPSILON), value=-rate / first)
