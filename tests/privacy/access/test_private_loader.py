"""The private loader: what a step is made of, who takes part, how much noise there is, and that nothing comes back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from synthkit.encoding import Layout, Rows, Slot
from synthkit.errors import BudgetExceededError, ConfigError
from synthkit.privacy.access import private_loader
from synthkit.privacy.access.private_loader import PrivateLoader
from synthkit.privacy.accounting.events import PoissonSubsampledGaussian
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan
from synthkit.privacy.dpsgd.noisy_descent import CalibratedDPSGD

FLAKE = 1e-6
QUIET = 1e-9  # a noise multiplier nobody would hear


def layout_of(size=2):
    slot = Slot(name="x", size=size, ordinal=False, missing=False, parent=None, prior=np.zeros(size, np.float32))
    return Layout((slot,), ("x",), ("x",))


def rows_of(values):
    """Rows whose position inside the cell is what a test says."""
    num = torch.tensor(values, dtype=torch.float32)[:, None]
    return Rows(torch.zeros(len(num), 1, dtype=torch.long), num)


def loader_of(values, units=None, *, rate=1.0, steps=1, clip=1.0, copies=1, noise=QUIET, n=None, most=1):
    rows = rows_of(values)
    units = np.arange(len(rows)) if units is None else np.asarray(units)
    noisy = CalibratedDPSGD(
        plan=DPSGDPlan(sampling_rate=rate, steps=steps, clip_norm=clip, augmentation_multiplicity=copies),
        noise_multiplier=noise,
    )
    return PrivateLoader(rows, units, layout_of(), noisy, n=len(rows) if n is None else n, most=most)


class Level(nn.Module):
    """One weight that is added to what a row is."""

    def __init__(self, size=1):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, x):
        return x + self.bias


def pull(net, rows):
    """A loss of gradient x for a row of position x."""
    return (net(torch.zeros(len(rows), 1)) * rows.num).sum(dim=1)


def gradients(loader, steps=1, loss=pull, net=None):
    """What a module is told, step after step."""
    net = Level() if net is None else net
    step = loader.stepping(net, loss, torch.optim.SGD(net.parameters(), lr=0.1))
    out = []
    for _ in range(steps):
        assert step() is None
        out.append(torch.cat([p.grad.ravel() for p in net.parameters()]).clone())
    return torch.stack(out)


def test_it_is_a_private_loader():
    loader = loader_of([0.5], n=12.5)
    assert loader.planned_steps == loader.plan.steps == loader.left
    assert loader.n == 12.5
    assert loader.device == torch.device("cpu")
    assert loader.layout.sizes == (2,)
    assert loader.validation() is None


def test_nothing_of_the_rows_is_shown():
    """Whoever prints a loader, or counts it, learns nothing."""
    assert "0.5" not in repr(loader_of([0.5]))
    with pytest.raises(TypeError):
        len(loader_of([0.5]))
    public = {name for name in dir(loader_of([0.5])) if not name.startswith("_")}
    assert public == {
        "batches",
        "device",
        "layout",
        "left",
        "n",
        "plan",
        "planned_steps",
        "rows",
        "stepping",
        "steps",
        "validation",
    }
    assert loader_of([0.5]).rows is None


def test_the_divisor_is_the_public_number_not_the_rows():
    told = gradients(loader_of([0.25, 0.5, 0.75], n=100.0))
    assert float(told) == pytest.approx(1.5 / 100, rel=1e-4)
    assert float(gradients(loader_of([0.25, 0.5], rate=1.0, n=50.0))) == pytest.approx(0.75 / 50, rel=1e-4)


def test_a_unit_of_forty_rows_moves_the_sum_by_the_clip_norm():
    values, units = [0.9] * 40 + [0.2, 0.3], [7] * 40 + [1, 2]
    loader = loader_of(values, units, clip=1.0, n=1.0, most=40)
    assert float(gradients(loader)) == pytest.approx(1.0 + 0.5, rel=1e-4)


def test_no_more_rows_of_a_unit_are_met_than_may_be_and_they_stay_the_same():
    values = [0.001 * 2**k for k in range(9)]
    loader = loader_of(values, [3] * 9, clip=10.0, n=1.0, most=2, steps=6)
    told = gradients(loader, 6).ravel()
    pairs = {round(a + b, 6) for i, a in enumerate(values) for b in values[:i]}
    assert round(float(told[0]), 6) in pairs
    assert float(told.max() - told.min()) < 1e-6


def test_which_rows_of_a_unit_are_met_is_chosen_anew_for_each_loader():
    values = [0.1, 0.4]
    seen = {round(float(gradients(loader_of(values, [3, 3], n=1.0))), 3) for _ in range(40)}
    assert seen == {0.1, 0.4}


def test_batches_are_poisson_samples_of_units():
    """Sizes have mean n q and variance n q (1 - q), neither fixed nor wilder; rows of a unit come together."""
    n, q, steps = 400, 0.2, 600
    sizes = []

    def counted(net, rows):
        sizes.append(len(rows))
        return pull(net, rows)

    loader = loader_of([0.5] * 2 * n, np.repeat(np.arange(n), 2), rate=q, steps=steps, most=2, n=n)
    net = Level()
    step = loader.stepping(net, counted, torch.optim.SGD(net.parameters()))
    sizes.clear()
    for _ in range(steps):
        step()
    sizes = np.array(sizes) // 2
    assert abs(sizes.mean() - n * q) < 5 * np.sqrt(n * q * (1 - q) / steps)
    spread = (steps - 1) * sizes.var(ddof=1) / (n * q * (1 - q))
    assert FLAKE < stats.chi2.cdf(spread, steps - 1) < 1 - FLAKE


def test_an_empty_batch_is_a_step_of_pure_noise():
    loader = loader_of([0.9], rate=1e-9, steps=400, noise=2.0, n=1e9)
    told = gradients(loader, 400).ravel().numpy()
    assert stats.kstest(told, stats.norm(scale=2.0).cdf).pvalue > FLAKE


def test_the_noise_is_what_was_charged_within_a_hundredth():
    """Residuals of the gradient about the clipped sum, over sigma C / (q n), have standard deviation 1."""
    sigma, clip, n = 1.7, 0.3, 50.0
    net = Level(200_000)

    def loss(net, rows):
        return net(torch.zeros(len(rows), 200_000)).mean(dim=1) * rows.num[:, 0]

    told = gradients(loader_of([0.5] * 20, clip=clip, noise=sigma, n=n), 1, loss, net).ravel()
    residuals = (told - 20 * 0.5 / 200_000 / n) / (sigma * clip / n)
    assert float(residuals.std()) == pytest.approx(1.0, rel=0.01)
    assert abs(float(residuals.mean())) < 0.012
    for wrong in (0.9, 1.1):
        assert stats.kstest(residuals.numpy() / wrong, "norm").pvalue < FLAKE
    assert stats.kstest(residuals.numpy(), "norm").pvalue > FLAKE


def test_noise_and_batches_are_never_the_same_again():
    """Not even under the same seed of torch's own generator."""
    told = []
    for _ in range(2):
        torch.manual_seed(3)
        told.append(gradients(loader_of([0.5] * 50, rate=0.5, steps=3, noise=1.0), 3))
    assert not torch.equal(*told)


