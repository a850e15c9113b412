"""Declared bounds of moments hold beside all other rules: drawn inside of them, not brought there afterwards."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from linked_checks import broken
from linked_graphs import random_schema, random_tables
from linked_worlds import World, make_world, plain_frames
from small_hospital import SMALL, small_hospital
from small_hospital import broken as broken_hospital

from synthkit.encoding.units.learned_table import learned_tables
from synthkit.encoding.units.moment_bounds import MomentBounds, moments_beside, owned_between
from synthkit.encoding.units.unit_clock import LATEST, MISSING_TICK, UnitClock
from synthkit.errors import SchemaError
from synthkit.schema.columns import Datetime, Numeric
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.validate_linked import validate_linked
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

MOMENTS = ("start", "until", "moment", "end", "stop", "t", "u")
FEW = {"steps": 2, "root_steps": 2, "width": 16, "hidden": 8, "mixed": 8}
slow = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
models = pytest.mark.parametrize("model", ["independent", "timeline"])


def with_bounds(document: dict, frames: dict[str, pd.DataFrame]) -> dict:
    """A schema whose moments have the bounds of the cells that are there, as drafts have."""
    out = copy.deepcopy(document)
    for name, table in out["tables"].items():
        for column, kind in table.get("columns", {}).items():
            cells = frames[name][column].dropna() if column in MOMENTS and kind["kind"] != "identifier" else []
            if len(cells):
                low, high = cells.min(), cells.max()
                whole = kind["kind"] == "numeric"
                kind |= {"min": int(low) if whole else str(low), "max": int(high) if whole else str(high)}
    return out


def outside(document: dict, frames: dict[str, pd.DataFrame]) -> list[str]:
    """Columns with cells outside their bounds, told without the package."""
    found = []
    for name, table in document["tables"].items():
        for column, kind in table.get("columns", {}).items():
            if {"min", "max"} <= set(kind) and column in MOMENTS:
                cells = frames[name][column].dropna()
                low, high = (pd.Timestamp(x) if isinstance(x, str) else x for x in (kind["min"], kind["max"]))
                found += [f"{name}.{column}"] if ((cells < low) | (cells > high)).any() else []
    return found


def drawn(document: dict, frames: dict[str, pd.DataFrame], model: str, seed: int) -> dict[str, pd.DataFrame]:
    """From a model that was hardly trained: what holds, holds by construction."""
    chosen = FEW if model == "timeline" else {}
    made = LinkedSynthesizer(LinkedSchema.parse(document), model, seed=1, device="cpu", settings=chosen)
    return made.fit(frames).sample(30, seed=seed)


@models
@given(seed=st.integers(0, 10**6))
@slow
def test_worlds_with_bounds_on_every_moment_keep_all_rules(model: str, seed: int) -> None:
    """Order, stays, ends and links hold inside the bounds, told by a checker that shares no code."""
    world: World = make_world(np.random.default_rng(seed))
    frames = plain_frames(world)
    document = with_bounds(world.schema, frames)
    found = drawn(document, frames, model, seed)
    assert outside(document, found) == []
    assert broken(world, found) == []


@given(seed=st.integers(0, 10**6))
@slow
def test_graphs_with_bounds_on_every_moment_keep_their_schema(seed: int) -> None:
    """Moments by the second, ends that may be missing, rules of the schema itself."""
    schema = random_schema(seed)
    frames = random_tables(schema, 25, seed)
    document = with_bounds(schema.model_dump(mode="json", by_alias=True, exclude_none=True), frames)
    found = drawn(document, frames, "independent", seed)
    assert outside(document, found) == []
    assert validate_linked(found, LinkedSchema.parse(document)).success


@models
def test_stays_that_all_begin_within_a_week(model: str) -> None:
    """The small hospital, of which only some years are admitted: narrow bounds, many stays, none overlaps."""
    frames = small_hospital(80)
    end = frames["visits"]["admitted"].sort_values().iloc[-20]
    frames["visits"] = frames["visits"][frames["visits"]["left"] <= end]
    frames["labs"] = frames["labs"][frames["labs"]["taken"] >= end]
    document = copy.deepcopy(SMALL)
    visits, labs = (document["tables"][name]["columns"] for name in ("visits", "labs"))
    for columns, table in ((visits, "visits"), (labs, "labs")):
        for column in {"admitted", "left", "taken"} & set(columns):
            cells = frames[table][column]
            columns[column] = {**columns[column], "min": str(cells.min()), "max": str(cells.max())}
    for seed in range(3):
        found = drawn(document, frames, model, seed)
        assert broken_hospital(found, units=30) == []
        assert validate_linked(found, LinkedSchema.parse(document)).success


def test_bounds_in_ticks_are_those_of_the_column_moved_inwards() -> None:
    """Against numbers worked out by hand: hours of the clock, days and quarters of the column."""
    clock = UnitClock(moments=True, tick=3_600_000_000, timed=())
    day = Datetime(precision="day", min="1970-01-02T06:00:00", max="1970-01-05T06:00:00")
    assert clock.bounds(day) == (48, 96)
    assert clock.bounds(Datetime(precision="hour", min="1970-01-02T06:00:00", max="1970-01-03"))[0] == 30
    numbers = UnitClock(moments=False, tick=1, timed=())
    assert numbers.bounds(Numeric(min=0.25, max=0.75, decimals=1)) == (3, 7)
    assert numbers.bounds(Numeric(min=-2.5, max=2.5, decimals=0)) == (-20, 20)
    assert numbers.bounds(Numeric()) == (-LATEST, LATEST)


def test_a_row_begins_where_it_can_end_and_its_other_moments_can_follow() -> None:
    """Days that are numbers: bounds of the end, and of a number that is not before the beginning, bound it."""
    link = [{"columns": ["id"], "to": "people", "kind": "owner"}]
    day, name = {"kind": "numeric", "decimals": 0}, {"kind": "identifier"}
    columns = {"id": name, "a": {**day, "min": 0, "max": 90}, "b": {**day, "min": 5, "max": 80}}
    columns["seen"] = {**day, "max": 70}
    stays = {"links": link, "order": {"from": "a", "until": "b"}, "columns": columns}
    stays["rules"] = [{"rule": "comparison", "left": "a", "op": "<", "right": "seen"}]
    people = {"key": ["id"], "columns": {"id": name}}
    schema = LinkedSchema.parse({"unit": "people", "tables": {"people": people, "stays": stays}})
    clock = UnitClock.of(schema)
    learned = learned_tables(schema, clock)
    bounds = MomentBounds.of(learned["stays"], clock)
    assert (bounds.low, bounds.high, bounds.until_low, bounds.until_high) == (0, 69, 5, 80)
    assert bounds.must_end
    assert bounds.declared
    assert MomentBounds.of(learned["people"], clock) == MomentBounds()
    low, high = owned_between([bounds, MomentBounds(low=-3, high=10)], np.array([[1, 0], [1, 1], [0, 0]], dtype=bool))
    assert low.tolist() == [0, -3, -LATEST]
    assert high.tolist() == [69, 69, LATEST]


@pytest.mark.parametrize("kind", ["datetime", "numeric"])
def test_bounds_that_leave_no_end_are_said(kind: str) -> None:
    """Rows that begin after the last moment at which they may end cannot be; they can if the end may be missing."""
    low, high = ("2020-01-02", "2020-01-01") if kind == "datetime" else (5, 4)
    document = copy.deepcopy(SMALL)
    columns = document["tables"]["visits"]["columns"]
    columns |= {"admitted": {"kind": kind, "min": low}, "left": {"kind": kind, "max": high, "nullable": True}}
    del document["tables"]["labs"]
    LinkedSchema.parse(document)
    columns["left"]["nullable"] = False
    with pytest.raises(SchemaError, match="`order` needs rows that can end, for `left` is never missing"):
        LinkedSchema.parse(document)


def test_units_with_an_order_of_their_own_bound_their_rows() -> None:
    """No row before its unit begins, none after the stay it lies within ends, also where that is the unit's own."""
    rng = np.random.default_rng(2)
    day, name = {"kind": "numeric", "decimals": 0}, {"kind": "identifier"}
    people = {"key": ["id"], "order": {"from": "born", "until": "dead"}}
    people["columns"] = {"id": name, "born": day, "dead": day}
    seen = {"links": [{"columns": ["id"], "to": "people", "kind": "owner"}], "order": {"from": "at"}}
    seen["columns"] = {"id": name, "at": day}
    document = {"unit": "people", "tables": {"people": people, "seen": seen}}
    document["rules"] = [{"rule": "within", "table": "seen", "of": "people"}]
    born = rng.integers(0, 900, 60)
    who = np.repeat(np.arange(60), rng.integers(0, 5, 60))
    frames = {
        "people": pd.DataFrame({"id": np.arange(60), "born": born, "dead": born + 50}),
        "seen": pd.DataFrame({"id": who, "at": born[who] + rng.integers(0, 50, len(who))}),
    }
    found = drawn(document, frames, "independent", 3)
    joined = found["seen"].merge(found["people"], on="id")
    assert len(joined) > 5
    assert ((joined["born"] <= joined["at"]) & (joined["at"] <= joined["dead"])).all()
    assert (found["people"]["born"] <= found["people"]["dead"]).all()


def test_moments_beside_a_row_lie_inside_bounds_and_rules() -> None:
    """Not before the row and not after the last day; missing where that leaves nothing."""
    clock = UnitClock(moments=True, tick=86_400_000_000, timed=())
    column = Datetime(precision="day", min="1970-01-03", max="1970-01-11", nullable=True)
    start, away = np.array([0, 5, 9, 12, 4]), np.array([1, 2, 7, 3, MISSING_TICK])
    found = moments_beside(start, away, Numeric(decimals=0, min=0), column, clock)
    assert found.tolist() == [2, 7, 10, MISSING_TICK, MISSING_TICK]
    before = moments_beside(start, -away, Numeric(decimals=0, max=0), column, clock)
    assert before[:4].tolist() == [MISSING_TICK, 3, 2, 9]
