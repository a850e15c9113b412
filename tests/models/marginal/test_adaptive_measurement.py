"""Courses of mixtures that ask for tables and are answered together; slots that are known, and what came before."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthkit.encoding.slot_counts import StratifiedCounting
from synthkit.models.marginal.adaptive_measurement import (
    FitSchedule,
    KnownSlots,
    MeasuredMixture,
    adaptive_course,
    in_step,
    measure_adaptively,
)
from synthkit.models.marginal.budget_schedule import BudgetShares, Rounds
from synthkit.models.marginal.dependent_slots import DependentSlot
from synthkit.privacy.access.counts import ExactCounting


def test_courses_side_by_side_are_those_of_each_alone():
    """Two tables of other sizes and numbers of rounds, with exact counts: what one asks moves nothing of the other."""
    rng = np.random.default_rng(5)
    parts = [
        ExactCounting.of(rng.integers(0, sizes, (500, len(sizes))), sizes) for sizes in ((3, 2, 4), (2, 5, 3, 3), (4,))
    ]
    split = BudgetShares(singles=0.1, outcomes=0.1, choice=0.2, rounds=3, growth=1.2)
    course = FitSchedule(
        components=20, spread=1.0, learning_rate=0.05, first=10, between=5, last=10, candidates=10, largest=100
    )

    def begun(k):
        plan = Rounds.of(parts[k].sizes, parts[k].rho, split)
        generator, cpu = torch.Generator().manual_seed(k), torch.device("cpu")
        return adaptive_course(parts[k], plan, course, generator, cpu, lambda *_: None)

    def answer(asked):
        return [each.counting.measure(each.scopes, each.rho) for each in asked]

    together = in_step([begun(k) for k in range(3)], answer)
    for k, found in enumerate(together):
        alone = in_step([begun(k)], answer)[0]
        assert torch.equal(found.logits, alone.logits)
        assert found.scopes == alone.scopes


def test_known_slots_are_in_no_table_alone_and_what_came_before_is_in_no_mixture():
    """Slots 0 and 1 are drawn, 2 and 3 are known, 4 tells what came before slot 1."""
    rng, sizes = np.random.default_rng(6), (3, 3, 2, 4, 5)
    asked = []
    counting = ExactCounting.of(rng.integers(0, sizes, (400, 5)), sizes)
    split = BudgetShares(singles=0.1, outcomes=0.3, choice=0.2, rounds=4, growth=1.2)
    course = FitSchedule(
        components=10, spread=1.0, learning_rate=0.05, first=5, between=5, last=5, candidates=10, largest=200
    )
    plan = Rounds.of(sizes[:4], counting.rho, split, ((1, 4),))

    def answer(wanted):
        asked.extend(scope for each in wanted for scope in each.scopes)
        return [each.counting.measure(each.scopes, each.rho) for each in wanted]

    known = KnownSlots(own=2, remembered=((1, 4),))
    generator, cpu = torch.Generator().manual_seed(0), torch.device("cpu")
    found = in_step([adaptive_course(counting, plan, course, generator, cpu, lambda *_: None, known)], answer)[0]
    assert [s for s in asked if len(s) == 1] == [(0,), (1,), (2,), (3,)]
    assert (2, 3) not in asked
    assert all(4 not in scope for scope in asked if scope != (1, 4))
    assert len(found.logits) == sum(sizes[:4])
    assert found.remembered[0].counts.shape == (3, 5)
    np.testing.assert_array_equal(found.remembered[0].counts, counting.measure([(1, 4)], 1.0)[0].counts)


def test_classes_get_the_shares_they_are_known_to_have():
    """Against p(x) = sum_n p(x | n) r_n / r, by hand over every cell of the last slot."""
    generator = torch.Generator().manual_seed(1)
    sizes, rows = (3, 4, 3), np.array([50.0, 30.0, 20.0])
    laws = torch.cat([torch.softmax(torch.randn(k, 6, generator=generator), dim=0) for k in sizes])
    weights = torch.randn(6, generator=generator)
    follower = [DependentSlot(slot=a, leader=b, law=np.eye(2)) for a, b in ((1, 0), (1, 2), (2, 0))]
    scopes = ((0,), (1,), (2,), (0, 1), (1, 2))
    found = MeasuredMixture(laws.log(), weights, 77.0, (), scopes, tuple(follower)).restored(rows)
    shares = torch.softmax(weights, dim=0)
    joint = torch.einsum("ak,bk,ck,k->abc", laws[:3], laws[3:7], laws[7:], shares).numpy()
    wanted = (joint / joint.sum(axis=(0, 1)) * rows / rows.sum()).sum(axis=2)
    again = torch.softmax(found.weights, dim=0)
    np.testing.assert_allclose(torch.einsum("ak,bk,k->ab", laws[:3], laws[3:7], again).numpy(), wanted, rtol=1e-4)
    assert found.rows == 100
    assert found.scopes == ((0,), (1,), (0, 1))
    assert found.followers == (follower[0],)
    assert len(found.logits) == 7


def test_a_slot_that_hangs_together_with_the_classes_is_put_right():
    """Of rows of the second class a tenth is counted; they have the second level four times as often."""
    rng = np.random.default_rng(0)
    level = np.repeat([0, 1], [8000, 800])
    cat = np.stack([rng.random(8800) < np.where(level == 1, 0.8, 0.2), level], axis=1).astype(np.int64)
    counting = StratifiedCounting(inner=ExactCounting.of(cat, (2, 2)), rows=np.array([8000.0, 8000.0]))
    split = BudgetShares(singles=0.1, outcomes=0.1, choice=0.2, rounds=2, growth=1.2)
    course = FitSchedule(
        components=20, spread=1.0, learning_rate=0.05, first=50, between=25, last=50, candidates=10, largest=100
    )
    generator = torch.Generator().manual_seed(0)
    found = measure_adaptively(counting, split, course, generator, torch.device("cpu"), lambda *_: None)
    law = torch.softmax(found.logits, dim=0) @ torch.softmax(found.weights, dim=0)
    assert law.numpy() == pytest.approx([0.5, 0.5], abs=0.03)
