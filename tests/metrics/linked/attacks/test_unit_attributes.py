"""Secrets of one table guessed from the others: copies give them away, fresh people only what everybody shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthkit.metrics.linked.attacks.unit_attributes import (
    known_elsewhere,
    secret_of_units,
    unit_attribute,
    unit_attributes,
)
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.metric import MetricOptions
from synthkit.tables.stacked_tables import stacked

RNG = np.random.default_rng
SECRET = "attribute.visits.ward.other_tables"


def with_secrets(tables, **secrets):
    meant = {
        name: table.model_copy(update={"secrets": tuple(secrets.get(name, ()))})
        for name, table in tables.schema.tables.items()
    }
    return replace(tables, schema=tables.schema.model_copy(update={"tables": meant}))


@pytest.fixture
def compared(pool, clinic):
    def build(copied=0):
        people = pool(200)
        given = {"visits": ("ward", "start"), "labs": ("value",)}
        whole, reference = (with_secrets(t, **given) for t in (people.tables, people.reference))
        people = replace(people, tables=whole, reference=reference)
        drawn, members = with_secrets(clinic(100, 13), **given), np.flatnonzero(people.member)
        if copied:
            drawn = stacked([drawn, whole.take(members[:copied])])
        sides = {"train": whole.take(members), "holdout": whole.take(np.flatnonzero(~people.member))}
        return LinkedEvaluationData(**sides, synthetic=drawn, pool=people)

    return build


def test_each_declared_secret_that_is_learned_is_guessed(compared):
    found = unit_attributes(compared().schema, MetricOptions())
    assert set(found) == {SECRET, "attribute.labs.value.other_tables"}  # a moment is no payload


def test_copies_give_secrets_away_and_fresh_people_do_not(compared):
    def excess(copied):
        scores, panels = unit_attribute(compared(copied), RNG(1), table="visits", column="ward", prefix=SECRET)
        assert panels["attribute"][0]["secret"] == "visits.ward"
        return next(s for s in scores if s.metric == f"{SECRET}.excess")

    fresh, copied = excess(0), excess(100)
    assert fresh.low <= 0 <= fresh.high
    assert copied.low > 0.1
    assert "from what is in other tables" in copied.note


def test_the_table_of_the_secret_is_not_known(compared):
    """Whoever knew the number of visits, or the wards, would guess nearly all; tables with like names are others."""
    names = compared().views.aggregates.schema.described
    known = known_elsewhere([*names, "visits_before: rows"], "visits")
    assert set(names) - set(known) == {n for n in names if n.startswith("visits")}
    assert "visits_before: rows" in known
    assert {"people.sex", "labs: rows"} <= set(known)


def test_the_secret_of_a_unit_is_what_most_of_its_rows_say(clinic, side_of):
    tables = clinic(130, 3)
    side = side_of(tables)
    visits, ids = tables.frames["visits"], tables.frames["people"]["id"]
    found = secret_of_units(side, "visits", "ward")
    rank = {level: k for level, k in side.types.levels["visits"]["ward"].items()}
    for k, name in enumerate(ids):
        mine = visits.loc[visits["id"] == name, "ward"].value_counts()
        if len(mine) == 0:
            assert found[k] is None
        else:
            assert found[k] == min(mine.index[mine == mine.max()], key=rank.get)
    mean = ids.map(tables.frames["labs"].groupby("id")["value"].mean())
    np.testing.assert_allclose(secret_of_units(side, "labs", "value"), mean.to_numpy(dtype=float))


def test_levels_nobody_else_has_are_one(clinic, side_of):
    tables = clinic(60, 3)
    side = side_of(tables)
    strange = tables.frames["visits"].assign(ward="z")
    odd = replace(side, tables=replace(tables, frames={**tables.frames, "visits": strange}))
    assert set(secret_of_units(odd, "visits", "ward").dropna()) == {"level 4"}
