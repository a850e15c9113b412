"""Linked schemas of real hospitals tell the truth about all their tables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from places import ROOT

from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.validate_linked import validate_linked
from synthkit.tables.linked_files import read_linked
from synthkit.tables.linked_tables import LinkedTables

FOLDER = ROOT / "benchmarks" / "linked" / "schemas"
DATA = os.environ.get("SYNTHKIT_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="SYNTHKIT_DATA does not name the folder of the real tables")
SIZES = {"mimic3_demo": (23, 100), "synthea_ma": (16, 115), "synthea_omop_27nj": (16, 28)}


@needs_data
@pytest.mark.parametrize(
    "name", [pytest.param("mimic3_demo", marks=pytest.mark.slow), "synthea_ma", "synthea_omop_27nj"]
)
def test_every_table_keeps_the_whole_of_its_schema(name):
    schema = LinkedSchema.load(FOLDER / f"{name}.yaml")
    cells = read_linked(Path(str(DATA)) / name, schema)
    found = validate_linked(cells.frames, schema)
    assert found.success, str(found)
    assert sum(link.dangling for link in found.links) == 0
    tables = LinkedTables.of(cells.frames, schema)
    assert (len(schema.tables), len(tables.frames[schema.unit])) == SIZES[name]
    assert {n: len(f) for n, f in tables.frames.items()} == {n: len(cells.frames[n]) for n in tables.frames}


@needs_data
def test_players_keep_theirs():
    schema = LinkedSchema.load(FOLDER / "baseball.yaml")
    folder = Path(str(DATA)) / "published_argn_baseball"
    places = {
        "players": folder / "baseball-players-train.parquet",
        "fielding": folder / "baseball-fielding-train.parquet",
    }
    tables = LinkedTables.of(read_linked(places, schema).frames, schema)
    assert tables.counts("fielding").sum() == 71_095
    assert (tables.counts("fielding") == 0).sum() == 190
