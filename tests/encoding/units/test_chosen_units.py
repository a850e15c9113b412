"""Units taken from several draws hold what they held there: values, owners and links within them, told by a loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from linked_worlds import make_world, plain_frames

from synthkit.encoding.units.chosen_units import chosen_units
from synthkit.encoding.units.root_facts import RootFacts
from synthkit.runtime.seeds import Seeds
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.synthesizer.rule_sampling import sample_valid_rows

UNITS = 12


def draws(synthesizer, seed, many=3):
    encoder, model = synthesizer._fitted()
    for k in range(many):
        seeds = Seeds(seed + k)
        roots = sample_valid_rows(UNITS, encoder.root, model.root, seeds)
        yield model.sample(encoder, RootFacts.of(encoder, roots), seeds.torch("rows"))


def told(drawn, schema):
    """By unit: the rows of each table as plain tuples, owners and earlier rows by their place within the unit."""
    unit_of = {schema.unit: np.arange(UNITS)}
    place = {schema.unit: np.zeros(UNITS, dtype=int)}
    out = [{} for _ in range(UNITS)]
    for name, owner in schema.graph.owners.items():
        rows = drawn.tables[name]
        unit_of[name] = unit_of[owner][rows.owner]
        assert (np.diff(unit_of[name]) >= 0).all()
        place[name] = np.arange(len(rows)) - np.searchsorted(unit_of[name], unit_of[name])
    for name, owner in schema.graph.owners.items():
        rows = drawn.tables[name]
        for i in range(len(rows)):
            links = []
            for k, points in sorted(rows.links.items()):
                link, at = schema.tables[name].links[k], int(points[i])
                inside = link.kind == "earlier" and at >= 0
                if inside:
                    assert unit_of[link.to][at] == unit_of[name][i]
                links.append(int(place[link.to][at]) if inside else at)
            one = (int(place[owner][rows.owner[i]]), int(rows.start[i]), int(rows.until[i]), tuple(links))
            values = (tuple(rows.rows.cat[i].tolist()), tuple(rows.rows.num[i].tolist()))
            out[unit_of[name][i]].setdefault(name, []).append((*one, *values))
    return out


@given(seed=st.integers(0, 10**6))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_unit_holds_what_it_held_in_its_draw(seed):
    world = make_world(np.random.default_rng(seed))
    schema = LinkedSchema.parse(world.schema)
    synthesizer = LinkedSynthesizer(schema, "independent", seed=1, device="cpu").fit(plain_frames(world))
    made = list(draws(synthesizer, seed))
    which = np.random.default_rng(seed).integers(0, len(made), UNITS)
    found, each = told(chosen_units(made, which, np.arange(UNITS), schema), schema), [told(one, schema) for one in made]
    assert found == [each[k][i] for i, k in enumerate(which)]


@given(seed=st.integers(0, 10**6))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_some_units_of_one_draw_in_any_order(seed):
    world = make_world(np.random.default_rng(seed))
    schema = LinkedSchema.parse(world.schema)
    synthesizer = LinkedSynthesizer(schema, "independent", seed=1, device="cpu").fit(plain_frames(world))
    (made,) = draws(synthesizer, seed, many=1)
    some = np.random.default_rng(seed).permutation(UNITS)[:5]
    found = chosen_units([made], np.zeros(5, dtype=np.int64), some, schema)
    whole = told(made, schema)
    assert told(found, schema)[:5] == [whole[i] for i in some]


def test_all_of_one_draw_is_that_draw():
    world = make_world(np.random.default_rng(4))
    schema = LinkedSchema.parse(world.schema)
    synthesizer = LinkedSynthesizer(schema, "independent", seed=1, device="cpu").fit(plain_frames(world))
    made = list(draws(synthesizer, 9))
    same = chosen_units(made, np.full(UNITS, 1), np.arange(UNITS), schema)
    for name, rows in made[1].tables.items():
        assert torch.equal(same.tables[name].rows.cat, rows.rows.cat)
        assert torch.equal(same.tables[name].rows.num, rows.rows.num)
        assert same.tables[name].owner.tolist() == rows.owner.tolist()
        assert {k: v.tolist() for k, v in same.tables[name].links.items()} == {
            k: v.tolist() for k, v in rows.links.items()
        }


@pytest.mark.parametrize("units", [0, 1])
def test_of_hardly_any_unit(units):
    world = make_world(np.random.default_rng(4))
    schema = LinkedSchema.parse(world.schema)
    synthesizer = LinkedSynthesizer(schema, "independent", seed=1, device="cpu").fit(plain_frames(world))
    encoder, model = synthesizer._fitted()
    roots = sample_valid_rows(units, encoder.root, model.root, Seeds(1))
    made = [model.sample(encoder, RootFacts.of(encoder, roots), torch.Generator().manual_seed(k)) for k in range(2)]
    found = chosen_units(made, np.ones(units, dtype=np.int64), np.arange(units), schema)
    assert {n: len(rows) for n, rows in found.tables.items()} == {n: len(rows) for n, rows in made[1].tables.items()}
