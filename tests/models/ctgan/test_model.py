"""The conditional GAN: what is asked for comes back, training can be taken up, settings have ranges."""

import numpy as np
import pandas as pd
import pytest
import torch

from synthkit.encoding import Given, Layout, Rows, Slot, TableEncoder
from synthkit.encoding.encoder import histograms_of
from synthkit.models.ctgan.config import CTGANConfig, default_steps
from synthkit.models.ctgan.model import CTGAN
from synthkit.models.density_ratio import DensityRatio
from synthkit.models.normal_scores import NormalScores
from synthkit.models.rejection_sampling import RejectionSampler
from synthkit.privacy.access.exact_loader import ExactLoader
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.training.callbacks import TrainingCallbacks

CPU = torch.device("cpu")
SMALL = {"noise": 16, "width": 48, "critic_width": 48, "batch_size": 250, "odds_batch": 250}
WARD = Schema(
    columns={
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "ward": {"kind": "categorical", "levels": ["a", "b", "c"]},
        "stage": {"kind": "ordinal", "levels": [1, 2, 3, 4]},
        "dose": {"kind": "numeric", "min": 0, "nullable": True},
    }
)


def ward(n, seed=0):
    """Sex decides the ward, the ward the stage and the dose; half of the doses are zero, some missing."""
    rng = np.random.default_rng(seed)
    sex = rng.integers(0, 2, n)
    place = (sex + (rng.random(n) < 0.3) + 3 * (rng.random(n) < 0.1)) % 3
    stage = np.clip(place + rng.integers(1, 3, n), 1, 4)
    dose = np.where(rng.random(n) < 0.5, 0.0, np.exp(rng.normal(place, 0.3)))
    dose[rng.random(n) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "sex": np.array(["f", "m"], dtype=object)[sex],
            "ward": np.array(["a", "b", "c"], dtype=object)[place],
            "stage": stage,
            "dose": dose,
        }
    )


def training_loader(n=4000):
    frame = ward(n)
    encoder = TableEncoder.fit(WARD, histograms_of(WARD, frame))
    return ExactLoader.of(encoder.encode(frame), encoder.layout, None, Seeds(0), CPU)


@pytest.fixture(scope="module")
def fitted():
    training = training_loader()
    settings = CTGANConfig(**SMALL, steps=600, penalty=0.5, average=0.99, condition=0.5, asking=0.2)
    model = CTGAN(training.layout, settings)
    return model, model.fit_batches(training, seed=1), training


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_what_is_asked_of_any_name_comes_back(fitted):
    """Every level of every name, kinds of numbers included, is what most rows drawn under its condition have."""
    model, _, _ = fitted
    network = model._network  # the condition is not public: `given` writes known cells in anyway
    mixture, read = network.mixture, 0
    for name, size in enumerate(mixture.sizes):
        for level in range(size):
            condition = network._conditions.vectors(torch.full((400,), name), torch.full((400,), level))
            with torch.no_grad():
                _, logits = network.generator(torch.randn(400, 16, generator=generator(read)), condition)
            part = torch.split(logits, list(mixture.sizes), dim=1)[name]
            assert float(torch.softmax(part, dim=1)[:, level].mean()) > 0.7, (mixture.names[name], level)
            read += 1
    assert read == sum(mixture.sizes) >= 12


def test_dependence_is_learned(fitted):
    """Two-way tables of a draw are three times as near to those of fresh rows as without dependence."""
    model, _, training = fitted
    encoder = TableEncoder.fit(WARD, histograms_of(WARD, ward(4000)))
    fresh = encoder.encode(ward(20_000, 7)).cat
    drawn = model.sample(20_000, generator()).cat
    for a, b in ((0, 1), (1, 2), (0, 2)):
        size = training.layout.sizes[b]
        shares = [torch.bincount((x[:, a] * size + x[:, b]).long(), minlength=12) / 20_000 for x in (fresh, drawn)]
        product = torch.outer(
            torch.bincount(fresh[:, a].long()) / 20_000, torch.bincount(fresh[:, b].long()) / 20_000
        ).ravel()
        product = torch.nn.functional.pad(product, (0, 12 - len(product)))
        distance = [float((shares[0] - other).abs().sum() / 2) for other in (shares[1], product)]
        assert distance[0] < distance[1] / 3


