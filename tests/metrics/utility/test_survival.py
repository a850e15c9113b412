"""Survival targets: what is known of tables that are the same, stretched, or without their censored people."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time

from synthkit.errors import MetricError
from synthkit.metrics.result import Score
from synthkit.metrics.utility.survival import Followed
from synthkit.metrics.utility.train_synthetic_test_real import utility
from synthkit.schema import Schema

COLUMNS = {
    "age": {"kind": "numeric"},
    "site": {"kind": "categorical", "levels": ["north", "south"]},
    "days": {"kind": "numeric", "nullable": True},
    "died": {"kind": "boolean", "levels": ["no", "yes"], "nullable": True},
}
TARGET = {"column": "days", "task": "survival", "event": "died"}
SCHEMA = Schema(columns=COLUMNS, targets=[TARGET])


def follow(rows, seed):
    rng = np.random.default_rng(seed)
    age, site = rng.normal(60, 10, rows), rng.choice(["north", "south"], rows)
    event = rng.exponential(100 * np.exp(-0.07 * (age - 60) - 0.6 * (site == "south")))
    end = rng.uniform(20, 300, rows)
    died = np.where(event <= end, "yes", "no")
    return pd.DataFrame({"age": age, "site": site, "days": np.ceil(np.minimum(event, end)), "died": died})


@pytest.fixture
def run(compare):
    def measure(synthetic, *, schema=SCHEMA, train=None, holdout=None, quick=True):
        train = follow(800, 1) if train is None else train
        holdout = follow(700, 2) if holdout is None else holdout
        tables = {"train": train, "holdout": holdout, "schema": schema}
        found, panels = utility(
            compare(synthetic, **tables), np.random.default_rng(0), target=schema.targets[0], quick=quick
        )
        return {each.metric.removeprefix("utility.days."): each for each in found}, panels

    return measure


def test_the_holdout_itself_is_no_distance_away(run):
    holdout = follow(700, 2)
    scores, _ = run(holdout)
    for name in ("km_gap", "optimism", "short_sightedness", "rmst_difference", "event_rate_difference"):
        assert scores[name].value == 0, name
        assert scores[name].low <= 0 < scores[name].high or name == "km_gap", name


def test_fresh_rows_do_as_well_as_training_rows(run):
    scores, panels = run((follow(800, 3), follow(800, 4)))
    for name in ("optimism", "rmst_difference", "event_rate_difference"):
        assert scores[name].low <= 0 <= scores[name].high, name
    assert scores["gap"].low - 0.01 <= 0 <= scores["gap"].high + 0.01
    assert scores["trtr"].value > 0.6
    assert scores["gap"].value == pytest.approx(scores["trtr"].value - scores["tstr"].value)
    assert scores["log_hazard_overlap"].reference == pytest.approx(1 - 0.2035 / math.sqrt(2), abs=1e-4)
    assert scores["log_hazard_overlap"].low < scores["log_hazard_overlap"].reference
    assert "one fresh draw, low" in scores["gap"].parts
    (panel,) = panels["utility"]
    assert {c["learner"] for c in panel["cells"]} == {"Cox regression"}
    assert panel["non_inferiority"] == {"margin": 0.05, "verdict": "PASS"}
    (curves,) = panels["survival"]
    assert {len(curves[k]) for k in curves if k not in ("target", "event", "tau")} == {100}
    for side in ("real", "synthetic"):
        low, value, high = (np.array(curves[side + end]) for end in ("_low", "", "_high"))
        assert (low - 0.02 <= value).all()
        assert (value <= high + 0.02).all()


def test_longer_lives_are_optimism(run):
    """Times x 1.1: a tenth longer in every figure whose end grows with them; clearly seen at x 1.6."""
    holdout = follow(700, 2)
    tenth, _ = run(holdout.assign(days=holdout["days"] * 1.1))
    tau = np.percentile(holdout["days"], 90)
    curves = [KaplanMeierFitter().fit(holdout["days"] * k, holdout["died"] == "yes") for k in (1, 1.1)]
    means = [restricted_mean_survival_time(curve, t=tau) for curve in curves]
    assert tenth["rmst_difference"].value == pytest.approx(means[1] - means[0])
    assert 0 < means[1] - means[0] < 0.1 * means[0]
    assert restricted_mean_survival_time(curves[1], t=1.1 * tau) == pytest.approx(1.1 * means[0])
    assert tenth["km_gap"].value == pytest.approx(tenth["optimism"].value)
    assert tenth["short_sightedness"].value == pytest.approx(-0.1)
    assert tenth["event_rate_difference"].value == 0
    assert tenth["rmst_difference"].parts["tau"] == tau
    long, _ = run(holdout.assign(days=holdout["days"] * 1.6))
    assert min(long["optimism"].low, long["rmst_difference"].low, long["km_gap"].low) > 0


def test_without_the_censored_people_lives_are_short(run):
    """Those who left were the ones who lived: dropping them, or calling them dead, is pessimism."""
    holdout = follow(700, 2)
    for fewer in (holdout[holdout["died"] == "yes"], holdout.assign(died="yes")):
        scores, _ = run(fewer)
        assert scores["optimism"].high < 0
        assert scores["rmst_difference"].high < 0
        assert scores["event_rate_difference"].value == pytest.approx((holdout["died"] == "no").mean())


def test_a_table_that_stops_early_is_short_sighted(run):
    holdout = follow(700, 2)
    cut = holdout["days"].max() / 2
    scores, _ = run(
        holdout.assign(days=holdout["days"].clip(upper=cut), died=holdout["died"].where(holdout["days"] <= cut, "no"))
    )
    assert scores["short_sightedness"].value == pytest.approx(0.5)


def test_effects_of_the_wrong_sign_foretell_the_wrong_people(run):
    """Age and site turned round: a C-index below a half, no common part of the intervals, and a right curve."""
    frame = follow(800, 3)
    turned = frame.assign(age=120 - frame["age"], site=frame["site"].map({"north": "south", "south": "north"}))
    scores, panels = run(turned)
    assert scores["tstr"].high < 0.5
    assert scores["gap"].low > 0.05
    assert panels["utility"][0]["non_inferiority"]["verdict"] == "FAIL"
    retention = (scores["tstr"].value - 0.5) / (scores["trtr"].value - 0.5)
    assert scores["gap"].parts["retention"] == pytest.approx(retention)
    assert scores["log_hazard_overlap"].high < 0
    assert scores["log_hazard_overlap"].parts["same sign"] == 0
    assert scores["km_gap"].value < 0.05


def test_units_widen_the_interval(run):
    schema = Schema(columns={"pid": {"kind": "identifier"}, **COLUMNS}, unit="pid", targets=[TARGET])
    people = follow(300, 2).assign(pid=np.arange(300))
    tables = [follow(800, k).assign(pid=np.arange(800)) for k in (1, 3)]
    visits = {"train": tables[0], "holdout": pd.concat([people] * 4, ignore_index=True)}
    wide, _ = run(tables[1], schema=schema, **visits)
    narrow, _ = run(tables[1], **visits)
    for name in ("trtr", "rmst_difference"):
        width = [each[name].high - each[name].low for each in (wide, narrow)]
        assert width[0] > 1.3 * width[1], name


def test_people_without_a_time_or_an_event_are_left_out():
    frame = follow(50, 1)
    frame.loc[0, "days"], frame.loc[1, "died"] = np.nan, None
    assert len(Followed.of(frame, SCHEMA.targets[0], SCHEMA, "training").times) == 48


def test_an_event_may_be_a_number():
    schema = Schema(columns={**COLUMNS, "died": {"kind": "numeric"}}, targets=[TARGET])
    frame = follow(50, 1)
    numeric = Followed.of(frame.assign(died=(frame["died"] == "yes") * 1.0), schema.targets[0], schema, "training")
    assert numeric.seen.tolist() == (frame["died"] == "yes").tolist()
    with pytest.raises(MetricError, match=r"boolean or hold 0 and 1; however: `died` of the training rows.*boolean"):
        Followed.of(frame.assign(died=2.0), schema.targets[0], schema, "training")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"days": -1.0}, "must be 0 or more; however: `days` of the synthetic rows is negative.*`min: 0`"),
        ({"died": "no"}, "at least one event; however: the synthetic rows have none"),
        ({"days": 0.0}, "a time above 0 and at least one event; however: the synthetic rows"),
        ({"days": np.nan}, "however: the synthetic rows have none"),
    ],
)
def test_tables_without_survival_are_clear_failures(run, change, message):
    with pytest.raises(MetricError, match=message):
        run(follow(100, 3).assign(**change))


def test_a_holdout_without_comparable_people_fails_only_the_prognosis(run):
    """One event, at the end of everybody's time: curves are drawn, a C-index is not."""
    days = np.full(700, 10.0)
    holdout = follow(700, 2).assign(days=days, died=["yes"] * 700)
    scores, _ = run(follow(800, 3), holdout=holdout)
    assert isinstance(scores["km_gap"], Score)
    assert "C-index of `days` needs comparable people; however: the holdout has none" in scores["gap"].reason


def test_a_full_evaluation_gives_cox_more_rows(run, monkeypatch):
    from synthkit.metrics.utility import survival

    monkeypatch.setattr(survival, "MAX_COX_ROWS", 300)
    monkeypatch.setattr(survival, "QUICK_COX_ROWS", 100)
    assert "trained on 300 real" in run(follow(800, 3), quick=False)[0]["trtr"].note
    assert "trained on 100 real" in run(follow(800, 3), quick=True)[0]["trtr"].note
