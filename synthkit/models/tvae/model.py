r"""Variational autoencoder of tables: a learned law of latent codes, and a decoder that draws levels and never blurs.

p(x) = integral of p(z) prod_j p(x_j | z, the columns before j) dz; trained on the evidence lower bound
log p(x) >= E_q[log p(x | z) + log p(z) - log q(z | x)], asked through the tighter bound of many codes.

References:
    Kingma, Welling: Auto-encoding variational Bayes (2014).
    Xu, Skoularidou, Cuesta-Infante, Veeramachaneni: Modeling tabular data using conditional GAN (2019), for TVAE.
    Burda, Grosse, Salakhutdinov: Importance weighted autoencoders (2016), for the bound.
    Chen et al.: Variational lossy autoencoder (2017), for a learned law and a decoder in view of what came before.
    Bowman et al.: Generating sentences from a continuous space (2016), for hiding cells from the decoder.
    Ma et al.: EDDI (2019), for an encoder of partly known rows.
    Owen, Zhou: Safe and effective importance sampling (2000), for the mixture that proposes codes.

NOTE[DIFF]: numbers are levels, not Gaussians around modes, so nothing is blurred; the law of the codes is a flow
learned with the rest, so what is drawn from it is what the encoder fills; in small tables columns see those before
them in one linear look; the loss has no weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from synthkit.encoding.layout import ConstraintMask, Given, Rows
from synthkit.models.base import Capability, NetworkModel
from synthkit.models.sampling import draw, draw_allowed, residuals
from synthkit.models.tvae.config import TVAEConfig
from synthkit.models.tvae.network import LatentNetwork, negative_elbo
from synthkit.training.layers.gated_blocks import normal
from synthkit.training.matrix_precision import fast_matrices

CODES_AT_ONCE = 8192  # codes decoded at once
MIN_WEIGHT = 1e-30  # so that no weight is infinite
ASKED = 2048  # codes of which all slots are asked at once


class TVAE(NetworkModel):
    """Variational autoencoder: bounds on log-probabilities, an encoder for odd records, approximate conditionals.

    What row rules forbid is left out slot by slot while drawing; bounds are of the law before that.

    Args:
        layout: the slots.
        config: settings.
    """

    Config: ClassVar[type[TVAEConfig]] = TVAEConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.LOG_PROB}
    _config: TVAEConfig
    _network: LatentNetwork

    def build(self) -> LatentNetwork:
        """Encoder, decoder and the law of the codes."""
        c = self._config
        return LatentNetwork(
            self.layout,
            width=c.width,
            hidden=c.hidden,
            latent=c.latent,
            blocks=c.blocks,
            couplings=c.couplings,
            context=c.context,
            dropout=c.dropout or 0.0,
        )

    def resolved(self, n: float) -> TVAEConfig:
        """The rest chosen for n rows."""
        return self._config.settled(n)

    def loss(self, network: LatentNetwork, rows: Rows) -> Tensor:
        """Minus the evidence lower bound of each row."""
        c = self._config
        cat = rows.cat.long()
        return negative_elbo(network, cat, input_dropout=c.input_dropout, forget=c.forget, partial=c.partial)

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Rows:
        """Draw n rows: a code from its law, then every slot. **Shape**: Rows of n."""
        given = Given(torch.full((n, len(self.layout.slots)), -1, dtype=torch.long), {})
        network, out = self._network, []
        with fast_matrices():
            for part in _parts(given, CODES_AT_ONCE):
                z = network.law.sample(len(part), generator, network.offsets.device)
                out.append(self._decode(part.to(z.device), z, generator)[0])
        cat = torch.cat(out)
        return Rows(cat, residuals(n, self.layout, generator).to(cat.device))

    @torch.no_grad()
    def sample_given(self, given: Given, generator: torch.Generator, *, tries: int | None = None) -> Rows:
        """Complete rows, approximately: many completions of each are drawn, and one is chosen by its weight.

        A completion starts from a code, proposed by the law of the codes or by the encoder of what is known, half and
        half; known slots are held, the others drawn in turn. Its weight is p(z) prod_known p(x_j | z, before j) /
        proposal(z), of slots known in part the admissible mass. Exact as `samples` grows.

        **Shape**: Given of n -> Rows of n.
        """
        many, out = tries or self._config.samples, []
        with fast_matrices():
            for part in _parts(given, max(1, CODES_AT_ONCE // many)):
                here = part.to(self._network.offsets.device)
                cats, log_weights = self._completions(here, here.cat.clamp(min=0), [here.known()], generator, many)
                chosen = draw(torch.softmax(log_weights.T, dim=1), generator)
                out.append(cats[chosen, torch.arange(len(here), device=chosen.device)])
        cat = torch.cat(out)
        return Rows(cat, residuals(len(cat), self.layout, generator).to(cat.device))

    def _completions(
        self, given: Given, cat: Tensor, views: list[Tensor], generator: torch.Generator, many: int
    ) -> tuple[Tensor, Tensor]:
        """Completions of each row, their codes in equal shares from the law and from the encoder of each view.

        Args:
            given: what is held.
            cat: levels of all cells in a view. **Shape**: (n, D).
            views: cells the encoder is shown. **Shape**: (n, D) bool each.
            generator: of the draws.
            many: completions of a row; as many from the law and from each view, one at least.

        **Shape**: -> (S, n, D) levels, (S, n) log-weights, such that their mean estimates p(known).
        """
        network, n = self._network, len(given)
        m, size = max(1, many // (1 + len(views))), network.latent
        posteriors = [network.encode(cat, view & self.layout.applicable(cat)) for view in views]
        noise = _noise((len(views), m, n, size), generator, cat.device)
        own = network.law.sample(m * n, generator, cat.device).view(m, n, size)
        z = torch.cat([own, *(q.at(e) for q, e in zip(posteriors, noise, strict=True))])
        law = network.law.log_prob(z.view(-1, size)).view(len(z), n)
        proposal = torch.logsumexp(torch.stack([law, *(q.log_prob(z) for q in posteriors)]), dim=0)
        every = Given(
            given.cat.repeat(len(z), 1),
            {j: (table, which.repeat(len(z))) for j, (table, which) in given.allowed.items()},
        )
        cats, evidence = self._decode(every, z.view(-1, size), generator)
        log_weights = law + evidence.view(len(z), n) - proposal + math.log(1 + len(views))
        return cats.view(len(z), *cat.shape), log_weights

    def _decode(self, given: Given, z: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Every slot not known drawn in turn inside what is admissible, and the log-probability of what is known.

        **Shape**: Given of n, (n, L) -> (n, D), (n,).
        """
        network, layout = self._network, self.layout
        n, known, cat = len(given), given.known(), given.cat.clamp(min=0)
        admissible = ConstraintMask(layout, n, given, z.device)
        for j in range(cat.shape[1]):
            admissible.observe(j, given.cat[:, j])
        links, heads, biases = (
            torch.split(t, list(layout.sizes)) for t in (network.links(), network.heads(), network.bias)
        )
        state, evidence = network.states(z), torch.zeros(n, device=z.device)
        applies = torch.ones_like(known)
        before = state  # in view of all slots so far: a running sum, where a slot sees them all
        for j, slot in enumerate(layout.slots):
            seen = torch.nonzero(network.shown[j]).ravel().tolist()
            here = before if seen == list(range(j)) else state
            for i in seen if here is state else ():
                here = here + links[i][cat[:, i]] * applies[:, i : i + 1]
            logits = torch.addmm(biases[j], normal(here), heads[j].T)
            if slot.parent is not None:
                logits += network.base(j, cat[:, slot.parent])
            p = torch.softmax(logits, dim=1)
            level, told = _settle(p, known[:, j], cat[:, j], admissible.mask(j), j in given.allowed, generator)
            if slot.parent is not None:
                applies[:, j] = torch.from_numpy(slot.applies).to(z.device)[cat[:, slot.parent]]
            cat[:, j] = torch.where(applies[:, j], level, 0)
            evidence += torch.where(applies[:, j], told, 0.0)
            before = before + links[j][cat[:, j]] * applies[:, j : j + 1]
            admissible.observe(j, cat[:, j])
        return cat, evidence

    @torch.no_grad()
    def log_prob_given(self, rows: Rows, given: Given, aim: Tensor) -> Tensor:
        """Log-probability of the slots in `aim` given the known ones, nats: log p(known, aim) - log p(known).

        Both are estimated from the weights of completions, as in `sample_given`; asked twice, from the same ones.

        **Shape**: Rows of n, Given of n, `aim` (n, d) bool -> (n,).
        """
        device = self._network.offsets.device
        size = max(1, CODES_AT_ONCE // self._config.samples)
        out = []
        for start in range(0, max(len(given), 1), size):
            here = slice(start, start + size)
            part = given[here].to(device)
            cat, wanted = (t[here].to(device) for t in (rows.cat.long().clamp(min=0), aim))
            both = part.known() | wanted
            views = [part.known(), both]
            estimates = []
            for known in views:
                held = Given(torch.where(known, cat, -1), {})
                same = torch.Generator().manual_seed(0)
                log = self._completions(held, cat, views, same, self._config.samples)[1]
                estimates.append(log.logsumexp(dim=0))
            out.append(estimates[1] - estimates[0])
        return torch.cat(out)

    @torch.no_grad()
    def bound(self, rows: Rows, generator: torch.Generator, samples: int | None = None) -> Tensor:
        """Lower bound on the log-probability of the levels of each row, nats; tighter the more codes it asks.

        log mean_k p(x | z_k) p(z_k) / q(z_k | x), z_k from the encoder; in expectation below log p(x), and rising in k.

        **Shape**: Rows of n -> (n,).
        """
        return torch.cat(
            [log.logsumexp(dim=0) - math.log(len(log)) for log, _ in self._weighed(rows, generator, samples)]
        )

    @torch.no_grad()
    def negative_log_prob(self, rows: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Minus the bound, and what of it each slot contributes: minus log p(x_j | z), averaged over the row's codes.

        The contributions leave out what the code itself costs, log q(z | x) - log p(z).

        **Shape**: Rows of n -> (n,), (n, d).
        """
        totals, parts = [], []
        for log, terms in self._weighed(rows, generator, None):
            totals.append(math.log(len(log)) - log.logsumexp(dim=0))
            parts.append(-(torch.softmax(log, dim=0)[..., None] * terms).sum(dim=0))
        return torch.cat(totals), torch.cat(parts)

    def _weighed(self, rows: Rows, generator: torch.Generator, samples: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        """Log-weights of codes from the encoder, and the terms of the slots. **Shape**: (S, b), (S, b, D) a part."""
        network, many = self._network, samples or self._config.samples
        for cat in torch.split(rows.cat.long().to(network.offsets.device), max(1, ASKED // many)):
            applies = self.layout.applicable(cat)
            posterior = network.encode(cat, applies)
            z = posterior.at(_noise((many, len(cat), network.latent), generator, cat.device))
            flat, every, seen = z.view(-1, network.latent), cat.repeat(many, 1), applies.repeat(many, 1)
            terms = network.terms(network.states(flat), every, seen).T * seen
            terms = terms.view(many, *cat.shape)
            law = network.law.log_prob(flat).view(many, len(cat))
            yield terms.sum(dim=2) + law - posterior.log_prob(z), terms


def _parts(given: Given, size: int) -> Iterator[Given]:
    for start in range(0, max(len(given), 1), size):
        yield given[slice(start, start + size)]


def _noise(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device).to(device)


def _settle(
    p: Tensor, known: Tensor, cat: Tensor, mask: Tensor | None, partly: bool, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The level of a slot, drawn where it is not known, and the log-probability of what is known of it.

    Args:
        p: law of the slot. **Shape**: (n, K).
        known: rows in which it is known. **Shape**: (n,).
        cat: known levels. **Shape**: (n,).
        mask: admissible levels, if not all. **Shape**: (n, K).
        partly: whether the mask is knowledge; what rules forbid is not.
        generator: of the draws.
    """
    told = torch.where(known, p.gather(1, cat[:, None]).squeeze(1).clamp(min=MIN_WEIGHT).log(), 0.0)
    if mask is not None and partly:
        told = torch.where(known, told, (p * mask).sum(dim=1).clamp(min=MIN_WEIGHT).log())
    return torch.where(known, cat, draw_allowed(p, mask, generator)), told
