"""Splits of linked tables by their units."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small_hospital import SMALL, small_hospital

from synthkit.errors import TableError
from synthkit.metrics.linked.attacks.unit_targets import unit_rows
from synthkit.metrics.stats.distances import DistanceSpace
from synthkit.pipeline.linked.unit_split import UnitSplit, isolated_by_aggregates, split_units, unit_schema
from synthkit.pipeline.split import Shares, Split, draw_roles
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

TABLES = LinkedTables.of(small_hospital(200), LinkedSchema.parse(SMALL))


def test_no_unit_is_on_two_sides_and_none_of_the_reference_on_any():
    parts = split_units(TABLES, np.random.default_rng(1))
    train, held = (set(side.frames["patients"]["patient"]) for side in (parts.train, parts.holdout))
    roles = parts.roles.set_index("unit")["role"]
    assert not train & held
    assert train | held == set(roles.index[roles != "reference"])
    for side, units in ((parts.train, train), (parts.holdout, held)):
        assert set(side.frames["labs"]["patient"]) == units  # every patient has one
        whole = TABLES.frames["visits"]
        assert len(side.frames["visits"]) == whole["patient"].isin(units).sum()


def test_the_pool_is_attacked_with_all_its_rows_and_the_reference_was_never_trained_on():
    parts = split_units(TABLES, np.random.default_rng(1))
    roles = parts.roles.set_index("unit")
    train = set(parts.train.frames["patients"]["patient"])
    attacked = parts.pool.tables.frames["patients"]["patient"]
    assert set(attacked) == set(roles.index[roles["role"] == "pool"])
    assert (parts.pool.member == attacked.isin(train)).all()
    assert (roles["coin"].loc[attacked].to_numpy(dtype=bool) == parts.pool.member).all()
    reference = set(parts.pool.reference.frames["patients"]["patient"])
    assert reference == set(roles.index[roles["role"] == "reference"])
    assert not reference & (train | set(attacked))
    whole = TABLES.frames["labs"]["patient"]
    assert len(parts.pool.tables.frames["labs"]) == whole.isin(attacked).sum()


def test_isolated_are_those_whose_aggregates_are_far_from_their_five_nearest():
    drawn = draw_roles(
        TABLES.frames["patients"], unit_schema(TABLES.schema), np.random.default_rng(2), shares=Shares.of(200)
    )
    found = isolated_by_aggregates(drawn, TABLES, np.random.default_rng(3))
    assert found.roles[["unit", "role", "coin"]].equals(drawn.roles[["unit", "role", "coin"]])
    assert found.frame is drawn.frame
    rows, meaning = unit_rows(TABLES)
    space = DistanceSpace.fit(rows, meaning)
    at = space.coordinates(rows)
    apart = space.distances(at[:, None, :], at[None, :, :]) + np.where(np.eye(200), np.inf, 0)
    far = np.sort(apart, axis=1)[:, :5].mean(axis=1)
    pool = (found.roles["role"] == "pool").to_numpy()
    marked = found.roles["isolated"].fillna(value=False).to_numpy(dtype=bool)
    assert marked[pool].sum() == pool.sum() // 2
    assert far[marked].min() >= far[pool & ~marked].max() - 1e-5
    assert any(name.startswith("labs") for name in meaning.described)


def test_roles_that_were_kept_are_those_of_the_run_before():
    one = split_units(TABLES, np.random.default_rng(1))
    again = UnitSplit.of(TABLES, Split.from_roles(TABLES.frames["patients"], unit_schema(TABLES.schema), one.roles))
    assert (again.pool.member == one.pool.member).all()
    assert (again.pool.isolated == one.pool.isolated).all()


def test_a_key_of_several_parts_leaves_row_numbers():
    tables = {"people": {"key": ["a", "b"], "columns": {"a": {"kind": "identifier"}, "b": {"kind": "identifier"}}}}
    assert unit_schema(LinkedSchema.parse({"unit": "people", "tables": tables})).unit is None
    assert unit_schema(TABLES.schema).unit == "patient"


def test_a_split_that_holds_nobody_out_is_refused():
    frame = TABLES.frames["patients"]
    roles = pd.DataFrame(
        {
            "unit": frame["patient"],
            "role": "train",
            "coin": pd.array([pd.NA] * len(frame), dtype="boolean"),
            "isolated": pd.array([pd.NA] * len(frame), dtype="boolean"),
        }
    )
    with pytest.raises(TableError, match="at least 2 units must be held out; however: chance left 0 of 200"):
        UnitSplit.of(TABLES, Split.from_roles(frame, unit_schema(TABLES.schema), roles))
