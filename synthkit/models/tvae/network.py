"""The networks of a model with latent codes: encoder, law of the codes, and a decoder that reads levels off a code."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthkit.encoding.layout import Layout
from synthkit.training.layers.coupling_flow import Flow, log_normal
from synthkit.training.layers.gated_blocks import GatedBlock, LevelEmbedding, fast_dtype, keep, normal

NARROWEST, WIDEST = -8.0, 2.0  # log standard deviation of a code


@dataclass(frozen=True)
class Posterior:
    """What the encoder says of the code of each row: a Gaussian with independent coordinates.

    **Shape**: both (B, L).
    """

    mean: Tensor
    log_sd: Tensor

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density, nats. **Shape**: (..., B, L) -> (..., B)."""
        return log_normal((z - self.mean) * torch.exp(-self.log_sd), self.log_sd)

    def at(self, noise: Tensor) -> Tensor:
        """Codes from standard Gaussian noise. **Shape**: (..., B, L) -> (..., B, L)."""
        return self.mean + torch.exp(self.log_sd) * noise


class LatentNetwork(nn.Module):
    """q(z | x), p(z) and p(x | z) = prod_j p(x_j | z, the slots before j that it is shown).

    Slot j reads its logits off normal(h(z) + sum_i L_i[x_i]), i over its own coarse slot and the slots of the `context`
    columns before its own: a linear look, without a layer of its own. All other dependence is left to the code.

    Args:
        layout: the slots.
        width: H, length of states and value vectors.
        hidden: gated units a block.
        latent: L, coordinates of a code.
        blocks: gated blocks of the encoder, and of the decoder.
        couplings: of the law of the codes.
        context: columns before its own that a slot is shown; all of them if None.
        dropout: share of gated units dropped while training.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        width: int,
        hidden: int,
        latent: int,
        blocks: int,
        couplings: int,
        context: int | None,
        dropout: float,
    ) -> None:
        super().__init__()
        slots = layout.slots
        self.layout, self.latent = layout, latent
        self.values = LevelEmbedding(slots, width, free=0.3, smooth=0.2)
        self.query = nn.Parameter(torch.zeros(width))
        self.posterior = nn.Linear(width, 2 * latent)
        with torch.no_grad():  # codes start about one apart and a third wide
            self.posterior.weight.normal_(std=1 / math.sqrt(width))
            self.posterior.weight[latent:] *= 0.3
            self.posterior.bias.copy_(torch.tensor([0.0, -1.0]).repeat_interleave(latent))
        self.law = Flow(latent, couplings, hidden=64)
        self.up = nn.Linear(latent, width)
        self.encoder = [GatedBlock(1, width, hidden, dropout) for _ in range(blocks)]
        self.decoder = [GatedBlock(1, width, hidden, dropout) for _ in range(blocks)]
        for k in range(blocks):
            self.add_module(f"encoder_{k}", self.encoder[k])
            self.add_module(f"decoder_{k}", self.decoder[k])
        self.links = LevelEmbedding(slots, width, free=0.1, smooth=0.1)
        self.heads = LevelEmbedding(slots, width, free=0.0, smooth=0.0)
        self.bias = nn.Parameter(
            torch.cat([torch.from_numpy(s.prior) if s.parent is None else torch.zeros(s.size) for s in slots])
        )
        for j, slot in enumerate(slots):
            if slot.parent is not None:
                self.register_buffer(f"base_{j}", torch.from_numpy(slot.prior).clamp(min=-30.0))
        column = column_of(layout)
        near = column[:, None] - column[None, :] <= (len(column) if context is None else context)
        self.register_buffer("shown", near.float().tril(-1))
        self.register_buffer("offsets", torch.tensor([0, *layout.sizes[:-1]]).cumsum(0))
        self.shown: Tensor
        self.offsets: Tensor

    def encode(self, cat: Tensor, seen: Tensor) -> Posterior:
        """The law of the code given the cells seen. **Shape**: (B, D) levels and bool -> B Gaussians."""
        table = self.values()
        vectors = F.embedding_bag(cat + self.offsets, table, mode="sum", per_sample_weights=seen.to(table.dtype))
        state = self._through(self.encoder, vectors + self.query)
        mean, log_sd = self.posterior(normal(state)).float().chunk(2, dim=1)
        return Posterior(mean, log_sd.clamp(NARROWEST, WIDEST))

    def states(self, z: Tensor) -> Tensor:
        """What the decoder's heads see of a code. **Shape**: (B, L) -> (B, H)."""
        return self._through(self.decoder, self.up(z))

    def _through(self, blocks: list[GatedBlock], state: Tensor) -> Tensor:
        dtype = fast_dtype(state.device) if self.training else state.dtype
        out = state.to(dtype)[None]
        for block in blocks:
            out = block(out)
        return out[0].float()

    def terms(self, state: Tensor, cat: Tensor, weight: Tensor) -> Tensor:
        """Log-probability of each slot given code and what it is shown. **Shape**: (B, H), (B, D) twice -> (D, B).

        Args:
            state: what `states` made of the code.
            cat: levels.
            weight: of each cell in the eyes of the slots behind it, 0 where it is hidden.
        """
        dtype = fast_dtype(cat.device) if self.training else state.dtype
        vectors = F.embedding(cat + self.offsets, self.links()).to(dtype)
        looks = torch.matmul((self.shown * weight[:, None, :]).to(dtype), vectors)
        states = normal(looks + state[:, None].to(dtype)).transpose(0, 1).contiguous().unbind(0)
        heads, biases = (torch.split(t, list(self.layout.sizes)) for t in (self.heads().to(dtype), self.bias))
        out = []
        for j, slot in enumerate(self.layout.slots):
            logits = torch.mm(states[j], heads[j].T).float() + biases[j]
            if slot.parent is not None:
                logits = logits + self.base(j, cat[:, slot.parent])
            out.append(-F.cross_entropy(logits, cat[:, j], reduction="none"))
        return torch.stack(out)

    def base(self, j: int, coarse: Tensor) -> Tensor:
        """Log base measure of a fine slot under each row's coarse level. **Shape**: (B,) -> (B, K)."""
        table: Tensor = getattr(self, f"base_{j}")
        return table[coarse]


