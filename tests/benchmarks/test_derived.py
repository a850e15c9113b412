"""Tables made of others are those their schemas describe."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import ROOT

from benchmarks.tables import derived, derived_tables
from synthkit.schema import Numeric, Schema
from synthkit.schema.public_domain import declared_domain

DATA = os.environ.get("SYNTHKIT_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="SYNTHKIT_DATA does not name the folder of the real tables")
SCHEMA = Schema.load(ROOT / "schemas" / "diabetes130_dp46.yaml")


def test_the_whole_domain_of_the_46_columns_is_public():
    assert len(SCHEMA.learned) == len(SCHEMA.columns) == 46
    assert SCHEMA.unit is None
    assert declared_domain(SCHEMA).unknown == {}
    numbers = [c for c in SCHEMA.columns.values() if isinstance(c, Numeric)]
    assert all(c.min is not None and c.max is not None for c in numbers)


def test_chapters_begin_and_end_where_the_classification_says():
    codes = ["1", "139", "140", "239", "240", "250.83", "279", "580", "799", "800", "999", "V57", "E849", None]
    told = ["001-139"] * 2 + ["140-239"] * 2 + ["240-279"] * 3 + ["580-629", "780-799"] + ["800-999"] * 2
    assert derived_tables.chapters(pd.Series(codes)).tolist() == [*told, "V", "E", None]
    every = derived_tables.chapters(pd.Series([str(k) for k in range(1, 1000)])).unique().tolist()
    assert [*every, "V", "E"] == list(SCHEMA.columns["diag_1"].levels)


@needs_data
def test_the_real_table_is_the_one_described():
    raw = pd.read_parquet(Path(str(DATA)) / "diabetes130" / "diabetic_data.parquet")
    table = derived_tables.diabetes130_dp46(raw)
    assert list(table.columns) == list(SCHEMA.columns)
    assert [c for c, kind in SCHEMA.columns.items() if not kind.admits(table[c]).all()] == []
    assert [r.sentence for r in SCHEMA.rules if not np.asarray(r.holds(table)).all()] == []
    assert [c for c, kind in SCHEMA.columns.items() if bool(table[c].isna().any()) != kind.nullable] == []


@needs_data
def test_both_parts_are_written_for_other_tools(tmp_path, capsys):
    derived.main(["diabetes130_dp46", "--out", str(tmp_path / "new")])
    train, holdout = (
        pd.read_parquet(tmp_path / "new" / f"diabetes130_dp46-{part}.parquet") for part in ("train", "holdout")
    )
    assert (len(train), len(train) + len(holdout)) == (round(0.7 * 101_766), 101_766)
    assert list(train.columns) == list(holdout.columns) == list(SCHEMA.columns)
    assert "diabetes130_dp46-train.parquet: 71,236 rows, 46 columns" in capsys.readouterr().out
