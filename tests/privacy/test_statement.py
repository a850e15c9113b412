"""What is promised: the attacker's gain against closed forms, the keys of the registry, and honest words."""

from __future__ import annotations

import json
import math

import pytest
from scipy.stats import norm

from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.composed_plan import ComposedPlan
from synthkit.privacy.accounting.events import (
    Concentrated,
    DiscreteGaussian,
    Gaussian,
    Laplace,
    NonPrivate,
    PoissonSubsampledGaussian,
)
from synthkit.privacy.accounting.ledger_file import LedgerFile
from synthkit.privacy.accounting.tradeoff import Tradeoff
from synthkit.privacy.statement import Statement, packages

GAUSS = 3.7304  # noise of one Gaussian answer of sensitivity 1 at (1, 1e-5), as the accountant's tests show


def archive(*spent, delta=1e-5, unit="patient", inside=()):
    part = ComposedPlan(
        delta=delta, charges=tuple(Charge(what=f"answer {k}", spent=s) for k, s in enumerate(spent)), inside=inside
    )
    return LedgerFile(budget=Budget(epsilon=5.0, delta=1e-3, unit=unit), unit=unit, parts=(part,))


def statement(kept, **more):
    return Statement(archive=kept, table="icu", model="marginal", **more)


@pytest.mark.parametrize(("epsilon", "few", "many", "sure"), [(1, 0.027, 0.27, 0.73), (3, 0.20, 0.955, 0.95)])
def test_known_answers_of_a_pure_epsilon(epsilon, few, many, sure):
    """The figures of the design study, to the digits it gives."""
    pure = Tradeoff(epsilons=(float(epsilon),), deltas=(0.0,))
    assert pure.found(0.01) == pytest.approx(few, rel=0.01)
    assert pure.found(0.1) == pytest.approx(many, rel=0.01)
    assert pure.posterior() == pytest.approx(sure, abs=0.005)


def test_of_gaussian_noise_nearly_the_exact_curve_is_found():
    """TPR = Phi(Phi^-1(alpha) + mu); at (1, 1e-5) it is 1.98 % at 1 %."""
    mu = 1 / GAUSS
    found = Tradeoff.of(archive(Gaussian(sensitivity=1, sigma=GAUSS)).parts)
    for alpha in (0.01, 0.1, 0.5):
        exact = norm.cdf(norm.ppf(alpha) + mu)
        assert exact - 1e-9 <= found.found(alpha) <= exact * 1.02
    assert found.found(0.01) == pytest.approx(0.0198, abs=3e-4)


def test_pure_noise_gives_its_pure_curve():
    found = Tradeoff.of(archive(Laplace(sensitivity=1, scale=1)).parts)
    assert found.found(0.01) <= math.e * 0.01 * 1.001
    exact = 0.5 * math.exp(1 - math.log(0.5 / 0.1))  # P(1 + Z > t) where P(Z > t) = 0.1
    assert found.found(0.1) == pytest.approx(exact, rel=0.01)


def test_no_attacker_does_better_with_more_noise():
    curves = [Tradeoff.of(archive(DiscreteGaussian(sigma=s)).parts) for s in (2, 4, 8)]
    for alpha in (0.001, 0.01, 0.1, 0.9):
        found = [curve.found(alpha) for curve in curves]
        assert found == sorted(found, reverse=True)
        assert all(alpha <= f <= 1 for f in found)


def test_plans_made_apart_are_added():
    one = archive(Gaussian(sensitivity=1, sigma=4)).parts[0]
    both = Tradeoff.of((one, one))
    assert both.epsilons == (pytest.approx(2 * one.epsilon()),)
    assert both.deltas == (pytest.approx(2e-5),)


def test_without_a_budget_nothing_is_promised():
    free = LedgerFile(
        budget=None,
        unit="patient",
        parts=(ComposedPlan(delta=0.0, charges=(Charge(what="rows", spent=NonPrivate()),)),),
    )
    said = statement(free)
    assert not said.end_to_end
    assert said.sentences[0].startswith("Not differentially private: epsilon is infinite for each patient")
    assert said.tradeoff.found(0.01) == 1
    data = said.to_dict()
    assert data["privacy_loss"]["privacy_parameters"]["epsilon"] is None
    assert {"what": "rows", "covered": "uncharged"} in data["data_touches"]


