"""People who are copied, whole or in part, are found among all who were trained on; nobody is where nobody was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as distributions

from synthkit.errors import MetricError
from synthkit.metrics.attacks.effect_grade import DEFAULT_EFFECT_LIMITS
from synthkit.metrics.copying.copied_people import copied_people_interval, count_copied_people
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.schema import Schema
from synthkit.selftest.made_up_people import PEOPLE_SCHEMA, Experiment, jittered, people

RNG = np.random.default_rng
LIMIT = DEFAULT_EFFECT_LIMITS["copying"].value
SIX = [f"level_{k}" for k in range(6)]
LEVELS = Schema.model_validate(
    {
        "columns": {
            **{name: {"kind": "categorical", "levels": list(range(12))} for name in SIX},
            "x": {"kind": "numeric"},
            "y": {"kind": "numeric"},
        }
    }
)


def levelled(rows, rng, many=12):
    frame = pd.DataFrame({name: np.minimum(rng.geometric(0.2, rows) - 1, many - 1) for name in SIX})
    return frame.assign(x=rng.normal(size=rows), y=rng.normal(size=rows))


def scores_of(train, holdout, synthetic, schema=PEOPLE_SCHEMA, **parts):
    comparison = EvaluationData(train=train, holdout=holdout, synthetic=(synthetic,), schema=schema, **parts)
    return {s.metric.removeprefix("copying.excess."): s for s in count_copied_people(comparison, RNG(0))[0]}


def with_copies(rows, fresh):
    return pd.concat([rows, fresh.iloc[len(rows) :]], ignore_index=True)


@pytest.mark.parametrize(("shares", "many"), [((1_680, 720), 8), ((960, 1_440), 8), ((1_000, 1_000), 200)])
def test_verbatim_copies_are_above_the_limit_wherever_they_stand(shares, many):
    """200 of the people trained on, and 8 of a table of 2,400."""
    rng = RNG(many)
    train, holdout, fresh = people(shares[0], rng), people(shares[1], rng), people(sum(shares), rng)
    score = scores_of(train, holdout, with_copies(train.tail(many), fresh))["whole_rows"]
    assert score.value == pytest.approx(many / shares[0])
    assert LIMIT < score.low <= many / shares[0]


def test_people_who_are_never_attacked_are_looked_at():
    """Copies of none but those whose role is `train`."""
    rng = RNG(3)
    here = Experiment.of(rng, units=600)
    never = here.train.merge(here.members(), how="left", indicator=True).query("_merge == 'left_only'")
    rows = with_copies(never[here.train.columns].head(20), people(600, rng))
    assert scores_of(here.train, here.holdout, rows, pool=here.pool)["whole_rows"].low > LIMIT


def test_nearly_verbatim_copies_are_found():
    rng = RNG(4)
    train, holdout = people(1_400, rng), people(600, rng)
    numbers = ("height", "pressure", "balance", "glucose")
    near = jittered(train.head(100), 0.002, rng, numbers)
    found = scores_of(train, holdout, with_copies(near, people(2_000, rng)))
    assert found["whole_rows"].value == 0
    assert found["alike_rows"].low > LIMIT


def test_copies_of_the_levels_alone_are_found():
    """Six columns of 20 members, the numbers drawn anew."""
    rng = RNG(5)
    train, holdout, rows = (
        levelled(many, rng).assign(**{name: rng.integers(0, 12, many) for name in SIX}) for many in (1_400, 600, 2_000)
    )
    rows.loc[:19, SIX] = train.loc[:19, SIX].to_numpy()
    found = scores_of(train, holdout, rows, LEVELS)
    assert found["whole_rows"].value == 0
    assert found["levels"].low > LIMIT


LAWS = {  # of nobody's rows: few kinds of people, many, and whole numbers where rows of several people agree
    "few": (lambda rows, rng: levelled(rows, rng, many=2), LEVELS),
    "many": (levelled, LEVELS),
    "rounded": (lambda rows, rng: people(rows, rng).round(-1), PEOPLE_SCHEMA),
    "exact": (people, PEOPLE_SCHEMA),
}


@pytest.mark.parametrize("name", LAWS)
def test_false_alarms_are_as_rare_as_claimed(name):
    """Fresh rows of the same law: over 60 tables the limit is passed no oftener than one time in twenty allows."""
    law, schema = LAWS[name]
    alarms = 0
    for seed in range(60):
        rng = RNG(seed)
        found = scores_of(law(210, rng), law(90, rng), law(300, rng), schema)
        alarms += max(score.low for score in found.values()) > LIMIT
    assert alarms <= distributions.binom.ppf(0.999, 60, 0.05)


def test_all_rows_of_a_person_are_one_person():
    schema = Schema.model_validate({**PEOPLE_SCHEMA.model_dump(by_alias=True), "unit": "who"} | {"columns": {
        "who": {"kind": "identifier"}, **{k: c.model_dump() for k, c in PEOPLE_SCHEMA.columns.items()}}})  # fmt: skip
    rng = RNG(6)
    tables = [people(600, rng).assign(who=np.arange(600) // 3 + 1_000 * k) for k in range(2)]
    rows = with_copies(tables[0].head(30), people(600, rng).assign(who=-1))
    score = scores_of(*tables, rows, schema)["whole_rows"]
    assert score.value == 10 / 200
    _, panels = count_copied_people(
        EvaluationData(train=tables[0], holdout=tables[1], synthetic=(rows,), schema=schema), rng
    )
    assert panels["people"]["trained_on"] == panels["people"]["held_out"] == 200


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 6), st.integers(1, 6))
def test_the_interval_is_that_of_the_randomisation_test(hits, others, held_hits, held_others):
    """Against every number of copied people tried by itself."""
    n, m = max(1, hits + others), held_hits + held_others
    at = copied_people_interval(hits, n, held_hits, m, level=0.1)
    possible = [
        c
        for c in range(hits + 1)
        if distributions.hypergeom.sf(hits - c - 1, n + m - c, hits + held_hits - c, n - c) > 0.05
        and distributions.hypergeom.cdf(hits - c, n + m - c, hits + held_hits - c, n - c) > 0.05
    ]
    assert at.low == (possible[0] if possible else 0)
    assert at.high >= (possible[-1] if possible else 0)
    assert at.low <= at.value <= at.high


def test_the_randomisation_test_keeps_its_level():
    """Of 40 people 20 of whom were trained on at random, however many are hit: c = 0 is missed one time in twenty."""
    rng, missed = RNG(7), 0
    for _ in range(400):
        hit, trained = rng.random(40) < 0.3, rng.permutation(40) < 20
        missed += copied_people_interval(int((hit & trained).sum()), 20, int((hit & ~trained).sum()), 20).low > 0
    assert missed <= distributions.binom.ppf(0.999, 400, 0.05)


def test_more_hits_than_people_are_refused():
    with pytest.raises(ValueError, match="no more hits than people"):
        copied_people_interval(3, 2, 0, 5)


def test_copies_need_people_on_both_sides():
    rng = RNG(8)
    with pytest.raises(MetricError, match="beside people held out, 2 a side at least"):
        scores_of(people(5, rng), people(1, rng), people(5, rng))
