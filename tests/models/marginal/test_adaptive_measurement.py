"""Courses of mixtures that ask for tables and are answered together; slots that are known, and what came before."""

from __future__ import annotations

import numpy as np
import torch

from synthkit.models.marginal.adaptive_measurement import FitSchedule, KnownSlots, adaptive_course, in_step
from synthkit.models.marginal.budget_schedule import BudgetShares, Rounds
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
