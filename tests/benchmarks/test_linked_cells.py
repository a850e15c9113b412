"""Linked cells: what peers are handed comes back as the same tables, a cell is made once, scores are of its tables."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.linked import linked_cells, linked_exchange, linked_scoring, linked_sources
from benchmarks.linked.linked_exchange import Completion
from benchmarks.linked.linked_job import OWNER, ROW
from benchmarks.linked.linked_ours import LINKED_PROGRAM
from benchmarks.linked.linked_plan import linked_ours, linked_peers
from benchmarks.measure import cells
from benchmarks.measure.cells import Contestant
from synthkit.metrics.linked.event_types import EventTypes
from synthkit.metrics.linked.linked_side import LinkedSide
from synthkit.tables.linked_tables import LinkedTables

needs_data = pytest.mark.skipif("SYNTHKIT_DATA" not in os.environ, reason="SYNTHKIT_DATA names no folder of tables")
TINY = {"steps": 2, "root_steps": 2, "width": 8, "hidden": 4, "mixed": 8, "classes": 1}
ECHO = """
import json, sys
import pandas as pd
job = json.loads(open(sys.argv[1]).read())
for name, path in job["tables"].items():
    from pathlib import Path
    Path(job["synthetic"]).mkdir(exist_ok=True)
    pd.read_parquet(path).to_parquet(f"{job['synthetic']}/{name}.parquet", index=False)
