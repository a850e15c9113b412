"""Rows of a trained generator: candidates are drawn, weighed by what is known and by their odds, and one is chosen."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthkit.encoding.layout import ConstraintMask, Given, Layout, Rows
from synthkit.models.ctgan.conditional_vector import Conditions
from synthkit.models.ctgan.generator import Generator
from synthkit.models.density_ratio import DensityRatio
from synthkit.models.marginal_correction import Marginals
from synthkit.models.normal_scores import KnownScores, MixedRows, NormalScores
from synthkit.models.sampling import draw, draw_allowed, fine_law, residuals

BANDWIDTH = 0.25  # standard deviations by which a drawn score may miss a known one
AGAINST = -50.0  # log-weight of a candidate that had to be bent to what is known in part
CANDIDATES_AT_ONCE = 16_384  # candidates at once


class RejectionSampler(nn.Module):
    """What a fitted GAN needs to draw: generator, marginals and odds.

    A generator makes the names of a row independent given its noise z, so a candidate z weighs
    p(known names | z) K(known scores - scores(z)) odds(row)^trust, K a Gaussian kernel: importance resampling.

    Args:
        layout: the slots.
        mixture: passage between slots and names and scores.
        generator: of names and scores.
        odds: that a row is real rather than loose; None if candidates are not chosen by it. How far they can be trusted
            is a buffer.
        condition: share of rows the generator was trained on under a condition.
    """

    def __init__(
        self,
        layout: Layout,
        mixture: NormalScores,
        generator: Generator,
        odds: DensityRatio | None,
        condition: float = 1.0,
    ) -> None:
        super().__init__()
        self.layout, self.mixture = layout, mixture
        self.generator, self.odds = generator, odds
        self.marginals = Marginals(mixture.scores, sum(mixture.sizes))
        self.register_buffer("trust", torch.ones(()))
        self.trust: Tensor
        self._conditions = Conditions(mixture.priors, 1, share=condition)
        self._numbers = [layout.slots_of(c)[0] for c in dict.fromkeys(layout.columns)]
        self._numbers = [j for j in self._numbers if j not in mixture.plain]

    @torch.no_grad()
    def raw(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Scores and logits before marginals are set right. **Shape**: (n, b), (n, V)."""
        device = self.marginals.shift.device
        condition = self._conditions.drawn(n, generator, device)
        return self._outputs(condition, generator)

    @torch.no_grad()
    def loose(self, n: int, generator: torch.Generator) -> tuple[Rows, Tensor]:
        """Candidates as they come, whatever rules say of them, and their logits. **Shape**: Rows of n, (n, V)."""
        scores, logits = self.settled(*self.raw(n, generator))
        return self._drawn(scores, logits, None, generator), logits

    @torch.no_grad()
    def rows(self, n: int, candidates: int, generator: torch.Generator) -> Rows:
        """Each row chosen among so many candidates, then bent to the rules. **Shape**: Rows of n."""
        many = candidates if self.odds is not None else 1
        parts = []
        for start in range(0, max(n, 1), CANDIDATES_AT_ONCE // many):
            size = min(CANDIDATES_AT_ONCE // many, n - start)
            drawn, logits = self.loose(size * many, generator)
            best = self._chosen(drawn, torch.zeros(len(drawn), device=logits.device), many, generator)
            chosen = drawn[best]
            parts.append(self._bent(chosen, logits[best], None, generator)[0] if self.layout.clauses else chosen)
        return Rows.cat_rows(parts)

    @torch.no_grad()
    def completed(self, given: Given, candidates: int, generator: torch.Generator) -> Rows:
        """Each row completed by one of so many candidates. **Shape**: Given of n -> Rows of n."""
        device, parts = self.marginals.shift.device, []
        for start in range(0, max(len(given), 1), max(CANDIDATES_AT_ONCE // candidates, 1)):
            part = given[slice(start, start + max(CANDIDATES_AT_ONCE // candidates, 1))].to(device)
            part = part[torch.arange(len(part), device=device).repeat_interleave(candidates)]
            known = self.mixture.known(part, generator)
            condition, asked = self._asked(known, generator)
            scores, logits = self.settled(*self._outputs(condition, generator))
            weights = self._agreement(scores, logits, known, asked)
            drawn = self._drawn(scores, logits, known, generator)
            drawn, bent = self._bent(drawn, logits, part, generator)
            parts.append(drawn[self._chosen(drawn, weights + AGAINST * bent, candidates, generator)])
        return Rows.cat_rows(parts)

    def settled(self, scores: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and logits with marginals set right. **Shape**: (n, b), (n, V), as they came."""
        return self.marginals.scores(scores), self.marginals.logits(logits)

    def _outputs(self, condition: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        shape = (len(condition), self.generator.noise)
        noise = torch.randn(shape, generator=generator, device=generator.device).to(condition.device)
        out: tuple[Tensor, Tensor] = self.generator(noise, condition)
        return out

    def _chosen(self, rows: Rows, weights: Tensor, many: int, generator: torch.Generator) -> Tensor:
        """Which one of every `many` rows, by weights (logarithms) and odds. **Shape**: Rows of n -> (n / many,)."""
        if many == 1:
            return torch.arange(len(rows), device=weights.device)
        if self.odds is not None:
            weights = weights + self.trust * self.odds(rows)
        noise = _gumbel(weights, generator)
        best = (weights + noise).reshape(-1, many).argmax(dim=1)
        return best + torch.arange(len(best), device=best.device) * many

    def _asked(self, known: KnownScores, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Conditions that ask for the rarest known name of each row, and which name that is, -1 if none is known."""
        n, device = known.cat.shape[0], known.cat.device
        free = self._conditions.drawn(n, generator, device)
        if not known.cat.shape[1] or not self._conditions.share:
            return free, torch.full((n,), -1, device=device)
        shares = self._conditions.shares.to(device)[self._conditions.offsets.to(device) + known.values.cat]
        rarest = torch.where(known.cat, shares, torch.inf).argmin(dim=1)
        level = known.values.cat.gather(1, rarest[:, None]).squeeze(1)
        some = known.cat.any(dim=1)
        asked = torch.where(some[:, None], self._conditions.vectors(rarest, level), free)
        return asked, torch.where(some, rarest, -1)

    def _agreement(self, scores: Tensor, logits: Tensor, known: KnownScores, asked: Tensor) -> Tensor:
        """Log-weight of each candidate by what is known. **Shape**: (n,)."""
        gap = torch.where(known.num, (scores - known.values.num) / BANDWIDTH, 0.0)
        out = -0.5 * gap.square().sum(dim=1)
        for k, part in enumerate(torch.split(logits, list(self.mixture.sizes), dim=1)):
            log = torch.log_softmax(part, dim=1)
            own = log.gather(1, known.values.cat[:, k : k + 1]).squeeze(1)
            out = out + torch.where(known.cat[:, k] & (asked != k), own, 0.0)  # what was asked for is in z already
            if k in known.allowed:
                inside = log.masked_fill(~known.allowed[k], -torch.inf).logsumexp(dim=1).clamp(min=AGAINST)
                out = out + torch.where(known.cat[:, k], 0.0, inside)
        return out

    def _drawn(self, scores: Tensor, logits: Tensor, known: KnownScores | None, generator: torch.Generator) -> Rows:
        """Rows of scores and logits, known names in them. **Shape**: (n, b), (n, V) -> Rows of n."""
        parts = torch.split(logits + _gumbel(logits, generator), list(self.mixture.sizes), dim=1)
        names = torch.zeros(len(logits), len(parts), dtype=torch.long, device=logits.device)
        for k, part in enumerate(parts):
            inside = None if known is None else known.allowed.get(k)
            if inside is None:
                names[:, k] = part.argmax(dim=1)
            else:
                outside = ~inside & inside.any(dim=1, keepdim=True)
                names[:, k] = part.masked_fill(outside, -torch.inf).argmax(dim=1)
        if known is not None:
            names = torch.where(known.cat, known.values.cat, names)
        rows = self.mixture.join(MixedRows(names, scores, torch.ones_like(scores, dtype=torch.bool)), generator)
        return Rows(rows.cat, residuals(len(rows), self.layout, generator).to(rows.cat.device))

    def _bent(self, rows: Rows, logits: Tensor, given: Given | None, generator: torch.Generator) -> tuple[Rows, Tensor]:
        """Known cells written in and forbidden levels drawn again, numbers first, then names; and how many of these."""
        n, device = len(rows), rows.cat.device
        cat = rows.cat.clone()
        free = torch.ones_like(cat, dtype=torch.bool) if given is None else ~given.known()
        cat = cat if given is None else torch.where(free, cat, given.cat.long())
        admissible, bent = ConstraintMask(self.layout, n, given, device), torch.zeros(n, device=device)
        parts = dict(zip(self.mixture.plain, torch.split(logits, list(self.mixture.sizes), dim=1), strict=False))
        for j in range(cat.shape[1]):
            admissible.observe(j, torch.where(free[:, j], -1, cat[:, j]))
        for j in [*self._numbers, *self.mixture.plain]:
            mask = admissible.mask(j)
            if mask is not None:
                wrong = free[:, j] & ~mask.gather(1, cat[:, j : j + 1]).squeeze(1) & mask.any(dim=1)
                law = torch.softmax(parts[j], dim=1) if j in parts else self._prior(j, device).expand(n, -1)
                again = draw_allowed(law, mask, generator)
                cat[:, j] = torch.where(wrong, again, cat[:, j])
                bent = bent + wrong
            admissible.observe(j, cat[:, j])
        return Rows(self._fine(cat, rows.cat, free, generator), rows.num), bent

    def _fine(self, cat: Tensor, before: Tensor, free: Tensor, generator: torch.Generator) -> Tensor:
        """Fine levels under coarse ones that changed: drawn by their shares, 0 where none applies."""
        for j, slot in enumerate(self.layout.slots):
            if slot.parent is None:
                continue
            parent = cat[:, slot.parent]
            level = draw(fine_law(slot).to(cat.device)[parent], generator)
            applies = torch.from_numpy(slot.applies).to(cat.device)[parent]
            level = torch.where(parent != before[:, slot.parent], level, cat[:, j])
            cat[:, j] = torch.where(free[:, j], torch.where(applies, level, 0), cat[:, j])
        return cat

    def _prior(self, j: int, device: torch.device) -> Tensor:
        return torch.from_numpy(self.layout.slots[j].prior).to(device).exp()


def _gumbel(like: Tensor, generator: torch.Generator) -> Tensor:
    drawn = torch.rand(like.shape, generator=generator, device=generator.device).to(like.device)
    return -torch.log(-torch.log(drawn.clamp(1e-9, 1 - 1e-7)))
