"""The marginal model: what it is told it reproduces, what it costs is its plan, and its conditionals are exact."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from laws import agrees

from synthkit.encoding import Given, Layout, Rows, Slot
from synthkit.encoding.layout import ForbiddenCombination
from synthkit.encoding.slot_counts import MeasuredCounts
from synthkit.encoding.smoothing import log_shares
from synthkit.models.base import Capability
from synthkit.models.marginal.adaptive_measurement import measure_adaptively, projected
from synthkit.models.marginal.budget_schedule import Rounds, outcome_pairs
from synthkit.models.marginal.config import MarginalConfig
from synthkit.models.marginal.mixture_fit import Tables, descend
from synthkit.models.marginal.model import Marginal
from synthkit.models.marginal.pooled_levels import Pooled
from synthkit.models.product_mixture import ProductMixture
from synthkit.privacy.access.counts import ExactCounting, NoisyCounting
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated
from synthkit.privacy.accounting.zcdp import PrivacyFilter, cost
from synthkit.training.callbacks import TrainingCallbacks

CPU = torch.device("cpu")
QUICK = MarginalConfig(components=64, rounds=4, first=30, between=10, last=40)


def law(*shares):
    return np.log(np.array(shares) / np.sum(shares)).astype(np.float32)


def tiny(clauses=()) -> Layout:
    """x: two coarse levels of three and two cells and a missing one; c: two names. Twelve different rows."""
    none = -np.inf
    fine = np.array([law(5, 3, 2), [*law(1, 3), none], [none] * 3], dtype=np.float32)
    slots = (
        Slot(name="x", size=3, ordinal=True, missing=True, parent=None, prior=law(5, 3, 2)),
        Slot(name="x:fine", size=3, ordinal=True, missing=False, parent=0, prior=fine),
        Slot(name="c", size=2, ordinal=False, missing=False, parent=None, prior=law(2, 1)),
    )
    return Layout(slots, ("x", "x", "c"), ("x",), clauses)


def plain(sizes) -> Layout:
    slots = tuple(
        Slot(name=f"s{j}", size=k, ordinal=False, missing=False, parent=None, prior=log_shares(np.ones(k)))
        for j, k in enumerate(sizes)
    )
    return Layout(slots, tuple(s.name for s in slots))


EVERY = torch.tensor([[x, f, c] for x, f in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0)] for c in (0, 1)])


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def stirred(layout=None) -> Marginal:
    """Far from where it starts, so that its slots depend on each other."""
    model = Marginal(layout or tiny(), MarginalConfig(components=5))
    source = generator()
    model.load_tensors({k: v + torch.randn(v.shape, generator=source) for k, v in model.tensors().items()}, CPU)
    return model


def rows_of(cat):
    return Rows(cat, torch.zeros(len(cat), 1))


def frequencies(rows: Rows) -> np.ndarray:
    """How often each of EVERY came; nothing else may have come."""
    code, keys = (cat.long() @ torch.tensor([9, 3, 1]) for cat in (rows.cat, EVERY))
    assert bool(torch.isin(code, keys).all())
    return (code[:, None] == keys[None, :]).sum(dim=0).numpy()


@pytest.fixture(scope="module")
def joint():
    """p of each of the twelve rows, by hand from the tensors."""
    model = stirred()
    tensors = model.tensors()
    shares = torch.softmax(tensors["weights"], dim=0)
    x, c = torch.softmax(tensors["logits"][:3], dim=0), torch.softmax(tensors["logits"][3:], dim=0)
    fine = np.exp(tiny().slots[1].prior)
    fine[2, 0] = 1
    return np.array([float((shares * x[a] * c[b]).sum()) * fine[a, f] for a, f, b in EVERY.tolist()])


def test_the_law_is_the_mixture_by_hand(joint):
    model = stirred()
    assert model.can(Capability.GIVEN)
    assert model.can(Capability.LOG_PROB)
    assert model.can(Capability.LOG_PROB_GIVEN)
    assert model.can(Capability.NEGATIVE_LOG_PROB)
    log = model.log_prob(rows_of(EVERY))
    assert log.exp().numpy() == pytest.approx(joint, rel=1e-4)
    assert joint.sum() == pytest.approx(1, abs=1e-5)
    assert model.log_prob(rows_of(EVERY[:0])).shape == (0,)


def test_samples_follow_the_law(joint):
    rows = stirred().sample(20_000, generator(3))
    assert rows.num.shape == (20_000, 1)
    assert agrees(frequencies(rows), joint)
    assert not agrees(frequencies(rows), np.roll(joint, 1))


@pytest.mark.parametrize("n", [0, 1, 7])
def test_few_rows_and_none_are_drawn(n):
    rows = stirred().sample(n, generator())
    assert rows.cat.shape == (n, 3)
    assert frequencies(rows).sum() == n


def test_the_order_of_rows_tells_nothing():
    """First and second half of a draw are alike, although components are drawn in turn."""
    rows = stirred().sample(20_000, generator(4))
    counts = [frequencies(part) for part in (rows[:10_000], rows[10_000:])]
    both = counts[0] + counts[1]
    assert ((counts[0] - both / 2) ** 2 / (both / 4)).sum() < 39.1  # chi-square, 12 degrees: p = .0001


@pytest.mark.parametrize("known", [(2,), (0,), (0, 2), (0, 1)])
def test_completions_follow_the_law_given_what_is_known(joint, known):
    model = stirred()
    for level in (EVERY[1], EVERY[8]):
        cat = torch.full((12_000, 3), -1)
        cat[:, list(known)] = level[list(known)]
        agree = (EVERY[:, list(known)] == level[list(known)]).all(dim=1).numpy()
        p = np.where(agree, joint / joint[agree].sum(), 0)
        assert agrees(frequencies(model.sample_given(Given(cat, {}), generator(5))), p)
        aim = torch.ones(12, 3, dtype=torch.bool)
        aim[:, list(known)] = False
        log = model.log_prob_given(rows_of(EVERY), Given(torch.where(aim, -1, EVERY), {}), aim)
        assert log.exp().numpy()[agree] == pytest.approx(p[agree], rel=1e-4)


def test_a_slot_known_in_part_keeps_its_law_inside_the_set(joint):
    model, n = stirred(), 16_000
    table = torch.tensor([[True, True, False], [False, True, True]])
    which = torch.arange(n) % 2
    rows = model.sample_given(Given(torch.full((n, 3), -1), {0: (table, which)}), generator(7))
    for k in (0, 1):
        inside = table[k][EVERY[:, 0]].numpy()
        assert agrees(frequencies(rows[which == k]), np.where(inside, joint / joint[inside].sum(), 0))
    aim = torch.tensor([[False, False, True]]).expand(12, 3)
    log = model.log_prob_given(
        rows_of(EVERY), Given(torch.full((12, 3), -1), {0: (table, torch.zeros(12, dtype=torch.long))}), aim
    )
    inside, second = table[0][EVERY[:, 0]].numpy(), EVERY[:, 2].numpy() == 1
    assert float(log[1].exp()) == pytest.approx(joint[inside & second].sum() / joint[inside].sum(), rel=1e-4)


def test_surprise_is_split_by_slot_along_the_chain(joint):
    total, parts = stirred().negative_log_prob(rows_of(EVERY), generator())
    assert total.numpy() == pytest.approx(-np.log(joint), abs=1e-4)
    first = np.array([joint[(EVERY[:, 0] == a).numpy()].sum() for a in EVERY[:, 0].tolist()])
    assert parts[:, 0].numpy() == pytest.approx(-np.log(first), abs=1e-4)
    assert bool((parts >= 0).all())
    assert bool((parts[8:][EVERY[8:, 0] == 2][:, 1] == 0).all())
    assert stirred().negative_log_prob(rows_of(EVERY[:0]), generator())[1].shape == (0, 3)


def test_clauses_are_obeyed():
    """x missing forbids c = 1; x at its first level forces c = 1."""
    clauses = (
        ForbiddenCombination(((0, np.array([False, False, True])), (2, np.array([False, True])))),
        ForbiddenCombination(((0, np.array([True, False, False])), (2, np.array([True, False])))),
    )
    rows = stirred(tiny(clauses)).sample(5000, generator(8))
    x, c = rows.cat[:, 0], rows.cat[:, 2]
    assert not bool(((x == 2) & (c == 1)).any())
    assert not bool(((x == 0) & (c == 0)).any())
    assert set(x.tolist()) == {0, 1, 2}


def test_tensors_taken_back_give_the_same_model():
    model = stirred()
    again = Marginal(tiny(), MarginalConfig(**model.config()))
    again.load_tensors(model.tensors(), CPU)
    assert torch.equal(again.sample(50, generator()).cat, model.sample(50, generator()).cat)
    assert set(model.tensors()) == {"logits", "weights", "leaders", "followers"}


SIZES = (3, 4, 2)
CAT = np.stack(
    [
        (a := np.random.default_rng(0).integers(0, 3, 6000)),
        (a + np.random.default_rng(1).integers(0, 2, 6000)) % 4,
        (np.random.default_rng(2).random(6000) < 0.2 + 0.3 * a).astype(int),
    ],
    axis=1,
)


def test_exact_tables_are_reproduced():
    """Every pair and the triple within half a row in a hundred, from counts alone."""
    model = Marginal(plain(SIZES), MarginalConfig(components=64, rounds=4, first=50, between=20, last=600))
    log = model.fit_counts(ExactCounting.of(CAT, SIZES), seed=0)
    every = torch.tensor(list(itertools.product(*map(range, SIZES))))
    p = model.log_prob(Rows(every, torch.zeros(len(every), 0))).exp().view(SIZES).numpy()
    truth = np.histogramdd(CAT, [np.arange(k + 1) - 0.5 for k in SIZES])[0] / 6000
    independent = truth.sum((1, 2))[:, None, None] * truth.sum((0, 2))[:, None] * truth.sum((0, 1))
    assert 0.5 * np.abs(truth - independent).sum() > 0.3
    assert 0.5 * np.abs(p - truth).sum() < 0.01
    for j in range(3):
        assert np.abs(p.sum(j) - truth.sum(j)).max() < 0.005
    assert model.rows == 6000
    assert log.steps == 50 + 4 * 20 + 600
    assert log.train[-1] < log.train[0]


@pytest.mark.parametrize("sizes", [(3,), (3, 4), (3, 4, 2), (2,) * 9])
@pytest.mark.parametrize("rho", [0.03, 2.0])
@pytest.mark.parametrize("outcomes", [(), (0,)])
def test_charges_are_the_plan_and_the_whole_budget(sizes, rho, outcomes):
    cat = np.random.default_rng(0).integers(0, sizes, size=(400, len(sizes)))
    reserve = PrivacyFilter(reserve=Concentrated(rho=rho))

    def pay(charge):
        nonlocal reserve
        reserve = reserve.admit((charge,))

    Marginal(plain(sizes), QUICK).fit_counts(NoisyCounting.of(cat, sizes, rho, pay), seed=0, outcomes=outcomes)
    plan = Rounds.of(sizes, rho, QUICK.split(), outcome_pairs(len(sizes), outcomes))
    wanted = [plan.single * len(sizes), *([plan.pair * len(plan.known)] if plan.known else [])]
    for round_ in plan.rounds:
        wanted += [round_.choice * round_.many, round_.told * round_.many]
    assert [cost(c.spent).rho * c.times for c in reserve.drawn] == pytest.approx(wanted, rel=1e-6)
    assert rho * (1 - 1e-6) < reserve.spent().rho <= rho


def test_the_plan_is_the_same_for_other_rows():
    """One strange row more, or other rows altogether, change no charge."""
    told = []
    for cat in (CAT, np.vstack([CAT, [2, 0, 1]]), CAT[:1]):
        charges: list[Charge] = []
        counting = NoisyCounting.of(cat, SIZES, 0.1, charges.append)
        Marginal(plain(SIZES), QUICK).fit_counts(counting, seed=0)
        told.append(charges)
    assert told[0] == told[1] == told[2]


def test_the_seed_fixes_the_start_and_never_the_noise():
    fits = [
        Marginal(plain(SIZES), QUICK).fit_counts(NoisyCounting.of(CAT, SIZES, 0.01, lambda charge: None), seed=1)
        for _ in range(2)
    ]
    assert fits[0].train != fits[1].train
    exact = [Marginal(plain(SIZES), QUICK).fit_counts(ExactCounting.of(CAT, SIZES), seed=s) for s in (1, 1, 2)]
    assert exact[0].train == exact[1].train
    assert exact[0].train != exact[2].train


def test_the_number_of_rows_is_the_noisy_one():
    model = Marginal(plain(SIZES), QUICK)
    assert model.rows is None
    model.fit_counts(NoisyCounting.of(CAT, SIZES, 0.05, lambda charge: None), seed=0)
    plan = Rounds.of(SIZES, 0.05, QUICK.split())
    error = math.sqrt(1 / (2 * plan.single) / sum(1 / k for k in SIZES))
    assert 0 < abs(model.rows - 6000) < 5 * error


def test_watch_is_told_of_every_step():
    told = []
    log = Marginal(plain(SIZES), QUICK).fit_counts(
        ExactCounting.of(CAT, SIZES), 0, TrainingCallbacks(progress=lambda *step: told.append(step))
    )
    assert [t[0] for t in told] == list(range(1, log.steps + 1))
    assert {t[1] for t in told} == {log.steps}


def test_torchs_own_generator_is_left_alone():
    before = torch.get_rng_state()
    model = Marginal(plain(SIZES), QUICK)
    model.fit_counts(ExactCounting.of(CAT, SIZES), seed=0)
    model.sample(10, generator())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("others", [(4,), (4, 7)])
def test_parity_of_two_and_of_three_bits_is_found(others):
    """Epsilon about 1 (rho .03), 30,000 rows of 12 bits and a label that shows in no pair: default settings."""
    bits = np.random.default_rng(3).integers(0, 2, size=(30_000, 13))
    bits[:, 12] = bits[:, [9, *others]].sum(axis=1) % 2
    model = Marginal(plain((2,) * 13), MarginalConfig(components=500))
    model.fit_counts(NoisyCounting.of(bits, (2,) * 13, 0.028, lambda charge: None), seed=0)
    cat = model.sample(30_000, generator()).cat.numpy()
    assert (cat[:, 12] == cat[:, [9, *others]].sum(axis=1) % 2).mean() > 0.95
    assert abs((cat[:, 12] == cat[:, [8, *others]].sum(axis=1) % 2).mean() - 0.5) < 0.03


def test_what_weakly_predicts_an_outcome_is_learned_where_it_is_declared():
    """Twenty slots tied to each other, and to a label by a little each, which choosing by error alone leaves out.

    A single fit is 1.0 of the truth give or take .1, for noise moves it; without a declared outcome six are .5.
    """
    rng, n = np.random.default_rng(0), 20_000
    hidden = rng.integers(0, 4, size=(n, 1))
    slots = np.where(rng.random((n, 20)) < 0.7, hidden, rng.integers(0, 4, size=(n, 20)))
    weak = rng.integers(0, 4, size=(n, 6))
    label = rng.random(n) < 1 / (1 + np.exp(-0.08 * (weak - 1.5).sum(axis=1)))
    cat, sizes = np.column_stack([slots, weak, label]).astype(int), (4,) * 26 + (2,)
    found = []
    for seed in range(6):
        model = Marginal(plain(sizes), MarginalConfig(components=200))
        model.fit_counts(NoisyCounting.of(cat, sizes, 0.03, lambda charge: None), seed=seed, outcomes=(26,))
        drawn = model.sample(n, torch.Generator().manual_seed(seed)).cat.numpy()
        found.append(np.corrcoef(drawn[:, 20:26].sum(axis=1), drawn[:, 26])[0, 1])
    assert np.mean(found) > 0.85 * np.corrcoef(weak.sum(axis=1), label)[0, 1]


def test_every_pair_with_an_outcome_is_told():
    sizes = (2,) * 12
    cat = np.random.default_rng(0).integers(0, 2, size=(500, 12))
    split, course = replace(QUICK, rounds=1).split(), QUICK.course()
    counting = NoisyCounting.of(cat, sizes, 0.1, lambda charge: None)
    told = measure_adaptively(counting, split, course, generator(), CPU, lambda *step: None, outcomes=(11,)).scopes
    assert {(j, 11) for j in range(11)} <= set(told)


def test_rare_levels_are_pooled_and_shared_out_by_their_noisy_counts():
    told = MeasuredCounts(scope=(0,), counts=np.array([500, 6, -4, 90, 18]), sigma=10.0)
    pooled = Pooled.of(told)
    assert pooled.group.tolist() == [0, 2, 2, 1, 2]
    rare, mean = np.array([6, -4, 18]), 20 / 3
    drawn_in = mean + (1 - 10.0**2 / rare.var(ddof=1)) * (rare - mean)
    np.testing.assert_allclose(pooled.within, [1, *(drawn_in / 20)[:2], 1, drawn_in[2] / 20])
    assert pooled.told.counts.tolist() == [500, 90, 20]


def test_rare_levels_that_noise_alone_tells_apart_share_nearly_alike():
    """Twenty levels of 100 rows under noise of 100: noisy counts alone share a third wrongly, drawn in half of that."""
    rng, errors = np.random.default_rng(0), []
    for _ in range(50):
        counts = np.round(100 + 100 * rng.standard_normal(20)).astype(int)
        raw = np.maximum(counts, 0) / np.maximum(counts, 0).sum()
        within = Pooled.of(MeasuredCounts(scope=(0,), counts=np.append(counts, 9000), sigma=100.0)).within[:20]
        within = within / within.sum()
        errors.append([np.abs(each - 1 / 20).sum() / 2 for each in (raw, within)])
    raw_error, own_error = np.mean(errors, axis=0)
    assert raw_error > 0.3
    assert own_error < 0.6 * raw_error


def test_rare_levels_without_any_count_share_alike():
    pooled = Pooled.of(MeasuredCounts(scope=(0,), counts=np.array([500, -4, -9]), sigma=10.0))
    assert pooled.within.tolist() == [1, 0.5, 0.5]
    exact = Pooled.of(MeasuredCounts(scope=(0,), counts=np.array([5, 0, 1]), sigma=0.0))
    assert exact.group.tolist() == [0, 1, 2]


def test_a_fit_with_rare_levels_gives_each_its_share():
    cat = np.zeros((3000, 2), dtype=int)
    cat[:1400, 0], cat[1400:1402, 0] = 1, 2
    cat[:, 1] = cat[:, 0] == 1
    model = Marginal(plain((4, 2)), QUICK)
    model.fit_counts(NoisyCounting.of(cat, (4, 2), 0.005, lambda charge: None), seed=0)
    drawn = np.bincount(model.sample(3000, generator()).cat[:, 0], minlength=4) / 3000
    assert drawn[:2] == pytest.approx([0.533, 0.467], abs=0.05)
    assert drawn[2:].sum() < 0.05


@pytest.mark.parametrize("shares", [[0.7, 0.5, -0.1], [-3.0, -3.1], [0.2, 0.3, 0.5], [5.0], [0.0, 0.0]])
def test_projection_is_the_nearest_law(shares):
    """Against a search over a fine grid of the simplex, and the optimality of the projection."""
    x = np.array(shares)
    p = projected(x)
    assert p.sum() == pytest.approx(1)
    assert (p >= 0).all()
    for q in np.random.default_rng(0).dirichlet(np.ones(len(x)), 2000):
        assert (x - p) @ (q - p) <= 1e-9


def test_repeated_tables_are_averaged_by_precision():
    """Noise of 3 and 4 with a floor of 1 row: precisions 1/10 and 1/17. The loss vanishes at their average."""
    counts = [np.array([[40, 20], [30, 10]]), np.array([[67, 20], [3, 10]])]
    tables = Tables((2, 2), 100.0, CPU)
    tables.add([MeasuredCounts(scope=(0, 1), counts=c, sigma=s) for c, s in zip(counts, (3.0, 4.0), strict=True)])
    mixture = ProductMixture((2, 2), components=2)
    average = torch.tensor((counts[0] / 10 + counts[1] / 17) / (1 / 10 + 1 / 17) / 100)
    with torch.no_grad():  # component 0: first level of slot 0; component 1: second
        mixture.logits[:2] = torch.tensor([[50.0, -50.0], [-50.0, 50.0]])
        mixture.logits[2:] = average.T.log()
        mixture.weights.copy_(average.sum(dim=1).log())
    assert torch.allclose(mixture.table((0, 1)), average.float(), atol=1e-6)
    assert tables.pull(mixture) == pytest.approx(0, abs=1e-6)
    assert tables.scopes == ((0, 1),)


def test_the_loss_is_about_one_at_the_truth():
    """Squared misses of noisy tables, in units of their noise."""
    rng = np.random.default_rng(5)
    sizes = (6, 7, 5)
    mixture = ProductMixture(sizes, components=3)
    with torch.no_grad():
        mixture.logits.normal_(generator=generator())
        scopes = [(0,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
        exact = {s: mixture.table(s).numpy() * 10_000 for s in scopes}
        tables = Tables(sizes, 10_000.0, CPU)
        for s in scopes:
            counts = np.round(exact[s] + rng.normal(0, 30, exact[s].shape)).astype(int)
            tables.add([MeasuredCounts(scope=s, counts=counts, sigma=30.0)])
        assert tables.pull(mixture) == pytest.approx(1, abs=0.25)


def test_the_last_steps_are_averaged():
    tables = Tables((2,), 100.0, CPU)
    tables.add([MeasuredCounts(scope=(0,), counts=np.array([90, 10]), sigma=1.0)])
    seen, ends = [], []
    for last in (False, True):
        mixture = ProductMixture((2,), components=1)
        path = []

        def keep(loss, path=path, mixture=mixture):
            path.append(mixture.logits.detach().clone())

        descend(mixture, tables, 20, 0.3, keep, last=last)
        seen.append(path)
        ends.append(mixture.logits.detach())
    assert torch.equal(ends[0], seen[0][-1])
    assert torch.allclose(ends[1], torch.stack(seen[1][14:]).mean(dim=0), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(k, 0.0) for k in ("singles", "choice", "growth", "learning_rate")],
        *[(k, 1.0) for k in ("singles", "outcomes", "choice")],
        *[(k, 0) for k in ("components", "rounds", "candidates", "last")],
        *[(k, -1) for k in ("largest", "spread", "first", "between")],
    ],
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f"settings must lie in their ranges; however: {name}"):
        replace(MarginalConfig(), **{name: value})


def test_shares_that_leave_nothing_for_rounds_are_refused():
    with pytest.raises(ValueError, match="singles and outcomes together"):
        MarginalConfig(singles=0.5, outcomes=0.6)
