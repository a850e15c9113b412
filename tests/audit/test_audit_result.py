"""Results of audits as lines and as plain data."""

from __future__ import annotations

import math

import pytest

from synthkit.audit.audit_result import bounded, of_check, of_estimate, of_finding, of_freshness
from synthkit.audit.lower_bounds import LossBound
from synthkit.audit.noise_freshness import Freshness
from synthkit.audit.poisson_batches import BatchCheck


def test_a_tight_finding_is_to_lie_between():
    result = of_finding(LossBound(what="x", measure="mu", claim=1.0, measured=0.7))
    assert (result.limit, result.verdict, result.holds) == ("between", "loose", False)
    assert str(result) == "x: mu between 0.8 and 1 claimed, 0.7 measured: loose"


def test_another_one_is_to_be_at_most():
    result = of_finding(LossBound(what="x", measure="mu", claim=1.0, measured=0.7, tight=False), "y")
    assert (result.what, result.claim, result.holds) == ("y", "at most 1", True)


def test_a_check_is_to_be_at_least():
    assert not of_check(BatchCheck(what="x", p_value=1e-9)).holds
    assert of_check(BatchCheck(what="x", p_value=0.5)).claim == "at least 1e-06"


def test_noise_that_repeats_is_broken():
    assert of_freshness(Freshness(what="x", repeated=True)).verdict == "broken"
    assert of_freshness(Freshness(what="x", repeated=False)).measured == 0


@pytest.mark.parametrize(("measured", "verdict"), [(1.0, "holds"), (1.1, "broken"), (math.nan, "broken")])
def test_a_figure_beyond_its_bound_is_broken(measured, verdict):
    assert bounded("x", "norm", 1.0, measured).verdict == verdict


def test_results_are_plain_data():
    assert bounded("x", "norm", 1.0, 0.5).to_dict() == {
        "what": "x",
        "measure": "norm",
        "limit": "at most",
        "claimed": 1.0,
        "measured": 0.5,
        "verdict": "holds",
        "error": None,
    }


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [(1.0, "holds"), (1.03, "holds"), (1.05, "broken"), (0.88, "holds"), (0.85, "loose"), (math.nan, "broken")],
)
def test_an_estimate_is_to_lie_close_below_its_claim_but_for_chance(measured, verdict):
    result = of_estimate("x", "mu", 1.0, measured, 0.01)
    assert result.verdict == verdict
    assert result.claim == "between 0.9 and 1"
    assert "(standard error 0.01)" in str(result)
