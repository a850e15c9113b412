"""Sums of clipped gradients, held against autograd unit by unit for each model, and against what a unit may move."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from synthkit.encoding.layout import Layout, Rows, Slot, ValueLink
from synthkit.errors import ConfigError, UnsupportedError
from synthkit.models.ctgan.config import CTGANConfig
from synthkit.models.ctgan.generator import Discriminator
from synthkit.models.ctgan.trainer import critic_loss
from synthkit.models.density_ratio import DensityRatio
from synthkit.models.diffusion.loss import DiffusionLoss
from synthkit.models.diffusion.network import Denoiser
from synthkit.models.diffusion.noise_schedule import Schedule
from synthkit.models.normal_scores import NormalScores
from synthkit.models.tvae import network
from synthkit.models.tvae.network import LatentNetwork
from synthkit.privacy.dpsgd.clipping import Clipper, private_gradient
from synthkit.privacy.dpsgd.level_kernels import Kernel
from synthkit.training.layers.gated_blocks import LevelEmbedding
from synthkit.training.layers.masked_network import MaskedNetwork, Sizes, _alike
from synthkit.training.matrix_precision import exact

N = 23
UNITS = {
    "one row each": torch.arange(N),
    "many rows": torch.tensor([4] * 9 + [1, 2] * 4 + [7, 7, 7, 0, 3, 3]),
    "one unit": torch.zeros(N, dtype=torch.long),
}


@pytest.fixture(autouse=True)
def float32(monkeypatch):
    """Networks and references compute in float32, so that they can be held against each other to six digits."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)  # torch 2.6 has none
    with exact():
        yield


def layout():
    """A number that points into one of coarse and fine cells, both ordinal and with missing, and a name."""

    def logs(k):
        return np.log(np.full(k, 1 / k, dtype=np.float32))

    fine = np.full((4, 3), -np.inf, dtype=np.float32)
    fine[1], fine[2, :2] = np.log(1 / 3), np.log(1 / 2)
    slots = (
        Slot(name="a", size=5, ordinal=True, missing=True, parent=None, prior=logs(5)),
        Slot(name="b", size=4, ordinal=True, missing=True, parent=None, prior=logs(4)),
        Slot(name="b:fine", size=3, ordinal=True, missing=False, parent=1, prior=fine),
        Slot(name="c", size=3, ordinal=False, missing=False, parent=None, prior=logs(3)),
    )
    cell = np.array([[[2, 2]], [[4, 5]], [[1, 1]], [[0, 3]], [[-1, -1]]])
    return Layout(slots, ("a", "b", "b", "c"), ("a", "b"), links=(ValueLink(1, 0, cell),))


def table(n=N, seed=0):
    rng = np.random.default_rng(seed)
    b = rng.integers(0, 4, n)
    fine = np.where(b == 1, rng.integers(0, 3, n), np.where(b == 2, rng.integers(0, 2, n), 0))
    cat = np.stack([rng.integers(0, 5, n), b, fine, rng.integers(0, 3, n)], axis=1)
    return Rows(torch.from_numpy(cat), torch.from_numpy(rng.random((n, 2)).astype(np.float32)))


