"""What a released model says of people, against a model of the population: of the people and in their order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_hospital import SMALL, small_hospital

from synthkit.metrics.linked.attacks.unit_membership_scores import unit_attack_names, unit_attack_scores
from synthkit.metrics.linked.attacks.unit_views import UnitViews
from synthkit.metrics.stats import intervals
from synthkit.pipeline.linked.unit_likelihood import REFERENCE_MODEL, with_likelihood
from synthkit.pipeline.linked.unit_split import split_units
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.tables.linked_tables import LinkedTables

TABLES = LinkedTables.of(small_hospital(200), LinkedSchema.parse(SMALL))


@pytest.fixture(scope="module")
def parts():
    return split_units(TABLES, np.random.default_rng(1))


def fitted(tables):
    return LinkedSynthesizer(TABLES.schema, REFERENCE_MODEL, seed=1).fit(tables)


def test_a_model_of_the_reference_itself_tells_nothing(parts):
    found = with_likelihood(parts.pool, fitted(parts.pool.reference), seed=1)
    np.testing.assert_allclose(found.likelihood, 0, atol=1e-9)


def test_people_are_scored_each_by_themselves(parts):
    model = fitted(parts.train)
    whole = with_likelihood(parts.pool, model, seed=1)
    chosen = np.arange(len(parts.pool.member))[::-1][:7]
    some = replace(
        parts.pool,
        tables=parts.pool.tables.take(chosen),
        member=parts.pool.member[chosen],
        isolated=parts.pool.isolated[chosen],
    )
    np.testing.assert_allclose(with_likelihood(some, model, seed=1).likelihood, whole.likelihood[chosen], atol=1e-4)


def test_who_was_learnt_alone_is_more_likely_to_the_model(parts):
    """A model of the members alone, against one of strangers: the attack is one of all."""
    members = parts.pool.tables.take(np.flatnonzero(parts.pool.member))
    found = with_likelihood(parts.pool, fitted(members), seed=1)
    assert intervals.auc(found.likelihood, found.member) > 0.6
    views = UnitViews(pool=found, released=members, seed=0)
    assert unit_attack_names(views)[-1] == "likelihood"
    assert (unit_attack_scores(views, np.random.default_rng(0))[-1] == found.likelihood).all()
