r"""Variational autoencoder of tables: a learned law of latent codes, and a decoder that draws levels and never blurs.

p(x) = integral of p(z) prod_j p(x_j | z) dz; trained on the evidence lower bound
log p(x) >= E_q[log p(x | z) + log p(z) - log q(z | x)], asked through the tighter bound of many codes.

References:
    Kingma, Welling: Auto-encoding variational Bayes (2014).
    Xu, Skoularidou, Cuesta-Infante, Veeramachaneni: Modeling tabular data using conditional GAN (2019), for TVAE.
    Burda, Grosse, Salakhutdinov: Importance weighted autoencoders (2016), for the bound.
    Chen et al.: Variational lossy autoencoder (2017), for a learned law of the codes.
    Ma et al.: EDDI (2019), for an encoder of partly known rows.
    Owen, Zhou: Safe and effective importance sampling (2000), for the mixture that proposes codes.

NOTE[DIFF]: numbers are levels, not Gaussians around modes, so nothing is blurred; the law of the codes is a flow
learned with the rest, so what is drawn from it is what the encoder fills; the loss has no weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from synthkit.encode.numeric import Coding
from synthkit.encode.rows import Admissible, Given, Layout, Rows, Training
from synthkit.models import latent
from synthkit.models.base import TrainingLog, draw, residuals
from synthkit.models.latent import LatentNetwork
from synthkit.nn.train import Plan, fast_matrices, seeded, train
from synthkit.nn.watch import Watch

SMALL = 20_000  # rows below which a table is small
CHUNK = 8192  # codes decoded at once


@dataclass(frozen=True, kw_only=True)
class TVAEConfig:
    """Settings of the variational autoencoder; the defaults were measured, see docs/models.md.

    Args:
        width: H, length of states and value vectors.
        hidden: gated units a block.
        latent: L, coordinates of a code.
        blocks: gated blocks of the encoder, and of the decoder.
        couplings: of the law of the codes; with none it is the standard Gaussian.
        dropout: share of gated units dropped while training.
        input_dropout: share of cells hidden from the encoder while training.
        partial: share of rows trained as partly known ones, for `given` and `impute`.
        samples: codes a row for bounds and conditional draws.
        learning_rate: peak rate.
        weight_decay: decoupled decay, in units of the rate.
        batch_size: rows a step.
        steps: optimizer steps; chosen from the number of rows if not given.
    """

    width: int = 256
    hidden: int = 256
    latent: int = 16
    blocks: int = 2
    couplings: int = 6
    dropout: float | None = None
    input_dropout: float = 0.1
    partial: float = 0.2
    samples: int = 64
    learning_rate: float = 2e-3
    weight_decay: float | None = None
    batch_size: int = 512
    steps: int | None = None

    def __post_init__(self) -> None:
        shares = {"dropout": self.dropout, "input_dropout": self.input_dropout, "partial": self.partial}
        wrong = [f"{name} {x:g} (from 0 to 1)" for name, x in shares.items() if x is not None and not 0 <= x <= 1]
        counted = ("width", "hidden", "latent", "samples", "batch_size", "steps")
        counts = {k: getattr(self, k) for k in counted if getattr(self, k) is not None}
        wrong += [f"{name} {x} (at least 1)" for name, x in counts.items() if x < 1]
        rest = ("learning_rate", "weight_decay", "blocks", "couplings")
        wrong += [f"{k} {getattr(self, k):g} (not negative)" for k in rest if (getattr(self, k) or 0.0) < 0]
        if wrong:
            msg = f"settings must lie in their ranges; however: {', '.join(wrong)}"
            raise ValueError(msg)

    def settled(self, n: float) -> TVAEConfig:
        """The settings with everything left open chosen for n rows."""
        small = n < SMALL
        return replace(
            self,
            dropout=(0.2 if small else 0.1) if self.dropout is None else self.dropout,
            weight_decay=(3.0 if small else 1.0) if self.weight_decay is None else self.weight_decay,
            steps=int(min(max(30 * n / self.batch_size, 300), 2000)) if self.steps is None else self.steps,
        )


@dataclass(frozen=True)
class Codes:
    """Codes proposed for rows, with the log-weight that turns their mixture into p(z) p(known | z).

    **Shape**: `states` (S, n, H), `log_weights` (S, n).
    """

    states: Tensor
    log_weights: Tensor


class TVAE:
    """Variational autoencoder: bounds on log-probabilities, an encoder for odd records, approximate conditionals.

    What row rules forbid is left out slot by slot while drawing; bounds are of the law before that.

    Args:
        layout: the slots.
        config: settings.
    """

    coding: ClassVar[Coding] = Coding()
    Config: ClassVar[type[TVAEConfig]] = TVAEConfig

    def __init__(self, layout: Layout, config: TVAEConfig | None = None) -> None:
        self.layout = layout
        self._config = config or TVAEConfig()
        with seeded(0, torch.device("cpu")):
            self._network = self._blank().eval()

    def _blank(self) -> LatentNetwork:
        c = self._config
        return LatentNetwork(
            self.layout,
            width=c.width,
            hidden=c.hidden,
            latent=c.latent,
            blocks=c.blocks,
            couplings=c.couplings,
            dropout=c.dropout or 0.0,
        )

    def fit(self, training: Training, seed: int, watch: Watch | None = None) -> TrainingLog:
        """Train encoder, decoder and law of the codes together on the evidence lower bound.

        Args:
            training: the door.
            seed: of initial weights, batches, codes and dropout.
            watch: who is told.
        """
        config = self._config = self._config.settled(training.n)
        with seeded(seed, training.device):
            self._network = self._blank().to(training.device)
        plan = Plan(
            steps=config.steps or 1,
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay or 0.0,
        )

        def loss(network: LatentNetwork, rows: Rows) -> Tensor:
            return latent.loss(network, rows.cat.long(), input_dropout=config.input_dropout, partial=config.partial)

        curve = train(self._network, loss, training, plan, seed, watch)
        return TrainingLog(**asdict(curve))

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Rows:
        """Draw n rows: a code from its law, then every slot. **Shape**: Rows of n."""
        given = Given(torch.full((n, len(self.layout.slots)), -1, dtype=torch.long), {})
        with fast_matrices():
            parts = [
                self._decode(part, self._network.states(self._law(len(part), generator)), generator)
                for part in _parts(given, CHUNK)
            ]
        return Rows.cat_rows(parts)

    @torch.no_grad()
    def sample_given(self, given: Given, generator: torch.Generator) -> Rows:
        """Complete rows: a code from an approximation of p(z | known), then the unknown slots from the decoder.

        Codes are proposed by their law and by the encoder of what is known, half and half, and one is chosen with
        weight p(z) p(known | z) / proposal(z) (sampling-importance-resampling): exact as `samples` grows. Of slots
        known in part the admissible mass counts as known.

        **Shape**: Given of n -> Rows of n.
        """
        with fast_matrices():
            parts = [self._complete(part, generator) for part in _parts(given, max(1, CHUNK // self._config.samples))]
        return Rows.cat_rows(parts)

    def _complete(self, given: Given, generator: torch.Generator) -> Rows:
        given = given.to(self._network.offsets.device)
        cat = given.cat.clamp(min=0)
        codes = self._codes(given, cat, [given.known() & self.layout.applicable(cat)], generator)
        chosen = draw(torch.softmax(codes.log_weights.T, dim=1), generator)
        return self._decode(given, codes.states[chosen, torch.arange(len(given))], generator)

    def _decode(self, given: Given, states: Tensor, generator: torch.Generator) -> Rows:
        """Every slot not known, drawn inside what is admissible. **Shape**: Given of n, (n, H) -> Rows of n."""
        device, layout = states.device, self.layout
        given = given.to(device)
        n, known, cat = len(given), given.known(), given.cat.clamp(min=0)
        readers = self._network.readers()
        admissible = Admissible(layout, n, given, device)
        for j in range(cat.shape[1]):
            admissible.settle(j, given.cat[:, j])
        logits = readers.coarse(states)
        for j in self._sequence(given):
            parent = layout.slots[j].parent
            p = torch.softmax(logits[j] if parent is None else readers.fine(states, j, cat[:, parent]), dim=1)
            mask = admissible.mask(j)
            if mask is not None:
                left = p * mask
                p = torch.where(
                    left.sum(dim=1, keepdim=True) > 0, left, torch.where(mask.any(1, keepdim=True), mask.float(), p)
                )
            level = torch.where(known[:, j], cat[:, j], draw(p, generator))
            if parent is not None:
                applies = torch.from_numpy(layout.slots[j].applies).to(device)
                level = torch.where(applies[cat[:, parent]], level, 0)
            cat[:, j] = level
            admissible.settle(j, level)
        return Rows(cat, residuals(n, layout, generator).to(device))

    def _sequence(self, given: Given) -> list[int]:
        """Slots in the order in which they are drawn: partly known ones first, coarse before fine."""
        first = set(given.allowed) | {j for j, s in enumerate(self.layout.slots) if s.parent in given.allowed}
        return sorted(range(len(self.layout.slots)), key=lambda j: (j not in first, j))

    def _law(self, n: int, generator: torch.Generator) -> Tensor:
        return self._network.law.sample(n, generator, self._network.offsets.device)

    def _codes(self, given: Given, cat: Tensor, views: list[Tensor], generator: torch.Generator) -> Codes:
        """Codes in equal shares from their law and from the encoder of each view of the rows.

        Args:
            given: what the weights are to condition on.
            cat: levels of all cells in a view. **Shape**: (n, D).
            views: cells the encoder is shown. **Shape**: (n, D) bool each.
            generator: of the draws.
        """
        network, n, device = self._network, len(given), given.cat.device
        m = max(1, self._config.samples // (1 + len(views)))
        posteriors = [network.encode(cat, view) for view in views]
        noise = _noise((len(views), m, n, network.latent), generator, device)
        drawn = [q.at(e) for q, e in zip(posteriors, noise, strict=True)]
        z = torch.cat([self._law(m * n, generator).view(m, n, network.latent), *drawn])
        law = network.law.log_prob(z.view(-1, network.latent)).view(len(z), n)
        proposal = torch.logsumexp(torch.stack([law, *(q.log_prob(z) for q in posteriors)]), dim=0)
        states = network.states(z.view(-1, network.latent))
        evidence = self._evidence(given, states).view(len(z), n)
        return Codes(states.view(len(z), n, states.shape[1]), law + evidence - proposal)

    def _evidence(self, given: Given, states: Tensor) -> Tensor:
        """Log p(known | z), of slots known in part the admissible mass. **Shape**: (m * n, H) -> (m * n,)."""
        readers, many = self._network.readers(), len(states) // max(len(given), 1)
        cat, known = given.cat.clamp(min=0), given.known()
        known = known & self.layout.applicable(cat)
        out = readers.terms(states, cat.repeat(many, 1), known.repeat(many, 1)).sum(dim=1)
        for j, (table, which) in given.allowed.items():
            log = torch.log_softmax(readers.coarse(states)[j], dim=1)
            inside = (table.to(which.device)[which] | known[:, j : j + 1]).repeat(many, 1)
            mass = torch.logsumexp(log.masked_fill(~inside, -torch.inf), dim=1)
            out = out + torch.where(torch.isinf(mass), 0.0, mass)
        return out

    @torch.no_grad()
    def log_prob_given(self, rows: Rows, given: Given, aim: Tensor) -> Tensor:
        """Log-probability of the slots in `aim` given the known ones, nats, from codes weighted by p(known | z).

        Asked twice, it uses the same codes; the estimate is exact as `samples` grows.

        **Shape**: Rows of n, Given of n, `aim` (n, d) bool -> (n,).
        """
        network, readers = self._network, self._network.readers()
        generator = torch.Generator().manual_seed(0)
        size = max(1, CHUNK // self._config.samples)
        out = []
        for start in range(0, max(len(given), 1), size):
            here = slice(start, start + size)
            part = given[here].to(network.offsets.device)
            cat, wanted = (t[here].to(part.cat.device) for t in (rows.cat.long().clamp(min=0), aim))
            applies = self.layout.applicable(cat)
            known = part.known() & applies
            codes = self._codes(part, cat, [known, (known | wanted) & applies], generator)
            many = len(codes.states)
            terms = readers.terms(codes.states.flatten(0, 1), cat.repeat(many, 1), (wanted & applies).repeat(many, 1))
            log = codes.log_weights + terms.sum(dim=1).view(many, len(cat))
            out.append(log.logsumexp(dim=0) - codes.log_weights.logsumexp(dim=0))
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
    def surprise(self, rows: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor]:
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
        readers, size = network.readers(), max(1, CHUNK // many)
        cats = rows.cat.long().to(network.offsets.device)
        for cat in torch.split(cats, size):
            applies = self.layout.applicable(cat)
            posterior = network.encode(cat, applies)
            z = posterior.at(_noise((many, len(cat), network.latent), generator, cat.device))
            flat = z.view(-1, network.latent)
            terms = readers.terms(network.states(flat), cat.repeat(many, 1), applies.repeat(many, 1))
            terms = terms.view(many, *cat.shape)
            law = network.law.log_prob(flat).view(many, len(cat))
            yield terms.sum(dim=2) + law - posterior.log_prob(z), terms

    def tensors(self) -> dict[str, Tensor]:
        """Weights, without what follows from the layout."""
        return {k: v.detach().cpu().contiguous() for k, v in self._network.named_parameters()}

    def load_tensors(self, tensors: dict[str, Tensor], device: torch.device) -> None:
        """Take back what `tensors` gave, to draw on `device`."""
        self._network.load_state_dict(tensors, strict=False)
        self._network.to(device).eval()

    def config(self) -> dict[str, Any]:
        """Settings as plain data."""
        return asdict(self._config)


def _parts(given: Given, size: int) -> Iterator[Given]:
    for start in range(0, max(len(given), 1), size):
        yield given[slice(start, start + size)]


def _noise(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device).to(device)
