"""A ledger on disk: the same after reading, strict about everything unknown, its epsilon computed from charges only."""

from __future__ import annotations

import copy
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.errors import ArtefactError, BudgetExceededError, ConfigError
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.composed_plan import ComposedPlan, total
from synthkit.privacy.accounting.events import (
    Concentrated,
    DiscreteGaussian,
    DiscreteLaplace,
    Gaussian,
    Laplace,
    NonPrivate,
    PoissonSubsampledGaussian,
    ReportNoisyMax,
    SparseHistogram,
    StableHistogram,
)
from synthkit.privacy.accounting.ledger_file import LedgerFile, recompute
from synthkit.report.privacy_claim import claim_sentence

GAUSS = Charge(what="histogram of age", spent=Gaussian(sensitivity=1, sigma=9), times=3)
RESERVE = Charge(what="pairs", spent=Concentrated(rho=0.01))
STEP = Charge(what="age by sex", spent=DiscreteGaussian(sigma=20))
BUDGET = Budget(epsilon=2, delta=1e-5, unit="patient", max_rows_per_unit=4, public_n=9000)
WHOLE = LedgerFile(
    budget=BUDGET,
    unit="patient",
    parts=(
        ComposedPlan(delta=5e-6, charges=(GAUSS, RESERVE), inside=(STEP, STEP)),
        ComposedPlan(delta=5e-6, charges=(Charge(what="steps", spent=Laplace(sensitivity=1, scale=30)),)),
    ),
)

POSITIVE = st.floats(1e-3, 1e6)
EVENTS = st.one_of(
    st.builds(Gaussian, sensitivity=POSITIVE, sigma=POSITIVE),
    st.builds(DiscreteGaussian, sigma=POSITIVE, change=st.integers(1, 99), cells=st.integers(1, 99)),
    st.builds(Laplace, sensitivity=POSITIVE, scale=POSITIVE),
    st.builds(DiscreteLaplace, scale=POSITIVE, change=st.integers(1, 99)),
    st.builds(
        PoissonSubsampledGaussian, noise_multiplier=POSITIVE, rate=st.floats(1e-6, 1), steps=st.integers(1, 10**6)
    ),
    st.builds(ReportNoisyMax, sensitivity=POSITIVE, scale=POSITIVE, picks=st.integers(1, 99)),
    st.builds(StableHistogram, scale=POSITIVE, threshold=st.integers(2, 10**6)),
    st.builds(SparseHistogram, sigma=POSITIVE, threshold=st.integers(2, 10**6)),
    st.just(NonPrivate()),
)
CHARGES = st.lists(st.builds(Charge, what=st.text(), spent=EVENTS, times=st.integers(1, 99)), max_size=4)


@settings(max_examples=50, deadline=None)
@given(plans=st.lists(CHARGES, max_size=3), unit=st.one_of(st.none(), st.text()))
def test_reading_gives_back_what_was_written(plans, unit):
    """Without a budget, where nothing has to be computed, for every record and any numbers."""
    archive = LedgerFile(
        budget=None, unit=unit, parts=tuple(ComposedPlan(delta=0.0, charges=tuple(plan)) for plan in plans)
    )
    assert LedgerFile.from_json(archive.to_json()) == archive
    assert LedgerFile.from_json(archive.to_json()).to_json() == archive.to_json()


def test_a_budget_its_parts_and_its_reserve_are_given_back():
    again = LedgerFile.from_json(WHOLE.to_json())
    assert again == WHOLE
    assert again.spent() == WHOLE.spent()


