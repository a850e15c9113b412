"""What the page says in words follows from the scores, the ledger and the schema."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from made_up import LEDGER, RUN, make_evaluation, with_facts

from synthkit.metrics.result import Evaluation, Failure, Score
from synthkit.report.labels import digits, name, number, slug, span
from synthkit.report.row_counts import rows_of
from synthkit.report.score_rows import score_row
from synthkit.report.sections.scope import scope
from synthkit.report.view_model import page_data
from synthkit.schema import Schema


def score(metric="fidelity.tv2", value=0.9, low=0.88, high=0.92, goal="high", reference=None):
    return Score(metric=metric, value=value, low=low, high=high, goal=goal, reference=reference)


def content(view_, key):
    return next(s for s in view_["sections"] if s["id"] == key)


def summary(evaluation, **known):
    sentences = content(page_data(evaluation, **known), "summary")["sentences"]
    return {topic: sentence for topic, sentence in reversed(sentences)}


def limits(evaluation, **known):
    return dict(content(page_data(evaluation, **known), "limits")["limits"])


@pytest.mark.parametrize(
    ("goal", "reference", "word"),
    [
        ("high", 0.95, "worse"),
        ("high", 0.91, "as good"),
        ("high", 0.80, "better"),
        ("low", 0.95, "better"),
        ("low", 0.80, "worse"),
    ],
)
def test_the_interval_decides_how_a_score_stands_to_its_reference(goal, reference, word):
    assert score_row(score(goal=goal, reference=reference))["against"]["word"] == word


@pytest.mark.parametrize(
    ("value", "half", "reference", "word"),
    [
        (0.606, 0.146, 0.391, "as good"),
        (0.424, 0.08, 0.644, "as good"),
        (0.40, 0.02, 0.51, "worse"),
        (0.60, 0.02, 0.51, "worse"),
        (0.60, 0.02, 0.40, "as good"),
        (0.53, 0.02, 0.30, "better"),
    ],
)
def test_an_auc_of_a_classifier_test_stands_by_its_distance_from_a_coin_toss(value, half, reference, word):
    seen = score("fidelity.stays.row_c2st", value, value - half, value + half, "low", reference=reference)
    assert score_row(seen)["against"]["word"] == word


def test_without_a_reference_or_a_goal_nothing_is_judged():
    assert score_row(score())["against"] is None
    assert score_row(score(goal="none", reference=0.5))["against"] is None


def test_the_summary_quotes_the_scores_with_interval_and_reference(evaluation):
    said = summary(evaluation, ledger=LEDGER)
    assert "AUC 0.563 [0.543, 0.583]" in said["Likeness"]
    assert "a real holdout scores 0.508" in said["Likeness"]
    assert "1,830 real rows" in said["Size"]
    assert "4,552 synthetic rows" in said["Rows"]
    assert said["Privacy"] == "No differential-privacy claim: epsilon = infinity."
    assert said["Membership"].startswith("No evidence. Of the 180 people of whom attackers are surest, 94 had been")
    unattacked = dataclasses.replace(evaluation, panels={}, scores=())
    assert "attacks were not run" in summary(unattacked)["Attacks"]
    assert said["Rules"] == "None of 4,552 synthetic rows looked at breaks one of the 2 declared rules."


def test_losses_are_told_worst_first_with_their_metric():
    scores = [
        score("utility.a.gap", 0.01, -0.01, 0.03, "low"),
        score("utility.b.gap", 0.05, 0.02, 0.08, "low"),
        score("utility.c.gap", -0.02, -0.04, -0.01, "low"),
    ]
    cells = [{"learner": "ridge", "trained_on": "real", "tested_on": "real", "value": 0.5, "low": 0.4, "high": 0.6}]
    panel = [{"target": t, "task": "regression", "metric": "r2", "cells": cells, "gap": None} for t in "abc"]
    evaluation = Evaluation(run={}, scores=tuple(scores), panels={"utility": panel})
    said = [s for topic, s in content(page_data(evaluation), "summary")["sentences"] if topic == "Use"]
    assert len(said) == 2
    assert said[0].startswith("Predicting b, a model trained on the synthetic rows loses 0.050 R² [0.020, 0.080]")
    assert "includes zero" not in said[0]
    assert said[1].endswith("the interval includes zero.")
    gained = Evaluation(run={}, scores=(scores[2],))
    said = summary(gained)["Use"]  # rows cannot teach more than those they come from
    assert "no loss is known" in said
    assert "by 0.020 [0.010, 0.040]" in said
    assert "the reference is weak" in said
    assert score_row(score("utility.c.gap", -0.02, -0.04, -0.01, "low", 0.0))["against"]["word"] == "weak reference"


def test_a_release_worth_all_real_rows_is_worth_at_least_so_many(evaluation):
    panels = {**evaluation.panels, "sample_size": {**evaluation.panels["sample_size"], "sizes": [100, 1800]}}
    assert "at least 1,830" in summary(dataclasses.replace(evaluation, panels=panels))["Size"]


def test_broken_rules_are_counted():
    panels = {"rules": [{"sentence": "a < b", "violations": 1200, "rows": 5000}]}
    assert summary(Evaluation(run={}, scores=(), panels=panels))["Rules"].startswith("1,200 times")
    assert "No rule was declared" in summary(Evaluation(run={}, scores=(), panels={"rules": []}))["Rules"]


@pytest.mark.parametrize(
    ("ledger", "sentence", "epsilon"),
    [
        (None, "nothing is claimed", "infinity"),
        ({**LEDGER, "charges": [], "epsilon": 0.0}, "nothing is claimed", "infinity"),
        (LEDGER, "No differential-privacy claim", "infinity"),
        ({**LEDGER, "epsilon": 1.5}, "epsilon = 1.5 for each row", "1.5"),
    ],
)
def test_privacy_is_claimed_only_by_a_ledger_with_charges_and_a_finite_epsilon(ledger, sentence, epsilon):
    privacy = content(page_data(Evaluation(run={}, scores=()), ledger=ledger), "privacy")
    assert sentence in privacy["promise"]
    assert privacy["epsilon"] == epsilon


def test_limits_follow_from_what_is_known():
    schema = Schema(
        name="wards",
        unit="patient",
        columns={
            "patient": {"kind": "identifier"},
            "days": {"kind": "numeric", "min": 0, "observed": ["min"]},
            "dead": {"kind": "boolean"},
        },
        targets=[{"column": "days", "task": "survival", "event": "dead"}],
    )
    failures = (Failure(metric="x", reason="y"), Failure(metric="z", reason="y"))
    run = {"rows": {"train": 400, "synthetic": [400]}, "quick": True}
    said = limits(Evaluation(run=run, scores=(score(),), failures=failures), schema=schema)
    assert {"unit", "observed", "failures", "few rows", "no holdout", "one draw", "quick"} <= set(said)
    assert "one patient" in said["unit"]
    assert said["failures"].startswith("2 measurements failed")
    run = {"rows": {"train": 40_000, "synthetic": [400, 400]}}
    said = limits(Evaluation(run=run, scores=(score(reference=0.9),)), ledger={**LEDGER, "epsilon": 1.0})
    assert set(said) == {"individuals", "inference", "attacks", "many scores"}


def test_the_view_is_plain_data_but_for_numbers_out_of_range(evaluation, full):
    assert json.loads(json.dumps(page_data(evaluation, **full)))["title"] == "Synthetic data report: wards"


def test_numbers_that_are_missing_in_panels_are_said_to_be(evaluation):
    """A NaN in a matrix becomes a gap in the map, not a number."""
    pairs = {k: [list(row) for row in v] if k != "columns" else v for k, v in evaluation.panels["pairs"].items()}
    pairs["error"][1][0] = math.nan
    pairs["reference"][2][0] = math.nan
    pairs["error"][2][0] = 9.0
    changed = dataclasses.replace(evaluation, panels={**evaluation.panels, "pairs": pairs})
    worst = content(page_data(changed), "pairs")["worst"]
    assert worst[0] == {"a": "column_00", "b": "column_02", "error": "9.000", "reference": "not measured"}
    assert ("column_00", "column_01") not in {(p["a"], p["b"]) for p in worst}


def test_small_counts_stay_hidden_and_large_ones_come_with_their_share(evaluation):
    cells = content(page_data(evaluation), "pairs")["cells"]
    assert cells[0]["holdout"] == "71 (3.1 %)"
    assert cells[1]["synthetic"] == "<10"


def test_scores_of_no_known_room_are_shown_too():
    fidelity = content(page_data(Evaluation(run={}, scores=(score("risk.new"),))), "fidelity")
    assert [s["metric"] for s in fidelity["others"]] == ["risk.new"]


def test_time_of_both_run_and_evaluation_is_told(evaluation):
    timed = dataclasses.replace(evaluation, run={**evaluation.run, "seconds": {"fidelity.c2st": 9.0}})
    steps = dict(content(page_data(with_facts(timed, **RUN)), "reproducibility")["steps"])
    assert steps == {"fit": "61.2 s", "sample": "1.4 s", "evaluate": "2.4 min", "fidelity.c2st": "9.0 s"}


@pytest.mark.parametrize(
    ("x", "form", "text"),
    [
        (0.12345, "score", "0.123"),
        (-0.0004, "score", "0.000"),
        (1234.5, "score", "1,234.5"),
        (0.0, "share", "0 %"),
        (0.00042, "share", "0.042 %"),
        (0.0748, "share", "7.5 %"),
        (1.0, "share", "100.0 %"),
        (1e6, "count", "1,000,000"),
        (math.inf, "score", "∞"),
        (math.nan, "score", "not measured"),
        (None, "count", "not measured"),
    ],
)
def test_numbers_are_written_for_people(x, form, text):
    assert number(x, form) == text


def test_an_interval_of_which_nothing_is_known_is_not_written():
    assert span(-math.inf, math.inf) == ""
    assert span(math.nan, math.nan) == ""
    assert span(0.1, math.inf) == "[0.100, ∞]"


def test_scores_against_the_training_rows_stand_apart_and_are_not_judged():
    """To be nearer to the training rows than a holdout is would be no merit."""
    both = (score("fidelity.tv2", reference=0.8), score("fidelity.tv2_train", reference=0.8))
    fidelity = content(page_data(Evaluation(run={}, scores=both)), "fidelity")
    assert [s["metric"] for s in fidelity["scores"]] == ["fidelity.tv2"]
    assert [s["label"] for s in fidelity["trained"]] == ["Two-way tables, against training rows"]
    assert fidelity["trained"][0]["against"] is None


def test_hardware_and_the_step_that_was_kept_are_told(evaluation):
    panels = {**evaluation.panels, "training": {**evaluation.panels["training"], "best_step": 2400}}
    drawn = page_data(with_facts(dataclasses.replace(evaluation, panels=panels), hardware={"cores": 2, "gpu": None}))
    assert ("Cores", "2") in content(drawn, "reproducibility")["rows"]
    assert not any(label == "Gpu" for label, _ in content(drawn, "reproducibility")["rows"])
    assert content(drawn, "training")["figures"][0]["caption"].endswith("The model of step 2,400 was kept.")


def test_the_model_that_was_chosen_its_reason_and_every_setting_are_told(evaluation):
    """Settings that were settled stand in the place of those that were asked."""
    facts = {"model": "autoregressive", "why": "autoregressive: few rows", "settings": {"steps": 75, "width": 64}}
    asked = {"model": "auto", "settings": {"width": 64}, "seed": 1}
    told = content(page_data(with_facts(evaluation, **facts, config=asked)), "reproducibility")
    assert ("Chosen", "autoregressive: few rows") in told["rows"]
    assert told["config"] == [("model", "auto"), ("settings.steps", "75"), ("settings.width", "64"), ("seed", "1")]
    older = content(page_data(with_facts(evaluation, config=asked)), "reproducibility")
    assert ("settings.width", "64") in older["config"]


def test_words_are_found_by_whole_name_then_by_last_part():
    assert name("fidelity.tv2").label == "Two-way tables"
    assert name("utility.some.column.gap").form == "score"
    assert name("never.heard").label == "never.heard"


def test_slugs_are_ids_and_never_repeat():
    taken: set[str] = set()
    assert [slug(t, taken) for t in ("A b!", "a B?", "<>", "é")] == ["a-b", "a-b-2", "x", "x-2"]


def test_only_numbers_are_rewritten_on_an_axis():
    assert digits("1e+06 – 2.5e+06", short=True) == "1M – 2.5M"
    assert digits("0.05 – 1.5") == "0.05 – 1.5"
    assert digits("stage 2e+01") == "stage 2e+01"


def test_a_bare_number_of_rows_counts_the_synthetic_ones():
    assert rows_of({"rows": 7}) == {"synthetic": 7}
    assert rows_of({"rows": {"train": 5, "synthetic": [7, 8]}}) == {"train": 5, "synthetic": 7}
    assert rows_of({}) == {}


def test_fixture_is_deterministic():
    assert make_evaluation(4).to_json() == make_evaluation(4).to_json()


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        (None, "not known"),
        ({"epsilon": None, "charges": [{}], "parts": [{}, {}]}, "not known"),
        ({"epsilon": 1.0, "charges": [{}], "parts": [{}]}, "1 plan in the ledger"),
        ({"epsilon": 2.0, "charges": [{}], "parts": [{}, {}]}, "2 plans in the ledger"),
    ],
)
def test_other_releases_are_known_by_a_ledger_with_a_budget(ledger, said):
    schema = Schema(name="wards", columns={"age": {"kind": "numeric", "min": 0, "max": 120}})
    assert dict(scope(schema, {}, {}, ledger)["rows"])["Other releases"].startswith(said)


def test_rows_with_a_watermark_are_said_to_have_one():
    told = content(page_data(with_facts(make_evaluation(), watermark={"key": "k", "candidates": 2})), "released")[
        "facts"
    ]
    assert "synthkit detect" in dict(told)["Watermark"]
    assert "Watermark" not in dict(content(page_data(make_evaluation()), "released")["facts"])


def test_the_page_says_who_is_attacked_who_is_not_and_what_is_not_seen():
    """Numbers are those of the split; an outsider is told none of them."""
    people = {
        "trained_on": 1700,
        "attacked_trained_on": 231,
        "attacked_held_out": 229,
        "reference": 230,
        "held_out": 700,
    }
    scores = (score("membership.auc", 0.5, 0.4, 0.6, "low", 0.5),)
    evaluation = Evaluation(run={}, scores=scores, panels={"people": people})
    risk = content(page_data(evaluation), "risk")
    told = " ".join(risk["people"])
    assert "231 of the 1,700 people trained on, beside 229 of 700 held out" in told
    assert "The other 1,469 trained on are not attacked" in told
    assert "230 people held out are what attackers know" in told
    assert any("recoding" in line and "digits" in line for line in risk["blind"])
    outside = content(page_data(evaluation, tier="shareable"), "risk")
    assert outside["people"] == []
    assert outside["blind"] == risk["blind"]
