"""What is promised of linked tables says how much normal noise there is, as its ledger has it."""

from __future__ import annotations

import math

import pytest

from synthkit.audit.tiny_hospital import TINY_HOSPITAL
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.composed_plan import ComposedPlan
from synthkit.privacy.accounting.events import Concentrated, ReportNoisyMax, StackedGaussian
from synthkit.privacy.accounting.ledger_file import LedgerFile
from synthkit.privacy.linked_statement import LinkedStatement
from synthkit.privacy.statement import packages

BUDGET = Budget(epsilon=1.0, delta=1e-5, unit="patients")
INSIDE = (
    Charge(what="choice of tables", spent=ReportNoisyMax(sensitivity=1.0, scale=20.0)),
    Charge(what="9 tables of counts", spent=StackedGaussian(noise_multiplier=5.0)),
)


def said(inside=INSIDE, budget=BUDGET):
    part = ComposedPlan(delta=1e-5, charges=(Charge(what="all", spent=Concentrated(rho=0.025)),), inside=tuple(inside))
    book = LedgerFile(budget=budget, unit="patients", parts=(part,) if budget else ())
    return LinkedStatement.of_linked(book, TINY_HOSPITAL, model="marginal", versions=packages())


def test_mu_follows_from_the_charges():
    told = said()
    assert told.to_dict()["mu"] == {
        "normal_noise": pytest.approx(1 / 5),
        "share_of_rho": pytest.approx(0.02 / 0.025, rel=1e-8),
    }
    assert told.normal_noise.mu == pytest.approx(math.sqrt(2 * 0.02))
    assert "80% of rho, has mu = 0.2 in Gaussian differential privacy." in told.sentences[1]


def test_of_a_plan_of_which_nothing_was_drawn_no_mu_is_said():
    told = said(inside=())
    assert told.to_dict()["mu"] == {"normal_noise": 0.0, "share_of_rho": 0.0}
    assert "mu" not in told.sentences[1]


def test_without_a_budget_there_is_no_mu():
    told = said(budget=None)
    assert told.to_dict()["mu"] is None
    assert "mu" not in " ".join(told.sentences)
