"""The flagship's inside: orders, the masked first layer, completion by hand, gradients, dropout."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import agrees
from scipy import stats

from synthkit.encoding import Given, Layout, Rows, Slot
from synthkit.encoding.layout import ValueLink
from synthkit.encoding.smoothing import log_shares
from synthkit.errors import ConfigError
from synthkit.models.autoregressive.config import AutoregressiveConfig, default_steps
from synthkit.models.autoregressive.model import Autoregressive
from synthkit.models.row_completion import SharedLaws, complete_rows, known_sum
from synthkit.schema import Schema
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.training.layers.gated_blocks import keep
from synthkit.training.layers.masked_network import MaskedNetwork, Sizes


def layout_of(kinds) -> Layout:
    """Columns by their slots: K for one, (K, M) for a coarse one of K with M fine levels under all but the last."""
    slots, columns = [], []
    for k, kind in enumerate(kinds):
        name = f"v{k}"
        coarse, fine = kind if isinstance(kind, tuple) else (kind, None)
        at = len(slots)
        slots.append(
            Slot(
                name=name,
                size=coarse,
                ordinal=k % 2 == 0,
                missing=False,
                parent=None,
                prior=log_shares(np.arange(1, coarse + 1)),
            )
        )
        columns.append(name)
        if fine is not None:
            prior = np.tile(log_shares(np.arange(fine) + 1.0), (coarse, 1))
            prior[-1] = -np.inf
            slots.append(Slot(name=f"{name}:fine", size=fine, ordinal=True, missing=False, parent=at, prior=prior))
            columns.append(name)
    return Layout(tuple(slots), tuple(columns))


KINDS = st.lists(st.one_of(st.integers(1, 5), st.tuples(st.integers(2, 4), st.integers(2, 4))), min_size=1, max_size=6)
MIXED = layout_of([3, (3, 2), 2, (2, 4)])
WIDE = layout_of([3, (3, 2), *[2, 4] * 33, (2, 4), 5])  # slots of two sizes are computed together


def pointed(layout: Layout) -> Layout:
    """The layout with pointers both ways between its first two columns, each of (3, 2), whatever the position."""
    first, second = (layout.slots_of(name)[0] for name in ("v0", "v1"))
    cell = np.array([[[1], [2]], [[3], [-1]], [[0], [0]]])
    both = (ValueLink(second, first, cell), ValueLink(first, second, cell))
    return replace(layout, residuals=("v0", "v1"), links=both)


POINTED = pointed(layout_of([(3, 2), (3, 2), 2]))
TINY = AutoregressiveConfig(width=4, hidden=2).sizes


def network(layout, seed=0, **settings):
    """A network whose weights are all far from zero."""
    generator = torch.Generator().manual_seed(seed)
    net = MaskedNetwork(layout, AutoregressiveConfig(width=16, hidden=8, **settings).sizes).eval()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn(p.shape, generator=generator), alpha=0.3)
    return net


def model_of(layout, seed=0, **settings):
    model = Autoregressive(layout, AutoregressiveConfig(width=16, hidden=8, **settings))
    model.load_tensors(
        {k: v.detach() for k, v in network(layout, seed, **settings).named_parameters()}, torch.device("cpu")
    )
    return model


def any_rows(layout, n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    cat = torch.cat([torch.randint(k, (n, 1), generator=generator) for k in layout.sizes], dim=1)
    return torch.where(layout.applicable(cat), cat, 0)


@settings(max_examples=30)
@given(KINDS, st.integers(0, 2**31))
def test_every_order_is_a_permutation_of_columns(kinds, seed):
    """Each row's matrix is a strict total order of slots, in which a fine slot stands right behind its coarse one."""
    layout = layout_of(kinds)
    net = MaskedNetwork(layout, TINY)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        before = net.orders(40, 0.5, torch.device("cpu"))
    d = len(layout.slots)
    assert before.shape == (40, d, d)
    rank = before.sum(dim=2).long()
    assert bool((rank.sort(dim=1).values == torch.arange(d)).all())
    assert torch.equal(before, rank[:, None, :] < rank[:, :, None])
    for k, slot in enumerate(layout.slots):
        if slot.parent is not None:
            assert bool((rank[:, k] == rank[:, slot.parent] + 1).all())


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_share_of_the_rows_keeps_the_tables_order(share):
    net = MaskedNetwork(layout_of([2] * 6), TINY)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        before = net.orders(2000, share, torch.device("cpu"))
    own = (before == torch.ones(6, 6).tril(-1)).all(dim=2).all(dim=1).float().mean()
    expected = share + (1 - share) / 720
    assert abs(float(own) - expected) <= 4 * np.sqrt(expected * (1 - expected) / 2000 + 1e-12)


