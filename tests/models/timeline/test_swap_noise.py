"""Swap noise: some rows are trained with the history of another, and none is while drawing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from synthkit.encoding.units.step_state import HISTORY_FEATURES, StepState, TimeScale
from synthkit.models.timeline.config import FEW_ROWS, SMALL_STEPS, TimelineConfig
from synthkit.models.timeline.network import PAST_VECTORS, STANDING, Past, swapped


def past(n: int) -> Past:
    """Every number names its row."""
    each = torch.arange(n).float()
    return Past(each[:, None, None].expand(n, PAST_VECTORS, 4), each[:, None].expand(n, 7), each[:, None].expand(n, 4))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_rows_has_the_history_of_another_and_stands_where_it_stood(share):
    torch.manual_seed(0)
    n, own = 4000, past(4000)
    found = swapped(own, share, 2)
    assert torch.equal(found.vectors[:, :STANDING], own.vectors[:, :STANDING])
    assert torch.equal(found.numbers[:, :5], own.numbers[:, :5])
    assert torch.equal(found.direct, own.direct)
    source = found.numbers[:, 5]
    assert torch.equal(found.numbers[:, 6], source)  # all of a row's history is of one other row
    assert torch.equal(found.vectors[:, STANDING:], source[:, None, None].expand(n, PAST_VECTORS - STANDING, 4))
    assert float((source != torch.arange(n)).float().mean()) == pytest.approx(share, abs=0.03)
    if share == 1:
        assert torch.equal(source.sort().values, torch.arange(n).float())


def test_what_happened_stands_last_among_the_numbers_of_a_step():
    """Changing how often and when things happened changes those numbers alone, and all of them."""
    kinds, one = 4, np.ones(1, dtype=np.int64)
    state = StepState(
        owed=np.ones((1, 2), dtype=np.int64),
        owed_unit=np.ones((1, 2), dtype=np.int64),
        owner=0 * one,
        now=50 * one,
        first=10 * one,
        last=90 * one,
        begin=10 * one,
        end=90 * one,
        index=one,
        place=one,
        run=one,
        happened=np.zeros((1, kinds), dtype=np.int64),
        latest=np.zeros((1, kinds), dtype=np.int64),
    )
    after = replace(state, happened=np.full((1, kinds), 3), latest=np.full((1, kinds), 20))
    scale = TimeScale(typical=5.0, origin=0.0, reach=100.0, day=0.0, knots=(0.0, 40.0, 60.0, 100.0))
    changed = (state.features(scale) != after.features(scale))[0]
    assert changed.sum() == HISTORY_FEATURES * kinds
    assert changed[-HISTORY_FEATURES * kinds :].all()


@pytest.mark.parametrize(("rows", "share"), [(FEW_ROWS - 1, 0.4), (FEW_ROWS, 0.1), (SMALL_STEPS, 0.0)])
def test_there_is_more_of_it_the_fewer_rows_there_are(rows, share):
    assert TimelineConfig().settled(rows).swap_noise == share
    assert TimelineConfig(swap_noise=0.5).settled(rows).swap_noise == 0.5


def test_a_share_above_one_is_refused():
    with pytest.raises(ValueError, match=r"swap_noise 1.5 \(from 0 to 1\)"):
        TimelineConfig(swap_noise=1.5)
