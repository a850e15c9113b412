"""Plans of whole fits: inside the budget, with room made for what is bought before the training."""

from __future__ import annotations

import pytest

from synthkit.errors import BudgetExceededError
from synthkit.privacy.access.encoder_budget import EncoderQuery
from synthkit.privacy.accounting import accountant
from synthkit.privacy.accounting.budget_plan import affordable, for_counts, for_gradients
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import PoissonSubsampledGaussian
from synthkit.privacy.accounting.noise_calibration import EpsilonDelta
from synthkit.privacy.accounting.zcdp import cost

CELLS = tuple(EncoderQuery(kind="cells", column=c) for c in "abcd")
LEVELS = (*CELLS, EncoderQuery(kind="levels", column="e"))


def steps(noise):
    spent = PoissonSubsampledGaussian(noise_multiplier=noise, rate=0.02, steps=200)
    return Charge(what="training", spent=spent)


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.0, 10.0])
def test_what_is_affordable_is_what_the_design_study_found(epsilon):
    """The conversion of Canonne, Kamath and Steinke at delta = 1e-5, computed outside this code."""
    known = {0.5: 0.00851, 1.0: 0.03056, 3.0: 0.2242, 10.0: 1.783}
    assert affordable(EpsilonDelta(epsilon=epsilon, delta=1e-5)) == pytest.approx(known[epsilon], rel=2e-3)


@pytest.mark.parametrize("asked", [(), CELLS, LEVELS])
def test_a_plan_of_counts_stays_inside_and_spends_nearly_all(asked):
    outlay = for_counts(asked, EpsilonDelta(epsilon=1.0, delta=1e-5))
    spent = accountant.epsilon(outlay.plan, 1e-5)
    assert 0.999 < spent <= 1.0
    assert outlay.reserved
    bought = sum(cost(c.spent).rho for c in outlay.encoder_budget.charges())
    assert bought + outlay.rho <= outlay.plan[0].spent.rho
    assert (outlay.plan[0].spent.delta > 0) == (asked == LEVELS)


def test_what_is_bought_before_the_training_makes_its_noise_larger():
    left = EpsilonDelta(epsilon=2.0, delta=1e-5)
    bare, prepared = for_gradients((), left, steps), for_gradients(CELLS, left, steps)
    assert not prepared.reserved
    assert prepared.noise_multiplier > bare.noise_multiplier * 1.005
    for outlay in (bare, prepared):
        assert 1.999 < accountant.epsilon(outlay.plan, 1e-5) <= 2.0
    assert len(prepared.plan) == len(CELLS) + 1


def test_with_nothing_left_nothing_is_planned():
    for left in (EpsilonDelta(epsilon=0.0, delta=1e-5), EpsilonDelta(epsilon=1.0, delta=0.0)):
        with pytest.raises(BudgetExceededError, match="a fit needs a budget; however: epsilon"):
            for_counts(CELLS, left)


def test_columns_of_undeclared_levels_get_more_but_never_most_of_the_budget():
    left = EpsilonDelta(epsilon=1.0, delta=1e-5)
    one, many = (for_counts((*CELLS, *LEVELS[-1:] * k), left) for k in (1, 40))
    for outlay, share in ((one, 0.12), (many, 0.25)):
        assert outlay.encoder_budget.rho == pytest.approx(share * outlay.plan[0].spent.rho)
    levels, cells = (next(q for q in one.encoder_budget.queries if q.kind == kind) for kind in ("levels", "cells"))
    assert one.encoder_budget.threshold(levels).sigma == pytest.approx(one.encoder_budget.noise(cells).sigma / 8**0.5)
