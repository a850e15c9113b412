"""Models trained privately: clipped as autograd says unit by unit, nothing learned past it, nothing told of it."""

from __future__ import annotations

import math
import re
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from places import ROOT
from scipy import stats

from synthkit.encoding import Layout, Rows, Slot
from synthkit.errors import ConfigError
from synthkit.models.ctgan.conditional_vector import Conditions
from synthkit.models.ctgan.config import CTGANConfig
from synthkit.models.ctgan.private_trainer import PrivateGANTrainer, Projection
from synthkit.models.diffusion.loss import DiffusionLoss
from synthkit.models.diffusion.network import Denoiser
from synthkit.models.diffusion.noise_schedule import Schedule
from synthkit.models.normal_scores import NormalScores
from synthkit.models.registry import MODELS
from synthkit.models.settings import is_private, renamed, resolve_settings
from synthkit.privacy.access.exact_loader import ExactLoader
from synthkit.privacy.access.private_loader import PrivateLoader
from synthkit.privacy.dpsgd.dpsgd_config import DPSGDConfig
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan
from synthkit.privacy.dpsgd.noisy_descent import CalibratedDPSGD
from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.loop import seeded
from synthkit.training.matrix_precision import exact

CPU = torch.device("cpu")
TINY = {
    "autoregressive": {"width": 8, "hidden": 6},
    "ctgan": {"noise": 4, "width": 8, "critic_width": 8, "modes": 4, "batch_size": 16},
    "diffusion": {"width": 8, "hidden": 6, "blocks": 1},
    "tvae": {"width": 8, "hidden": 6, "latent": 2, "couplings": 2, "input_dropout": 0.1, "forget": 0.2},
}
models = pytest.mark.parametrize("name", sorted(TINY))
UNITS = np.array([0, 1, 1, 2] + [7] * 40 + [8, 9, 9, 9])  # one of them has forty rows


