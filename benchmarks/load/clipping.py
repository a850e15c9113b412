"""What a private step costs beside a plain one at equal batch, and what it costs in each mode of Opacus; one thread.

CPU seconds, the median of the repeats, modes in turn so that a busy machine weighs on all alike. A private step clips,
adds noise and steps; `units of 4` clips the sum of four rows. Opacus refuses the autoregressive network, whose modules
own parameters and buffers of their own; its modes stand beside ours on a perceptron.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from opacus.grad_sample import GradSampleModule, GradSampleModuleFastGradientClipping
from opacus.optimizers import DPOptimizer, DPOptimizerFastGradientClipping
from opacus.utils.fast_gradient_clipping_utils import DPLossFastGradientClipping
from torch import Tensor, nn

from benchmarks.flags import parser
from benchmarks.json_files import write
from benchmarks.measure.machine import fingerprint
from benchmarks.places import MEASURED
from synthkit.encoding.layout import Layout, Slot
from synthkit.privacy.dpsgd.clipping import Clipper, private_gradient
from synthkit.privacy.mechanisms.rng import gaussian
from synthkit.training.layers.masked_network import MaskedNetwork, Sizes
from synthkit.training.matrix_precision import fast_matrices

LEVELS = (30, 9, 60, 16, 16, 7, 15, 6, 5, 2, 40, 40, 50, 42, 2)  # as adult has them
OUT = MEASURED / "clipping.json"
Step = Callable[[], None]


class Layers(nn.Module):
    """A perceptron of an embedding, norms and 0.3 million weights: what Opacus is made for."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [(64, 384), (384, 384), (384, 320)]
        self.levels = nn.Embedding(50, 64)
        self.within = nn.ModuleList(nn.Linear(a, b) for a, b in sizes)
        self.norms = nn.ModuleList(nn.LayerNorm(b) for _, b in sizes)
        self.leave = nn.Linear(320, 50)

    def forward(self, level: Tensor) -> Tensor:
        """**Shape**: (B,) -> (B, 50)."""
        x = self.levels(level)
        for within, norm in zip(self.within, self.norms, strict=True):
            x = F.silu(norm(within(x)))
        out: Tensor = self.leave(x)
        return out


class Asked(MaskedNetwork):
    """The autoregressive network as a module that is called."""

    def forward(self, cat: Tensor) -> Tensor:
        """**Shape**: (B, D) -> (B,)."""
        d = cat.shape[1]
        return self.nll(cat, torch.ones(d, d, dtype=torch.bool).tril(-1)[None])


def plain(net: nn.Module, loss: Callable[[nn.Module, Tensor], Tensor], rows: Tensor) -> Step:
    """A step without privacy."""
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)

    def step() -> None:
        optimizer.zero_grad()
        torch.autograd.backward(loss(net, rows).mean())
        optimizer.step()

    return step


def ours(net: nn.Module, loss: Callable[[nn.Module, Tensor], Tensor], rows: Tensor, unit: int) -> Step:
    """A private step of units of so many rows."""
    optimizer, sums = torch.optim.AdamW(net.parameters(), fused=True), Clipper(net, loss, clip=1.0)
    units = torch.arange(len(rows)) // unit

    def step() -> None:
        private_gradient(sums, rows, units, multiplier=1.0, expected=len(rows) / unit, noise=gaussian, size=len(rows))
        optimizer.step()

    return step


def sampled(net: nn.Module, loss: Callable[[nn.Module, Tensor], Tensor], rows: Tensor, mode: str) -> Step:
    """A private step of Opacus that writes the gradient of every row out."""
    called = GradSampleModule(net, loss_reduction="mean", force_functorch=mode == "functorch")
    optimizer = DPOptimizer(
        torch.optim.AdamW(net.parameters()), noise_multiplier=1.0, max_grad_norm=1.0, expected_batch_size=len(rows)
    )

    def step() -> None:
        optimizer.zero_grad()
        torch.autograd.backward(loss(called, rows).mean())
        optimizer.step()

    return step


