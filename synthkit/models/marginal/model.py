"""A mixture of products fitted to counts of a few slots: the model for small budgets, and exact conditionals.

p(x) = sum_k pi_k prod_j P_k,j(x_j) over the coarse slots; a fine level is drawn given its coarse one, from the law that
came with the coding. Nothing but counts of one to five slots is ever asked of real rows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

from synthkit.encoding.coding import Coding
from synthkit.encoding.layout import ConstraintMask, Given, Layout, Rows
from synthkit.encoding.slot_counts import Counting
from synthkit.models.balanced_halving import balanced_half
from synthkit.models.base import Capability, CountModel, TrainingLog
from synthkit.models.marginal.adaptive_measurement import measure_adaptively
from synthkit.models.marginal.config import MarginalConfig
from synthkit.models.marginal.dependent_slots import DependentSlots, Levels
from synthkit.models.product_mixture import MIN_PROBABILITY, MixtureEvidence, ProductMixture
from synthkit.models.sampling import draw, draw_allowed, fine_law, residuals
from synthkit.models.stratified_sampling import resampled, stratified
from synthkit.training.callbacks import TrainingCallbacks

MIXTURE_CHUNK = 4096  # rows whose components are weighed at once


class Marginal(CountModel):
    """Mixture of products: exact log-probabilities, exact conditionals, evenly spread draws.

    What row rules forbid is left out slot by slot while drawing; probabilities are of the law before that.

    Args:
        layout: the slots; coarse ones should have few levels, about equally heavy or heavy by themselves.
        config: settings.

    Attributes:
        rows: number of rows as it was measured, None before a fit. Draw so many; the true number is not told.
    """

    coding: ClassVar[Coding] = Coding(exact=24, heavy=0.04, coarse=14, fine=256)
    Config: ClassVar[type[MarginalConfig]] = MarginalConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self, layout: Layout, config: MarginalConfig | None = None) -> None:
        super().__init__(layout, config)
        self._config: MarginalConfig
        self._coarse = [j for j, slot in enumerate(layout.slots) if slot.parent is None]
        self._fine = {slot.parent: j for j, slot in enumerate(layout.slots) if slot.parent is not None}
        sizes = [layout.sizes[j] for j in self._coarse]
        self._mixture, self._followers = ProductMixture(sizes, self._config.components), DependentSlots(sizes)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            priors = [torch.from_numpy(layout.slots[j].prior) for j in self._coarse]
            self._mixture.logits.normal_(0, self._config.spread, generator=generator)
            self._mixture.logits.add_(torch.cat([*priors, torch.empty(0)])[:, None])
        self._settle()

    def fit_counts(
        self,
        counting: Counting,
        seed: int,
        callbacks: TrainingCallbacks | None = None,
        device: torch.device | None = None,
        *,
        outcomes: Sequence[int] = (),
    ) -> TrainingLog:
        """Spend the whole budget of `counting` and fit the tables it tells; the plan never depends on time.

        Args:
            counting: counts of the coarse slots, in the order of the layout.
            seed: of initial logits and candidates; never of noise.
            callbacks: who is told of each step.
            device: where to fit; the processor if not given.
            outcomes: slots that are to be predicted, as `counting` numbers them.
        """
        since, callbacks = time.monotonic(), callbacks or TrainingCallbacks()
        learned = measure_adaptively(
            counting,
            self._config.split(),
            self._config.course(),
            torch.Generator().manual_seed(seed),
            device or torch.device("cpu"),
            callbacks.on_step,
            outcomes=outcomes,
        )
        self.rows = learned.rows
        self._followers.take(learned.followers)
        mixture = {"logits": learned.logits, "weights": learned.weights}
        self.load_tensors(mixture | self._followers.tensors(), device or torch.device("cpu"))
        n, at = len(learned.losses), range(25, len(learned.losses) + 1, 25)
        return TrainingLog(
            steps=n,
            planned=n,
            best_step=n,
            seconds=time.monotonic() - since,
            at=tuple(at),
            train=tuple(sum(learned.losses[k - 25 : k]) / 25 for k in at),
        )

    @torch.no_grad()
    def _settle(self) -> None:
        """Laws and shares as they are used to draw and to weigh."""
        self._laws, self._shares = self._mixture.laws(), self._mixture.shares()
        self._evidence = MixtureEvidence(self._laws, self._shares, self._mixture.starts)
        self._drawn = [self._laws[self._mixture.slot(k)].T.cpu() for k in range(len(self._coarse))]

    def sample(self, n: int, generator: torch.Generator) -> Rows:
        """Draw n rows, spread evenly over components, levels and pairs of levels. **Shape**: Rows of n.

        Twice as many are drawn, alike by component, and of each two the one is taken that evens out the tables of two.
        """
        given = Given(torch.full((2 * n, len(self.layout.slots)), -1, dtype=torch.long), {})
        component = resampled(self._shares.cpu(), 2 * n, generator)
        cat = self._fill(given, component, generator)
        fine = list(self._fine.values())
        columns, sizes = [*self._coarse, *fine], self.layout.sizes
        half = balanced_half(cat[:, columns], [sizes[j] for j in columns], len(fine), generator)
        taken = cat[half[torch.randperm(n, generator=generator)]]
        return Rows(taken, residuals(n, self.layout, generator))

    def sample_given(self, given: Given, generator: torch.Generator, *, tries: int | None = None) -> Rows:
        """Known slots stay, the others follow their law given them, exactly. **Shape**: Given of n -> Rows of n."""
        del tries
        out = []
        for part in _parts(given):
            here = part.to(self._laws.device)
            weights = self._weigh(here.cat[:, self._coarse], self._allowed(here))
            component = draw(torch.softmax(weights, dim=1), generator).cpu()
            out.append(self._fill(replace(part.to("cpu"), cat=part.cat.cpu().clone()), component, generator))
        return Rows(torch.cat(out), residuals(len(given), self.layout, generator))

    def _fill(self, given: Given, component: Tensor, generator: torch.Generator) -> Tensor:
        """Unknown slots filled in, where they are; fine ones given their coarse one. **Shape**: (n,) -> (n, d)."""
        cat, n = given.cat, len(given)
        admissible = ConstraintMask(self.layout, n, given, cat.device)
        for j in range(cat.shape[1]):
            admissible.observe(j, cat[:, j])
        led = bool((self._followers.leaders >= 0).any())
        known, allowed = cat[:, self._coarse] if led else cat, self._allowed(given)  # a copy: what is known at first
        for k in self._followers.order:
            j, leader = self._coarse[k], int(self._followers.leaders[k])
            if leader < 0:
                told = self._followers.told(k, known, allowed) if led else None
                self._draw(j, self._drawn[k], component, cat, admissible, generator, told)
            else:
                law, above = self._followers.law(k), cat[:, self._coarse[leader]]
                self._draw(j, law, above, cat, admissible, generator)
            if j in self._fine:
                law = fine_law(self.layout.slots[self._fine[j]])
                self._draw(self._fine[j], law, cat[:, j], cat, admissible, generator)
        return cat

    def _draw(
        self,
        j: int,
        laws: Tensor,
        group: Tensor,
        cat: Tensor,
        admissible: ConstraintMask,
        generator: torch.Generator,
        told: Tensor | None = None,
    ) -> None:
        """Draw slot j where it is not known, from the law of each row's group times what its dependent slots say of it.

        **Shape**: laws (G, K), group (n,), cat (n, d), told (n, K).
        """
        mask, unknown = admissible.mask(j), cat[:, j] < 0
        if mask is None and told is None:
            cat[unknown, j] = stratified(laws, group[unknown], generator)
        else:
            p = laws[group]
            if told is not None:
                p = torch.where((p * told).sum(dim=1, keepdim=True) > 0, p * told, p)
            cat[:, j] = torch.where(unknown, draw_allowed(p, mask, generator), cat[:, j])
        admissible.observe(j, cat[:, j])

    def _allowed(self, given: Given) -> dict[int, tuple[Tensor, Tensor]]:
        """Coarse slots known to lie in a set, as the mixture counts them."""
        return {k: given.allowed[j] for k, j in enumerate(self._coarse) if j in given.allowed}

    def _weigh(self, cat: Tensor, allowed: Levels) -> Tensor:
        """Log-weight of every component given what is known, its logsumexp the log-probability of that.

        **Shape**: (n, C), -1 where unknown -> (n, K).
        """
        cat, certain, partly = cat.clone(), torch.zeros(len(cat), device=cat.device), dict(allowed)
        for leader in sorted({int(k) for k in self._followers.leaders if k >= 0}):
            told = self._followers.told(leader, cat, allowed)
            if told is None:
                continue
            here = cat[:, leader]
            said = told.gather(1, here.clamp(min=0)[:, None])[:, 0].clamp(min=MIN_PROBABILITY).log()
            certain += torch.where(here >= 0, said, 0.0)
            sets, which = allowed.get(leader, (torch.ones(1, told.shape[1]), torch.zeros(len(cat), dtype=torch.long)))
            partly[leader] = told * sets.to(told)[which.to(told.device)], torch.arange(len(cat), device=cat.device)
        followers = self._followers.leaders >= 0
        cat[:, followers.to(cat.device)] = -1
        own = [(k, *sets) for k, sets in partly.items() if not followers[k]]
        return self._evidence.of(cat, own) + certain[:, None]

    def log_prob(self, rows: Rows) -> Tensor:
        """Log-probability of the levels of each row, nats, exactly. **Shape**: Rows of n -> (n,)."""
        d = len(self.layout.slots)
        nothing = Given(torch.full((len(rows), d), -1, dtype=torch.long), {})
        return self.log_prob_given(rows, nothing, torch.ones((len(rows), d), dtype=torch.bool))

    def log_prob_given(self, rows: Rows, given: Given, aim: Tensor) -> Tensor:
        """Log-probability of the slots in `aim` given the known ones, nats, exactly; fine ones given their coarse one.

        **Shape**: Rows of n, Given of n, `aim` (n, d) bool -> (n,).
        """
        out, cat = [], rows.cat.long()
        for start in range(0, max(len(cat), 1), MIXTURE_CHUNK):
            here = slice(start, start + MIXTURE_CHUNK)
            part, wanted, levels = given[here].to(self._laws.device), aim[here], cat[here]
            allowed, known = self._allowed(part), part.cat[:, self._coarse]
            told = wanted[:, self._coarse].to(known.device)
            both = torch.where(told, levels[:, self._coarse].to(known.device), known)
            log = self._weigh(both, allowed).logsumexp(dim=1) - self._weigh(known, allowed).logsumexp(dim=1)
            out.append(log.cpu() + (self._fine_parts(levels) * wanted.cpu()).sum(dim=1))
        return torch.cat(out)

    def negative_log_prob(self, rows: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Minus the log-probability, and minus that of each slot given those before it. **Shape**: (n,), (n, d)."""
        del generator
        out = []
        for levels in torch.split(rows.cat.long(), MIXTURE_CHUNK):
            parts = -self._fine_parts(levels)
            known = torch.full((len(levels), len(self._coarse)), -1, device=self._laws.device)
            before = self._weigh(known, {}).logsumexp(dim=1)
            for k, j in enumerate(self._coarse):
                known[:, k] = levels[:, j].to(known.device)
                after = self._weigh(known, {}).logsumexp(dim=1)
                parts[:, j] = (before - after).clamp(min=0).cpu()
                before = after
            out.append(parts)
        parts = torch.cat(out)
        return parts.sum(dim=1), parts

    def _fine_parts(self, levels: Tensor) -> Tensor:
        """Log-probability of each fine level given its coarse one; 0 elsewhere. **Shape**: (n, d) -> (n, d)."""
        out = torch.zeros(levels.shape)
        for parent, j in self._fine.items():
            slot, above = self.layout.slots[j], levels[:, parent].cpu()
            prior = torch.from_numpy(slot.prior)[above, levels[:, j].cpu()]
            out[:, j] = torch.where(torch.from_numpy(slot.applies)[above], prior, 0.0)
        return out

    def tensors(self) -> dict[str, Tensor]:
        """Log-laws, log-shares, and laws of dependent slots: the noisy tables are not kept, nor anything exact."""
        mixture = {k: v.detach().cpu().contiguous() for k, v in self._mixture.named_parameters()}
        return mixture | self._followers.tensors()

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""
        with torch.no_grad():
            for name, parameter in self._mixture.named_parameters():
                parameter.copy_(tensors[name])
        self._followers.load(tensors)
        self._mixture.to(device)
        self._settle()


def _parts(given: Given) -> Iterator[Given]:
    for start in range(0, max(len(given), 1), MIXTURE_CHUNK):
        yield given[slice(start, start + MIXTURE_CHUNK)]