@pytest.fixture(autouse=True)
def float32(monkeypatch):
    """Networks compute in float32 while training, so that they can be held against autograd."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)  # torch 2.6 has none


def law(*shares):
    return np.log(np.array(shares) / np.sum(shares)).astype(np.float32)


def layout():
    """x: a number of coarse and fine levels, sometimes missing; y: a number; c: a name."""
    fine = np.array([law(5, 3, 2), [*law(1, 3), -np.inf], [-np.inf] * 3], dtype=np.float32)
    slots = (
        Slot(name="x", size=3, ordinal=True, missing=True, parent=None, prior=law(5, 3, 2)),
        Slot(name="x:fine", size=3, ordinal=True, missing=False, parent=0, prior=fine),
        Slot(name="y", size=20, ordinal=True, missing=False, parent=None, prior=law(*[1] * 20)),
        Slot(name="c", size=2, ordinal=False, missing=False, parent=None, prior=law(2, 1)),
    )
    return Layout(slots, ("x", "x", "y", "c"), ("x", "y"))


def table(n=48, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    fine = np.where(x == 2, 0, rng.integers(0, 2, n))
    c = rng.integers(0, 2, n)
    cat = np.stack([x, fine, 10 * c + rng.integers(0, 10, n), c], axis=1)  # y tells c
    return Rows(torch.from_numpy(cat), torch.from_numpy(rng.random((n, 2)).astype(np.float32)))


def config_of(name, **changes):
    return resolve_settings(name, MODELS[name].Config, {**TINY[name], **changes}, private=True)


def loader_of(name, rows, units, noise, *, kind=PrivateLoader, n=None, most=40, **changes):
    config = config_of(name, **changes)
    noisy = CalibratedDPSGD(plan=config.dpsgd_plan(None), noise_multiplier=noise)
    return kind(rows, units, layout(), noisy, n=len(np.unique(units)) if n is None else n, most=most)


def fitted(name, loader, seed=0, watch=None, **changes):
    model = MODELS[name](layout(), config_of(name, **changes))
    return model, model.fit_batches(loader, seed, watch)


def by_hand(module, loss, rows, owner, clip, copies):
    """Clipped sum of the gradients of units, one by one by autograd; and how long each was."""
    every = torch.arange(len(rows)).repeat_interleave(copies)
    parameters, lengths = list(module.parameters()), []
    total = [torch.zeros_like(p) for p in parameters]
    with seeded(1, CPU):
        losses = loss(module, rows[every]) / copies
    for unit in torch.unique(owner):
        own = losses[(owner == unit)[every]].sum()
        found = torch.autograd.grad(own, parameters, retain_graph=True, allow_unused=True)
        found = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]
        lengths.append(float(torch.cat([g.flatten() for g in found]).norm()))
        total = [t + g * min(1.0, clip / max(lengths[-1], 1e-30)) for t, g in zip(total, found, strict=True)]
    return total, lengths


class Watched(PrivateLoader):
    """A loader of which each step is held against autograd; rows come in order, with random numbers that come again.

    Both at full precision: while networks train, products may go through bfloat16 units where a processor has them.
    """

    def _labels(self):
        return torch.arange(self._many)

    def stepping(self, module, loss, optimizer):
        def again(net, rows):
            torch.manual_seed(5)
            return loss(net, rows)

        def step():
            before = {k: v.clone() for k, v in module.named_buffers()}
            plan = self.plan
            with exact():
                wanted, lengths = by_hand(
                    module, again, self._rows, self._owner, plan.clip_norm, plan.augmentation_multiplicity
                )
                own()
            for p, w in zip(module.parameters(), wanted, strict=True):
                torch.testing.assert_close(p.grad * plan.expected(self.n), w, rtol=1e-3, atol=2e-4 * plan.clip_norm)
            assert all(torch.equal(v, before[k]) for k, v in module.named_buffers())
            self.lengths = [*getattr(self, "lengths", []), lengths]

        own = super().stepping(module, again, optimizer)
        return step


@models
@pytest.mark.parametrize("copies", [1, 3])
def test_each_unit_is_clipped_as_autograd_says_in_every_step(name, copies):
    """The patient of forty rows too; and buffers are not touched."""
    settings = {"sampling_rate": 1.0, "steps": 4, "clip_norm": 0.5, "augmentation_multiplicity": copies}
    loader = loader_of(name, table(), UNITS, 1e-7, kind=Watched, **settings)
    fitted(name, loader, **settings)
    assert loader.left == 0
    lengths = np.array(loader.lengths)
    assert lengths.max() > 0.5  # some were clipped, the patient of forty rows among them
    assert lengths[-1].argmax() == 3


def test_some_units_are_below_the_norm_and_are_left_alone():
    settings = {"sampling_rate": 1.0, "steps": 2, "clip_norm": 6.0}
    loader = loader_of("autoregressive", table(), UNITS, 1e-7, kind=Watched, **settings)
    fitted("autoregressive", loader, **settings)
    assert np.array(loader.lengths).min() < 6.0 < np.array(loader.lengths).max()


@models
def test_no_loss_no_time_and_no_size_is_told(name):
    """Whatever the table: the log and what is said of each step are the same."""
    settings = {"sampling_rate": 0.5, "steps": 6, "clip_norm": 1.0}
    told = []
    for n in (1, 300):
        steps, said = [], []
        watch = TrainingCallbacks(progress=lambda *a, s=steps: s.append(a), say=said.append)
        _, log = fitted(name, loader_of(name, table(n), np.arange(n), 1.0, n=50.0, **settings), watch=watch, **settings)
        assert (log.train, log.at, log.validation) == ((), (), None)
        assert (log.steps, log.planned, log.best_step, log.seconds, log.memory) == (6, 6, 6, 0.0, None)
        assert [s[:2] for s in steps] == [(k, 6) for k in range(1, 7)]
        assert all(math.isnan(s[2]) for s in steps)
        told.append((len(steps), said))
    assert told[0] == told[1]


@models
def test_a_table_without_rows_trains_on_noise(name):
    """An empty batch is a batch, every time; the fitted model still draws."""
    settings = {"sampling_rate": 0.5, "steps": 3}
    loader = loader_of(name, table(0), np.zeros(0, np.int64), 1.0, n=50.0, **settings)
    model, _ = fitted(name, loader, **settings)
    assert len(model.sample(20, torch.Generator().manual_seed(0))) == 20


@models
def test_the_same_seed_gives_other_weights_under_a_budget(name):
    """Noise follows from no seed; the root seed is not used up by it either."""
    settings = {"sampling_rate": 0.5, "steps": 2}
    after, weights = [], []
    for n in (5, 80):
        with seeded(9, CPU):
            model, _ = fitted(name, loader_of(name, table(n), np.arange(n), 1.0, n=50.0, **settings), **settings)
            after.append(torch.rand(1))
        weights.append(torch.cat([t.flatten().float() for t in model.tensors().values()]))
    assert torch.equal(*after)
    assert not torch.equal(*weights)


def state_of(model):
    return {k: v.clone() for k, v in model.tensors().items()}


class Followed(PrivateLoader):
    """Remembers weights after each step."""

    def stepping(self, module, loss, optimizer):
        own = super().stepping(module, loss, optimizer)
        self.start = {k: v.detach().clone() for k, v in module.named_parameters()}
        self.way = []

        def step():
            own()
            self.way.append({k: v.detach().clone() for k, v in module.named_parameters()})

        return step


@pytest.mark.parametrize("name", ["autoregressive", "diffusion", "tvae"])
def test_the_average_of_the_way_is_what_is_left(name):
    settings = {"sampling_rate": 0.5, "steps": 12}
    loader = loader_of(name, table(), UNITS, 1.0, kind=Followed, **settings)
    model, _ = fitted(name, loader, **settings)
    left = state_of(model)
    for key, start in loader.start.items():
        average = start
        for t, weights in enumerate(loader.way):
            decay = min(0.995, (1 + t) / (10 + t))
            average = decay * average + (1 - decay) * weights[key]
        torch.testing.assert_close(left[key], average, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "rows", "steps", "copies"),
    [("autoregressive", 400, 100, 1), ("diffusion", 800, 150, 2), ("tvae", 400, 100, 1)],  # the second is slow to learn
)
def test_something_is_learned_through_noise(name, rows, steps, copies):
    """y tells c: what is drawn follows, and did not before."""
    settings = {
        "sampling_rate": 0.5,
        "steps": steps,
        "width": 16,
        "hidden": 16,
        "learning_rate": 0.03,
        "augmentation_multiplicity": copies,
    }
    loader = loader_of(name, table(rows), np.arange(rows), 1.0, **settings)
    model, _ = fitted(name, loader, **settings)
    cat = model.sample(3000, torch.Generator().manual_seed(0)).cat
    share = float(((cat[:, 2] >= 10) == (cat[:, 3] == 1)).float().mean())
    assert share > 0.8


@models
@pytest.mark.parametrize("asked", ["store", "seconds"])
def test_checkpoints_and_limits_of_time_are_refused(name, asked, tmp_path):
    from synthkit.synthesizer.checkpoints import Checkpoint

    watch = TrainingCallbacks(store=Checkpoint(tmp_path)) if asked == "store" else TrainingCallbacks(seconds=60.0)
    loader = loader_of(name, table(), UNITS, 1.0)
    with pytest.raises(ConfigError, match="under a privacy budget all steps must be made at once, as planned; however"):
        fitted(name, loader, watch=watch)
    assert loader.left == loader.plan.steps


@models
def test_settings_and_loader_must_belong_together(name):
    kind = MODELS[name]
    with pytest.raises(ConfigError, match="must be private ones where there is a budget; however: there is one"):
        kind(layout(), kind.Config(**small(name))).fit_batches(loader_of(name, table(), UNITS, 1.0), 0)
    open_loader = ExactLoader(table(), None, layout())
    with pytest.raises(ConfigError, match="must be private ones where there is a budget; however: those of a private"):
        kind(layout(), config_of(name)).fit_batches(open_loader, 0)


def small(name):
    return {k: v for k, v in TINY[name].items() if k in {f.name for f in fields(MODELS[name].Config)}}


def test_weights_that_are_no_numbers_are_refused():
    settings = {"sampling_rate": 0.5, "steps": 3, "learning_rate": 1e38}
    with pytest.raises(ConfigError, match="weights must stay finite; however"):
        fitted("autoregressive", loader_of("autoregressive", table(), UNITS, 1.0, **settings), **settings)


@models
def test_the_plan_is_public(name):
    """It follows from the settings and a declared number of units, and never from the number a loader was told."""
    config = config_of(name, batch_size=100, steps=7, clip_norm=0.4, augmentation_multiplicity=2)
    assert config.dpsgd_plan(None) == DPSGDPlan(sampling_rate=0.1, steps=7, clip_norm=0.4, augmentation_multiplicity=2)
    assert config.dpsgd_plan(400.0).sampling_rate == 0.25
    assert config.dpsgd_plan(50.0).sampling_rate == 1.0
    assert replace(config, sampling_rate=0.03).dpsgd_plan(400.0).sampling_rate == 0.03
    for n in (10.0, 1e9):
        loader = loader_of(name, table(), UNITS, 1.0, n=n, steps=2, batch_size=16)
        _, log = fitted(name, loader, steps=2, batch_size=16)
        assert log.steps == 2


@models
def test_defaults_of_a_private_training_can_be_meant(name):
    kind = MODELS[name]
    config = resolve_settings(name, kind.Config, {}, private=True)
    assert isinstance(config, DPSGDConfig)
    assert isinstance(config, kind.Config)
    plan = config.dpsgd_plan(30_000.0)
    assert 0.01 <= plan.sampling_rate <= 0.5
    assert 100 <= plan.steps <= 3000
    assert config.steps == plan.steps


def test_a_plan_with_a_bad_setting_is_refused():
    with pytest.raises(
        ConfigError, match="the plan of a private training must lie in its ranges; however: sampling_rate 2"
    ):
        config_of("autoregressive", sampling_rate=2.0).dpsgd_plan(None)


@models
def test_settings_of_a_budget_are_told_by_their_names(name):
    record = MODELS[name].Config
    assert not is_private(record, {"steps"})
    assert is_private(record, {"steps", "clip_norm"})
    assert not is_private(MODELS["marginal"].Config, {"clip_norm"})
    assert not record().private
    assert set(record().plain()) == {field.name for field in fields(record)} - set(record.PRIVATE_ONLY)
    config = config_of(name)
    assert config.private
    assert record(**config.plain()) == config


def test_settings_of_an_earlier_version_are_read():
    assert renamed({"rate": 0.1, "clip": 0.3, "copies": 2, "width": 8}) == {
        "sampling_rate": 0.1,
        "clip_norm": 0.3,
        "augmentation_multiplicity": 2,
        "width": 8,
    }


def test_times_of_rows_are_drawn_apart_under_a_budget():
    """The distance of the times of two rows is uniform; evenly spread ones would always be a half apart."""
    mixture = NormalScores(layout(), few=5)
    net = Denoiser(mixture.slots, mixture.scores, width=4, hidden=4, blocks=0, dropout=0.0)
    gaps = {}
    for apart in (True, False):
        module = DiffusionLoss(
            mixture, net, Schedule(), weights=torch.ones(len(mixture.slots)), numeric=1.0, hints=0.0, apart=apart
        )
        mixed = mixture.split(table(2))
        pairs = torch.stack([module.look(mixed, None).time for _ in range(500)])
        gaps[apart] = ((pairs[:, 1] - pairs[:, 0]) % 1).numpy()
    assert stats.kstest(gaps[True], "uniform").pvalue > 1e-6
    np.testing.assert_allclose(gaps[False], 0.5, atol=1e-3)


def test_the_weight_of_a_row_leans_on_no_other_under_a_budget():
    conditions = Conditions([torch.from_numpy(law(8, 1, 1))], 1000.0, balance=1.0)
    cat = torch.tensor([[0], [1], [1], [2]])
    _, whole = conditions.alone(cat)
    _, one = conditions.alone(cat[:1])
    assert float(whole[0]) == float(one[0]) < 1 < float(whole[1])
    assert float((torch.tensor([0.8, 0.1, 0.1]) * torch.stack([whole[0], whole[1], whole[3]])).sum()) == pytest.approx(
        1
    )


def test_the_critic_is_smooth_and_the_generator_meets_no_row():
    settings = {"sampling_rate": 0.5, "steps": 30, "critic_rate": 0.05, "spectral": 0.7}

    class Asked(PrivateLoader):
        def stepping(self, module, loss, optimizer):
            self.module, self.optimizer = module, optimizer
            return super().stepping(module, loss, optimizer)

    loader = loader_of("ctgan", table(), UNITS, 1.0, kind=Asked, **settings)
    fitted("ctgan", loader, **settings)
    critic = loader.module
    own = {id(p) for p in critic.parameters()}
    assert {id(p) for group in loader.optimizer.param_groups for p in group["params"]} == own
    for layer in (*critic.within, critic.leave):
        assert float(torch.linalg.matrix_norm(layer.weight.detach(), 2)) <= 0.7 * 1.1  # by power iteration, under noise


def test_a_projection_leaves_a_small_layer_alone():
    layer = torch.nn.Linear(5, 3)
    before = layer.weight.detach().clone()
    Projection(layer, 100.0)()
    assert torch.equal(layer.weight, before)
    Projection(layer, 0.5)()
    assert float(torch.linalg.matrix_norm(layer.weight.detach(), 2)) == pytest.approx(0.5, rel=1e-3)


def test_the_generator_is_told_paid_conditions_only():
    config = config_of("ctgan", condition=0.5, batch_size=4000)
    model = MODELS["ctgan"](layout(), config)
    trainer = PrivateGANTrainer(model._network, config, loader_of("ctgan", table(), UNITS, 1.0), 0)
    asked = trainer._paid_conditions()
    under = asked.sum(dim=1)
    assert 0.45 < float(under.mean()) < 0.55
    shares = asked.sum(dim=0) / under.sum() * len(trainer._conditions.sizes)
    torch.testing.assert_close(shares, trainer._conditions.shares, rtol=0.2, atol=0.05)


@pytest.mark.parametrize(
    "change", [{"pack": 2}, {"candidates": 3}, {"penalty": 1.0}, {"loss": "wgan-gp"}, {"spectral": 0.0}]
)
def test_what_cannot_be_private_in_a_gan_is_refused(change):
    with pytest.raises(ValueError, match="settings under a budget must lie in their ranges; however"):
        CTGANConfig(**{**CTGANConfig.PRIVATE_DEFAULTS, **change})


def test_the_page_on_models_lists_the_private_defaults():
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    head, *rows = re.search(r"^(\| private setting .*\n)\|[-|]+\|\n((?:\|.*\n)+)", page, flags=re.MULTILINE).groups()
    names = [cell.strip() for cell in head.strip("|\n ").split("|")][1:]
    assert names == sorted(TINY)
    said = {}
    for row in rows[0].splitlines():
        key, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        said |= {(key.strip("`"), name): cell for name, cell in zip(names, cells, strict=True)}
    for name in names:
        own = {k: str(v) for k, v in resolve_settings(name, MODELS[name].Config, {}, private=True).plain().items()}
        plain = {f.name: str(f.default) for f in fields(MODELS[name].Config)}
        told = {key: cell for (key, which), cell in said.items() if which == name and cell != "-"}
        assert told.items() <= own.items()
        assert set(told) >= {key for key, value in own.items() if plain.get(key) != value}