def test_completion_follows_what_is_known(fitted):
    """Given a ward, stages that never occur there are drawn in less than a twentieth of rows, the others in more."""
    model, _, _ = fitted
    encoder = TableEncoder.fit(WARD, histograms_of(WARD, ward(4000)))
    fresh = encoder.encode(ward(20_000, 8)).cat.long()
    for place in range(3):
        cat = torch.full((2000, fresh.shape[1]), -1)
        cat[:, 1] = place
        rows = model.sample_given(Given(cat, {}), generator(place))
        assert bool((rows.cat[:, 1] == place).all())
        expected = torch.bincount(fresh[fresh[:, 1] == place][:, 2], minlength=4) / int((fresh[:, 1] == place).sum())
        found = torch.bincount(rows.cat[:, 2].long(), minlength=4) / 2000
        assert float(found[expected == 0].sum()) < 0.05
        assert bool((found[expected > 0] > 0.05).all())


def test_known_numbers_choose_among_candidates(fitted):
    """A dose in the top tenth is mostly given in ward c, which has 15 % of rows, one in the lowest tenth never is."""
    model, _, training = fitted
    frame = ward(4000)
    encoder = TableEncoder.fit(WARD, histograms_of(WARD, frame))
    coded = encoder.encode(frame).cat.long()
    positive = frame["dose"].to_numpy() > 0
    limits = np.quantile(frame["dose"][positive], [0.1, 0.9])
    shares = []
    for chosen in (positive & (frame["dose"] < limits[0]), positive & (frame["dose"] > limits[1])):
        cat = torch.full_like(coded[torch.from_numpy(np.asarray(chosen))], -1)
        for j in training.layout.slots_of("dose"):
            cat[:, j] = coded[torch.from_numpy(np.asarray(chosen))][:, j]
        rows = model.sample_given(Given(cat, {}), generator())
        assert bool((rows.cat[cat >= 0] == cat[cat >= 0]).all())
        shares.append(float((rows.cat[:, 1] == 2).float().mean()))
    assert shares[0] < 0.05
    assert shares[1] > 0.3


class Shelf:
    """Keeps every state; gives back one."""

    def __init__(self, taken=None):
        self.taken, self.states = taken, {}

    def load(self):
        return self.taken

    def due(self):
        return True

    def save(self, state):
        self.states[state.part("course").facts["done"]] = state


def test_a_training_taken_up_in_either_phase_ends_as_if_it_had_never_stopped():
    training, shelf = training_loader(1000), Shelf()
    settings = CTGANConfig(**SMALL, steps=20, critic_dropout=0.1)
    whole = CTGAN(training.layout, settings)
    whole.fit_batches(training, seed=3, callbacks=TrainingCallbacks(store=shelf))
    for done in (5, 15, 16, 18):  # the odds are learned in the last four steps
        again = CTGAN(training.layout, settings)
        log = again.fit_batches(training, seed=3, callbacks=TrainingCallbacks(store=Shelf(shelf.states[done])))
        assert log.steps == 20
        assert all(torch.equal(v, again.tensors()[k]) for k, v in whole.tensors().items()), done


def test_a_table_without_names_and_one_without_numbers():
    rng = np.random.default_rng(0)
    for columns, frame in (
        (
            {"x": {"kind": "numeric"}, "y": {"kind": "numeric"}},
            pd.DataFrame(rng.normal(size=(600, 2)), columns=list("xy")),
        ),
        ({"a": {"kind": "boolean"}}, pd.DataFrame({"a": rng.random(600) < 0.3})),
    ):
        meaning = Schema(columns=columns)
        encoder = TableEncoder.fit(meaning, histograms_of(meaning, frame))
        training = ExactLoader.of(encoder.encode(frame), encoder.layout, None, Seeds(0), CPU)
        model = CTGAN(training.layout, CTGANConfig(**SMALL, steps=5))
        model.fit_batches(training, seed=0)
        assert len(model.sample(100, generator())) == 100


@pytest.mark.parametrize("n", [3, 50, 999])
def test_packs_and_batches_of_any_number_of_rows(n):
    """Rows that fill no pack are left out; a table of fewer rows than a pack has smaller packs."""
    training = training_loader(n)
    model = CTGAN(training.layout, CTGANConfig(**SMALL, steps=6, pack=10))
    log = model.fit_batches(training, seed=0)
    assert log.steps == 6
    assert all(bool(torch.isfinite(v).all()) for v in model.tensors().values())


