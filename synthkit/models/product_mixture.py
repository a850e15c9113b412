"""A mixture of products of categorical laws: every marginal and every conditional in closed form."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

MIN_PROBABILITY = 1e-30  # below it a probability counts as this much, so that its logarithm is a number


class ProductMixture(nn.Module):
    """p(x) = sum_k pi_k prod_j P_k,j(x_j), with pi = softmax(weights) and P_k,j = softmax(logits of slot j + bias).

    Rows of a level-first matrix belong to (slot, level), its columns to components, so that a slot is a slice.

    Args:
        sizes: levels of every slot.
        components: K.

    **Shape**: `logits` (D, K) with D the sum of sizes; `weights` (K,); `bias` (D,), which is not learned.

    Example:
        >>> mixture = ProductMixture((2, 3), components=4)
        >>> tuple(mixture.table((0, 1)).shape)
        (2, 3)
    """

    bias: Tensor

    def __init__(self, sizes: Sequence[int], components: int) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.starts = tuple(sum(self.sizes[:j]) for j in range(len(self.sizes)))
        self.logits = nn.Parameter(torch.zeros(sum(self.sizes), components))
        self.weights = nn.Parameter(torch.zeros(components))
        self.register_buffer("bias", torch.zeros(sum(self.sizes)))

    def slot(self, j: int) -> slice:
        """Rows of slot j."""
        return slice(self.starts[j], self.starts[j] + self.sizes[j])

    def laws(self) -> Tensor:
        """P of every slot and component. **Shape**: (D, K), every slot's columns summing to 1."""
        parts = torch.split(self.logits + self.bias[:, None], list(self.sizes))
        return torch.cat([torch.softmax(part, dim=0) for part in parts])

    def shares(self) -> Tensor:
        """Weight of every component, pi. **Shape**: (K,)."""
        return torch.softmax(self.weights, dim=0)

    def table(self, scope: Sequence[int], laws: Tensor | None = None) -> Tensor:
        """Joint law of a few slots. **Shape**: their sizes, in the order of `scope`.

        Args:
            scope: slots, at least one.
            laws: what `laws()` gave, if it is at hand.
        """
        laws = self.laws() if laws is None else laws
        mixed = laws[self.slot(scope[-1])] * self.shares()
        if len(scope) == 1:
            return mixed.sum(dim=1)
        front = laws[self.slot(scope[0])]
        for j in scope[1:-1]:
            front = (front[:, None, :] * laws[self.slot(j)][None]).flatten(0, 1)
        return (front @ mixed.T).view([self.sizes[j] for j in scope])


class MixtureEvidence:
    """What known slots say of the components: log pi_k + sum_known log P_k,j(x_j), for many rows at once.

    Args:
        laws: P of every slot and component. **Shape**: (D, K).
        shares: pi. **Shape**: (K,).
        starts: first row of each slot.
    """

    def __init__(self, laws: Tensor, shares: Tensor, starts: Sequence[int]) -> None:
        self._laws = laws
        self._log_shares = shares.clamp(min=MIN_PROBABILITY).log()
        self._starts = torch.tensor(starts, device=laws.device)
        blank = torch.zeros((1, laws.shape[1]), device=laws.device)
        self._log_laws = torch.cat([laws.clamp(min=MIN_PROBABILITY).log(), blank])

    def of(self, cat: Tensor, partly: Sequence[tuple[int, Tensor, Tensor]] = ()) -> Tensor:
        """Log-weight of every component, its logsumexp the log-probability of what is known.

        Args:
            cat: known levels, -1 where unknown. **Shape**: (n, d).
            partly: slots known to lie in a set: index, sets **Shape** (p, K_j) bool, and which applies to each row
                **Shape** (n,). Of slots known whole the set is not asked.

        **Shape**: -> (n, K).
        """
        nothing = len(self._log_laws) - 1
        index = torch.where(cat >= 0, cat + self._starts, nothing)
        rows = [self._log_laws]
        more, at = [index], len(self._log_laws)
        for j, sets, which in partly:
            start = int(self._starts[j])
            mass = sets.to(self._laws.dtype) @ self._laws[start : start + sets.shape[1]]
            rows.append(mass.clamp(min=MIN_PROBABILITY).log())
            more.append(torch.where(cat[:, j] >= 0, nothing, which + at)[:, None])
            at += len(sets)
        told = nn.functional.embedding_bag(torch.cat(more, dim=1), torch.cat(rows), mode="sum")
        return told + self._log_shares