def test_the_format_does_not_change():
    """Every ledger ever written must read the same: this one was written when the format was made."""
    text = """{"format": "synthkit-ledger/2", "unit": null, "epsilon": null, "delta": 1e-05,
      "budget": {"epsilon": 9, "delta": 1e-05, "unit": null, "max_rows_per_unit": null, "adjacency": "add-remove",
                 "public_n": null},
      "parts": [{"delta": 1e-05, "epsilon": null, "accountant": "none"}],
      "charges": [
        {"what": "a", "mechanism": "gaussian", "times": 1, "detail": {"sensitivity": 1, "sigma": 10}, "part": 0,
         "inside": false},
        {"what": "b", "mechanism": "discrete-gaussian", "times": 2, "detail": {"sigma": 10, "change": 1, "cells": 2},
         "part": 0, "inside": false},
        {"what": "c", "mechanism": "laplace", "times": 1, "detail": {"sensitivity": 1, "scale": 20}, "part": 0,
         "inside": false},
        {"what": "d", "mechanism": "discrete-laplace", "times": 1, "detail": {"scale": 20, "change": 1}, "part": 0,
         "inside": false},
        {"what": "e", "mechanism": "poisson-subsampled-gaussian", "times": 1,
         "detail": {"noise_multiplier": 1.1, "rate": 0.02, "steps": 2500}, "part": 0, "inside": false},
        {"what": "f", "mechanism": "report-noisy-max", "times": 1,
         "detail": {"sensitivity": 1, "scale": 20, "picks": 10}, "part": 0, "inside": false},
        {"what": "g", "mechanism": "stable-histogram", "times": 3, "detail": {"scale": 5, "threshold": 80}, "part": 0,
         "inside": false},
        {"what": "h", "mechanism": "sparse-histogram", "times": 2, "detail": {"sigma": 5, "threshold": 40}, "part": 0,
         "inside": false}]}"""
    (part,) = LedgerFile.from_json(text).parts
    assert (part.delta, part.inside) == (1e-5, ())
    assert part.charges == (
        Charge(what="a", spent=Gaussian(sensitivity=1, sigma=10)),
        Charge(what="b", spent=DiscreteGaussian(sigma=10, change=1, cells=2), times=2),
        Charge(what="c", spent=Laplace(sensitivity=1, scale=20)),
        Charge(what="d", spent=DiscreteLaplace(scale=20, change=1)),
        Charge(what="e", spent=PoissonSubsampledGaussian(noise_multiplier=1.1, rate=0.02, steps=2500)),
        Charge(what="f", spent=ReportNoisyMax(sensitivity=1, scale=20, picks=10)),
        Charge(what="g", spent=StableHistogram(scale=5, threshold=80), times=3),
        Charge(what="h", spent=SparseHistogram(sigma=5, threshold=40), times=2),
    )


def test_parts_add_and_charges_of_a_part_do_not():
    parts = WHOLE.parts
    assert total(parts) == (pytest.approx(parts[0].epsilon() + parts[1].epsilon()), 1e-5)
    one = ComposedPlan(delta=1e-5, charges=(GAUSS, *parts[1].charges))
    assert one.epsilon() < total((ComposedPlan(delta=5e-6, charges=(GAUSS,)), parts[1]))[0]
    assert ComposedPlan(delta=0.0, charges=(GAUSS,)).epsilon() == math.inf
    assert (ComposedPlan(delta=0.0, charges=()).epsilon(), total(())) == (0.0, (0.0, 0.0))


def test_a_part_holds_together():
    with pytest.raises(ConfigError, match="a plan may hold one reserve for adaptive steps; however: 2"):
        ComposedPlan(delta=1e-5, charges=(RESERVE, RESERVE))
    with pytest.raises(ConfigError, match="a plan may hold one reserve for adaptive steps; however: 3"):
        ComposedPlan(delta=1e-5, charges=(Charge(what="x", spent=Concentrated(rho=1), times=3),))
    with pytest.raises(ConfigError, match="adaptive steps need a reserve in their plan; however: age by sex has none"):
        ComposedPlan(delta=1e-5, charges=(GAUSS,)).drawing([STEP])
    with pytest.raises(BudgetExceededError, match="adaptive steps must fit their reserve"):
        ComposedPlan(delta=1e-5, charges=(RESERVE,)).drawing([STEP] * 9)


def test_epsilon_is_computed_from_the_charges_whatever_the_file_says(tmp_path):
    file = tmp_path / "ledger.json"
    data = WHOLE.to_dict()
    file.write_text(json.dumps(data | {"epsilon": 0.001, "delta": 0.0}))
    assert recompute(file) == WHOLE.spent()
    data["charges"][0]["detail"]["sigma"] = 4.5
    file.write_text(json.dumps(data))
    assert recompute(file)[0] > WHOLE.spent()[0]


def first(*charges):
    """A ledger as the first version wrote it."""
    plain = {"format": "synthkit-ledger/1", "unit": "patient", "budget": None, "epsilon": None if charges else 0.0}
    listed = [{"what": w, "mechanism": m, "times": t, "detail": "exact, no noise"} for w, m, t in charges]
    return json.dumps(plain | {"charges": listed}, indent=1)


def test_a_ledger_of_the_first_format_is_read(tmp_path):
    (tmp_path / "none.json").write_text(first())
    assert recompute(tmp_path / "none.json") == (0.0, 0.0)
    (tmp_path / "ledger.json").write_text(first(("histogram of age", "non-private", 3)))
    assert recompute(tmp_path / "ledger.json") == (math.inf, 0.0)
    again = LedgerFile.read(tmp_path / "ledger.json")
    assert (again.unit, again.parts[0].charges) == (
        "patient",
        (Charge(what="histogram of age", spent=NonPrivate(), times=3),),
    )
    with pytest.raises(
        ArtefactError, match=r"of format synthkit-ledger/1 must hold exact answers only; however: `gauss"
    ):
        LedgerFile.from_json(first(("histogram of age", "gaussian", 3)))


