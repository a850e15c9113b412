"""Identity and copies of units: copied members are isolated, linked and counted; fresh people are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthkit.metrics.linked.attacks.unit_comparison import by_aggregates
from synthkit.metrics.linked.attacks.unit_copies import copied_units
from synthkit.metrics.linked.attacks.unit_identities import first_half, linked_halves, unit_identity
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.unit_aggregates import UnitAggregates
from synthkit.tables.stacked_tables import stacked

RNG = np.random.default_rng


@pytest.fixture
def compared(pool, clinic):
    def build(copied=0):
        people, drawn = pool(160), clinic(100, 13)
        members = np.flatnonzero(people.member)
        if copied:
            drawn = stacked([drawn, people.tables.take(members[:copied])])
        sides = {"train": people.tables.take(members), "holdout": people.tables.take(np.flatnonzero(~people.member))}
        return LinkedEvaluationData(**sides, synthetic=drawn, pool=people)

    return build


def values(found):
    return {score.metric: score for score in found[0] if hasattr(score, "value")}


def test_copies_are_exact_matches_and_linked(compared):
    found = {**values(unit_identity(compared(40), RNG(1))), **values(linked_halves(compared(40), RNG(1)))}
    assert found["identity.unique_exact_matches"].parts["members"] == pytest.approx(0.5, abs=0.03)
    assert found["identity.unique_exact_matches"].parts["non-members"] == 0
    assert found["identity.unique_exact_matches"].low > 0.3
    assert found["identity.linkability.k1"].low > 0.2
    assert found["identity.singling_out.clearest"].low > 0.5


def test_fresh_people_are_found_by_chance_alone(compared):
    found = {**values(unit_identity(compared(), RNG(1))), **values(linked_halves(compared(), RNG(1)))}
    assert found["identity.unique_exact_matches"].value == 0
    for name in ("identity.unique_exact_matches", "identity.linkability.k1", "identity.linkability.k5"):
        assert found[name].low <= 0 <= found[name].high
        assert "not in the data" in found[name].note


def test_copied_people_are_counted(compared):
    found = values(copied_units(compared(40), RNG(0)))
    whole = found["copying.excess.whole_rows"]
    assert whole.low <= 40 / 80 <= whole.high
    assert whole.low > 0.4
    assert values(copied_units(compared(), RNG(0)))["copying.excess.whole_rows"].value == 0


def test_halves_are_the_own_row_and_the_other_tables(clinic, compared):
    data = compared()
    names = data.views.aggregates.schema.described
    half = first_half(data.schema, names)
    assert half == tuple(n for n in names if n.startswith("people."))
    below = [n for n in names if not n.startswith("people.")]
    assert first_half(data.schema, below) == tuple(n for n in below if n.startswith("visits"))


def test_quasi_identifiers_of_any_table_are_keys_by_their_aggregates(compared):
    data = compared(40)
    tables = dict(data.schema.tables)
    tables["visits"] = tables["visits"].model_copy(update={"quasi_identifiers": ("ward",)})
    tables["people"] = tables["people"].model_copy(update={"quasi_identifiers": ("sex",)})
    schema = data.schema.model_copy(update={"tables": tables})
    sides = {name: replace(each, schema=schema) for name, each in data.by_name.items()}
    pool = replace(
        data.pool,
        tables=replace(data.pool.tables, schema=schema),
        reference=replace(data.pool.reference, schema=schema),
    )
    declared = LinkedEvaluationData(**sides, pool=pool)
    assert by_aggregates(declared).schema.quasi_identifiers == ("people.sex", "visits.ward: different")
    assert "identity.replicated_uniques" in values(unit_identity(declared, RNG(0)))


def test_everybody_is_coded_by_people_of_whom_it_is_not_asked_who_was_trained_on(compared):
    data = compared()
    side = data.views.sides["targets"]
    found = by_aggregates(data)
    frame = UnitAggregates.of(side).with_texts()
    members = frame[data.pool.member].reset_index(drop=True)
    assert members.equals(found.train)
    assert set(data.views.types.levels["codes"]["code"]) == set(
        np.concatenate([t.frames["codes"]["code"] for t in (data.pool.tables, data.pool.reference)])
    )