def test_random_orders_are_uniform():
    """Each of six orders of three columns comes a sixth of the time (chi-square, 5 degrees)."""
    net = MaskedNetwork(layout_of([2, 2, 2]), TINY)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        rank = net.orders(6000, 0.0, torch.device("cpu")).sum(dim=2).long()
    counts = torch.bincount(rank @ torch.tensor([9, 3, 1]), minlength=27)
    counts = counts[counts > 0].double()
    assert len(counts) == 6
    assert float(((counts - 1000) ** 2 / 1000).sum()) < 25.7  # p = .0001


def by_hand(net, cat, j, seen):
    """Log-probabilities of slot j of one row given the slots in `seen`, written as plainly as can be."""
    table, sizes = net.values(), net.layout.sizes
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    s = net.query[j].clone()
    for i in seen:
        parent = net.layout.slots[i].parent
        if parent is None or net.layout.slots[i].applies[cat[parent]]:
            s = s + table[offsets[i] + cat[i]]

    def norm(x):
        return (x - x.mean()) / torch.sqrt(x.var(unbiased=False) + 1e-5)

    for block in net.blocks:
        a, g = (norm(s) @ block.enter[j] + block.bias[j, 0]).chunk(2)
        s = s + (a * g * torch.sigmoid(g)) @ block.leave[j]
    start, end = offsets[j], offsets[j] + sizes[j]
    logits = net.heads()[start:end] @ norm(s) + net.bias[start:end]
    parent = net.layout.slots[j].parent
    if parent is not None:
        prior = torch.from_numpy(net.layout.slots[j].prior)[cat[parent]]
        if not bool(torch.isfinite(prior).any()):
            return torch.zeros(sizes[j])  # nothing to tell
        logits = logits + prior
    return F.log_softmax(logits, dim=0)


@torch.no_grad()
@pytest.mark.parametrize("blocks", [0, 1, 2])
@pytest.mark.parametrize("layout", [MIXED, WIDE], ids=["few", "many alike"])
def test_the_loss_is_the_chain_rule_in_any_order(layout, blocks):
    """One matrix product for all slots and rows equals slot after slot, row after row, by hand."""
    net = network(layout, blocks=blocks)
    cat = any_rows(layout, 12)
    with torch.random.fork_rng():
        torch.manual_seed(2)
        before = net.orders(12, 0.5, torch.device("cpu"))
    got = net.nll(cat, before)
    assert got.shape == (12,)
    for b in range(12):
        row = cat[b].tolist()
        log = sum(by_hand(net, row, j, torch.nonzero(before[b, j]).ravel().tolist())[row[j]] for j in range(len(row)))
        assert float(got[b]) == pytest.approx(-float(log), rel=2e-5, abs=2e-4)


@torch.no_grad()
def test_the_first_layer_is_a_sum_over_what_came_before():
    """The running sum of sampling equals the masked product of training, at every slot of the table's order."""
    model = model_of(MIXED)
    net, cat = model._network, any_rows(MIXED, 20)
    table, d = net.values(), len(MIXED.slots)
    z = net.vectors(cat, table)
    masked = torch.matmul(torch.ones(d, d).tril(-1)[None], z)
    running = torch.zeros(20, z.shape[2])
    for j in range(d):
        assert torch.allclose(running, masked[:, j], atol=1e-5)
        known = torch.where(torch.arange(d) < j, cat, -1)
        assert torch.allclose(known_sum(model._network, Given(known, {}), table), masked[:, j], atol=1e-5)
        running = running + z[:, j]