def stirred(module):
    """Weights that start at zero would hide what goes through them."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=generator))
    return module.train()


def autoregressive(slots=None):
    sizes = Sizes(width=8, hidden=6, blocks=2, dropout=0.2, input_dropout=0.1)

    def loss(net, rows):
        return net.nll(rows.cat, net.orders(len(rows), 0.5, rows.cat.device), rows.num)

    return stirred(MaskedNetwork(slots or layout(), sizes)), loss, table()


def alike():
    """Forty slots of two sizes and a name that are computed together, and three others that are not."""
    names = [f"v{k}" for k in range(40)]
    many = [
        Slot(
            name=name,
            size=2 + k // 20,
            ordinal=k % 2 == 0,
            missing=False,
            parent=None,
            prior=-np.ones(2 + k // 20, np.float32),
        )
        for k, name in enumerate(names)
    ]
    own = layout()
    wide = replace(own, slots=(*own.slots, *many), columns=(*own.columns, *names))
    rng = np.random.default_rng(3)
    more = np.stack([rng.integers(0, slot.size, N) for slot in many], axis=1)
    rows = table()
    module, loss, _ = autoregressive(wide)
    module._alike = _alike(wide, module.pointers.of, least=20)
    assert sorted(len(slots) for slots in module._alike.values()) == [20, 21]
    return module, loss, Rows(torch.cat([rows.cat, torch.from_numpy(more)], dim=1), rows.num)


def tvae(context=None):
    net = LatentNetwork(layout(), width=8, hidden=6, latent=4, blocks=2, couplings=2, context=context, dropout=0.1)

    def loss(net, rows):
        return network.negative_elbo(net, rows.cat, input_dropout=0.1, forget=0.2, partial=0.2)

    return stirred(net), loss, table()


def diffusion():
    mixture = NormalScores(layout(), few=5)
    net = Denoiser(mixture.slots, mixture.scores, width=8, hidden=6, blocks=2, dropout=0.1)
    weights = torch.ones(len(mixture.slots))
    module = DiffusionLoss(mixture, net, Schedule(), weights=weights, numeric=1.0, hints=0.3)
    return stirred(module), lambda module, rows: module.loss(rows), table()


def ctgan(loss_name="logistic", often=0):
    critic = Discriminator(3, 7, pack=1, width=8, layers=2, modes=4, dropout=0.1)
    config = CTGANConfig(loss=loss_name)

    def loss(critic, rows):
        real, drawn, condition = rows[:, :10], rows[:, 10:20], rows[:, 20:]
        return critic_loss(critic, real, drawn, condition, torch.ones(len(rows)), config, often)

    return stirred(critic), loss, torch.randn(N, 27, generator=torch.Generator().manual_seed(2))


def odds():
    return stirred(DensityRatio(layout(), width=8, blocks=1, dropout=0.1)), lambda net, r: F.softplus(-net(r)), table()


class Words(nn.Module):
    """Sequences: a layer used twice, tokens that repeat, norms with weights, places, one value that scales."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(6, 8)
        self.places = nn.Parameter(torch.randn(5, 8))
        self.within = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.scale = nn.Parameter(torch.ones(8))
        self.leave = nn.Linear(8, 6)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.places
        x = self.norm(torch.tanh(self.within(torch.tanh(self.within(x)))) * self.scale)
        return F.cross_entropy(self.leave(x).transpose(1, 2), tokens, reduction="none").mean(dim=1)