def test_a_promise_in_words_and_data():
    reserve = Concentrated(rho=0.03)
    step = Charge(what="histogram of age", spent=DiscreteGaussian(sigma=10))
    kept = archive(reserve, inside=(step,))
    said = statement(kept, declared_by="A. Lee: codebook", paid=("town: levels",), versions=packages())
    assert said.end_to_end
    data = json.loads(json.dumps(said.to_dict(), allow_nan=False))
    assert data["format"] == "synthkit-statement/1"
    for key in ("basic", "dp_variant", "privacy_loss", "deployment_model", "accounting", "implementation"):
        assert data[key], key
    assert data["privacy_loss"]["privacy_parameters"]["rho"] == pytest.approx(0.03)
    assert data["privacy_loss"]["privacy_unit"] == "patient"
    assert "levels, bounds and digits of the schema, as declared by A. Lee: codebook" in str(data["data_touches"])
    assert data["paid"] == ["town: levels"]
    assert data["noise_arithmetic"] == "exact integers"
    assert data["adjacency"] == "add-remove"
    assert set(data["libraries"]) == {"synthkit", "opendp", "dp-accounting", "torch"}
    formal, gain, left = data["sentences"]
    assert "for each patient, with all their rows" in formal
    assert f"({kept.spent()[0]:.4g}, 1e-05)" in formal
    assert "at most" in gain
    assert "INTERNAL" in left
    assert [point[0] for point in data["curve"]] == sorted(point[0] for point in data["curve"])


def test_caveats_are_named_where_they_hold():
    noisy = PoissonSubsampledGaussian(noise_multiplier=2.0, rate=0.01, steps=100)
    said = statement(archive(noisy, unit=None)).to_dict()
    assert said["noise_arithmetic"].endswith("float32 for noise on gradients")
    assert any("rounded to float32" in c for c in said["caveats"])
    assert any("No number of units is declared" in c for c in said["caveats"])
    assert said["privacy_loss"]["privacy_unit"] == "row"


def test_an_exact_answer_under_a_budget_voids_the_promise():
    """No book admits one; a ledger that somebody wrote may hold it."""
    said = statement(archive(Gaussian(sensitivity=1, sigma=9), NonPrivate()))
    assert not said.promised
    assert not said.end_to_end
    assert said.sentences[0].startswith("Not differentially private")
    data = said.to_dict()
    assert data["privacy_loss"]["privacy_parameters"]["epsilon"] is None
    assert data["dp_variant"]["variant_name"] == "Custom"
    assert data["dp_variant"]["unprotected_quantities"][0] == "answer 1"


def test_without_a_budget_an_empty_ledger_promises_nothing():
    """It costs nothing, for nothing is known of what was learned."""
    free = statement(LedgerFile(budget=None, unit=None))
    assert not free.promised
    assert free.to_dict()["privacy_loss"]["privacy_parameters"]["epsilon"] is None


def test_steps_of_a_reserve_stand_beside_what_was_charged_with_it():
    step = Charge(what="age by sex", spent=DiscreteGaussian(sigma=20))
    both = archive(Concentrated(rho=0.01), Gaussian(sensitivity=1, sigma=30), inside=(step,))
    assert [t.what for t in statement(both).touches if t.covered == "charged"] == ["answer 1", "age by sex"]
    unused = archive(Concentrated(rho=0.01))
    assert [t.what for t in statement(unused).touches if t.covered == "charged"] == ["answer 0"]


def test_whoever_declared_the_domain_is_named_among_what_is_not_covered():
    kept = archive(Concentrated(rho=0.01))
    assert "public by the word of A. Lee: codebook;" in statement(kept, declared_by="A. Lee: codebook").sentences[2]
    assert "public by the word of whoever wrote the schema;" in statement(kept).sentences[2]


def test_sampling_delta_and_bounds_are_told():
    steps = PoissonSubsampledGaussian(noise_multiplier=2.0, rate=0.01, steps=100)
    data = statement(archive(steps), most=10).to_dict()
    assert data["sampling"] == {"assumed": "poisson", "implemented": "poisson"}
    assert (data["delta_below_one_over_n"], data["privacy_evaluations_run"]) == (None, 0)
    assert data["contribution_bound"]["max_rows_per_unit"] == 10
    budget = Budget(epsilon=1.0, delta=1e-6, unit="patient", max_rows_per_unit=4, public_n=9000)
    data = statement(LedgerFile(budget=budget, unit="patient")).to_dict()
    assert data["sampling"] == {"assumed": "none", "implemented": "none"}
    assert data["delta_below_one_over_n"] is True
    assert data["contribution_bound"]["max_rows_per_unit"] == 4
