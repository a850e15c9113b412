"""Diffusion as a model: what it learns against a law that is known, what is given, its loss, its settings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from synthkit.encoding.layout import Given, Layout, Slot
from synthkit.errors import ConfigError
from synthkit.models.diffusion.config import DiffusionConfig, default_steps
from synthkit.models.diffusion.loss import DiffusionLoss
from synthkit.models.diffusion.model import Diffusion
from synthkit.models.diffusion.network import Denoiser
from synthkit.models.diffusion.noise_schedule import Schedule
from synthkit.models.normal_scores import NormalScores
from synthkit.schema import Schema
from synthkit.synthesizer.synthesizer import Synthesizer

SCHEMA = Schema(
    columns={
        "group": {"kind": "categorical", "levels": ["p", "q"]},
        "x": {"kind": "numeric"},
        "y": {"kind": "numeric"},
        "cost": {"kind": "numeric", "nullable": True},
    }
)
SETTINGS = {"width": 48, "hidden": 48, "blocks": 1, "steps": 700, "batch_size": 256, "learning_rate": 5e-3, "draws": 24}


def table(n: int, seed: int) -> pd.DataFrame:
    """y is 0.8 x, more in group p, less in q, and noise; cost is 0, missing, or x + 3 and a little noise."""
    rng = np.random.default_rng(seed)
    group = rng.random(n) < 0.5
    x = rng.standard_normal(n)
    y = 0.8 * x + np.where(group, 0.8, -0.8) + 0.4 * rng.standard_normal(n)
    kind = rng.random(n)
    cost = np.where(kind < 0.3, 0.0, np.where(kind < 0.4, np.nan, 3 + x + 0.2 * rng.standard_normal(n)))
    return pd.DataFrame({"group": np.where(group, "p", "q"), "x": x, "y": y, "cost": cost})


@pytest.fixture(scope="module")
def fitted() -> Synthesizer:
    return Synthesizer(SCHEMA, "diffusion", settings=SETTINGS, device="cpu").fit(table(3000, 0), seed=1)


def test_numbers_depend_on_names_and_on_each_other(fitted):
    rows = fitted.sample(6000, seed=2)
    rest = rows["y"] - 0.8 * rows["x"]
    for group, wanted in (("p", 0.8), ("q", -0.8)):
        here = rows["group"] == group
        assert rest[here].mean() == pytest.approx(wanted, abs=0.15)
        assert rest[here].std() < 0.65, "0.4; without the group 0.9, without x 0.9"
    assert (rows["group"] == "p").mean() == pytest.approx(0.5, abs=0.04)
    assert rows["cost"].isna().mean() == pytest.approx(0.1, abs=0.02)
    assert (rows["cost"] == 0).mean() == pytest.approx(0.3, abs=0.04)
    smooth = rows[rows["cost"] != 0].dropna()
    assert smooth["cost"].corr(smooth["x"]) > 0.88
    assert rows["x"].std() == pytest.approx(1, abs=0.06)


def test_known_numbers_tell_names_and_numbers(fitted):
    """Given x = 1 and y = 0 the group is q almost surely: 1.6 against 0 at a deviation of 0.4."""
    rows = fitted.sample(400, given={"x": 1.0, "y": 0.0}, seed=3)
    assert (rows["group"] == "q").mean() > 0.9
    assert (rows["x"] == 1.0).all()
    high, low = (fitted.sample(600, given={"group": "p", "x": x}, seed=4)["y"].mean() for x in (1.0, -1.0))
    assert high - low > 1.1
    assert fitted.sample(300, given={"cost": None}, seed=5)["cost"].isna().all()


def test_imputed_cells_follow_their_row(fitted):
    whole = table(400, 6).dropna().reset_index(drop=True)
    filled = fitted.impute(whole.assign(y=np.nan), seed=7)
    assert (filled["x"] == whole["x"]).all()
    assert np.corrcoef(filled["y"], whole["y"])[0, 1] > 0.75


def layout() -> Layout:
    prior = np.log(np.full(40, 1 / 40, dtype=np.float32))
    slots = (
        Slot(name="c", size=3, ordinal=False, missing=False, parent=None, prior=np.log(np.float32([0.5, 0.3, 0.2]))),
        Slot(name="x", size=40, ordinal=True, missing=False, parent=None, prior=prior),
    )
    return Layout(slots, ("c", "x"), ("x",))


def denoising(hints=0.25) -> DiffusionLoss:
    mixture = NormalScores(layout())
    network = Denoiser(mixture.slots, mixture.scores, width=8, hidden=8, blocks=1, dropout=0.0)
    return DiffusionLoss(mixture, network, Schedule(), weights=torch.ones(1), numeric=1.0, hints=hints)


def rows(n):
    return Diffusion(layout(), DiffusionConfig(width=8, draws=4)).sample(n, torch.Generator().manual_seed(0))


def test_before_training_the_loss_is_that_of_the_shares():
    """Names cost their cross-entropy with the prior, times (a + 1) / m; what F should be of a score has variance one.

    With one name, (1 + 1) / 1, masked half of the time; hints off.
    """
    module = denoising(hints=0.0).eval()
    drawn = rows(4000)
    level = torch.bincount(drawn.cat[:, 0], minlength=3) / 4000
    wanted = float(-(level * torch.log(torch.tensor([0.5, 0.3, 0.2]))).sum()) + 1.0
    assert float(module.loss(drawn).mean().detach()) == pytest.approx(wanted, rel=0.04)


def test_the_validation_loss_is_the_same_every_time_and_the_training_loss_is_not():
    module, drawn = denoising(), rows(50)
    assert torch.equal(module.eval().loss(drawn), module.eval().loss(drawn))
    assert module.loss(drawn).shape == (50,)
    torch.manual_seed(0)
    assert not torch.equal(module.train().loss(drawn), module.train().loss(drawn))


def test_gradients_reach_every_parameter():
    module = denoising().train()
    with torch.no_grad():
        for p in module.parameters():
            p.add_(torch.randn(p.shape, generator=torch.Generator().manual_seed(1)), alpha=0.1)
    module.loss(rows(200)).mean().backward()
    for name, p in module.named_parameters():
        assert p.grad is not None, name
        smooth = name.endswith("smooth")  # of names in an order only, and there is none here
        assert smooth or float(p.grad.abs().sum()) > 0, name


def test_known_levels_are_not_seen_as_noise():
    """A cell that is given comes back, in whatever row, and the others are drawn."""
    model = Diffusion(layout(), DiffusionConfig(width=8, draws=4))
    cat = torch.tensor([[2, -1], [-1, 17], [0, 39], [-1, -1]]).repeat(30, 1)
    drawn = model.sample_given(Given(cat, {}), torch.Generator().manual_seed(3))
    assert bool((drawn.cat[cat >= 0] == cat[cat >= 0]).all())
    assert len(drawn.cat[3::4, 1].unique()) > 10


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"hints": 0.0}, "hints 0 \\(above 0\\)"),
        ({"dropout": 1.5}, "dropout 1.5 \\(from 0 to 1\\)"),
        ({"draws": 0}, "draws 0 \\(at least 1\\)"),
        ({"blocks": -1}, "blocks -1 \\(not negative\\)"),
        ({"numeric": -1.0}, "numeric -1 \\(not negative\\)"),
    ],
)
def test_settings_have_ranges(settings, said):
    with pytest.raises(ValueError, match=said):
        DiffusionConfig(**settings)
    with pytest.raises(ConfigError, match=said):
        Synthesizer(SCHEMA, "diffusion", settings=settings)


def test_settings_left_open_depend_on_the_rows():
    small, large = DiffusionConfig().settled(500), DiffusionConfig().settled(50_000)
    assert (small.width, small.blocks, small.batch_size) == (128, 2, 256)
    assert (large.width, large.hidden, large.blocks, large.batch_size) == (256, 256, 3, 1024)
    assert DiffusionConfig(width=64).settled(10).hidden == 64
    assert [default_steps(n, 64) for n in (1, 2_000, 4_999, 5_000, 10**9)] == [1500, 1875, 4000, 4000, 4000]


def test_a_table_of_numbers_or_of_names_alone():
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame({"a": rng.standard_normal(300), "b": rng.standard_normal(300)})
    names = pd.DataFrame({"a": rng.choice(["u", "v"], 300), "b": rng.choice(["u", "v"], 300)})
    for frame, column in (
        (numbers, {"kind": "numeric"}),
        (names, {"kind": "categorical", "levels": ["u", "v"]}),
    ):
        schema = Schema(columns={"a": column, "b": column})
        model = Synthesizer(schema, "diffusion", settings=SETTINGS | {"steps": 5}, device="cpu").fit(frame, seed=1)
        assert model.sample(40, seed=2).notna().all(axis=None)
