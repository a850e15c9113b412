"""The networks of a model with latent codes: encoder, law of the codes, and a decoder whose columns are independent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthkit.encode.rows import Layout
from synthkit.nn.blocks import GatedBlock, Levels, fast_dtype, keep, normal
from synthkit.nn.flow import Flow, log_normal

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
    """q(z | x), p(z) and p(x | z) = prod_j p(x_j | z), a fine level given z and its coarse level.

    Args:
        layout: the slots.
        width: H, length of states and value vectors.
        hidden: gated units a block.
        latent: L, coordinates of a code.
        blocks: gated blocks of the encoder, and of the decoder.
        couplings: of the law of the codes.
        dropout: share of gated units dropped while training.
    """

    def __init__(
        self, layout: Layout, *, width: int, hidden: int, latent: int, blocks: int, couplings: int, dropout: float
    ) -> None:
        super().__init__()
        slots = layout.slots
        self.layout, self.latent = layout, latent
        self.values = Levels(slots, width, free=0.3, smooth=0.2)
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
        self.heads = Levels(slots, width, free=0.0, smooth=0.0)
        self.bias = nn.Parameter(
            torch.cat([torch.from_numpy(s.prior) if s.parent is None else torch.zeros(s.size) for s in slots])
        )
        for j, slot in enumerate(slots):
            if slot.parent is not None:
                self.register_buffer(f"base_{j}", torch.from_numpy(slot.prior).clamp(min=-30.0))
        self.register_buffer("offsets", torch.tensor([0, *layout.sizes[:-1]]).cumsum(0))
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

    def readers(self) -> Readers:
        """The heads made ready for use, once for many rows."""
        dtype = fast_dtype(self.offsets.device) if self.training else torch.float32
        return Readers(self, self.heads().to(dtype), self.values())


class Readers:
    """The decoder's heads: logits of any slot from a state.

    Args:
        network: whose heads they are.
        heads: vectors of all levels. **Shape**: (V, H).
        values: the encoder's vectors, of which those of coarse levels tell the fine slots where they are.
    """

    def __init__(self, network: LatentNetwork, heads: Tensor, values: Tensor) -> None:
        sizes = list(network.layout.sizes)
        self._network, self._all, self._bias = network, heads, network.bias
        self._heads, self._biases = torch.split(heads, sizes), torch.split(network.bias, sizes)
        self._values = torch.split(values, sizes)

    def coarse(self, state: Tensor) -> list[Tensor]:
        """Logits of every slot, of use for those without a parent. **Shape**: (B, H) -> (B, K_j) each."""
        logits = torch.mm(normal(state).to(self._all.dtype), self._all.T).float() + self._bias
        return list(torch.split(logits, list(self._network.layout.sizes), dim=1))

    def fine(self, state: Tensor, j: int, coarse: Tensor) -> Tensor:
        """Logits of slot j under each row's coarse level. **Shape**: (B, H), (B,) -> (B, K_j)."""
        parent = self._network.layout.slots[j].parent
        here = normal(state + F.embedding(coarse, self._values[parent or 0])).to(self._all.dtype)
        base: Tensor = getattr(self._network, f"base_{j}")
        return torch.mm(here, self._heads[j].T).float() + self._biases[j] + base[coarse]

    def terms(self, state: Tensor, cat: Tensor, wanted: Tensor) -> Tensor:
        """Log p(x_j | z) of the slots wanted, 0 elsewhere. **Shape**: (B, H), (B, D), (B, D) bool -> (B, D)."""
        logits, out = self.coarse(state), []
        for j, slot in enumerate(self._network.layout.slots):
            mine = logits[j] if slot.parent is None else self.fine(state, j, cat[:, slot.parent])
            loss = F.cross_entropy(mine, cat[:, j], reduction="none")
            out.append(torch.where(wanted[:, j], -loss, 0.0))
        return torch.stack(out, dim=1)


def hidden_cells(layout: Layout, n: int, share: Tensor, device: torch.device) -> Tensor:
    """Cells hidden at random, coarse and fine together. **Shape**: `share` (n, 1) in [0, 1] -> (n, D) bool."""
    names = {name: k for k, name in enumerate(dict.fromkeys(layout.columns))}
    unit = torch.tensor([names[name] for name in layout.columns], device=device)
    return (torch.rand((n, len(names)), device=device) < share)[:, unit]


def loss(network: LatentNetwork, cat: Tensor, *, input_dropout: float, partial: float) -> Tensor:
    """Minus the evidence lower bound of each row, nats: E[log q(z | x) - log p(z) - log p(x | z)], one z a row.

    While training, some cells are hidden from the encoder (`input_dropout`), and a share of the rows (`partial`) is
    known in part only: what is hidden there is not asked for either, so that the encoder learns to complete.

    **Shape**: (B, D) -> (B,).
    """
    wanted = seen = network.layout.applicable(cat)
    shape, device = (len(cat), network.latent), cat.device
    if network.training:
        share = torch.rand((len(cat), 1), device=device) * (torch.rand((len(cat), 1), device=device) < partial)
        wanted = seen = seen & ~hidden_cells(network.layout, len(cat), share, device)
        seen = seen & (keep(cat.shape, input_dropout, torch.float32, device) > 0)
        noise = torch.randn(shape, device=device)
    else:  # the same noise for the same rows, so that losses of different weights can be compared
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device)
    posterior = network.encode(cat, seen)
    z = posterior.at(noise)
    reconstruction = network.readers().terms(network.states(z), cat, wanted).sum(dim=1)
    return posterior.log_prob(z) - network.law.log_prob(z) - reconstruction
