"""Protected groups: the worst is found, the small are not said, undeclared levels are not named."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from synthkit.errors import MetricError
from synthkit.metrics.metric_registry import metrics_of
from synthkit.metrics.utility.learners import LEARNERS
from synthkit.metrics.utility.prediction_task import TEST_REPLICATES, Judged, PredictionTask, TaskRows
from synthkit.metrics.utility.subgroups import (
    SubgroupSplit,
    _bonferroni,
    fidelity_by_group,
    threshold,
    utility_by_group,
)
from synthkit.metrics.utility.train_synthetic_test_real import utility
from synthkit.schema import Schema

RNG = np.random.default_rng
COLUMNS = {
    "x": {"kind": "numeric"},
    "sex": {"kind": "categorical", "levels": ["f", "m", "d"], "nullable": True},
    "died": {"kind": "boolean", "levels": [0, 1]},
    "cost": {"kind": "numeric"},
    "ward": {"kind": "categorical", "levels": list("ABC")},
}
TARGETS = [
    {"column": "died", "task": "binary"},
    {"column": "cost", "task": "regression"},
    {"column": "ward", "task": "multiclass"},
]
SCHEMA = Schema(columns=COLUMNS, protected=["sex"], targets=TARGETS)


def law(rows, seed, *, turned=None):
    """x foretells everything; for the group `turned` it foretells the contrary."""
    rng = RNG(seed)
    x, sex = rng.normal(size=rows), rng.choice(["f", "m", "d"], rows, p=[0.6, 0.37, 0.03])
    seen = np.where(sex == turned, -x, x)
    return pd.DataFrame(
        {
            "x": x,
            "sex": sex,
            "died": (rng.random(rows) < 1 / (1 + np.exp(-2 * seen))).astype(int),
            "cost": seen + rng.normal(size=rows),
            "ward": np.array(list("ABC"))[np.clip(np.round(seen + 1), 0, 2).astype(int)],
        }
    )


def run(compare, synthetic, k=0, schema=SCHEMA, holdout=None):
    holdout = law(1200, 2) if holdout is None else holdout
    comparison = compare(synthetic, train=law(1200, 1), holdout=holdout, schema=schema)
    scores, panels = utility(comparison, RNG(0), target=schema.targets[k], quick=True, learners=("gradient boosting",))
    return {s.metric.split(".")[-1]: s for s in scores}, panels.get("subgroups")


@pytest.mark.parametrize("k", [0, 1, 2])
def test_the_group_whose_law_was_lost_is_the_worst(compare, k):
    scores, panel = run(compare, law(1200, 3, turned="m"), k)
    worst = scores["worst_group_gap"]
    assert next(iter(worst.parts)) == panel[0]["group"] == "sex: m"
    assert worst.low > 0
    assert worst.value == pytest.approx(panel[0]["gap"])
    assert set(worst.parts) == {"sex: f", "sex: m"}
    assert panel[0]["gap"] > panel[1]["gap"]
    assert worst.high - worst.low > panel[0]["high"] - panel[0]["low"]  # it holds for both groups together


def test_with_fresh_rows_the_interval_of_the_worst_holds_nought(compare):
    scores, _ = run(compare, (law(1200, 3), law(1200, 4)))
    assert scores["worst_group_gap"].low <= 0 <= scores["worst_group_gap"].high


def test_small_groups_are_suppressed(compare):
    """The third sex has some 36 people in the holdout; a fourth, never declared, has 8."""
    holdout = law(1200, 2)
    holdout.loc[:7, "sex"] = "x9 rare"
    holdout.loc[8:12, "sex"] = None
    _, panel = run(compare, law(1200, 3), holdout=holdout)
    entries = {entry["group"]: entry for entry in panel}
    assert set(entries) == {"sex: f", "sex: m", "sex: d", "sex: levels not declared", "sex: missing"}
    for group in ("sex: d", "sex: levels not declared", "sex: missing"):
        assert entries[group]["suppressed"]
        assert not {"gap", "low", "high", "true_positive_rate", "selection_rate"} & set(entries[group])
    assert entries["sex: levels not declared"]["units"] == entries["sex: missing"]["units"] == "<10"
    assert entries["sex: missing"]["events"] == "<10"
    assert 10 <= entries["sex: d"]["units"] < 50
    assert "x9" not in json.dumps(panel)
    assert [entry["suppressed"] for entry in panel] == [False, False, True, True, True]  # the measured first


def test_too_few_events_are_suppressed(compare):
    """Everybody of one sex but nine survives."""
    holdout = law(1200, 2)
    rows = np.flatnonzero(holdout["sex"] == "m")
    holdout.loc[rows, "died"] = 0
    holdout.loc[rows[:9], "died"] = 1
    scores, panel = run(compare, law(1200, 3), holdout=holdout)
    (entry,) = (e for e in panel if e["group"] == "sex: m")
    assert entry["suppressed"]
    assert entry["events"] == "<10"
    assert set(scores["worst_group_gap"].parts) == {"sex: f"}


def test_no_group_is_a_listed_failure(compare):
    scores, panel = run(compare, law(300, 3), holdout=law(60, 2))
    message = r"50 test units, 10 of them with the event and 10 without; however: no group .* has\. Hold more rows out"
    assert re.search(message, scores["worst_group_gap"].reason)
    assert panel is None
    assert scores["gap"].goal == "low"


def test_gaps_and_rates_are_what_sklearn_and_a_count_say(compare):
    """Made-up predictions: the score of each side in each group is its AUROC, the rates are counts."""
    holdout, rng = law(400, 2), RNG(1)
    comparison = compare(law(50, 3), holdout=holdout, schema=SCHEMA)
    y, n = holdout["died"].to_numpy().astype(float), 400
    real, synthetic = rng.random(n), rng.random(n)
    tested = Judged(
        task=PredictionTask.of(comparison, SCHEMA.targets[0]),
        learner=LEARNERS["classification"][0],
        prefix="utility.died",
        holdout=TaskRows(holdout, y),
        weights=np.ones((TEST_REPLICATES, n), dtype=np.uint16),
        real=np.stack([1 - real, real], axis=1),
        synthetic=(np.stack([1 - synthetic, synthetic], axis=1),),
        prevalence=np.array([0.75, 0.25]),
    )
    (score,), panels = utility_by_group(tested)
    for entry in panels["subgroups"][:2]:
        rows = (holdout["sex"] == entry["group"][-1]).to_numpy()
        gap = roc_auc_score(y[rows], real[rows]) - roc_auc_score(y[rows], synthetic[rows])
        assert entry["gap"] == pytest.approx(gap)
        assert score.parts[entry["group"]] == entry["gap"]
        chosen = synthetic >= np.sort(synthetic)[-100]  # a quarter of 400
        assert entry["selection_rate"]["synthetic"] == pytest.approx(chosen[rows].mean())
        assert entry["true_positive_rate"]["synthetic"] == pytest.approx(chosen[rows & (y == 1)].mean())
        assert entry["false_positive_rate"]["synthetic"] == pytest.approx(chosen[rows & (y == 0)].mean())
        rate = entry["false_positive_rate"]
        assert rate["gap"] == pytest.approx(rate["synthetic"] - rate["real"])


def test_the_threshold_selects_nearest_to_the_share():
    scores = np.array([0.1, 0.2, 0.2, 0.2, 0.9])
    assert threshold(scores, 0.2) == 0.9
    assert threshold(scores, 0.75) == 0.2  # four of five are nearer than one or all
    assert threshold(scores, 1) == 0.1


def test_quantities_are_cut_at_the_quartiles_of_train():
    frame = pd.DataFrame({"x": np.arange(1.0, 101.0)})
    grouping = SubgroupSplit.of("x", frame, SCHEMA)
    asked = pd.DataFrame({"x": [-5.0, 25.0, 26.0, 60.0, 1e9, np.nan]})
    assert [grouping.labels[k] for k in grouping.codes(asked)] == [
        "x: lowest quarter", "x: lowest quarter", "x: second quarter", "x: third quarter", "x: highest quarter",
        "x: missing",
    ]  # fmt: skip
    assert not re.search(r"\d", " ".join(grouping.labels))  # quartiles are not told
    constant = SubgroupSplit.of("x", pd.DataFrame({"x": np.ones(9)}), SCHEMA)
    assert constant.codes(asked).max() == len(constant.labels) - 1
    empty = SubgroupSplit.of("x", pd.DataFrame({"x": [np.nan] * 3}), SCHEMA)
    assert empty.labels == ("x: lowest quarter", "x: missing")


def test_a_column_is_no_group_of_its_own_target(compare):
    schema = Schema(columns=COLUMNS, protected=["ward"], targets=TARGETS)
    scores, panel = run(compare, law(600, 3), 2, schema=schema)
    assert "worst_group_gap" not in scores
    assert panel is None


def test_units_are_counted_not_rows(compare):
    """Four visits of 30 people of one sex are 30 units: too few."""
    schema = Schema(columns={"pid": {"kind": "identifier"}, **COLUMNS}, unit="pid", protected=["sex"], targets=TARGETS)
    people = law(600, 2).assign(pid=np.arange(600))
    people["sex"] = np.where(np.arange(600) < 30, "m", "f")
    holdout = pd.concat([people] * 4, ignore_index=True)
    tables = {"train": law(600, 1).assign(pid=np.arange(600)), "holdout": holdout, "schema": schema}
    comparison = compare(law(600, 3).assign(pid=np.arange(600)), **tables)
    (score,), panels = fidelity_by_group(comparison, RNG(0))
    entries = {entry["group"]: entry for entry in panels["subgroups"]}
    assert entries["sex: m"] == {
        "measure": "fidelity", "target": None, "group": "sex: m", "units": 30, "suppressed": True
    }  # fmt: skip
    assert set(score.parts) == {"sex: f"}


def fidelity(compare, synthetic, holdout=None):
    holdout = law(1200, 2) if holdout is None else holdout
    comparison = compare(synthetic, train=law(1200, 1), holdout=holdout, schema=SCHEMA)
    (score,), panels = fidelity_by_group(comparison, RNG(0))
    return score, panels["subgroups"]


def test_likeness_of_the_holdout_itself_is_whole(compare):
    score, _ = fidelity(compare, law(1200, 2))
    assert score.value == 1
    assert score.parts == {"sex: f": 1, "sex: m": 1}


def test_the_group_that_was_lost_is_the_least_alike(compare):
    fresh, _ = fidelity(compare, law(1200, 3))
    assert fresh.low <= fresh.reference <= fresh.high
    moved = law(1200, 3)
    moved.loc[moved["sex"] == "m", "x"] += 2
    score, panel = fidelity(compare, moved)
    assert panel[0]["group"] == "sex: m"
    assert score.high < score.reference
    assert panel[0]["similarity"] == score.value < panel[1]["similarity"]
    gone, _ = fidelity(compare, law(1200, 3).assign(sex="f"))
    assert (gone.value, gone.low) == (0, 0)
    assert 0 < gone.high < 0.01  # another draw may have some
    half, _ = fidelity(compare, (law(1200, 2), law(1200, 3).assign(sex="f")))
    assert half.value == 0.5
    with pytest.raises(MetricError, match=r"50 units in the holdout; however: none has\. Hold more rows out"):
        fidelity(compare, law(300, 3), holdout=law(40, 2))


def test_groups_are_measured_where_they_are_declared():
    assert "fidelity.subgroups" in metrics_of(SCHEMA)
    assert "fidelity.subgroups" not in metrics_of(Schema(columns=COLUMNS, targets=TARGETS))


def test_one_group_needs_no_widening():
    assert _bonferroni(1) == pytest.approx(1)
    assert _bonferroni(5) == pytest.approx(2.5758 / 1.95996, rel=1e-4)  # 99 %