def test_what_losses_draw_is_secret_and_tells_nothing_of_the_size_of_a_batch():
    """A loss draws one number a row: torch's own generator is where it was, and the draws do not follow its seed."""
    drawn = []

    def loss(net, rows):
        drawn.append(torch.rand(len(rows)))
        return pull(net, rows)

    after = []
    for n in (3, 30):
        torch.manual_seed(3)
        gradients(loader_of([0.5] * n), 1, loss)
        after.append(torch.rand(1))
    assert torch.equal(*after)
    assert not torch.equal(drawn[-1][:3], torch.rand(3, generator=torch.Generator().manual_seed(3)))
    first = [d[:2] for d in drawn]
    assert len({tuple(x.tolist()) for x in first}) == len(first)


@pytest.mark.parametrize("at_once", [1, 3, 8, 1000])
def test_a_batch_in_parts_is_the_step_of_the_whole(monkeypatch, at_once):
    """Rows of a unit stay in one part, so that norms are exact."""
    monkeypatch.setattr(private_loader, "ROWS_AT_ONCE", at_once)
    values, units = [0.1, 0.9, 0.8, 0.2, 0.7, 0.6, 0.3], [0, 1, 1, 2, 1, 3, 3]
    told = gradients(loader_of(values, units, clip=0.85, n=1.0, most=5))
    assert float(told) == pytest.approx(0.1 + 0.85 + 0.2 + 0.85, rel=1e-4)