def test_odds_that_do_not_hold_for_rows_held_back_are_not_trusted():
    """Rows drawn by chance alone: what the odds learn of 300 of them is not true of others."""
    training = training_loader(300)
    model = CTGAN(training.layout, CTGANConfig(**SMALL, steps=10, odds_share=0.5))
    model.fit_batches(training, seed=0)
    assert 0 <= float(model.tensors()["trust"]) <= 1.2
    tiny = training_loader(100)  # nothing is held back
    model = CTGAN(tiny.layout, CTGANConfig(**SMALL, steps=10))
    model.fit_batches(tiny, seed=0)
    assert float(model.tensors()["trust"]) == 0.0


def test_choice_by_known_odds_moves_one_law_to_another():
    """Candidates of an even law, odds log(p / even): what is chosen among 64 follows p."""

    class Known(DensityRatio):
        def forward(self, rows):
            return torch.tensor([0.1, 0.2, 0.7]).log()[rows.cat[:, 0].long()]

    prior = np.log(np.full(3, 1 / 3)).astype(np.float32)
    layout = Layout((Slot(name="a", size=3, ordinal=False, missing=False, parent=None, prior=prior),), ("a",))
    blank = CTGAN(layout, CTGANConfig(**SMALL))
    network = RejectionSampler(
        layout, NormalScores(layout), blank._network.generator, Known(layout, width=4, blocks=0, dropout=0.0)
    )
    with torch.no_grad():
        network.generator.leave.weight.zero_()
    rows = network.rows(20_000, 64, generator())
    assert np.bincount(rows.cat[:, 0].numpy()) / 20_000 == pytest.approx([0.1, 0.2, 0.7], abs=0.02)
    plain = network.rows(20_000, 1, generator())
    assert np.bincount(plain.cat[:, 0].numpy()) / 20_000 == pytest.approx([1 / 3] * 3, abs=0.02)


def test_odds_learn_a_ratio_of_two_laws():
    """Trained on rows of two known laws, the output is log p - log q, within 0.25 nats."""
    p, q = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    prior = np.log(q).astype(np.float32)
    layout = Layout((Slot(name="a", size=3, ordinal=False, missing=False, parent=None, prior=prior),), ("a",))
    torch.manual_seed(0)
    odds, rng = DensityRatio(layout, width=16, blocks=1, dropout=0.0), np.random.default_rng(0)
    optimizer = torch.optim.Adam(odds.parameters(), lr=0.02)
    real, drawn = (Rows(torch.from_numpy(rng.choice(3, (4000, 1), p=law)), torch.empty(4000, 0)) for law in (p, q))
    assert not bool(odds(real).any())  # it starts with no opinion
    for _ in range(150):
        loss = torch.nn.functional.softplus(-odds(real)).mean() + torch.nn.functional.softplus(odds(drawn)).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    found = odds(Rows(torch.arange(3)[:, None], torch.empty(3, 0))).detach().numpy()
    assert found == pytest.approx(np.log(p / q), abs=0.25)


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("steps", 0, "steps 0 \\(at least 1\\)"),
        ("pack", 0, "pack 0 \\(at least 1\\)"),
        ("candidates", 0, "candidates 0 \\(at least 1\\)"),
        ("modes", 1, "modes 1 \\(not 1\\)"),
        ("critic_dropout", 1.0, "critic_dropout 1 \\(from 0 to below 1\\)"),
        ("odds_share", -0.1, "odds_share -0.1"),
        ("balance", 1.5, "balance 1.5 \\(from 0 to 1\\)"),
        ("penalty", -1.0, "penalty -1 \\(not negative\\)"),
        ("loss", "hinge", "loss hinge \\(logistic or wgan-gp\\)"),
    ],
)
def test_settings_have_ranges(setting, value, says):
    with pytest.raises(ValueError, match=f"settings must lie in their ranges; however: .*{says}"):
        CTGANConfig(**{setting: value})


def test_steps_follow_the_rows():
    assert [default_steps(n) for n in (100, 20_000, 10**6)] == sorted(default_steps(n) for n in (100, 20_000, 10**6))
