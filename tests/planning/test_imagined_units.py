"""Imagined units: within the bounds, linked as declared, in the laws that are told, and whatever a schema declares."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from bounded_hospital import BOUNDED, BOUNDS
from linked_worlds import make_world

from synthkit.encoding.units.learned_table import learned_tables
from synthkit.encoding.units.unit_clock import UnitClock
from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.planning.imagined_units import imagined_units, rows_of_owner, rows_of_unit
from synthkit.privacy.access.bounded_units import bounded_units, mapped_units
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.public_tables import declared_tables

SCHEMA = declared_tables(LinkedSchema.parse(BOUNDED))


def made(units=800, means=None, tie=0.0, schema=SCHEMA, seed=1):
    return imagined_units(schema, units, means or {}, tie, np.random.default_rng(seed))


def test_owners_have_any_number_of_rows_up_to_the_bound():
    frames = made(4000)
    many = frames["visits"]["patient"].value_counts().reindex(frames["patients"]["patient"], fill_value=0)
    assert many.max() == 3
    assert np.bincount(many) / 4000 == pytest.approx([0.25] * 4, abs=0.03)
    labs = frames["labs"]["visit"].value_counts()
    assert labs.max() == 6
    assert len(frames["labs"]) / len(frames["visits"]) == pytest.approx(3, rel=0.05)


def test_a_stated_mean_is_that_of_a_unit():
    """Geometric numbers: 2 notes in the mean leave a third of the patients without; the bound of 5 cuts few off."""
    frames = made(4000, {"notes": 1.0, "labs": 3.0})
    notes = frames["notes"]["patient"].value_counts().reindex(frames["patients"]["patient"], fill_value=0)
    assert (notes == 0).mean() == pytest.approx(1 / 2, abs=0.03)
    assert notes.mean() == pytest.approx(1.0, abs=0.07)
    assert len(frames["labs"]) / 4000 == pytest.approx(3.0, rel=0.1)
    assert rows_of_unit("labs", SCHEMA, {"labs": 3.0}) == 3.0
    assert rows_of_owner("labs", SCHEMA, {"labs": 3.0}) == 2.0
    assert rows_of_unit("labs", SCHEMA, {}) == 1.5 * 3


def test_where_the_unit_alone_is_bounded_it_has_half_as_many():
    said = deepcopy(BOUNDED)
    del said["tables"]["labs"]["links"][0]["max_rows_per_owner"]
    schema = declared_tables(LinkedSchema.parse(said))
    frames = made(3000, schema=schema)
    assert len(frames["labs"]) / 3000 == pytest.approx(6, rel=0.1)
    bounded = bounded_units(frames, schema)
    assert np.bincount(bounded.units["labs"]).max() == 12


def test_links_name_rows_of_the_same_unit_and_nothing_is_mapped():
    """Nobody is an orphan, and every cell lies in the public domain: what a run would change is nothing."""
    frames = made()
    found = mapped_units(frames, SCHEMA)
    assert {name: dict(each) for name, each in found.changed.items() if name != "notes"} == {}
    visits, labs, notes = frames["visits"].set_index("visit"), frames["labs"], frames["notes"]
    assert (visits.loc[labs["visit"], "patient"].to_numpy() == labs["patient"].to_numpy()).all()
    there = notes[notes["visit"].notna()]
    assert 0 < len(there) < len(notes)
    assert (visits.loc[there["visit"], "patient"].to_numpy() == there["patient"].to_numpy()).all()
    assert set(labs["test"]) == set(frames["tests"]["test"]) == {"crea", "hb"}
    stay = visits.loc[labs["visit"]]
    taken = labs["taken"].astype("datetime64[us]").to_numpy()
    assert (stay["admitted"].astype("datetime64[us]").to_numpy() <= taken).all()
    assert (taken <= stay["left"].astype("datetime64[us]").to_numpy()).all()


def test_cells_keep_their_laws_and_follow_their_unit_as_told():
    for tie in (0.0, 1.0):
        frames = made(3000, tie=tie)
        told = frames["notes"]
        assert told["told"].value_counts(normalize=True).reindex(["well", "ill", "worse"]).to_numpy() == pytest.approx(
            np.array([6, 3, 2]) / 11, abs=0.02
        )
        sex = frames["patients"].set_index("patient")["sex"].reindex(told["patient"]).to_numpy()
        share = pd.crosstab(sex, told["told"].to_numpy(), normalize="index")
        apart = 0.5 * abs(share.iloc[0] - share.iloc[1]).sum()
        assert apart < 0.05 if tie == 0 else apart > 0.5
    born = frames["patients"]["born"]
    assert born.isna().mean() == pytest.approx(0.05, abs=0.02)
    assert born.min() >= 1900


@pytest.mark.parametrize("seed", range(12))
def test_whatever_a_schema_declares_can_be_imagined(seed):
    """Random schemas of many shapes, with a bound for each owner."""
    world = make_world(np.random.default_rng(seed), units=5)
    said = deepcopy(world.schema)
    said["declared_by"] = "the test: made-up people"
    said["tables"] = {n: t for n, t in said["tables"].items() if t.get("role") != "shared"}
    for table in said["tables"].values():
        links = [link for link in table.get("links", []) if link["to"] in said["tables"] and link["kind"] != "peer"]
        bounded = [{**li, "max_rows_per_owner": 4} if li["kind"] == "owner" else li for li in links]
        table.update({"links": bounded} if "links" in table else {})
    schema = declared_tables(LinkedSchema.parse(said))
    frames = made(30, schema=schema, seed=seed)
    assert {n: list(f) for n, f in frames.items() if schema.tables[n].columns} == {
        n: list(t.columns) for n, t in schema.tables.items() if t.columns
    }
    tables = bounded_units(frames, schema)
    assert len(tables.frames[schema.unit]) == 30
    clock = UnitClock.of(schema)
    UnitFrames.of(tables, learned_tables(schema, clock), clock)


def test_the_bounds_are_those_of_the_hospital():
    assert {name: rows_of_unit(name, SCHEMA, {}) for name in ("visits", "notes")} == {"visits": 1.5, "notes": 2.5}
    assert BOUNDS["visits"] == 3