@torch.no_grad()
@pytest.mark.parametrize("known", [(), (2,), (1, 2), (0, 3, 4)])
def test_completion_is_sampling_slot_by_slot(known):
    """The share of each completion agrees with the product of conditionals by hand (chi-square over all rows)."""
    layout = layout_of([2, (2, 2), 2, 2])
    model = model_of(layout, seed=3)
    d = len(layout.slots)
    every = torch.cartesian_prod(*[torch.arange(k) for k in layout.sizes])
    every = every[(layout.applicable(every) | (every == 0)).all(dim=1)]
    fixed = every[0].clone()
    every = every[(every[:, list(known)] == fixed[list(known)]).all(dim=1)]
    log = []
    for row in every.tolist():
        total = 0.0
        for j in (j for j in range(d) if j not in known):
            seen = sorted({*known, *(i for i in range(j) if i not in known)})
            total += float(by_hand(model._network, row, j, seen)[row[j]])
        log.append(total)
    p = np.exp(log)
    assert p.sum() == pytest.approx(1, abs=1e-4)
    n = 20_000
    cat = torch.full((n, d), -1)
    cat[:, list(known)] = fixed[list(known)]
    drawn = model.sample_given(Given(cat, {}), torch.Generator().manual_seed(4)).cat
    counts = (drawn[:, None] == every[None]).all(dim=2).sum(dim=0).numpy()
    assert counts.sum() == n
    assert agrees(counts, p)
    assert not agrees(counts, np.roll(p, 1)), "the test would notice"


@torch.no_grad()
def test_rows_with_the_same_levels_so_far_are_drawn_as_each_alone(monkeypatch):
    layout = layout_of([3, (3, 2), 2, 4])
    model = model_of(layout, blocks=1)
    n = 4000
    unknown = Given(torch.full((n, len(layout.slots)), -1), {})
    groups = []
    with_levels = SharedLaws.with_levels
    monkeypatch.setattr(
        SharedLaws, "with_levels", lambda self, level: groups.append(len(self.one)) or with_levels(self, level)
    )
    shared = complete_rows(model._network, unknown, torch.Generator().manual_seed(3))
    assert groups[0] == 1 < groups[-1] <= n / 2
    nothing = torch.zeros(n, len(layout.slots), model._network.query.shape[1])
    alone = complete_rows(model._network, unknown, torch.Generator().manual_seed(3), context=nothing)
    assert (shared.cat == alone.cat).all(dim=1).float().mean() > 0.98  # a product of other rows is rounded otherwise


def test_laws_that_follow_links_or_hardly_shared_levels_are_not_shared():
    layout = layout_of([(3, 2), (3, 2), 2])
    assert SharedLaws.at_first(5, layout, torch.device("cpu")) is not None
    assert SharedLaws.at_first(5, pointed(layout), torch.device("cpu")) is None
    groups = SharedLaws(torch.zeros(6, dtype=torch.long), torch.zeros(1, dtype=torch.long))
    found = groups.with_levels(torch.tensor([2, 0, 2, 0, 0, 2]))
    assert found.of.tolist() == [1, 0, 1, 0, 0, 1]
    assert sorted(found.of[found.one].tolist()) == [0, 1]
    assert groups.with_levels(torch.tensor([0, 1, 2, 3, 3, 3])) is None


@torch.no_grad()
def test_a_slot_known_in_part_is_drawn_before_what_hangs_on_it():
    """The second column restricted: p(x | x1 in its set) is the model's own order with x1 first, restricted there."""
    layout = layout_of([2, 3])
    model = model_of(layout, seed=5)
    n = 20_000
    given = Given(torch.full((n, 2), -1), {1: (torch.tensor([[True, False, True]]), torch.zeros(n, dtype=torch.long))})
    drawn = model.sample_given(given, torch.Generator().manual_seed(6)).cat
    first = by_hand(model._network, [0, 0], 1, []).exp() * torch.tensor([1.0, 0.0, 1.0])
    first = first / first.sum()
    p = np.array(
        [[float(first[b] * by_hand(model._network, [0, b], 0, [1]).exp()[a]) for b in range(3)] for a in range(2)]
    )
    counts = np.zeros((2, 3))
    np.add.at(counts, (drawn[:, 0].numpy(), drawn[:, 1].numpy()), 1)
    assert counts[:, 1].sum() == 0
    live = p > 0
    assert ((counts[live] - n * p[live]) ** 2 / (n * p[live])).sum() < 21  # 3 degrees: p = .0001


@torch.no_grad()
def test_known_and_unknown_rows_do_not_disturb_each_other():
    """A row's law does not depend on its neighbours in the batch."""
    model = model_of(MIXED, seed=7)
    rows = Rows(any_rows(MIXED, 30), torch.empty(30, 0))
    alone = torch.cat([model.log_prob(rows[slice(k, k + 1)]) for k in range(30)])
    assert torch.allclose(alone, model.log_prob(rows), atol=1e-4)


