"""Scores of numbers and counted laws inside the model: one law while training and drawing, related columns kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from synthkit.encoding import Given, Layout, Slot
from synthkit.encoding.smoothing import log_shares
from synthkit.models.autoregressive.config import AutoregressiveConfig
from synthkit.models.row_completion import complete_rows, known_sum
from synthkit.schema import Schema
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.training.layers.masked_network import MaskedNetwork, Partial

TINY = AutoregressiveConfig(width=6, hidden=3).sizes
MANY = 20_000


def layout(*columns: str) -> Layout:
    """Numbers of three coarse levels, the last of them a single value, with two cells in each other; a name last."""
    slots: list[Slot] = []
    for name in columns:
        prior = np.tile(log_shares(np.array([1.0, 2.0])), (3, 1))
        prior[-1] = -np.inf
        at = len(slots)
        coarse = log_shares(np.array([2.0, 3.0, 1.0]))
        slots += [
            Slot(name=name, size=3, ordinal=True, missing=False, parent=None, prior=coarse),
            Slot(name=f"{name}:fine", size=2, ordinal=True, missing=False, parent=at, prior=prior),
        ]
    slots.append(Slot(name="sex", size=2, ordinal=False, missing=False, parent=None, prior=log_shares(np.ones(2))))
    return Layout(tuple(slots), (*(c for c in columns for _ in range(2)), "sex"), columns)


NUMBERS = layout("a", "b")


def network(seed: int = 0) -> MaskedNetwork:
    """A network of random weights that has counted some rows."""
    torch.manual_seed(seed)
    sizes = replace(TINY, dropout=0.0, input_dropout=0.0)
    net = MaskedNetwork(NUMBERS, sizes, paired=True, both_ways=True, scored=True)
    for p in net.parameters():
        p.data += 0.3 * torch.randn_like(p)
    for pairs in (net.pairs, net.pairs_behind):
        assert pairs is not None
        pairs.learn(any_rows(300, seed)[0], leave_one_out=True)
    return net.eval()


def any_rows(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 3, n)
    second = np.where(rng.random(n) < 0.7, first, rng.integers(0, 3, n))
    fine = [np.where(coarse < 2, rng.integers(0, 2, n), 0) for coarse in (first, second)]
    cat = np.stack([first, fine[0], second, fine[1], rng.integers(0, 2, n)], axis=1)
    return torch.from_numpy(cat), torch.from_numpy(rng.random((n, 2)).astype(np.float32))


@torch.no_grad()
@pytest.mark.parametrize("seed", range(3))
def test_what_is_trained_is_what_is_drawn_from(seed):
    """Losses of all slots at once equal those of one slot after the other from a running sum."""
    net = network(seed)
    cat, num = any_rows(40, seed + 10)
    d = cat.shape[1]
    losses = net.losses(cat, torch.ones(d, d, dtype=torch.bool).tril(-1)[None], num)
    learned, row = net.learned(), Partial(cat, torch.zeros_like(cat, dtype=torch.bool), num)
    for j in range(d):
        known = torch.where(torch.arange(d) < j, cat, -1)
        s = known_sum(net, Given(known, {}), learned.values, num)
        log = F.log_softmax(net.logits(j, s, row, learned, torch.float32), dim=1).gather(1, cat[:, j : j + 1])[:, 0]
        applies = net.applies(j, cat)
        expected = -log if applies is None else torch.where(applies, -log, 0.0)
        torch.testing.assert_close(losses[j], expected, rtol=1e-4, atol=1e-4)
        row.have[:, j] = True


@torch.no_grad()
def test_the_slot_behind_speaks_where_the_one_before_is_not_known():
    """In the reverse order of the columns, by hand: logits of the counted table of the slot behind are added."""
    net = network(1)
    pairs = net.pairs_behind
    assert pairs is not None
    assert int(pairs.source[0]) == 2
    cat, num = any_rows(20, 4)
    have = torch.tensor([[False, False, True, True, False]]).expand(20, -1)
    learned = net.learned()
    s = known_sum(net, Given(torch.where(have, cat, -1), {}), learned.values, num)
    row = Partial(cat, have, num)
    found = net.logits(0, s, row, learned, torch.float32)
    net.pairs_behind = None
    without = net.logits(0, s, row, learned, torch.float32)
    torch.testing.assert_close(found - without, pairs.told[:3][:, cat[:, 2]].T)


@torch.no_grad()
def test_drawn_levels_follow_the_conditionals_that_probabilities_are_told_of():
    """The second number given the first, in the middle of its cell: a chi-square against the chain rule."""
    net, n = network(5), 30_000
    given = torch.full((n, 5), -1)
    given[:, 0], given[:, 1] = 1, 1
    drawn = complete_rows(net, Given(given, {}), torch.Generator().manual_seed(3))
    learned = net.learned()
    grid = torch.linspace(0.0005, 0.9995, 1000)[:, None].expand(-1, 2)
    cat = torch.tensor([[1, 1, 0, 0, 0]]).expand(len(grid), -1)
    have = torch.tensor([[True, True, False, False, False]]).expand(len(grid), -1)
    s = known_sum(net, Given(torch.where(have, cat, -1), {}), learned.values, grid)
    p = torch.softmax(net.logits(2, s, Partial(cat, have, grid), learned, torch.float32), dim=1).mean(dim=0)
    share = torch.bincount(drawn.cat[:, 2], minlength=3) / n
    assert (share - p).abs().max() < 5 * 0.5 / n**0.5 + 0.01  # bfloat16 laws where the processor has them


def table(n: int, seed: int) -> pd.DataFrame:
    """A bill, a total that is nearly twice the bill, a scale its sum decides."""
    rng = np.random.default_rng(seed)
    bill = np.exp(rng.normal(8, 1, n))
    return pd.DataFrame(
        {
            "bill": np.round(bill, 1),
            "total": np.round(2 * bill * np.exp(rng.normal(0, 0.05, n)), 1),
            "grade": rng.integers(0, 4, n).astype(str),
        }
    )


SCHEMA = Schema.model_validate(
    {
        "format": "synthkit-schema/1",
        "name": "bills",
        "columns": {
            "bill": {"kind": "numeric", "min": 0, "max": 10_000_000, "decimals": 1},
            "total": {"kind": "numeric", "min": 0, "max": 10_000_000, "decimals": 1},
            "grade": {"kind": "categorical", "levels": ["0", "1", "2", "3"]},
        },
    }
)


def left_over(frame: pd.DataFrame) -> float:
    """Spread of the total's logarithm about twice the bill."""
    gap = np.log(frame["total"] / frame["bill"] / 2)
    return float(np.quantile(np.abs(gap), 0.9))


