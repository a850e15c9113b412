"""Stacked tables against the tables they were taken apart from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from linked_worlds import make_world, plain_frames

from synthkit.errors import TableError
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables
from synthkit.tables.stacked_tables import stacked


@pytest.mark.parametrize("seed", range(12))
def test_parts_stacked_are_the_tables_they_were_taken_from(seed):
    world = make_world(np.random.default_rng(seed))
    schema = LinkedSchema.parse(world.schema)
    whole = LinkedTables.of(plain_frames(world), schema)
    units = len(whole.frames[schema.unit])
    order = np.random.default_rng(seed).permutation(units)
    apart = [whole.take(part) for part in np.array_split(order, 3)]
    found, expected = stacked(apart), whole.take(order)
    for name, frame in expected.frames.items():
        pd.testing.assert_frame_equal(found.frames[name], frame)
        assert (found.units[name] == expected.units[name]).all()
    for name, owners in expected.owners.items():
        assert (found.owners[name] == owners).all()
    for link, rows in expected.earlier.items():
        name, k = link
        to = schema.tables[name].links[k].to
        if to not in expected.shared and schema.tables[name].links[k].kind != "peer":  # peers may stand in another part
            assert (found.earlier[link] == rows).all(), link


def test_one_part_is_itself_and_none_is_refused(clinic_tables):
    assert stacked([clinic_tables]) is clinic_tables
    with pytest.raises(TableError, match="must be of one schema, one set at least; however: they are not"):
        stacked([])
    other = replace(clinic_tables, schema=clinic_tables.schema.model_copy(update={"name": "another"}))
    with pytest.raises(TableError, match="of one schema"):
        stacked([clinic_tables, other])


@pytest.fixture
def clinic_tables():
    world = make_world(np.random.default_rng(1))
    return LinkedTables.of(plain_frames(world), LinkedSchema.parse(world.schema))
