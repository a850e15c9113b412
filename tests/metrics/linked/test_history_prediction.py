"""Predictions from histories: features see nothing at or after the moment, outcomes are those of loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthkit.errors import MetricError
from synthkit.metrics.linked.event_types import EventTypes
from synthkit.metrics.linked.history_features import Moments, history_features
from synthkit.metrics.linked.history_prediction import HistoryTask, history_prediction, moments_of, targets
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.linked_side import LinkedSide
from synthkit.metrics.metric import MetricOptions
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.linked_rules import HistoryTarget
from synthkit.tables.linked_tables import LinkedTables

pytest.importorskip("lightgbm")
RNG = np.random.default_rng


def target(schema, name):
    return next(each for each in schema.targets if each.name == name)


@given(seed=st.integers(0, 10_000), moment=st.integers(0, 120))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_changing_anything_at_or_after_the_moment_changes_no_feature(frames, clinic, seed, moment):
    """Rows that are over before the moment stay; all others are changed, taken away or added, and totals with them."""
    rng, made, schema = RNG(seed), frames(12, 5), clinic(130, 3).schema
    types = EventTypes.fit(clinic(130, 3))
    visits, labs, codes, people = (made[n].copy() for n in ("visits", "labs", "codes", "people"))
    later = {"visits": visits["stop"] >= moment, "labs": labs["at"] >= moment}
    visits.loc[later["visits"], "ward"] = rng.choice(list("abc"), later["visits"].sum())
    visits.loc[later["visits"], "cost"] += rng.integers(1, 99, later["visits"].sum())
    started = later["visits"] & (visits["start"] < moment)
    visits.loc[later["visits"], "stop"] += 40.0
    visits.loc[later["visits"] & ~started, "start"] += 20.0
    gone = visits.loc[later["visits"] & (rng.random(len(visits)) < 0.4), "visit"]
    labs.loc[later["labs"], "value"] = 77.0
    labs.loc[later["labs"], "at"] += rng.integers(0, 50)
    labs = labs[~(later["labs"] & (rng.random(len(labs)) < 0.3))]
    more = pd.DataFrame({"id": people["id"], "visit": None, "at": float(moment), "test": "y", "value": 5.0})
    codes.loc[codes["visit"].isin(visits.loc[later["visits"], "visit"]), "code"] = "k7"
    codes = codes[~codes["visit"].isin(gone)]
    people["paid"], people["gone"] = rng.integers(0, 9, len(people)) * 1.0, moment + rng.integers(0, 99)
    other = {
        "people": people,
        "visits": visits[~visits["visit"].isin(gone)],
        "codes": codes,
        "labs": pd.concat([labs, more]),
    }
    sides = [LinkedSide(LinkedTables.of({**made, **changed}, schema), types) for changed in ({}, other)]
    units = np.arange(12)
    at = Moments("labs", units, np.full(12, float(moment)), units)
    (names, before), (again, after) = (history_features(side, at) for side in sides)
    assert names == again
    np.testing.assert_array_equal(before, after)


def test_features_are_those_of_loops(clinic, side_of):
    side = side_of(clinic(130, 3))
    moments, _, _ = moments_of(side, target(side.schema, "high"))
    names, x = history_features(side, moments)
    found = pd.DataFrame(x, columns=names)
    labs, visits = side.tables.frames["labs"], side.tables.frames["visits"]
    for k in RNG(0).choice(len(labs), 40, replace=False):
        when, unit = labs["at"][k], labs["id"][k]
        past = labs[(labs["id"] == unit) & (labs["at"] < when)]
        over = visits[(visits["id"] == unit) & (visits["stop"] < when)].sort_values("stop", kind="stable")
        assert found["labs: rows before"][k] == len(past)
        assert found["visits: rows before"][k] == len(over)
        if len(over):
            assert found["visits: time since"][k] == when - over["stop"].iloc[-1]
            assert found["visits.cost: last"][k] == over["cost"].iloc[-1]
        else:
            assert np.isnan(found["visits: time since"][k])
        if len(past):
            assert found["labs.value: last"][k] == past["value"].iloc[-1]
    assert "people.gone" not in names  # the end of follow-up says what follows
    assert "people.paid" not in names  # a total over rows that are to come
    assert "people.sex" in names


def test_outcomes_are_those_of_loops(clinic, side_of):
    side = side_of(clinic(130, 3))
    labs, visits = side.tables.frames["labs"], side.tables.frames["visits"]
    _, high, known = moments_of(side, target(side.schema, "high"))
    assert known.all()
    for k in range(len(labs)):
        after = labs[(labs["id"] == labs["id"][k]) & (labs["at"] > labs["at"][k]) & (labs["at"] <= labs["at"][k] + 10)]
        assert high[k] == (after["value"] >= 1).any()
    _, ward, _ = moments_of(side, target(side.schema, "ward a"))
    np.testing.assert_array_equal(ward, visits["ward"] == "a")
    _, follows, _ = moments_of(side, target(side.schema, "next"))
    np.testing.assert_array_equal(follows, visits.groupby("id")["ward"].shift(-1) == "b")


def test_values_given_to_strangers_lose_what_histories_tell(clinic, damaged, compare):
    """Levels of a person show in all of their labs; shuffled among people they tell nothing of what follows."""
    shuffled = damaged("labs", lambda f: f.assign(value=RNG(0).permutation(f["value"])), people=400)
    real = {"train": clinic(400, 1), "holdout": clinic(400, 2)}
    high = target(real["train"].schema, "high").model_copy(update={"within": None})
    fresh, worse = (
        {s.metric: s for s in history_prediction(compare(t, **real), RNG(0), target=high)[0]}
        for t in (clinic(400, 3), shuffled)
    )
    assert fresh["utility.high.trtr"].low > 0.6
    assert fresh["utility.high.gap"].low < 0.03
    gap = worse["utility.high.gap"]
    assert gap.low > 0.02
    assert gap.value == pytest.approx(worse["utility.high.trtr"].value - worse["utility.high.tstr"].value)
    assert worse["utility.high.tstr"].reference == worse["utility.high.trtr"].value


def test_each_declared_target_is_measured(hospital, compare):
    made = [hospital(150, seed) for seed in (1, 2, 3)]
    (name, metric), *others = targets(made[0].schema, MetricOptions()).items()
    assert (name, others) == ("utility.stroke", [])
    scores, _ = metric(compare(made[2], train=made[0], holdout=made[1]), RNG(0))
    assert [s.metric for s in scores] == ["utility.stroke.trtr", "utility.stroke.tstr", "utility.stroke.gap"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"at": "visits", "column": "cost"}, "must predict a level against the others; however: `positive` names none"),
        ({"at": "visits", "column": "ward"}, "must predict a level against the others"),
    ],
)
def test_targets_without_a_meaning_are_failures(clinic, side_of, words, message):
    with pytest.raises(MetricError, match=message):
        HistoryTask.of(side_of(clinic(130, 3)), HistoryTarget(name="odd", **words))


def test_rare_events_are_a_failure(clinic, compare):
    rare = HistoryTarget(name="rare", at="labs", event={"table": "labs", "when": {"value": {"min": 50}}})
    with pytest.raises(
        MetricError, match="`rare` needs 10 moments with the event and 10 without; however: the training"
    ):
        history_prediction(compare(clinic(130, 3)), RNG(0), target=rare)


def numbered(people, seed):
    """Encounters without a date: only their order tells what was before."""
    rng = RNG(seed)
    owner = np.repeat(np.arange(people), rng.integers(1, 6, people))
    ill = rng.random(people) < 0.5
    back = np.where(rng.random(len(owner)) < np.where(ill, 0.8, 0.2)[owner], "yes", "no")
    frame = pd.DataFrame({"id": owner.astype(str), "back": back, "n": rng.normal(size=len(owner))})
    return {
        "people": pd.DataFrame({"id": np.arange(people).astype(str), "old": rng.choice(["y", "n"], people)}),
        "stays": frame,
    }


def test_order_alone_is_enough_for_a_column_of_the_row():
    key = {"kind": "identifier"}
    schema = LinkedSchema.parse(
        {
            "unit": "people",
            "tables": {
                "people": {"key": ["id"], "columns": {"id": key, "old": {"kind": "categorical", "levels": ["y", "n"]}}},
                "stays": {
                    "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
                    "columns": {
                        "id": {"kind": "identifier"},
                        "back": {"kind": "boolean", "levels": ["no", "yes"]},
                        "n": {"kind": "numeric"},
                    },
                },
            },
            "targets": [{"name": "back", "at": "stays", "column": "back"}],
        }
    )  # fmt: skip
    train, holdout, drawn = (LinkedTables.of(numbered(250, seed), schema) for seed in (1, 2, 3))
    data = LinkedEvaluationData(train=train, holdout=holdout, synthetic=drawn)
    found = {s.metric: s.value for s in history_prediction(data, RNG(0), target=schema.targets[0])[0]}
    assert found["utility.back.trtr"] > 0.55  # levels of the person shine through earlier rows
    assert abs(found["utility.back.gap"]) < 0.1
    side = data.real
    names, x = history_features(side, moments_of(side, schema.targets[0])[0])
    frame = side.tables.frames["stays"]
    np.testing.assert_array_equal(x[:, names.index("stays: rows before")], frame.groupby("id").cumcount())
    np.testing.assert_allclose(x[:, names.index("stays.n: last")], frame.groupby("id")["n"].shift())