def test_a_number_that_nearly_decides_another_does_so_in_drawn_rows():
    """Nine rows in ten lie within 1.64 x 0.05 of twice the bill; what drawn rows add to that is less by scores."""
    train = table(1500, 0)
    spread = {}
    for scores in (True, False):
        fitted = Synthesizer(SCHEMA, "autoregressive", settings={"scores": scores}).fit(train, seed=0)
        spread[scores] = left_over(fitted.sample(4000, seed=1).query("bill > 0"))
    real = left_over(train)
    assert real == pytest.approx(1.645 * 0.05, rel=0.1)
    assert spread[True] < 2 * real
    assert spread[True] - real < 0.85 * (spread[False] - real)


def test_small_tables_count_and_score_and_large_or_private_ones_do_not():
    few, many = AutoregressiveConfig().settled(1000, slots=10), AutoregressiveConfig().settled(MANY, slots=10)
    assert (few.pairs, few.scores) == (True, True)
    assert (many.pairs, many.scores) == (False, False)
    assert not AutoregressiveConfig().settled(1000, slots=400).pairs


@pytest.mark.parametrize("name", ["pairs", "scores"])
def test_under_a_budget_nothing_is_counted_or_scored(name):
    with pytest.raises(ValueError, match=rf"{name} \(False under a budget\)"):
        AutoregressiveConfig(clip_norm=1.0, **{name: True})


def test_no_rows_are_completed_to_none():
    drawn = complete_rows(network(), Given(torch.zeros((0, 5), dtype=torch.long), {}), torch.Generator().manual_seed(0))
    assert drawn.cat.shape == (0, 5)