def test_more_steps_than_were_charged_are_refused():
    loader = loader_of([0.5], steps=2)
    net = Level()
    step = loader.stepping(net, pull, torch.optim.SGD(net.parameters()))
    step()
    assert loader.left == 1
    again = loader.stepping(net, pull, torch.optim.SGD(net.parameters()))  # the same purse
    again()
    for one in (step, again):
        with pytest.raises(BudgetExceededError, match="may make the 2 steps that were charged; however"):
            one()
    assert loader.left == 0


def test_real_rows_are_met_only_by_steps():
    """What a network does with rows is found out on invented ones."""
    met = []

    def loss(net, rows):
        met.append(rows.num.clone())
        return pull(net, rows)

    net = Level()
    loader_of([0.123] * 9).stepping(net, loss, torch.optim.SGD(net.parameters()))
    assert met
    assert all(not bool((x == 0.123).any()) for x in met)


def test_a_loader_without_rows_makes_its_steps():
    loader = PrivateLoader(rows_of([]), np.array([], np.int64), layout_of(), loader_of([0.5], noise=1.0)._noisy, n=5.0)
    assert bool(gradients(loader).isfinite().all())


def test_a_row_that_is_not_finite_adds_nothing():
    told = gradients(loader_of([0.25, float("nan"), 0.5], n=1.0))
    assert float(told) == pytest.approx(0.75, rel=1e-4)


@pytest.mark.parametrize("n", [0.0, -3.0, float("nan"), float("inf")])
def test_a_number_of_units_that_is_none_is_refused(n):
    with pytest.raises(ConfigError, match="the number of units must be above 0; however"):
        loader_of([0.5], n=n)


def test_units_that_are_not_one_a_row_are_refused():
    with pytest.raises(ConfigError, match="units must be one a row; however") as error:
        loader_of([0.5, 0.5], [1])
    assert "2" not in str(error.value)


def test_no_row_of_a_unit_is_refused():
    with pytest.raises(ConfigError, match="a row of each unit must be kept"):
        loader_of([0.5], most=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sampling_rate", 0.0),
        ("sampling_rate", 1.1),
        ("steps", 0),
        ("clip_norm", 0.0),
        ("clip_norm", float("inf")),
        ("augmentation_multiplicity", 0),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(name, value):
    plan = {"sampling_rate": 0.1, "steps": 10, "clip_norm": 1.0, "augmentation_multiplicity": 1} | {name: value}
    with pytest.raises(ConfigError, match=f"the plan of a private training must lie in its ranges; however: {name} "):
        DPSGDPlan(**plan)


def test_a_plan_is_charged_as_poisson_steps():
    noisy = CalibratedDPSGD(
        plan=DPSGDPlan(sampling_rate=0.1, steps=10, clip_norm=3.0, augmentation_multiplicity=4), noise_multiplier=2.0
    )
    assert noisy.charge().spent == PoissonSubsampledGaussian(noise_multiplier=2.0, rate=0.1, steps=10)
    assert noisy.charge().times == 1


@pytest.mark.parametrize("noise", [0.0, -1.0, float("inf")])
def test_noise_that_is_none_is_refused(noise):
    with pytest.raises(ConfigError, match="`noise_multiplier` of poisson-subsampled-gaussian"):
        CalibratedDPSGD(plan=DPSGDPlan(sampling_rate=0.1, steps=10, clip_norm=1.0), noise_multiplier=noise)


def test_rows_come_in_a_secret_order():
    """What a loss draws for the k-th row of a batch goes to another one each time."""
    firsts = []

    def loss(net, rows):
        if len(rows) == 30:
            firsts.append(float(rows.num[0, 0]))
        return pull(net, rows)

    gradients(loader_of([k / 30 for k in range(30)], steps=60), 60, loss)
    assert len(firsts) == 60
    assert len(set(firsts)) > 15
