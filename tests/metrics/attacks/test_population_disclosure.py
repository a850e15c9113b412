"""Meaningful identity disclosure: by hand, beside people not trained on, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import MetricError, SchemaError, TableError
from synthkit.metrics.attacks.identity_disclosure import identity
from synthkit.metrics.attacks.population import Population
from synthkit.metrics.attacks.population_disclosure import (
    learns_something,
    meaningful,
    one_row_each,
    population_matches,
)
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.result import Failure
from synthkit.schema import Schema

SCHEMA = Schema(
    columns={
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "town": {"kind": "categorical", "levels": ["A", "B", "C"]},
        "ill": {"kind": "categorical", "levels": ["no", "yes", "very"]},
        "dose": {"kind": "numeric"},
    },
    quasi_identifiers=["sex", "town"],
    secrets=["ill", "dose"],
)
COUNTS = pd.DataFrame({"sex": ["f", "f", "f", "m", "m", "m"], "town": list("ABCABC"), "people": [8, 4, 50, 2, 3, 33]})


def frame(rows):
    return pd.DataFrame(rows, columns=["sex", "town", "ill", "dose"])


MEMBERS = frame([("f", "A", "no", 1.0), ("f", "A", "no", 9.0), ("f", "B", "yes", 4.0), ("m", "A", "very", 5.0)])
OTHERS = frame([("f", "C", "no", 2.0), ("m", "C", "no", 3.0), ("m", "C", "yes", 7.0)])
ROWS = frame([("f", "A", "no", 20.0), ("f", "B", "yes", 99.0), ("m", "C", "very", 1000.0)])


def comparison(rows=ROWS, members=MEMBERS, others=OTHERS, schema=SCHEMA, **more):
    return EvaluationData(train=members, holdout=others, synthetic=(rows,), schema=schema, **more)


def rng():
    return np.random.default_rng(0)


@pytest.fixture
def here(monkeypatch):
    """A comparison of few people: nobody is attacked, so the reference is the holdout itself."""

    class Few:
        reference = OTHERS

    monkeypatch.setattr(EvaluationData, "attacked", Few())
    return comparison


def test_matches_by_hand(here):
    """`no` is held by half and counts, twice in one group; `yes` by one; the fourth has no row with his keys."""
    found = population_matches(here(), MEMBERS, Population.of(COUNTS, SCHEMA), rng())
    assert found.population == pytest.approx([1 / 8, 1 / 8, 1 / 4, 0])
    assert found.sample == pytest.approx([4 / (2 * 100), 4 / (2 * 100), 4 / 100, 0])
    assert found.at.value == pytest.approx((1 / 8 + 1 / 8 + 1 / 4) / 4)
    assert 0 <= found.at.low < found.at.value < found.at.high


def test_the_score_stands_beside_people_not_trained_on(here):
    """Of three others two share their keys with a row, which tells them nothing true."""
    (score,), panel = meaningful(here(), Population.of(COUNTS, SCHEMA), rng())
    assert score.value == pytest.approx(0.125)
    assert score.reference == 0
    assert score.parts == {"population": 100}
    assert panel["reference"] == 0
    copies = here(rows=pd.concat([MEMBERS, OTHERS]))
    (score,), _ = meaningful(copies, Population.of(COUNTS, SCHEMA), rng())
    assert score.value == pytest.approx((1 / 8 + 1 / 8 + 1 / 4 + 1 / 2) / 4)
    assert score.reference > 0


def test_what_most_people_have_is_no_news():
    """Level of three in four, and a number within 1.48 deviations: 3.0, the median of |dose - 4.5| being 2."""
    people = frame([("f", "A", "no", 1.0), ("f", "A", "no", 4.0), ("f", "A", "no", 5.0), ("m", "A", "yes", 8.0)])
    rows = frame([("f", "A", "no", 100.0), ("m", "A", "yes", 100.0), ("f", "A", "very", 3.9), ("f", "A", "very", 7.0)])
    here = comparison(rows=rows)
    assert learns_something(here, people, rows, np.array([0, 0, 0, 1])).tolist() == [False, False, False, True]
    assert learns_something(here, people, rows, np.array([2, 2, 2, 2])).tolist() == [True, True, True, False]
    assert learns_something(here, people, rows, np.array([3, 3, 3, 3])).tolist() == [False, False, True, True]


def test_without_secrets_all_other_columns_are():
    schema = SCHEMA.model_copy(update={"secrets": ()})
    here = comparison(schema=schema)
    assert learns_something(here, MEMBERS, ROWS, np.array([0, 0, 1, 0])).tolist() == [True, True, True, False]


def test_of_a_person_one_row_counts():
    schema = SCHEMA.model_copy(update={"unit": "sex"})
    assert len(one_row_each(MEMBERS, schema, rng())) == 2
    assert len(one_row_each(MEMBERS, SCHEMA, rng())) == 4


def test_a_population_holds_the_sample(here):
    few = COUNTS.assign(people=[1, 4, 50, 2, 3, 33])
    with pytest.raises(MetricError, match="must hold the sample; however: 2 of 4 people share"):
        population_matches(here(), MEMBERS, Population.of(few, SCHEMA), rng())
    with pytest.raises(MetricError, match="however: 1 of 4 people share"):
        population_matches(here(), MEMBERS, Population.of(COUNTS.drop(3), SCHEMA), rng())


def test_counts_that_cannot_be_meant_are_refused():
    with pytest.raises(SchemaError, match=r"the schema declares none\. Add a line `quasi_identifiers"):
        Population.of(COUNTS, SCHEMA.model_copy(update={"quasi_identifiers": ()}))
    with pytest.raises(TableError, match="must have the columns sex, town and `people`; however: town not found"):
        Population.of(COUNTS.drop(columns="town"), SCHEMA)
    with pytest.raises(TableError, match="`people` must be numbers of people, 0 or more; however: 2 of 6 rows are not"):
        Population.of(COUNTS.assign(people=["8", "many", "50", "-2", "3", "33"]), SCHEMA)


def test_a_failure_leaves_the_other_figures(monkeypatch):
    """Counts of nobody: what the synthetic rows say of members and non-members is measured all the same."""
    source = rng()
    people = pd.concat([MEMBERS, OTHERS]).sample(900, replace=True, random_state=1).assign(dose=source.normal(size=900))
    nobody = Population.of(COUNTS.assign(people=0), SCHEMA)
    here = comparison(people[600:], people[:300], people[300:600], population=nobody)
    found, panels = identity(here, rng())
    (failed,) = (each for each in found if isinstance(each, Failure))
    assert failed.metric == "identity.meaningful"
    assert "300 of 300 people" in failed.reason
    assert panels["identity"]["meaningful"].startswith("failed: ")
    assert any(score.metric == "identity.replicated_uniques" for score in found if score is not failed)
