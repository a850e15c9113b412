"""`auto` looks up what models gave in cohorts: by a made-up table whose answers are known, and by the shipped one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synthkit.models.auto import SMALL_TABLE_ROWS, WIDE_TABLE_COLUMNS, TableSize, choose_model, safest, shortfalls
from synthkit.models.auto_evidence import (
    REACH_OF_SHARE,
    AutoEvidence,
    BudgetedFit,
    CohortFigures,
    MeasuredCohort,
    shipped_evidence,
)
from synthkit.models.registry import MODELS
from synthkit.models.settings import resolve_settings

CANDIDATES = {
    "autoregressive": {"model": "autoregressive", "settings": {}},
    "firm": {"model": "autoregressive", "settings": {"dropout": 0.6}, "words": "with a firm hand"},
    "diffusion": {"model": "diffusion", "settings": {}},
}


def figures(likeness=0.0, told_apart=0.7, membership=0.6, loss=0.0, seconds=1.0) -> dict[str, float]:
    return {
        "likeness": likeness,
        "told_apart": told_apart,
        "membership": membership,
        "loss": loss,
        "seconds": seconds,
    }


def made_up() -> AutoEvidence:
    """Few people: a firm hand tells less. Many: it costs likeness. Numbers: diffusion is the more faithful one."""
    few = {"autoregressive": figures(membership=0.8), "firm": figures(membership=0.7), "diffusion": figures(-0.3)}
    many = {"autoregressive": figures(), "firm": figures(-0.2, membership=0.5), "diffusion": figures(-0.3)}
    numbers = {"autoregressive": figures(-0.2), "diffusion": figures(membership=0.7, seconds=2.1)}
    cohorts = [
        {"table": "names", "numeric": 0.1, "rows": 50, "figures": few},
        {"table": "names", "numeric": 0.1, "rows": 1_600, "figures": many},
        {"table": "numbers", "numeric": 1.0, "rows": 200, "figures": numbers},
    ]
    told = {"epsilon": 3.0, "told_apart": 0.6, "loss": 0.02}
    private = [
        {"table": "names", "numeric": 0.1, "rows": 900, "model": "marginal", "likeness": 0.9, "seconds": 10.0, **told},
        {"table": "names", "numeric": 0.1, "rows": 900, "model": "tvae", "likeness": 0.8, "seconds": 99.4, **told},
        {
            "table": "numbers",
            "numeric": 1.0,
            "rows": 900,
            "model": "marginal",
            "likeness": 0.7,
            "seconds": 10.0,
            **told,
        },
        {
            "table": "many",
            "numeric": 1.0,
            "rows": 60_000,
            "model": "marginal",
            "likeness": 0.9,
            "seconds": 10.0,
            **told,
        },
        {"table": "many", "numeric": 1.0, "rows": 60_000, "model": "tvae", "likeness": 0.92, "seconds": 99.4, **told},
    ]
    return AutoEvidence.of({"candidates": CANDIDATES, "cohorts": cohorts, "private": private})


def size(rows: float | None, numeric: int = 1) -> TableSize:
    return TableSize(rows=rows, columns=10, numeric=numeric, device="cpu")


@pytest.mark.parametrize(
    ("rows", "numeric", "model", "settings"),
    [
        (50, 1, "autoregressive", {"dropout": 0.6}),
        (1_600, 1, "autoregressive", {}),
        (200, 10, "diffusion", {}),
    ],
)
def test_a_table_like_a_cohort_gets_what_was_best_there(rows, numeric, model, settings):
    choice = choose_model(size(rows, numeric), made_up())
    assert (choice.model, dict(choice.settings)) == (model, settings)
    assert choice.why.startswith(f"{model}: ")
    assert "\n" not in choice.why


def test_the_line_says_what_the_others_would_have_cost():
    why = choose_model(size(50), made_up()).why
    assert why.startswith(
        "autoregressive: with a firm hand, for 50 rows of 10 columns like cohorts measured: told apart"
    )
    assert "membership 0.70. Instead: autoregressive told apart at 0.70, membership 0.80, 1.0 times the seconds" in why
    assert "diffusion told apart at" in why


def test_the_same_size_is_answered_alike_every_time():
    assert len({choose_model(size(rows=300), made_up()).why for _ in range(3)}) == 1


def test_under_a_budget_counts_are_taken_and_the_fits_of_the_nearest_table_told():
    choice = choose_model(size(None), made_up())
    assert (choice.model, dict(choice.settings)) == ("marginal", {})
    assert choice.why.endswith("Three-way likeness at epsilon 3 on names: marginal 0.900 in 10 s; tvae 0.800 in 99 s")
    assert "on numbers: marginal 0.700" in choose_model(size(None, 9), made_up()).why


@pytest.mark.parametrize(
    ("epsilon", "units", "model"),
    [(3.0, 50_000, "tvae"), (2.9, 50_000, "marginal"), (3.0, 49_999, "marginal"), (3.0, None, "marginal")],
)
def test_of_many_people_under_a_larger_budget_the_best_on_a_large_table_is_taken(epsilon, units, model):
    """By hand: .92 of likeness against .90 is .02, twice what may be given up; the large table is the only one."""
    task = TableSize(rows=None, columns=10, numeric=1, device="cpu", epsilon=epsilon, units=units)
    choice = choose_model(task, made_up())
    assert choice.model == model
    assert choice.why.startswith(f"{model}: ")
    if model == "tvae":
        told = "tvae: fell short least on 60,000 rows of many at epsilon 3. Three-way likeness marginal 0.900, told"
        assert choice.why.startswith(told)


def test_how_far_a_candidate_falls_short_is_the_worst_of_three_figures():
    """By hand: .005 of likeness is half of .01, .06 of telling apart twice .03, .01 of loss once .01."""
    best = CohortFigures(**figures())
    far = {
        "likeness": CohortFigures(**figures(likeness=-0.005)),
        "told apart": CohortFigures(**figures(likeness=-0.005, told_apart=0.76)),
        "loss": CohortFigures(**figures(loss=0.01)),
    }
    expected = {"best": 0.0, "likeness": 0.5, "told apart": 2.0, "loss": 1.0}
    assert shortfalls({"best": best, **far}) == pytest.approx(expected)


def test_without_fits_under_a_budget_nothing_is_told_of_them():
    none = AutoEvidence(candidates=made_up().candidates, cohorts=made_up().cohorts)
    assert choose_model(size(None), none).why == "marginal: under a budget, tables of counts need noise once each"


def test_the_weight_of_a_cohort_is_that_of_two_normal_densities():
    cohort = MeasuredCohort(table="t", numeric=0.5, rows=100, figures={})
    assert cohort.weight(100, 0.5) == 1
    assert cohort.weight(200, 0.5) == pytest.approx(math.exp(-0.5))
    assert cohort.weight(25, 0.5 + 2 * REACH_OF_SHARE) == pytest.approx(math.exp(-2 - 2))


def test_expected_figures_are_weighted_means_of_differences_in_pairs():
    evidence, rows, share = made_up(), 120.0, 0.2
    weights = np.array([cohort.weight(rows, share) for cohort in evidence.cohorts])
    base = np.average([0.8, 0.6, 0.6], weights=weights)
    found = evidence.expected(rows, share)
    assert found["autoregressive"].membership == pytest.approx(base)
    assert found["firm"].membership == pytest.approx(base + np.average([-0.1, -0.1], weights=weights[:2]))
    assert found["diffusion"].membership == pytest.approx(base + np.average([-0.2, 0.0, 0.1], weights=weights))


def test_a_candidate_that_was_never_measured_is_left_out():
    one = MeasuredCohort(table="t", numeric=0.5, rows=100, figures={"autoregressive": CohortFigures(**figures())})
    assert set(AutoEvidence(candidates=made_up().candidates, cohorts=(one,)).expected(80, 0.5)) == {"autoregressive"}


@pytest.mark.parametrize("lost", [{"likeness": -0.011}, {"told_apart": 0.731}, {"loss": 0.011}])
def test_what_gives_up_too_much_is_not_chosen_however_quiet_it_is(lost):
    quiet = CohortFigures(**figures(membership=0.5, **lost))
    assert safest({"loud": CohortFigures(**figures()), "quiet": quiet}) == "loud"
    near = {key: value * 0.8 + figures()[key] * 0.2 for key, value in lost.items()}
    assert (
        safest({"loud": CohortFigures(**figures()), "near": CohortFigures(**figures(membership=0.5, **near))}) == "near"
    )


def test_where_nobody_is_near_the_best_in_everything_the_one_that_falls_short_least_is_taken():
    """Of likeness by 2 and 3 times what may be given up, and of telling rows apart by 5 times."""
    expected = {
        "apart": CohortFigures(**figures(told_apart=0.85, membership=0.5)),
        "less like": CohortFigures(**figures(likeness=-0.02, membership=0.9)),
        "least like": CohortFigures(**figures(likeness=-0.03, membership=0.6)),
    }
    assert safest(expected) == "less like"


def test_the_shipped_evidence_is_whole_and_its_candidates_can_be_fitted():
    evidence = shipped_evidence()
    assert {cohort.table for cohort in evidence.cohorts} == {"support2", "adult", "breast_cancer"}
    assert min(cohort.rows for cohort in evidence.cohorts) == 50
    for cohort in evidence.cohorts:
        assert "autoregressive" in cohort.figures
        for each in cohort.figures.values():
            assert 0.3 < each.membership <= 1
            assert 0.3 < each.told_apart <= 1
            assert -1 < each.likeness < 1
            assert each.seconds > 0
    for candidate in evidence.candidates.values():
        record = MODELS[candidate.model].Config
        resolve_settings(candidate.model, record, candidate.settings, private=False)
    assert {fit.model for fit in evidence.private} >= {"marginal", "autoregressive"}
    assert all(isinstance(fit, BudgetedFit) and 0 < fit.likeness < 1 for fit in evidence.private)


@pytest.mark.parametrize("numeric", [0, 5, 10])
@pytest.mark.parametrize("rows", [2, 50, 300, SMALL_TABLE_ROWS - 1])
def test_the_shipped_choice_is_nearly_as_good_as_the_best_and_tells_least(rows, numeric):
    choice, evidence = choose_model(size(rows, numeric)), shipped_evidence()
    expected = evidence.expected(rows, numeric / 10)
    (own,) = (
        expected[name]
        for name, each in evidence.candidates.items()
        if name in expected and (each.model, each.settings) == (choice.model, choice.settings)
    )
    better = [
        each
        for each in expected.values()
        if each.membership < own.membership
        and each.likeness >= own.likeness
        and each.told_apart <= own.told_apart
        and each.loss <= own.loss
    ]
    assert better == []


def test_wide_tables_and_many_rows_are_not_looked_up():
    wide = TableSize(rows=100, columns=WIDE_TABLE_COLUMNS + 1, numeric=0, device="cpu")
    assert "are wide" in choose_model(wide, made_up()).why
    assert "most faithful" in choose_model(size(SMALL_TABLE_ROWS), made_up()).why


def test_what_was_measured_among_numbers_alone_says_nothing_of_names():
    both = {"autoregressive": CohortFigures(**figures()), "diffusion": CohortFigures(**figures())}
    cohorts = (
        MeasuredCohort(table="names", numeric=0.1, rows=100, figures={"autoregressive": CohortFigures(**figures())}),
        MeasuredCohort(table="numbers", numeric=1.0, rows=100, figures=both),
    )
    evidence = AutoEvidence(candidates=made_up().candidates, cohorts=cohorts)
    assert set(evidence.expected(100, 0.79)) == {"autoregressive"}
    assert set(evidence.expected(100, 0.81)) == {"autoregressive", "diffusion"}