def test_the_page_of_a_report_understands_it():
    assert claim_sentence(WHOLE.to_dict()).startswith("The release is differentially private with epsilon = ")
    exact = LedgerFile(budget=None, unit=None, parts=(ComposedPlan(delta=0.0, charges=(GAUSS,)),))
    assert claim_sentence(exact.to_dict()) == "No differential-privacy claim: epsilon = infinity."


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match=r"none.json must be a ledger; however: No such file"):
        recompute(tmp_path / "none.json")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArtefactError, match=r"a ledger must be UTF-8 text; however: byte 0 is not"):
        recompute(tmp_path / "bytes")


def test_what_is_no_ledger_is_refused():
    with pytest.raises(ArtefactError, match="a ledger must be JSON; however: line 2 is not"):
        LedgerFile.from_json("{\n]")
    for text, said in (("[]", None), ("{}", None), ('{"format": "synthkit-ledger/9"}', "synthkit-ledger/9")):
        with pytest.raises(ArtefactError, match=f"must have format synthkit-ledger/2; however: {said!r}"):
            LedgerFile.from_json(text)


def changed(*path, to=..., drop=False):
    """The whole ledger with one place changed."""
    data = copy.deepcopy(WHOLE.to_dict())
    place = data
    for step in path[:-1]:
        place = place[step]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (changed("parts", drop=True), "the ledger must have all its entries; however: `parts` is not there"),
        (changed("refund", to=1), "the ledger must have known entries only; however: `refund`"),
        (changed("charges", to={}), "`charges` of the ledger must be a list; however: dict"),
        (changed("charges", 0, to=3), "a charge of the ledger must be a JSON object; however: int"),
        (changed("charges", 0, "inside", drop=True), "a charge of the ledger must have all .*`inside` is not there"),
        (changed("charges", 0, "mechanism", to="magic"), "every mechanism must be known; however: `magic` is not"),
        (changed("charges", 0, "mechanism", to=["gaussian"]), "every mechanism must be known"),
        (changed("charges", 0, "mechanism", to="laplace"), "a charge of laplace must have all .*`scale` is not there"),
        (changed("charges", 0, "detail", "q", to=1), "a charge of gaussian must have known entries only; however: `q`"),
        (changed("charges", 0, "detail", "sigma", to=0), "every charge must have sound numbers; however: `sigma`"),
        (changed("charges", 0, "detail", "sigma", to="9"), "every charge must have sound numbers; however: `sigma`"),
        (changed("charges", 0, "detail", "sigma", to=math.nan), "every charge must have sound numbers"),
        (changed("charges", 0, "times", to=-3), "every charge must have sound numbers; however: `times`"),
        (changed("charges", 0, "what", to=3), "a charge must say in words what is released; however: int"),
        (changed("charges", 0, "part", to=2), "a charge must belong to one of 2 parts; however: 2"),
        (changed("charges", 0, "part", to=-1), "a charge must belong to one of 2 parts; however: -1"),
        (changed("charges", 0, "part", to=True), "a charge must belong to one of 2 parts; however: True"),
        (changed("charges", 0, "inside", to="no"), "a charge must belong to one of 2 parts; however: 0, inside 'no'"),
        (changed("charges", 1, "detail", "rho", to=1e-4), "a part of the ledger must hold together; .*their reserve"),
        (changed("charges", 1, "inside", to=True), "a part of the ledger must hold together; .*need a reserve"),
        (changed("parts", 0, "delta", to=1), "`delta` of a part of the ledger must lie in .*; however: 1"),
        (changed("parts", 0, "delta", to=True), "`delta` of a part of the ledger must lie in .*; however: True"),
        (changed("budget", "adjacency", to="zero-out"), "the budget of the ledger must be one; however: adjacency"),
        (changed("budget", "rho", to=1), "the budget of the ledger must have known entries only; however: `rho`"),
        (changed("budget", to=3), "the budget of the ledger must be a JSON object; however: int"),
        (changed("unit", to=3), "`unit` of the ledger must be a column's name and that of its budget; however: 3"),
        (changed("unit", to="visit"), "`unit` of the ledger must be .*; however: 'visit'"),
    ],
)
def test_what_is_not_understood_is_refused_not_skipped(text, message):
    with pytest.raises(ArtefactError, match=message):
        LedgerFile.from_json(text)


def test_a_charge_says_what_it_releases():
    with pytest.raises(ConfigError, match="a charge must say in words what is released; however: NoneType"):
        Charge(what=None, spent=NonPrivate())
