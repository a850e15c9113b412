"""One contract for every model: shapes, seeds, what is given, normalised laws, samples that follow them, learning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from installed import install
from laws import agrees
from listings import listing
from places import ROOT

from synthkit.encoding import Given, Layout, Rows, Slot, TableEncoder
from synthkit.encoding.encoder import histograms_of
from synthkit.encoding.layout import ForbiddenCombination
from synthkit.encoding.smoothing import log_shares
from synthkit.models.base import Capability, CountModel, NetworkModel
from synthkit.models.registry import MODELS
from synthkit.privacy.access.counts import ExactCounting
from synthkit.privacy.access.exact_loader import ExactLoader
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.synthesizer.synthesizer import Synthesizer

CPU = torch.device("cpu")
ADDED = "chow-liu"  # the worked model of docs/extending, installed as a distribution of its own
KINDS = {**MODELS, ADDED: listing("model").ChowLiu}
FAST = {
    ADDED: {},
    "autoregressive": {"width": 32, "hidden": 16, "steps": 400, "batch_size": 256},
    "ctgan": {"noise": 16, "width": 32, "critic_width": 32, "steps": 400, "batch_size": 256, "odds_batch": 256},
    "diffusion": {"width": 32, "hidden": 32, "blocks": 1, "steps": 200, "batch_size": 256, "draws": 16},
    "independent": {},
    "marginal": {"components": 60},
    "tvae": {"width": 32, "hidden": 16, "latent": 2, "blocks": 1, "couplings": 2, "steps": 200, "batch_size": 256},
}
models = pytest.mark.parametrize("name", sorted(KINDS))
exact = pytest.mark.parametrize("name", sorted(name for name, kind in KINDS.items() if kind.can(Capability.LOG_PROB)))
completing = pytest.mark.parametrize("name", sorted(name for name, kind in KINDS.items() if kind.can(Capability.GIVEN)))
asked = pytest.mark.parametrize(
    "name", sorted(name for name, kind in KINDS.items() if kind.can(Capability.NEGATIVE_LOG_PROB))
)


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory):
    """The worked model as pip installs it."""
    site = tmp_path_factory.mktemp("site")
    text = (ROOT / "docs" / "extending" / "model.py").read_text(encoding="utf-8")
    points = {"synthkit.models": {ADDED: "chow_liu_tree:ChowLiu"}}
    install(site, "chow-liu", modules={"chow_liu_tree": text}, entry_points=points)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        yield


def test_every_model_is_under_contract():
    assert set(FAST) == set(KINDS)


def law(*shares):
    return np.log(np.array(shares) / np.sum(shares)).astype(np.float32)


def tiny() -> Layout:
    """x: two coarse levels of three and two cells and a missing one; c: two names. Twelve different rows."""
    none = -np.inf
    fine = np.array([law(5, 3, 2), [*law(1, 3), none], [none] * 3], dtype=np.float32)
    slots = (
        Slot(name="x", size=3, ordinal=True, missing=True, parent=None, prior=law(5, 3, 2)),
        Slot(name="x:fine", size=3, ordinal=True, missing=False, parent=0, prior=fine),
        Slot(name="c", size=2, ordinal=False, missing=False, parent=None, prior=law(2, 1)),
    )
    return Layout(slots, ("x", "x", "c"), ("x",))


EVERY = torch.tensor([[x, f, c] for x, f in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0)] for c in (0, 1)])


def stirred(name: str, layout: Layout, seed: int = 0):
    """A model with weights far from where they start, so that its slots depend on each other."""
    model = KINDS[name](layout, KINDS[name].Config(**FAST[name]))
    generator = torch.Generator().manual_seed(seed)
    model.load_tensors(
        {k: v + 0.3 * torch.randn(v.shape, generator=generator) for k, v in model.tensors().items()}, CPU
    )
    return model


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def unknown(n, d=3):
    return torch.full((n, d), -1)


def rows_of(cat):
    return Rows(cat, torch.zeros(len(cat), 1))


def frequencies(rows: Rows) -> np.ndarray:
    """How often each of EVERY came; nothing else may have come."""
    code = rows.cat.long() @ torch.tensor([9, 3, 1])
    keys = EVERY @ torch.tensor([9, 3, 1])
    assert bool(torch.isin(code, keys).all())
    return (code[:, None] == keys[None, :]).sum(dim=0).numpy()


@models
@pytest.mark.parametrize("n", [0, 1, 7, 9000])
def test_samples_have_the_layouts_shape_and_range(name, n):
    rows = stirred(name, tiny()).sample(n, generator())
    assert rows.cat.shape == (n, 3)
    assert rows.num.shape == (n, 1)
    assert not rows.cat.is_floating_point()
    assert bool(((rows.cat >= 0) & (rows.cat < torch.tensor(tiny().sizes))).all())
    assert bool(((rows.num >= 0) & (rows.num < 1)).all())
    assert bool((rows.cat[~tiny().applicable(rows.cat)] == 0).all())


@models
def test_same_seed_same_rows(name):
    model = stirred(name, tiny())
    one, two, other = (model.sample(50, generator(k)) for k in (1, 1, 2))
    assert torch.equal(one.cat, two.cat)
    assert torch.equal(one.num, two.num)
    assert not torch.equal(one.cat, other.cat)


@models
def test_tensors_taken_back_give_the_same_model(name):
    model = stirred(name, tiny())
    again = KINDS[name](tiny(), KINDS[name].Config(**model.config()))
    again.load_tensors(model.tensors(), CPU)
    assert torch.equal(again.sample(50, generator()).cat, model.sample(50, generator()).cat)


@asked
def test_surprise_is_asked_of_every_row_and_slot(name):
    """A model taken back says the same; of no rows nothing is said; a slot that does not apply surprises nobody."""
    model = stirred(name, tiny())
    again = KINDS[name](tiny(), KINDS[name].Config(**model.config()))
    again.load_tensors(model.tensors(), CPU)
    total, parts = model.negative_log_prob(rows_of(EVERY), generator())
    assert total.shape == (12,)
    assert parts.shape == (12, 3)
    assert bool(torch.isfinite(total).all())
    assert bool((parts >= 0).all())
    assert bool((parts[~tiny().applicable(EVERY)] == 0).all())
    assert all(map(torch.equal, again.negative_log_prob(rows_of(EVERY), generator()), (total, parts)))
    assert [t.shape for t in model.negative_log_prob(rows_of(EVERY[:0]), generator())] == [(0,), (0, 3)]


@exact
def test_surprise_is_minus_the_log_probability_split_by_slot(name):
    model = stirred(name, tiny())
    total, parts = model.negative_log_prob(rows_of(EVERY), generator())
    assert torch.allclose(total, -model.log_prob(rows_of(EVERY)), atol=1e-5)
    assert torch.allclose(parts.sum(dim=1), total, atol=1e-5)


@exact
def test_log_prob_is_normalised(name):
    """Over all twelve rows, the fine slot and its blank levels included."""
    model = stirred(name, tiny())
    assert model.can(Capability.LOG_PROB)
    log = model.log_prob(rows_of(EVERY))
    assert log.shape == (12,)
    assert float(log.double().exp().sum()) == pytest.approx(1, abs=1e-4)
    assert model.log_prob(rows_of(EVERY[:0])).shape == (0,)
    assert torch.allclose(model.log_prob(rows_of(EVERY[3:4])), log[3:4], atol=1e-5)


@exact
def test_samples_follow_the_law(name):
    model = stirred(name, tiny())
    p = model.log_prob(rows_of(EVERY)).double().exp().numpy()
    assert p.max() < 0.9
    counts = frequencies(model.sample(20_000, generator(3)))
    assert agrees(counts, p)
    assert not agrees(counts, np.roll(p, 1))  # the test would notice


@exact  # models of levels; models of scores learn where in a cell a value lies
def test_positions_inside_cells_are_uniform(name):
    num = stirred(name, tiny()).sample(20_000, generator(4)).num.ravel().numpy()
    assert agrees(np.histogram(num, bins=20, range=(0, 1))[0], np.full(20, 0.05))


@exact
@pytest.mark.parametrize("known", [(), (0,), (0, 1), (0, 1, 2)])
def test_the_chain_rule_holds_along_the_tables_order(name, known):
    """log p(x) = log p(known) + log p(rest | known)."""
    model = stirred(name, tiny())
    assert model.can(Capability.LOG_PROB_GIVEN)
    rows = rows_of(EVERY)
    first = torch.zeros(12, 3, dtype=torch.bool)
    first[:, list(known)] = True
    head = model.log_prob_given(rows, Given(unknown(12), {}), first)
    rest = model.log_prob_given(rows, Given(torch.where(first, EVERY, -1), {}), ~first)
    assert torch.allclose(head + rest, model.log_prob(rows), atol=1e-4)


@exact
@pytest.mark.parametrize("known", [(2,), (0,), (0, 2), (0, 1)])
def test_what_is_known_comes_back_and_the_rest_follows_its_law(name, known):
    model = stirred(name, tiny())
    for level in (EVERY[1], EVERY[8]):
        cat = unknown(12_000)
        cat[:, list(known)] = level[list(known)]
        rows = model.sample_given(Given(cat, {}), generator(5))
        assert bool((rows.cat[:, list(known)] == level[list(known)]).all())
        agree = (EVERY[:, list(known)] == level[list(known)]).all(dim=1)
        aim = torch.ones(12, 3, dtype=torch.bool)
        aim[:, list(known)] = False
        known_cat = torch.where(aim, -1, EVERY)
        log = model.log_prob_given(rows_of(EVERY), Given(known_cat, {}), aim).double().exp().numpy()
        p = np.where(agree.numpy(), log, 0)
        assert p.sum() == pytest.approx(1, abs=1e-4)
        assert agrees(frequencies(rows), p)


@completing
def test_rows_with_different_cells_known_are_completed_together(name):
    model = stirred(name, tiny())
    cat = torch.tensor([[0, 2, -1], [-1, -1, 1], [-1, -1, -1], [2, 0, 0]]).repeat(500, 1)
    rows = model.sample_given(Given(cat, {}), generator(6))
    assert bool((rows.cat[cat >= 0] == cat[cat >= 0]).all())
    assert frequencies(rows).sum() == 2000


@completing
@pytest.mark.parametrize("tries", [1, 2, 5])
def test_what_is_known_comes_back_however_few_completions_are_tried(name, tries):
    model = stirred(name, tiny())
    cat = torch.tensor([[0, 2, -1], [-1, -1, 1], [2, 0, 0]]).repeat(100, 1)
    rows = model.sample_given(Given(cat, {}), generator(6), tries=tries)
    assert bool((rows.cat[cat >= 0] == cat[cat >= 0]).all())
    assert len(rows) == 300


@exact
def test_a_slot_known_in_part_stays_in_its_set_and_keeps_its_law(name):
    """x must not be missing in even rows and must be 1 or missing in odd ones: the law, restricted."""
    model = stirred(name, tiny())
    n = 16_000
    table = torch.tensor([[True, True, False], [False, True, True]])
    rows = model.sample_given(Given(unknown(n), {0: (table, torch.arange(n) % 2)}), generator(7))
    p = model.log_prob(rows_of(EVERY)).double().exp().numpy()
    for odd in (0, 1):
        inside = table[odd][EVERY[:, 0]].numpy()
        assert agrees(frequencies(rows[torch.arange(n) % 2 == odd]), np.where(inside, p / p[inside].sum(), 0))


@exact  # where a rule speaks of scores, models of scores leave it to mending
def test_clauses_are_obeyed(name):
    """x missing forbids c = 1; x at its first level forces c = 1: with c drawn last, every row obeys."""
    clauses = (
        ForbiddenCombination(((0, np.array([False, False, True])), (2, np.array([False, True])))),
        ForbiddenCombination(((0, np.array([True, False, False])), (2, np.array([True, False])))),
    )
    rows = stirred(name, replace(tiny(), clauses=clauses)).sample(5000, generator(8))
    x, c = rows.cat[:, 0], rows.cat[:, 2]
    assert not bool(((x == 2) & (c == 1)).any())
    assert not bool(((x == 0) & (c == 0)).any())
    assert set(x.tolist()) == {0, 1, 2}


JOINT = np.array([[0.25, 0.03, 0.02], [0.02, 0.2, 0.03], [0.02, 0.03, 0.15], [0.05, 0.05, 0.15]])
TOY = Schema(
    columns={
        "a": {"kind": "categorical", "levels": ["p", "q", "r", "s"]},
        "b": {"kind": "ordinal", "levels": [1, 2, 3]},
    }
)


def toy(n: int, seed: int) -> pd.DataFrame:
    """Rows of a joint law that is known."""
    cell = np.random.default_rng(seed).choice(12, n, p=JOINT.ravel())
    return pd.DataFrame({"a": np.array(list("pqrs"), dtype=object)[cell // 3], "b": cell % 3 + 1})


@pytest.fixture(scope="module")
def learned():
    """Every model fitted to 6,000 rows of the toy; its coding; 20,000 fresh rows, coded."""
    frame = toy(6000, 0)
    encoder = TableEncoder.fit(TOY, histograms_of(TOY, frame))
    loader = ExactLoader.of(encoder.encode(frame), encoder.layout, None, Seeds(0), torch.device("cpu"))
    out = {}
    for name, kind in KINDS.items():
        out[name] = kind(encoder.layout, kind.Config(**FAST[name]))
        if issubclass(kind, CountModel):
            cat = encoder.encode(frame).cat.numpy()[:, list(encoder.layout.coarse)]
            sizes = tuple(encoder.layout.sizes[j] for j in encoder.layout.coarse)
            out[name].fit_counts(ExactCounting.of(cat, sizes), seed=1)
        elif issubclass(kind, NetworkModel):
            out[name].fit_batches(loader, seed=1)
    return out, encoder, encoder.encode(toy(20_000, 1))


def test_learning_recovers_the_mutual_information(learned):
    """Per row, the flagship beats the product of marginals by what the columns know of each other."""
    out, _, fresh = learned
    gained = float((out["autoregressive"].log_prob(fresh) - out["independent"].log_prob(fresh)).mean())
    product = JOINT.sum(axis=1, keepdims=True) * JOINT.sum(axis=0, keepdims=True)
    information = float((JOINT * np.log(JOINT / product)).sum())
    assert information > 0.3
    assert gained == pytest.approx(information, abs=0.03)


@asked
def test_fitting_lowers_the_loss_on_fresh_rows(learned, name):
    out, encoder, fresh = learned
    blank = KINDS[name](
        Layout(
            tuple(
                Slot(
                    name=s.name,
                    size=s.size,
                    ordinal=s.ordinal,
                    missing=False,
                    parent=None,
                    prior=log_shares(np.ones(s.size)),
                )
                for s in encoder.layout.slots
            ),
            encoder.layout.columns,
        ),
        KINDS[name].Config(**FAST[name]),
    )
    some = fresh[:2000]
    before, after = (float(model.negative_log_prob(some, generator(2))[0].mean()) for model in (blank, out[name]))
    assert after < before - 0.005


@models
def test_marginals_are_those_of_the_table(learned, name):
    """Within four binomial standard errors of 6,000 training rows and 20,000 drawn ones."""
    out, _, _ = learned
    rows = out[name].sample(20_000, generator(9))
    for j, p in enumerate((JOINT.sum(axis=1), JOINT.sum(axis=0))):
        share = np.bincount(rows.cat[:, j].numpy(), minlength=len(p)) / 20_000
        error = np.sqrt(p * (1 - p) * (1 / 6000 + 1 / 20_000))
        slack = 0.0 if name == "independent" else 0.015  # what short training leaves
        assert (np.abs(share - p) <= 4 * error + slack).all()


@pytest.mark.parametrize("known", [0, 1])
def test_conditionals_are_learned_in_both_directions(learned, known):
    """p(a | b) and p(b | a) of the known joint law, each within 0.07."""
    out, encoder, _ = learned
    truth = JOINT / JOINT.sum(axis=1 - known, keepdims=True)
    for level in range(encoder.layout.sizes[known]):
        cat = unknown(1, 2)
        cat[0, known] = level
        rows = torch.arange(encoder.layout.sizes[1 - known])[:, None]
        every = torch.cat([rows, torch.full_like(rows, level)], dim=1)[:, [0, 1] if known == 1 else [1, 0]]
        aim = torch.zeros_like(every, dtype=torch.bool)
        aim[:, 1 - known] = True
        given = Given(cat.expand(len(every), -1), {})
        p = out["autoregressive"].log_prob_given(Rows(every, torch.empty(len(every), 0)), given, aim).exp().numpy()
        assert np.abs(p - (truth[level] if known == 0 else truth[:, level])).max() < 0.07


def test_the_baseline_knows_no_dependence(learned):
    out, _, _ = learned
    cat = out["independent"].sample(20_000, generator(10)).cat
    counts = np.zeros((4, 3))
    np.add.at(counts, (cat[:, 0].numpy(), cat[:, 1].numpy()), 1)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / 20_000
    assert ((counts - expected) ** 2 / expected).sum() < 27.9  # chi-square, 6 degrees: p = .0001


@models
def test_a_saved_model_draws_the_same_rows(name, tmp_path):
    settings = FAST[name] | ({"steps": 5} if "steps" in FAST[name] else {})
    frame = toy(300, 2)
    fitted = Synthesizer(TOY, name, settings=settings, device="cpu").fit(frame, seed=3)
    fitted.save(tmp_path / "model")
    again = Synthesizer.load(tmp_path / "model", device="cpu")
    pd.testing.assert_frame_equal(again.sample(80, seed=4), fitted.sample(80, seed=4))
    assert again.log == fitted.log
    assert again.seed == 3


@models
def test_same_seed_same_model(name):
    settings = FAST[name] | ({"steps": 5} if "steps" in FAST[name] else {})
    one, two = (Synthesizer(TOY, name, settings=settings, device="cpu").fit(toy(300, 2), seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one.sample(50, seed=0), two.sample(50, seed=0))


@models
def test_progress_is_told_step_by_step(name):
    settings = FAST[name] | ({"steps": 5} if "steps" in FAST[name] else {})
    told = []
    log = (
        Synthesizer(TOY, name, settings=settings, device="cpu")
        .fit(toy(300, 2), seed=3, progress=lambda *now: told.append(now))
        .log
    )
    assert [t[0] for t in told] == list(range(1, log.steps + 1))
    assert all(np.isfinite(t[2]) for t in told)


@models
def test_fitting_leaves_torchs_own_generator_alone(name):
    settings = FAST[name] | ({"steps": 2} if "steps" in FAST[name] else {})
    before = torch.get_rng_state()
    model = Synthesizer(TOY, name, settings=settings, device="cpu").fit(toy(300, 2), seed=3)
    model.sample(10, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