took = {"wall": 1, "cpu": 1, "others": 0, "peak_mib": 1}
result = {"fit": took, "draw": {"units": job["units"], "rows": 1, **took}, "about": {}}
open(job["result"], "w").write(json.dumps(result))
"""


@pytest.fixture
def cell(tmp_path, monkeypatch):
    """A cell of the timeline on few patients of the made hospital, work files in a folder of the test."""
    monkeypatch.setattr(cells, "BENCH", tmp_path / "work")
    who = Contestant(name="timeline", program=LINKED_PROGRAM, version="1", settings=TINY)
    return linked_cells.LinkedCell(who=who, table="made_hospital", seed=0, rows=30)


@pytest.fixture(scope="module")
def parts():
    return linked_sources.made(40)


def echo(tmp_path, cell):
    """A peer that answers with what it was handed."""
    program = tmp_path / "echo.py"
    program.write_text(ECHO)
    folder = tmp_path / "work" / "peer" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (folder / "python").chmod(0o755)
    who = Contestant(name="peer-echo", program=(str(program),), version="1", environment="peer")
    return replace(cell, who=who)


def test_what_peers_are_handed_are_the_same_tables_again(parts):
    """Keys are renamed, links to earlier rows are lost: nothing else is."""
    completion = Completion(parts.train)
    drawn = LinkedTables.of(completion.completed(linked_exchange.plain_tables(parts.train)), parts.schema)
    assert (completion.moved, completion.lost) == ({}, 0)
    for name in parts.schema.graph.records:
        columns = list(linked_exchange.handed(parts.schema, name))
        pd.testing.assert_frame_equal(drawn.frames[name][columns], parts.train.frames[name][columns])
        if name in parts.train.owners:
            np.testing.assert_array_equal(drawn.owners[name], parts.train.owners[name])
    assert drawn.frames["labs"]["visit_id"].isna().all()
    side = LinkedSide(drawn, EventTypes.fit(parts.train))
    assert sum(linked_scoring.broken(side).values()) == 0


def test_rows_of_nobody_are_left_out_and_numbers_moved(parts):
    frames = linked_exchange.plain_tables(parts.train)
    frames["labs"].loc[0, OWNER] = -5
    frames["labs"].loc[1, "value"] = -3.04
    completion = Completion(parts.train)
    done = completion.completed(frames)
    assert completion.lost == 1
    assert len(done["labs"]) == len(frames["labs"]) - 1
    assert completion.moved == {"labs": 1}
    assert done["labs"]["value"].min() == 0


def test_rows_that_a_peer_draws_in_any_order_are_put_in_theirs(parts):
    frames = linked_exchange.plain_tables(parts.train)
    shuffled = {name: frame.sample(frac=1, random_state=3) for name, frame in frames.items()}
    done = LinkedTables.of(Completion(parts.train).completed(shuffled), parts.schema)
    side = LinkedSide(done, EventTypes.fit(parts.train))
    assert sum(linked_scoring.broken(side).values()) == 0
    assert {n: len(f) for n, f in done.frames.items()} == {n: len(f) for n, f in frames.items()}


def test_a_unit_without_columns_is_handed_as_numbers():
    schema = linked_sources.LinkedSchema.load(linked_sources.LINKED_SCHEMAS / "prize_sequential.yaml")
    assert linked_exchange.handed(schema, "groups") == {}
    assert [each["owner"] for each in linked_exchange.graph(schema)] == [None, "groups"]


def test_a_cell_is_made_once_and_scored(cell, tmp_path):
    folders = tmp_path / "cells", tmp_path / "scores"
    made = linked_cells.run_linked(cell, folders[0])
    assert made["finished"], (cell.scratch / "log.txt").read_text()
    assert made["draw"]["units"] == 30
    assert made["whole"]["cpu"] >= made["fit"]["cpu"] > 0
    assert made["whole"]["peak_mib"] >= made["fit"]["peak_mib"]
    assert cell.done(folders[0])
    assert not replace(cell, rows=None).done(folders[0])
    assert cell.key == "timeline-s0-1t-30u"
    assert not linked_scoring.is_scored(cell, folders[1], folders[0])
    scored = linked_scoring.score_linked(cell, folders[1])
    assert linked_scoring.is_scored(cell, folders[1], folders[0])
    assert sum(scored["broken"].values()) == 0
    assert {"fidelity.unit_c2st", "fidelity.gap_ks", "fidelity.transitions_tv"} <= set(scored["scores"])


def test_real_units_in_the_place_of_a_peer_score_as_real(cell, tmp_path):
    peer = echo(tmp_path, cell)
    made = linked_cells.run_linked(peer, tmp_path / "cells")
    assert made["finished"], (peer.scratch / "log.txt").read_text()
    scored = linked_scoring.score_linked(peer, tmp_path / "scores")
    assert scored["cells_moved"] == {}
    for name in ("fidelity.gap_ks", "fidelity.transitions_tv", "fidelity.lag_one"):
        found = scored["scores"][name]
        assert found["value"] == pytest.approx(found["reference"])  # training rows against the holdout, both


def test_who_takes_too_long_or_fails_is_recorded(cell, tmp_path, monkeypatch):
    endless, broken = tmp_path / "endless.py", tmp_path / "broken.py"
    endless.write_text("while True: pass\n")
    broken.write_text("raise SystemExit(3)\n")
    monkeypatch.setattr(cells, "HOURS", 1 / 3600)
    slow = linked_cells.run_linked(replace(cell, who=replace(cell.who, program=(str(endless),))), tmp_path)
    assert not slow["finished"]
    assert slow["return_code"] in (-24, -9)
    failed = replace(cell, who=replace(cell.who, program=(str(broken),)))
    assert linked_cells.run_linked(failed, tmp_path)["return_code"] == 3
    assert failed.state(tmp_path) == "failed"


@needs_data
def test_what_was_published_is_a_cell_without_a_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "BENCH", tmp_path / "work")
    (published,) = [c for c in linked_peers([0]) if c.who.name == "published-argn"]
    made = linked_cells.run_linked(published, tmp_path / "cells")
    assert made["finished"]
    assert "fit" not in made
    assert published.done(tmp_path / "cells")
    frames = published.tables()
    assert set(frames) == {"players", "fielding"}
    assert not {"nameFirst", "birthDate"} & set(frames["players"])


@needs_data
def test_nobody_who_was_trained_on_is_held_out():
    players = linked_sources.baseball(None)
    train, holdout = (side.frames["players"]["playerID"] for side in (players.train, players.holdout))
    assert (len(train), len(holdout)) == (10_000, 4_923)
    assert not set(train) & set(holdout)
    groups = linked_sources.prize_sequential(None)
    assert [len(side.frames["groups"]) for side in (groups.train, groups.holdout)] == [20_000, 20_000]
    assert [len(side.frames["rows"]) for side in (groups.train, groups.holdout)] == [154_456, 154_433]


@needs_data
def test_encounters_are_those_of_the_table():
    halves = linked_sources.diabetes130(None)
    sides = (halves.train, halves.holdout)
    assert sum(len(side.frames["encounters"]) for side in sides) == 101_766
    people = pd.concat([side.frames["patients"] for side in sides])
    assert people["patient_nbr"].nunique() == len(people) == 71_518
    assert (len(halves.train.frames["patients"]), len(halves.schema.contradictions)) == (35_759, 7)
    raw = pd.read_parquet(linked_sources.data("diabetes130/diabetic_data.parquet"))
    told = raw.groupby("patient_nbr")["gender"].agg(set)
    assert people["gender"].isna().sum() == (told.map(len) > 1).sum() == 3


def test_others_come_first_and_trials_have_no_published_tables():
    every = list(linked_peers([0, 1]))
    assert sum(c.is_published for c in every) == 5
    assert not any(c.is_published for c in linked_peers([0], units=50))
    assert {c.table for c in linked_ours([0])} == set(linked_sources.SOURCES)
    assert len({(c.table, c.key) for c in every}) == len(every)


def test_total_variation_is_that_of_counts():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, 300), rng.integers(1, 7, 200)
    shares = pd.concat([pd.Series(x).value_counts(normalize=True) for x in (a, b)], axis=1).fillna(0)
    assert linked_scoring.total_variation(a, b) == pytest.approx(shares.diff(axis=1).iloc[:, 1].abs().sum() / 2)


def test_rows_are_named_by_numbers(parts):
    frames = linked_exchange.plain_tables(parts.train)
    assert all(frame[ROW].is_unique for frame in frames.values())
    assert OWNER not in frames["patients"]
