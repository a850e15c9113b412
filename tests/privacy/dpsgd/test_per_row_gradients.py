"""Opacus as a judge of our sums, where it knows the layers; and alone, where we do not."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from synthkit.errors import ConfigError, UnsupportedError
from synthkit.privacy.dpsgd.clipping import Clipper, private_gradient
from synthkit.privacy.dpsgd.per_row_gradients import Sampled

N = 12
UNITS = {"one row each": torch.arange(N), "many rows": torch.tensor([3, 3, 1, 1, 1, 1, 1, 0, 2, 2, 5, 4])}
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of hooks, which Opacus knows


class Layers(nn.Module):
    """Embedding, product and norm of one level a row, or of a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.Embedding(7, 6)
        self.within = nn.Linear(6, 9)
        self.norm = nn.LayerNorm(9)
        self.leave = nn.Linear(9, 7, bias=False)

    def forward(self, level):
        logits = self.leave(self.norm(torch.tanh(self.within(self.levels(level)))))
        loss = F.cross_entropy(logits.movedim(-1, 1), level, reduction="none")
        return loss if loss.dim() == 1 else loss.sum(dim=1)


class Convolved(nn.Module):
    """A layer without a closed form here."""

    def __init__(self) -> None:
        super().__init__()
        self.within = nn.Conv1d(1, 3, 2)
        self.leave = nn.Linear(9, 1)

    def forward(self, x):
        return self.leave(torch.tanh(self.within(x[:, None])).flatten(1)).squeeze(1).square()


def called(net, rows):
    return net(rows)


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("length", [(), (5,)])
@pytest.mark.parametrize("copies", [1, 2])
def test_opacus_says_the_same(units, length, copies):
    torch.manual_seed(0)
    net, rows = Layers(), torch.randint(0, 7, (N, *length))
    ours = Clipper(net, called, clip=1.5)(rows, UNITS[units], copies)
    theirs = Sampled(net, called, clip=1.5)(rows, UNITS[units], copies)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("units", UNITS)
def test_other_layers_are_clipped_as_autograd_says(units):
    torch.manual_seed(0)
    net, rows, of = Convolved(), torch.randn(N, 4), UNITS[units]
    with pytest.raises(UnsupportedError, match="Use `Sampled`"):
        Clipper(net, called, clip=0.3)(rows, of)
    sums = Sampled(net, called, clip=0.3)
    wanted = [torch.zeros_like(p) for p in net.parameters()]
    for unit in torch.unique(of):
        found = torch.autograd.grad(net(rows[of == unit]).sum(), list(net.parameters()))
        length = float(torch.cat([g.flatten() for g in found]).norm())
        wanted = [w + g * min(1.0, 0.3 / length) for w, g in zip(wanted, found, strict=True)]
    for a, b in zip(sums(rows, of), wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    private_gradient(sums, rows, of, multiplier=1.0, expected=2.0, noise=lambda shape, _: torch.zeros(shape), size=5)
    for p, b in zip(net.parameters(), wanted, strict=True):
        torch.testing.assert_close(p.grad, b / 2, rtol=1e-4, atol=1e-6)


def test_no_rows_and_no_finite_gradient():
    net = Convolved()
    sums = Sampled(net, called, clip=0.3)
    assert not any(bool(g.any()) for g in sums(torch.zeros(0, 4), torch.arange(0)))
    x = torch.randn(3, 4)
    wanted = sums(x[:2], torch.arange(2))
    x[2] = float("nan")
    for a, b in zip(sums(x, torch.arange(3)), wanted, strict=True):
        torch.testing.assert_close(a, b)


def test_nothing_is_left_on_the_parameters():
    net = Convolved()
    Sampled(net, called, clip=0.3)(torch.randn(3, 4), torch.arange(3))
    assert all(p.grad is None and not hasattr(p, "grad_sample") for p in net.parameters())


@pytest.mark.parametrize("clip", [0.0, float("nan")])
def test_clip_norms_are_positive(clip):
    with pytest.raises(ConfigError, match="a clip norm must be positive"):
        Sampled(Convolved(), called, clip=clip)


def test_a_layer_that_is_not_called_is_refused():
    net = Convolved()
    with pytest.raises(UnsupportedError, match="there is none for leave"):
        Sampled(net, lambda net, x: net.within(x[:, None]).sum(dim=(1, 2)), clip=1.0)(
            torch.randn(3, 4), torch.arange(3)
        )
