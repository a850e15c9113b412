"""Fitting a mixture of products to tables of counts: their noise weighs them, and the fit is stopped early."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthkit.encode.counting import Measured, Scope
from synthkit.nn.products import ProductMixture

FLOOR = 1.0  # rows: standard deviation that a cell counts with at least, for exact counts and cheap noise
LAST = 0.3  # part of the last steps over which parameters are averaged
END = 0.02  # share of the learning rate that is left at the end of the last steps


class Tables:
    """Everything measured so far; tables told twice are averaged by the precision of their noise.

    Args:
        sizes: levels of every slot.
        rows: number of rows, as far as it is known.
        device: where to compute.

    **Shape**: weights and targets of single slots (D,), of pairs (D, D) in blocks above the diagonal.
    """

    def __init__(self, sizes: tuple[int, ...], rows: float, device: torch.device) -> None:
        self._sizes, self._rows, self._device = sizes, rows, device
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        self._sums: dict[Scope, tuple[float, NDArray[np.float64]]] = {}
        size = int(self._starts[-1])
        self._one = torch.zeros((2, size), device=device)
        self._two = torch.zeros((2, size, size), device=device)
        self._three: dict[Scope, tuple[float, Tensor]] = {}

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What was measured."""
        return tuple(self._sums)

    def add(self, told: list[Measured]) -> None:
        """Take tables in."""
        for table in told:
            precision = 1 / (table.sigma**2 + FLOOR**2)
            before, total = self._sums.get(table.scope, (0.0, np.zeros(table.counts.shape)))
            precision, total = before + precision, total + precision * table.counts
            self._sums[table.scope] = precision, total
            self._set(table.scope, precision * self._rows**2, total / precision / self._rows)

    def _set(self, scope: Scope, weight: float, share: NDArray[np.float64]) -> None:
        target = torch.from_numpy(share).float().to(self._device)
        where = [slice(int(self._starts[j]), int(self._starts[j + 1])) for j in scope]
        if len(scope) == 1:
            self._one[0, where[0]], self._one[1, where[0]] = weight, target
        elif len(scope) == 2:
            self._two[0, where[0], where[1]], self._two[1, where[0], where[1]] = weight, target
        else:
            self._three[scope] = weight, target

    def loss(self, mixture: ProductMixture) -> Tensor:
        """Squared misses in units of the noise, the mean over all cells measured: about 1 at the truth."""
        laws, shares = mixture.laws(), mixture.shares()
        mixed = laws * shares
        total = (self._one[0] * (mixed.sum(dim=1) - self._one[1]) ** 2).sum()
        for rows, columns in self._blocks():
            weight, target = self._two[:, rows, columns]
            total = total + (weight * (laws[rows] @ mixed[columns].T - target) ** 2).sum()
        for scope, (heavy, wanted) in self._three.items():
            total = total + heavy * ((mixture.table(scope, laws) - wanted) ** 2).sum()
        return total / sum(table.size for _, table in self._sums.values())

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
    parameters = [mixture.logits, mixture.weights]
    optimizer = torch.optim.Adam(parameters, lr=rate, betas=(0.9, 0.99), fused=True)
    sums, averaged = [torch.zeros_like(p) for p in parameters], 0
    for t in range(steps):
        if last:
            fall = 0.5 * (1 + math.cos(math.pi * t / steps))
            optimizer.param_groups[0]["lr"] = rate * (END + (1 - END) * fall)
        optimizer.zero_grad(set_to_none=True)
        loss = tables.loss(mixture)
        torch.autograd.backward(loss)
        optimizer.step()
        told(float(loss.detach()))
        if last and t >= (1 - LAST) * steps:
            torch._foreach_add_(sums, [p.detach() for p in parameters])
            averaged += 1
    if averaged:
        with torch.no_grad():
            for parameter, total in zip(parameters, sums, strict=True):
                parameter.copy_(total / averaged)
