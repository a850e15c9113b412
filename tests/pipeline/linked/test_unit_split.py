"""Splits of linked tables by their units."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small_hospital import SMALL, small_hospital

from synthkit.errors import TableError
from synthkit.pipeline.linked.unit_split import UnitSplit, split_units, unit_schema
from synthkit.pipeline.split import Split
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