def ghost(net: nn.Module, rows: Tensor) -> Step:
    """A private step of Opacus in two backward passes."""
    called = GradSampleModuleFastGradientClipping(net, max_grad_norm=1.0, use_ghost_clipping=True)
    optimizer = DPOptimizerFastGradientClipping(
        torch.optim.AdamW(net.parameters()), noise_multiplier=1.0, max_grad_norm=1.0, expected_batch_size=len(rows)
    )
    criterion = DPLossFastGradientClipping(called, optimizer, nn.CrossEntropyLoss())

    def step() -> None:
        optimizer.zero_grad()
        criterion(called(rows), rows).backward()
        optimizer.step()

    return step


def milliseconds(steps: dict[str, Step], repeats: int) -> dict[str, float]:
    """CPU time of each, in turn; the first time is not counted."""
    took: dict[str, list[float]] = {name: [] for name in steps}
    for repeat in range(repeats + 1):
        for name, step in steps.items():
            before = time.process_time()
            step()
            if repeat:
                took[name].append(1e3 * (time.process_time() - before))
    return {name: float(np.median(times)) for name, times in took.items()}


def slot(k: int) -> Slot:
    """A column of k levels, in order where there are many."""
    prior = np.full(k, -np.log(k), dtype=np.float32)
    return Slot(name=f"of {k}", size=k, ordinal=k >= 30, missing=False, parent=None, prior=prior)


def cases(batch: int, width: int) -> dict[str, dict[str, Step]]:
    """All steps of both networks."""
    rng = np.random.default_rng(0)
    layout = Layout(tuple(slot(k) for k in LEVELS), tuple(map(str, range(len(LEVELS)))))
    cat = torch.from_numpy(np.stack([rng.integers(0, k, batch) for k in LEVELS], axis=1))
    level = torch.from_numpy(rng.integers(0, 50, batch))

    def asked(dropout: float) -> Asked:
        return Asked(layout, Sizes(width=width, hidden=width, blocks=2, dropout=dropout, input_dropout=dropout))

    def nll(net: nn.Module, cat: Tensor) -> Tensor:
        out: Tensor = net(cat)
        return out

    def cross_entropy(net: nn.Module, level: Tensor) -> Tensor:
        return F.cross_entropy(net(level), level, reduction="none")

    return {
        "autoregressive": {
            "plain": plain(asked(0.1), nll, cat),
            "ours": ours(asked(0.1), nll, cat, 1),
            "ours, units of 4": ours(asked(0.1), nll, cat, 4),
        },
        "autoregressive, float32, no dropout": {
            "plain": plain(asked(0.0).eval(), nll, cat),
            "ours": ours(asked(0.0).eval(), nll, cat, 1),
            "ours, units of 4": ours(asked(0.0).eval(), nll, cat, 4),
        },
        "layers": {
            "plain": plain(Layers(), cross_entropy, level),
            "ours": ours(Layers(), cross_entropy, level, 1),
            "ours, units of 4": ours(Layers(), cross_entropy, level, 4),
            "Opacus ghost": ghost(Layers(), level),
            "Opacus hooks": sampled(Layers(), cross_entropy, level, "hooks"),
            "Opacus functorch": sampled(Layers(), cross_entropy, level, "functorch"),
        },
    }


def main(words: Sequence[str] | None = None) -> None:
    """Print milliseconds and ratios, and write them to clipping.json."""
    flags = parser("clipping", __doc__)
    flags.add_argument("--batch", type=int, default=512, metavar="N", help="rows a step; 512 if not given")
    flags.add_argument("--repeats", type=int, default=5, metavar="N", help="5 if not given")
    flags.add_argument("--width", type=int, default=128, metavar="N", help="of the network; 128 if not given")
    said = flags.parse_args(words)
    torch.set_num_threads(1)
    warnings.filterwarnings(
        "ignore", message="Full backward hook"
    )  # of Opacus, for layers whose input needs no gradient
    found = {"batch": said.batch, "width": said.width, "machine": fingerprint(), "milliseconds": {}}
    with fast_matrices():
        for name, steps in cases(said.batch, said.width).items():
            took = milliseconds(steps, said.repeats)
            found["milliseconds"][name] = {step: round(ms, 2) for step, ms in took.items()}
            for step, ms in took.items():
                print(f"{name:36} {step:18} {ms:9.1f} ms {ms / took['plain']:7.2f} times plain", flush=True)
    write(OUT, found)
