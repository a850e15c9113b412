"""The demo data: the published table, unchanged, and its schema."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from synthkit.data import DEMO_FILES, path, support2, support2_schema
from synthkit.errors import TableError


def test_the_counts_are_the_published_ones():
    """9,105 patients, of whom 6,201 died during follow-up (UCI 880)."""
    table = support2()
    assert table.shape == (9105, 48)
    assert int(table["death"].sum()) == 6201


@pytest.mark.skipif("SYNTHKIT_DATA" not in os.environ, reason="SYNTHKIT_DATA does not name the folder of real tables")
def test_no_cell_was_changed():
    original = pd.read_parquet(Path(os.environ["SYNTHKIT_DATA"]) / "support2" / "support2.parquet")
    pd.testing.assert_frame_equal(support2(), original)


def test_the_table_and_the_schema_belong_together():
    table, schema = support2(), support2_schema()
    assert list(table.columns) == list(schema.columns)
    assert all(kind.admits(table[c]).all() for c, kind in schema.columns.items())
    assert all(rule.holds(table).all() for rule in schema.rules)


@pytest.mark.parametrize("name", DEMO_FILES)
def test_the_files_are_on_disk(name):
    assert path(name).is_file()


def test_a_file_that_is_not_in_the_package_is_refused():
    with pytest.raises(TableError, match=r"must be one of .*; however: mimic\.parquet"):
        path("mimic.parquet")
