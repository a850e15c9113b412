"""The demo data: the published table, unchanged, linked tables of made-up patients, and their schemas."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.tables.shipped_synthea import read_synthea, small_synthea
from synthkit.data import DEMO_FILES, SYNTHEA_FOLDER, path, support2, support2_schema, synthea, synthea_schema
from synthkit.errors import TableError
from synthkit.schema.linked.validate_linked import validate_linked
from synthkit.tables.contradictions import count_contradictions
from synthkit.tables.linked_tables import LinkedTables


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
    assert path(name).exists()


def test_a_file_that_is_not_in_the_package_is_refused():
    with pytest.raises(TableError, match=r"must be one of .*; however: mimic\.parquet"):
        path("mimic.parquet")


def test_the_linked_tables_and_their_schema_belong_together():
    """Every key, rule and contradiction; 115 patients, of whom 15 died (counted in the tables of that run)."""
    tables, schema = synthea(), synthea_schema()
    assert list(tables) == list(schema.tables)
    found = validate_linked(tables, schema)
    assert found.success, str(found)
    assert sum(link.dangling for link in found.links) == 0
    assert tables["patients"]["died"].notna().sum() == 15
    assert count_contradictions(LinkedTables.of(tables, schema)).contradicted == 0


def test_the_linked_tables_are_small():
    assert sum(file.stat().st_size for file in path(SYNTHEA_FOLDER).iterdir()) < 400_000


@pytest.mark.skipif("SYNTHKIT_DATA" not in os.environ, reason="SYNTHKIT_DATA does not name the folder of real tables")
def test_the_linked_tables_are_what_the_script_makes(tmp_path):
    made = small_synthea(read_synthea(Path(os.environ["SYNTHKIT_DATA"]) / "synthea_ma"))
    for name, frame in synthea().items():
        made[name].to_parquet(tmp_path / name)
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / name), frame)