@torch.no_grad()
def test_with_pointers_the_rows_drawn_follow_the_law_that_is_told():
    """Shares of all rows against exp(log_prob) (chi-square), and the chain of conditionals against the whole."""
    model = model_of(POINTED, seed=8)
    every = torch.cartesian_prod(*[torch.arange(k) for k in POINTED.sizes])
    every = every[(POINTED.applicable(every) | (every == 0)).all(dim=1)]
    num = torch.full((len(every), 2), 0.5)
    p = model.log_prob(Rows(every, num)).double().exp().numpy()
    assert p.sum() == pytest.approx(1, abs=1e-4)
    n = 40_000
    drawn = model.sample(n, torch.Generator().manual_seed(9))
    counts = (drawn.cat[:, None] == every[None]).all(dim=2).sum(dim=0).numpy()
    assert agrees(counts, p)
    assert not agrees(counts, np.roll(p, 1)), "the test would notice"
    aim = torch.ones(every.shape, dtype=torch.bool)
    chain = model.log_prob_given(Rows(every, num), Given(torch.full_like(every, -1), {}), aim)
    assert np.allclose(chain.double().exp().numpy(), p, atol=1e-5)


@pytest.mark.parametrize("layout", [MIXED, POINTED])
@pytest.mark.parametrize("n", [1, 64])
def test_gradients_reach_every_parameter(n, layout):
    net = network(layout).train()
    cat = any_rows(layout, 512)[:n]
    loss = net.nll(cat, net.orders(n, 0.5, cat.device))
    assert loss.shape == (n,)
    assert bool(torch.isfinite(loss).all())
    torch.autograd.backward(loss.mean())
    for name, p in net.named_parameters():
        assert p.grad is not None, name
        assert bool(torch.isfinite(p.grad).all()), name
        assert n == 1 or float(p.grad.abs().sum()) > 0, name