def column_of(layout: Layout) -> Tensor:
    """Number of the coded column each slot belongs to. **Shape**: (D,)."""
    names = {name: k for k, name in enumerate(dict.fromkeys(layout.columns))}
    return torch.tensor([names[name] for name in layout.columns])


def hidden_cells(layout: Layout, n: int, share: Tensor, device: torch.device) -> Tensor:
    """Cells hidden at random, coarse and fine together. **Shape**: `share` (n, 1) in [0, 1] -> (n, D) bool."""
    column = column_of(layout).to(device)
    return (torch.rand((n, int(column.max()) + 1), device=device) < share)[:, column]


def negative_elbo(
    network: LatentNetwork, cat: Tensor, *, input_dropout: float, forget: float, partial: float
) -> Tensor:
    """Minus the evidence lower bound of each row, nats: E[log q(z | x) - log p(z) - log p(x | z)], one z a row.

    While training, some cells are hidden from the encoder (`input_dropout`) and others from the slots behind them
    (`forget`, the rest counting more), and some rows (`partial`) are known in part only: what is hidden there is not
    asked for either, so that the encoder learns to complete rows.

    **Shape**: (B, D) -> (B,).
    """
    wanted = seen = network.layout.applicable(cat)
    shown = wanted.to(torch.float32)
    shape, device = (len(cat), network.latent), cat.device
    if network.training:
        share = torch.rand((len(cat), 1), device=device) * (torch.rand((len(cat), 1), device=device) < partial)
        wanted = seen = seen & ~hidden_cells(network.layout, len(cat), share, device)
        seen = seen & (keep(cat.shape, input_dropout, torch.float32, device) > 0)
        shown = wanted * keep(cat.shape, forget, torch.float32, device)
        noise = torch.randn(shape, device=device)
    else:  # the same noise for the same rows, so that losses of different weights can be compared
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device)
    posterior = network.encode(cat, seen)
    z = posterior.at(noise)
    terms = network.terms(network.states(z), cat, shown)
    reconstruction = (terms * wanted.T).sum(dim=0)
    return posterior.log_prob(z) - network.law.log_prob(z) - reconstruction
