"""The conditional vector: which name is asked to take which level, drawn by training-by-sampling."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

HEAVIEST = 10.0  # weight of a row by its condition


class Conditions:
    """One-hot conditions over the levels of all names, laid one behind the other.

    Xu et al. draw a name, then a level by the logarithm of its frequency, then a row that has it. A loader that hands
    out shuffled rows allows no such choice; here the name is drawn for each row, the level is the row's own, and the
    row weighs (q(level) / p(level))^balance, with p its share and q the log-frequency law: at balance 1 the same law,
    by importance; at 0 rows as they come.

    References:
        Xu, Skoularidou, Cuesta-Infante, Veeramachaneni: Modeling tabular data using conditional GAN (2019).

    Args:
        priors: log-shares of each name's levels.
        rows: rows of the table, for the log-frequencies.
        share: of rows that come under a condition; the condition of others is 0 throughout.
        balance: from 0, rows as they come, to 1, levels by log-frequency. Weights are cut at 10.
    """

    def __init__(self, priors: Sequence[Tensor], rows: float, *, share: float = 1.0, balance: float = 0.0) -> None:
        self.sizes = tuple(len(p) for p in priors)
        self.length, self.share = sum(self.sizes), share
        self.offsets = torch.tensor([0, *self.sizes]).cumsum(0)[:-1]
        shares = [torch.softmax(p.double(), dim=0) for p in priors]
        laws = [torch.log1p(rows * p) for p in shares]
        self.shares = torch.cat(shares).float() if shares else torch.empty(0)
        weights = [(q / q.sum() / p) ** balance for p, q in zip(shares, laws, strict=True)]
        self.weights = torch.cat(weights).float().clamp(max=HEAVIEST) if weights else torch.empty(0)

    def vectors(self, name: Tensor, level: Tensor) -> Tensor:
        """One-hot vectors. **Shape**: (n,), (n,) -> (n, V)."""
        out = torch.zeros(len(name), self.length, device=name.device)
        if not self.length:
            return out
        return out.scatter_(1, (self.offsets.to(name.device)[name] + level)[:, None], 1.0)

    def of(self, cat: Tensor) -> tuple[Tensor, Tensor]:
        """A condition each row fulfils, and the weight of the row, 1 on average.

        **Shape**: names (n, a) -> (n, V), (n,).
        """
        condition, weight = self.alone(cat)
        return condition, weight / weight.mean() if self.length else weight

    def alone(self, cat: Tensor) -> tuple[Tensor, Tensor]:
        """The same where no row may lean on others: weights are 1 on average by the shares, not in these rows."""
        n, device = len(cat), cat.device
        if not self.length:
            return torch.zeros(n, 0, device=device), torch.ones(n, device=device)
        name = torch.randint(len(self.sizes), (n,), device=device)
        level = cat.gather(1, name[:, None]).squeeze(1)
        weight = self.weights.to(device)[self.offsets.to(device)[name] + level]
        under = torch.rand(n, device=device) < self.share
        weight = torch.where(under, weight, 1.0)
        return self.vectors(name, level) * under[:, None], weight

    def drawn(self, n: int, generator: torch.Generator, device: torch.device) -> Tensor:
        """Conditions by the shares of the table; none where rows need not come under one. **Shape**: (n, V)."""
        if not self.length or self.share < 1:
            return torch.zeros(n, self.length, device=device)
        return self.likely(n, generator, device)

    def likely(self, n: int, generator: torch.Generator, device: torch.device) -> Tensor:
        """Conditions by the shares of the table, one for every row. **Shape**: (n, V)."""
        if not self.length:
            return torch.zeros(n, 0, device=device)
        # the shares of all names, laid one behind the other, are the law of (name, level) with equal chances of names
        u = torch.rand(n, generator=generator, device=generator.device).to(device) * len(self.sizes)
        where = torch.searchsorted(self.shares.to(device).cumsum(0), u, right=True).clamp(max=self.length - 1)
        return torch.zeros(n, self.length, device=device).scatter_(1, where[:, None], 1.0)