def test_no_slot_is_taken_out_of_the_states_alone():
    # the gradient of one slot taken alone is a tensor of all slots, nought but for it: work by the square of the slots
    def taken(columns: int) -> int:
        net = MaskedNetwork(
            layout_of([3] * columns), Sizes(width=4, hidden=2, blocks=1, dropout=0.0, input_dropout=0.0)
        )
        cat = torch.zeros((2, columns), dtype=torch.long)
        found, waiting = [], [net.nll(cat, torch.ones(1, columns, columns, dtype=torch.bool).tril(-1)).sum().grad_fn]
        while waiting:
            node = waiting.pop()
            if node is not None and node not in found:
                found.append(node)
                waiting += [before for before, _ in node.next_functions]
        return sum("Select" in node.name() for node in found)

    assert taken(12) == taken(3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_share_of_the_values_is_dropped_and_the_rest_makes_up_for_it(dtype):
    torch.manual_seed(0)
    kept = keep(torch.Size((301, 77)), 0.25, dtype, torch.device("cpu"))
    assert kept.shape == (301, 77)
    assert kept.dtype == dtype
    assert set(kept.float().unique().tolist()) == {0.0, float(torch.tensor(4 / 3, dtype=dtype))}
    assert stats.binomtest(int((kept > 0).sum()), kept.numel(), 0.75).pvalue > 1e-6
    torch.manual_seed(0)
    assert torch.equal(keep(torch.Size((301, 77)), 0.25, dtype, torch.device("cpu")), kept)


@torch.no_grad()
@pytest.mark.parametrize("training", [False, True])
def test_an_empty_batch_has_an_empty_loss(training):
    net = network(MIXED).train(training)
    empty = any_rows(MIXED, 0)
    assert net.nll(empty, net.orders(0, 0.5, empty.device)).shape == (0,)


@torch.no_grad()
def test_dropout_is_off_outside_training():
    net = network(MIXED, dropout=0.5, input_dropout=0.5)
    cat, before = any_rows(MIXED, 8), torch.ones(6, 6, dtype=torch.bool).tril(-1)[None]
    assert torch.equal(net.nll(cat, before), net.nll(cat, before))
    net.train()
    assert not torch.equal(net.nll(cat, before), net.nll(cat, before))


def test_blocks_for_one_slot_and_for_all_agree():
    net = network(MIXED, blocks=2)
    s = torch.randn(len(MIXED.slots), 5, 16, generator=torch.Generator().manual_seed(0))
    for block in net.blocks:
        together = block(s)
        for j in range(len(s)):
            assert torch.allclose(block.one(j, s[j], torch.float32), together[j], atol=1e-5)


@pytest.mark.parametrize(
    ("n", "levels", "steps"),
    [(100, 0, 150), (10_000, 0, 468), (20_000, 0, 546), (10**6, 0, 2000), (20_000, 999, 546), (20_000, 1_000, 1367)],
)
def test_steps_follow_rows_and_levels_of_the_table(n, levels, steps):
    assert default_steps(n, 512, levels) == steps
    assert AutoregressiveConfig().settled(n, levels).steps == steps


@pytest.mark.parametrize(
    ("slots", "width", "hidden", "batch"),
    [(1, 128, 64, 512), (256, 128, 64, 512), (300, 128, 64, 372), (512, 128, 64, 128), (1000, 64, 32, 33)],
)
def test_wide_tables_have_narrower_networks_and_smaller_batches(slots, width, hidden, batch):
    found = AutoregressiveConfig().narrowed(slots)
    assert (found.width, found.hidden, found.batch_size) == (width, hidden, batch)
    assert found.narrowed(slots) == found
    assert slots * width <= 2**16
    assert batch * slots**2 <= 2**25 or batch == 32


def test_no_table_is_too_wide_and_what_is_asked_for_is_not_exceeded():
    assert AutoregressiveConfig().narrowed(10**6).sizes.width == 32
    small = AutoregressiveConfig(width=40, hidden=50, batch_size=7)
    assert small.narrowed(1_000) == small
    private = AutoregressiveConfig(**AutoregressiveConfig.PRIVATE_DEFAULTS)
    assert private.narrowed(10**6) is private


@pytest.mark.parametrize(
    ("n", "slots", "steps"), [(100, 256, 150), (146, 1000, 38), (100_000, 512, 2000), (10_000, 512, 468)]
)
def test_wide_tables_are_trained_in_fewer_steps(n, slots, steps):
    assert default_steps(n, 256 if slots == 512 else 512, 0, slots) == steps
    assert AutoregressiveConfig(steps=9).settled(n, 0, slots).steps == 9


def test_a_narrowed_network_is_saved_and_loaded(tmp_path):
    schema = Schema(columns={f"c{k}": {"kind": "boolean"} for k in range(600)})
    frame = pd.DataFrame(np.random.default_rng(0).random((40, 600)) < 0.5, columns=list(schema.columns))
    made = Synthesizer(schema, "autoregressive", settings={"steps": 1}).fit(frame, seed=1)
    made.save(tmp_path / "model")
    pd.testing.assert_frame_equal(Synthesizer.load(tmp_path / "model").sample(5, seed=2), made.sample(5, seed=2))


def test_small_tables_are_trained_more_often_in_their_own_order():
    assert [AutoregressiveConfig().settled(n).canonical for n in (19_999, 20_000)] == [0.8, 0.75]
    assert AutoregressiveConfig(canonical=0.0).settled(10**6).canonical == 0.0


def test_large_tables_are_trained_in_larger_steps():
    rates = [AutoregressiveConfig().settled(n).learning_rate for n in (9_999, 10_000, 19_999, 20_000)]
    assert rates == [0.002, 0.004, 0.004, 0.006]
    assert AutoregressiveConfig().settled(20_000, 1_000).learning_rate == 0.004
    assert AutoregressiveConfig(learning_rate=0.0).settled(10**6).learning_rate == 0.0


@pytest.mark.parametrize(
    "wrong", [{"dropout": 7}, {"input_dropout": -0.1}, {"width": 0}, {"steps": 0}, {"learning_rate": -1.0}]
)
def test_settings_outside_their_range_are_refused(wrong):
    name = next(iter(wrong))
    with pytest.raises(ValueError, match=rf"settings must lie in their ranges; however: {name}"):
        AutoregressiveConfig(**wrong)


@pytest.mark.parametrize("n", [100, 400])
def test_a_loss_that_is_no_number_ends_the_training(n):
    """With rows held back and without."""
    schema = Schema(columns={"x": {"kind": "numeric"}, "y": {"kind": "categorical", "levels": ["a", "b"]}})
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=n), "y": rng.choice(["a", "b"], n)})
    wild = {"learning_rate": 1e38, "width": 16, "hidden": 8, "steps": 20}
    with pytest.raises(ConfigError, match=r"the training loss must stay finite; however: at step \d+ it is not"):
        Synthesizer(schema, settings=wild).fit(table, seed=0)