class Tied(nn.Module):
    """One table that is looked up and multiplied by, and a part of it added."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(6, 8)

    def forward(self, tokens):
        x = torch.tanh(self.tokens(tokens)).mean(dim=1) + self.tokens.weight[2]
        return F.cross_entropy(F.linear(x, self.tokens.weight), tokens[:, 0], reduction="none")


def words(kind=Words):
    tokens = torch.randint(0, 6, (N, 5), generator=torch.Generator().manual_seed(3))
    return stirred(kind()), lambda net, tokens: net(tokens), tokens


MODELS = {
    "autoregressive": autoregressive,
    "autoregressive, slots alike": alike,
    "tvae": tvae,
    "tvae without context": lambda: tvae(0),
    "diffusion": diffusion,
    "ctgan": ctgan,
    "ctgan wgan-gp": lambda: ctgan("wgan-gp"),
    "odds": odds,
    "words": words,
    "tied": lambda: words(Tied),
}


def by_unit(module, loss, rows, units, seed=5):
    """Gradients of each unit, one by one by autograd. **Shape**: U lists of tensors."""
    parameters = list(module.parameters())
    torch.manual_seed(seed)
    losses = loss(module, rows)
    out = []
    for unit in torch.unique(units):
        found = torch.autograd.grad(losses[units == unit].sum(), parameters, retain_graph=True, allow_unused=True)
        out.append([torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)])
    return out


def length(tensors):
    return float(torch.cat([t.flatten().double() for t in tensors]).norm())


def clipped(clipper, rows, units, seed=5, copies=1):
    """The sum, with the same random numbers as `by_unit` once it knows the network."""
    clipper(rows, units)
    torch.manual_seed(seed)
    return clipper(rows, units, copies)


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("model", MODELS)
def test_each_unit_is_clipped_as_autograd_says(model, units):
    module, loss, rows = MODELS[model]()
    units = UNITS[units]
    gradients = by_unit(module, loss, rows, units)
    lengths = [length(g) for g in gradients]
    clip = float(np.median(lengths))
    ours = clipped(Clipper(module, loss, clip=clip), rows, units)
    for k, part in enumerate(ours):
        wanted = sum(g[k] * min(1.0, clip / max(x, 1e-30)) for g, x in zip(gradients, lengths, strict=True))
        torch.testing.assert_close(part, wanted, rtol=1e-4, atol=1e-5 * clip * len(gradients))


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_is_learned(model):
    module, loss, rows = MODELS[model]()
    sums = clipped(Clipper(module, loss, clip=1.0), rows, UNITS["one row each"])
    unmoved = [name for (name, _), g in zip(module.named_parameters(), sums, strict=True) if not bool(g.any())]
    assert unmoved == (["leave.bias"] if "wgan" in model else [])  # a difference of two verdicts has no level


@pytest.mark.parametrize("units", UNITS)
def test_copies_are_averaged_before_clipping(units):
    module, loss, rows = autoregressive()
    units, copies = UNITS[units], 3
    every = torch.arange(N).repeat_interleave(copies)
    gradients = [[t / copies for t in g] for g in by_unit(module, loss, rows[every], units[every])]
    lengths = [length(g) for g in gradients]
    clip = float(np.median(lengths))
    ours = clipped(Clipper(module, loss, clip=clip), rows, units, copies=copies)
    for k, part in enumerate(ours):
        wanted = sum(g[k] * min(1.0, clip / max(x, 1e-30)) for g, x in zip(gradients, lengths, strict=True))
        torch.testing.assert_close(part, wanted, rtol=1e-4, atol=1e-5 * clip * len(gradients))


def moved(sums, rows, units):
    """How far each unit moves the sum. The sums must not draw anything."""
    whole = sums(rows, units)
    out = []
    for unit in torch.unique(units):
        rest = sums(rows[torch.nonzero(units != unit).ravel()], units[units != unit])
        out.append(length([a - b for a, b in zip(whole, rest, strict=True)]))
    return out


class WithoutClip(Clipper):
    """A broken twin: nothing is clipped."""

    def __call__(self, rows, units, copies=1):
        norm, self.clip = self.clip, 1e12
        try:
            return super().__call__(rows, units, copies)
        finally:
            self.clip = norm


class ByRow(Clipper):
    """A broken twin: rows are clipped instead of units."""

    def __call__(self, rows, units, copies=1):
        return super().__call__(rows, torch.arange(len(rows)), copies)


def orderly():
    module, _, rows = autoregressive()
    before = torch.ones(4, 4, dtype=torch.bool).tril(-1)[None]
    return module.eval(), lambda net, r: net.nll(r.cat, before, r.num), rows


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-3, 30), st.lists(st.integers(0, 5), min_size=N, max_size=N))
def test_no_unit_moves_the_sum_by_more_than_the_clip_norm(clip, units):
    module, loss, rows = orderly()
    assert max(moved(Clipper(module, loss, clip=clip), rows, torch.tensor(units))) <= clip * (1 + 1e-4)


@pytest.mark.parametrize("twin", [WithoutClip, ByRow])
def test_broken_twins_are_caught(twin):
    module, loss, rows = orderly()
    units = UNITS["many rows"]
    assert max(moved(Clipper(module, loss, clip=0.1), rows, units)) <= 0.1001
    assert max(moved(twin(module, loss, clip=0.1), rows, units)) > 0.15


def test_rows_that_cancel_do_not_slip_through():
    """Two huge gradients that nearly cancel: what float32 may get wrong counts against the unit."""
    net = nn.Linear(4, 1, bias=False)
    x = torch.tensor([[1e4, 3.0, 1.0, 0.0], [-1e4, 3.0, -1.0, 2.0]])
    sums = Clipper(net, lambda net, x: net(x).squeeze(1), clip=1.0)
    assert length(sums(x, torch.tensor([0, 0]))) <= 1.0 + 1e-5


@pytest.mark.parametrize("bad", [float("inf"), float("nan"), 1e30])
def test_a_unit_without_a_finite_gradient_adds_nothing(bad):
    net = stirred(nn.Linear(3, 2))
    x = torch.randn(5, 3)
    x[1, 2] = bad
    units = torch.tensor([0, 1, 1, 2, 3])
    sums = Clipper(net, lambda net, x: net(x).square().sum(dim=1), clip=1.0)
    fine = torch.tensor([0, 3, 4])
    for ours, wanted in zip(sums(x, units), sums(x[fine], units[fine]), strict=True):
        torch.testing.assert_close(ours, wanted)


@pytest.mark.parametrize("model", ["autoregressive", "tvae", "words"])
def test_a_unit_that_is_not_finite_touches_no_other(model):
    """Units of three rows are worked on in fours, where a row stands in for the one that is not there."""
    module, loss, rows = MODELS[model]()
    module.eval()
    units = torch.arange(N) // 3

    def broken(net, rows):
        losses = loss(net, rows)
        return losses / torch.where(torch.arange(len(losses)) < len(losses) - N + 3, 0.0, 1.0)

    fine = Clipper(module, lambda net, r: loss(net, r) * (torch.arange(len(r)) >= len(r) - N + 3), clip=0.1)
    for ours, wanted in zip(
        clipped(Clipper(module, broken, clip=0.1), rows, units), clipped(fine, rows, units), strict=True
    ):
        torch.testing.assert_close(ours, wanted)


class Recorded:
    """Noise that is the same every time, and what was asked for."""

    def __init__(self, level):
        self.level, self.asked = level, []

    def __call__(self, shape, scale):
        self.asked.append((shape, scale))
        return torch.full(shape, self.level)


def test_an_empty_batch_is_pure_noise():
    module, loss, rows = orderly()
    sums, noise = Clipper(module, loss, clip=0.5), Recorded(3.0)
    private_gradient(sums, rows[slice(0, 0)], torch.arange(0), multiplier=2.0, expected=4.0, noise=noise)
    assert noise.asked == [(tuple(p.shape), 1.0) for p in module.parameters()]
    assert all(bool((p.grad == 0.75).all()) for p in module.parameters())


@pytest.mark.parametrize("size", [1, 4, 7, 1000])
def test_parts_of_a_batch_add_up(size):
    module, loss, rows = orderly()
    units = UNITS["many rows"]
    sums = Clipper(module, loss, clip=0.5)
    private_gradient(sums, rows, units, multiplier=1.0, expected=10.0, noise=Recorded(0.0), size=size)
    for p, wanted in zip(module.parameters(), sums(rows, units), strict=True):
        torch.testing.assert_close(p.grad, wanted / 10)


def test_parts_are_copied_within_their_size():
    module, loss, rows = orderly()
    sizes = []

    def watched(net, rows):
        sizes.append(len(rows))
        return loss(net, rows)

    sums = Clipper(module, watched, clip=0.5)
    units = torch.arange(N)
    private_gradient(sums, rows, units, multiplier=1.0, expected=9.0, noise=Recorded(0.0), size=12, copies=4)
    assert sizes[:2] == [2, 3]  # the two runs that find out what meets what
    assert max(sizes[2:]) == 12
    assert sum(sizes[2:]) == 4 * N


def linear():
    return nn.Linear(3, 1), torch.randn(6, 3), torch.arange(6)


@pytest.mark.parametrize("clip", [0.0, -1.0, float("inf"), float("nan")])
def test_clip_norms_are_positive(clip):
    with pytest.raises(ConfigError, match="a clip norm must be positive"):
        Clipper(linear()[0], lambda net, x: net(x).squeeze(1), clip=clip)


def test_units_are_one_a_row():
    net, x, units = linear()
    with pytest.raises(ConfigError, match="units must be one a row"):
        Clipper(net, lambda net, x: net(x).squeeze(1), clip=1.0)(x, units[:4])


def test_losses_are_one_a_row():
    net, x, units = linear()
    with pytest.raises(ConfigError, match="a loss must be one number a row"):
        Clipper(net, lambda net, x: net(x).mean(), clip=1.0)(x, units)


@pytest.mark.parametrize(
    ("name", "value"),
    [("multiplier", 0.0), ("multiplier", float("inf")), ("expected", 0.0), ("size", 0), ("copies", 0)],
)
def test_figures_of_a_step_are_positive(name, value):
    net, x, units = linear()
    figures = {"multiplier": 1.0, "expected": 2.0, "size": 8, "copies": 1} | {name: value}
    sums = Clipper(net, lambda net, x: net(x).squeeze(1), clip=1.0)
    with pytest.raises(ConfigError, match=f"{name} "):
        private_gradient(sums, x, units, noise=Recorded(0.0), **figures)


REFUSED = {
    "a weight alone": lambda net, x: net(x).squeeze(1) + net.weight.square().sum(),
    "a weight that is changed first": lambda net, x: F.linear(x, torch.tanh(net.weight)).squeeze(1),
    "a weight times rows": lambda net, x: torch.matmul(net.weight, x.mT).squeeze(0),
    "a product of weights": lambda net, x: net(x).squeeze(1) + torch.mm(net.weight, net.weight.mT).squeeze(),
    "a convolution": lambda net, x: F.conv1d(x[:, None], net.weight[None]).squeeze(2).squeeze(1),
    "a share": lambda net, x: torch.addmm(net.bias, x, net.weight.mT, beta=0.5).squeeze(1),
    "two weights added": lambda net, x: (x @ (net.weight + net.weight).mT).squeeze(1),
    "a weight as wide as the batch": lambda net, x: torch.bmm(x[:, None], net.weight.mT.expand(len(x), 3, 1)).ravel(),
    "a factor of the weight": lambda net, x: net(x).squeeze(1) + (2.0 * net.bias),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_closed_form_is_refused(case):
    net, x, units = linear()
    with pytest.raises(UnsupportedError, match="weights must meet rows in products"):
        Clipper(net, REFUSED[case], clip=1.0)(x, units)


def test_gradients_of_gradients_are_refused():
    """The penalty of a critic uses weights where nobody sees it."""
    module, loss, rows = ctgan(often=1)
    with pytest.raises(UnsupportedError, match="every use of a weight must be seen"):
        Clipper(module, loss, clip=1.0)(rows, UNITS["one row each"])


def test_rows_that_lean_on_each_other_are_refused():
    net, x, units = linear()
    with pytest.raises(UnsupportedError, match="must depend on no other row"):
        Clipper(net, lambda net, x: F.batch_norm(net(x), None, None, training=True).squeeze(1).exp(), clip=1.0)(
            x, units
        )


def test_rows_of_one_unit_may_lean_on_each_other():
    """As steps do on those before them; how weights meet rows is found out on rows that stand alone."""
    torch.manual_seed(4)
    net, units = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)), UNITS["many rows"]
    x = torch.randn(N, 3)

    def loss(net, rows):
        x, same = rows[:, :3], rows[:, 3:] == rows[:, 3]
        before = same.float().tril(-1) @ net[0](x)  # what came before in the unit
        return net[2](torch.tanh(net[0](x) + before)).squeeze(1).square()

    rows = torch.cat([x, units[:, None].float()], dim=1)
    alone = torch.cat([x, torch.arange(N)[:, None].float()], dim=1)
    gradients = by_unit(net, loss, rows, units)
    lengths = [length(g) for g in gradients]
    clip = float(np.median(lengths))
    sums = Clipper(net, loss, clip=clip)
    sums(alone, torch.arange(N))
    for k, part in enumerate(sums(rows, units)):
        wanted = sum(g[k] * min(1.0, clip / x) for g, x in zip(gradients, lengths, strict=True))
        torch.testing.assert_close(part, wanted, rtol=1e-4, atol=1e-5 * clip * len(gradients))


def test_rows_without_an_axis_of_their_own_are_refused():
    net, x, units = linear()
    with pytest.raises(UnsupportedError, match="one axis of their own"):
        Clipper(net, lambda net, x: net(x.repeat(2, 1)).view(2, -1).sum(dim=0), clip=1.0)(x, units)


def test_calls_that_differ_from_batch_to_batch_are_refused():
    net, x, units = linear()
    sums = Clipper(net, lambda net, x: (net(x) if len(x) < 4 else net(net(x).expand(-1, 3))).squeeze(1), clip=1.0)
    with pytest.raises(UnsupportedError, match="calls differ"):
        sums(x, units)


class Bags(nn.Module):
    """Bags of levels some of which are not there, of one table looked up twice and of a plain one."""

    def __init__(self, absent):
        super().__init__()
        self.values, self.absent = LevelEmbedding(layout().slots, 8, free=0.3, smooth=0.2), absent
        self.plain = nn.Parameter(torch.randn(5, 8))
        self.register_buffer("first", torch.tensor([0, 5, 9, 12]))

    def forward(self, cat):
        table, at = F.pad(self.values(), (0, 0, 0, 1)), cat + self.first
        at = torch.where(torch.from_numpy(self.absent)[cat[:, 0]], len(table) - 1, at)
        one, two = F.embedding_bag(at[:, :3], table, mode="sum"), F.embedding_bag(at[:, 3:], table, mode="sum")
        some = F.embedding_bag(cat[:, [0, 3]] + (cat[:, [0, 3]] > 3), F.pad(self.plain, (0, 0, 0, 1)), mode="sum")
        return (torch.tanh(one + 0.3) * (1 + two).sin() * (1 + some)).sum(dim=1)


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("absent", ["some", "a column", "all"])
def test_levels_that_are_not_there_move_nothing(absent, units):
    """Of each of five kinds of rows other cells are missing; of one column everywhere, or of all."""
    missing = np.random.default_rng(1).random((5, 4)) < 0.4
    missing[:, 1] |= absent == "a column"
    missing[:] |= absent == "all"
    torch.manual_seed(2)
    module, units = stirred(Bags(missing)), UNITS[units]
    rows = table().cat
    gradients = by_unit(module, lambda net, r: net(r), rows, units)
    lengths = [length(g) for g in gradients]
    clip = float(np.median(lengths))
    ours = Clipper(module, lambda net, r: net(r), clip=clip)(rows, units)
    for k, part in enumerate(ours):
        wanted = sum(g[k] * min(1.0, clip / max(x, 1e-30)) for g, x in zip(gradients, lengths, strict=True))
        torch.testing.assert_close(part, wanted, rtol=1e-4, atol=1e-5 * clip * len(gradients))


class Tables(nn.Module):
    """Tables of levels used as nobody uses them."""

    def __init__(self):
        super().__init__()
        self.values = LevelEmbedding(layout().slots, 8, free=0.3, smooth=0.2)

    def twice(self, cat):
        table = self.values()
        return (F.embedding(cat[:, :1], table) * F.embedding(cat[:, :1], table)).sum(dim=(1, 2))

    def bagged(self, cat):
        table = self.values()
        whole = F.embedding_bag(cat[:, :1], table, mode="sum")
        return (F.embedding(cat[:, :1], table)[:, 0] * whole).sum(dim=1)

    def scaled(self, cat):
        table = F.pad(self.values(), (0, 0, 0, 1))
        return F.embedding_bag(cat[:, :1], table, per_sample_weights=torch.ones(len(cat), 1), mode="sum").sum(dim=1)

    def padded(self, cat):
        return F.embedding(cat[:, :1], F.pad(self.values(), (0, 0, 0, 1))).sum(dim=(1, 2))

    def behind(self, cat):
        return F.embedding_bag(cat[:, :1], F.pad(self.values(), (0, 0, 1, 1)), mode="sum").sum(dim=1)

    def together(self, cat):
        return F.embedding(cat[:, [0, 0]] % 3, self.values()).square().sum(dim=(1, 2))

    def tied(self, cat):
        table = self.values()
        return F.linear(F.embedding(cat[:, :1], table)[:, 0], table[:2]).square().sum(dim=1)

    def cut(self, cat):
        return (F.one_hot(cat[:, 0] % 5, 5).float() @ self.values()[:5, :4]).square().sum(dim=1)

    def added(self, cat):
        return (cat[:, :1].float() + self.values()[3]).square().sum(dim=1)

    def parted(self, cat):
        table, x = self.values(), F.one_hot(cat[:, 0], 5).float() @ torch.ones(5, 8)
        return (x @ table[:2].T).sum(dim=1).square() + (x @ table[2:5].T).sum(dim=1).square()

    def beside(self, cat):
        x = (F.one_hot(cat[:, 0], 5).float() @ torch.ones(5, 8)).expand(2, -1, 8)
        return torch.bmm(x, self.values()[torch.tensor([[0, 1], [2, 3]])].mT).square().sum(dim=(0, 2))


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ("twice", "must stay in a slot of its own"),
        ("bagged", "must be used in one way"),
        ("scaled", "weights must meet rows"),
        ("padded", "weights must meet rows"),
        ("behind", "weights must meet rows"),
        ("together", "must stay in a slot of its own"),
        ("tied", "must be used in one way"),
        ("cut", "weights must meet rows"),
        ("added", "weights must meet rows"),
        ("parted", "must be used in one way"),
        ("beside", "weights must meet rows"),
    ],
)
def test_tables_of_levels_are_used_in_one_way(use, message):
    net = Tables()
    with pytest.raises(UnsupportedError, match=message):
        Clipper(net, lambda net, rows: getattr(net, use)(rows), clip=1.0)(table().cat, UNITS["one row each"])


@pytest.mark.parametrize("model", ["autoregressive", "autoregressive, slots alike"])
def test_norms_that_miss_a_part_are_refused(monkeypatch, model):
    """Sums are right then, and every unit would be clipped too little."""
    torch.manual_seed(3)
    monkeypatch.setattr(Kernel, "factors", lambda self, x, rows: x * self.coarse[rows][:, None, None])
    module, loss, rows = MODELS[model]()
    with pytest.raises(UnsupportedError, match="every use of a weight must be seen"):
        Clipper(module, loss, clip=1.0)(rows, UNITS["one row each"])


@pytest.mark.parametrize("seed", range(20))
def test_rows_that_cancel_are_no_reason_to_refuse(seed):
    """Of two people whose gradients are opposite nothing is left but the rounding of their squares."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(1, 50, generator=generator)
    rows = torch.cat([x, -x * (1 + 1e-4), 1e-4 * torch.randn(1, 50, generator=generator)])
    clipper = Clipper(nn.Linear(50, 1, bias=False), lambda net, rows: net(rows).squeeze(1), clip=1e6)
    (sums,) = clipper(rows, torch.tensor([0, 0, 1]))
    torch.testing.assert_close(sums, rows.sum(dim=0)[None])


def test_a_layer_without_outputs_takes_part():
    """A width of nought, as of a number that has one cell: its gradient is empty, and nothing else is moved by it."""
    torch.manual_seed(1)

    class Empty(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.none = nn.Linear(2, 3), nn.Embedding(4, 0)

        def forward(self, rows):
            return self.first(rows).square().sum(dim=1) + self.none((rows[:, :1] > 0).long()).sum(dim=(1, 2))

    net, rows, units = Empty(), torch.randn(6, 2), torch.arange(6)
    first, bias, empty = Clipper(net, lambda net, x: net(x), clip=0.5)(rows, units)
    own = Clipper(net.first, lambda net, x: net(x).square().sum(dim=1), clip=0.5)(rows, units)
    torch.testing.assert_close([first, bias], own)
    assert empty.shape == (4, 0)
