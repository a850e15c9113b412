"""Each kind of damage is counted, row by row, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthkit.metrics.linked.key_integrity import integrity
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

RNG = np.random.default_rng


def broken(comparison):
    (score,), panels = integrity(comparison, RNG(0))
    return {f"{p['table']}: {p['kind']}": p["broken"] for p in panels["integrity"] if p["broken"]}, score


def test_nothing_is_broken_in_the_law_itself(compare, clinic, hospital):
    found, score = broken(compare(clinic(130, 3)))
    assert found == {}
    assert score.value == score.low == 0 < score.high < 0.05
    made = hospital(120, 3)
    assert broken(compare(made, train=hospital(100, 1), holdout=hospital(100, 2)))[0] == {}


CELLS = {
    "people: key": ("people", "id", 5, lambda frame: frame["id"].iloc[4]),
    "visits: owner link id to people": ("visits", "id", 2, lambda frame: "nobody"),
    "codes: implied link id to people": ("codes", "id", 0, lambda frame: "p0129"),
    "codes: link code to catalogue": ("codes", "code", 3, lambda frame: "zz"),
    "codes: position": ("codes", "n", 1, lambda frame: 17.0),
    "visits: stop not before start": ("visits", "stop", 1, lambda frame: -5.0),
    "labs: earlier link visit to visits": ("labs", "visit", 0, lambda frame: "v99999"),
    "visits: nothing after people.gone": ("visits", "start", -1, lambda frame: 1000.0),
    "people: people.paid = sum of visits.cost": ("people", "paid", 7, lambda frame: 1e6),
    "labs: nothing after people.gone": ("labs", "at", -1, lambda frame: 2000.0),
}


@pytest.mark.parametrize("what", CELLS)
def test_a_damaged_cell_is_found_whatever_positions_say(what, compare, clinic):
    """Cells are changed after keys were resolved, as a faulty model would write them."""
    table, column, row, value = CELLS[what]
    whole = clinic(130, 3)
    frame = whole.frames[table].copy()
    frame.iloc[row, frame.columns.get_loc(column)] = value(frame)
    found, score = broken(compare(replace(whole, frames={**whole.frames, table: frame})))
    assert found[what] >= 1
    assert score.value > 0
    assert score.low > 0


def test_overlaps_within_and_once_are_counted_by_row(compare, damaged):
    """All stays end a thousand later: of each person all but the first overlap."""
    late = damaged("visits", lambda f: f.assign(stop=f["stop"] + 100))
    found, _ = broken(compare(late))
    rows = late.frames["visits"]
    assert found["visits: no row of an owner begins before the one before has ended (stop)"] == int(
        rows["id"].duplicated().sum()
    )
    twice = damaged("codes", lambda f: f.assign(code="k0"))
    found, _ = broken(compare(twice))
    assert found["codes: codes of code once a unit where code in {k0}"] == int(
        twice.frames["codes"]["id"].duplicated().sum()
    )


def test_links_to_rows_of_others_or_that_are_over_are_counted(compare, damaged, frames):
    visits = frames(130, 3)["visits"]
    first = visits.drop_duplicates("id").set_index("id")["visit"]
    own = damaged("labs", lambda f: f.assign(visit=f["id"].map(first)))
    labs, stays = own.frames["labs"], visits.set_index("visit")
    told = labs[labs["visit"].notna()]
    at = told["at"].to_numpy()
    stay = stays.loc[told["visit"]]
    outside = (at < stay["start"].to_numpy()) | (at > stay["stop"].to_numpy())
    found, _ = broken(compare(own))
    assert found == dict.fromkeys(
        ("labs: earlier link visit to visits", "labs: labs within visits"), int(outside.sum())
    )
    others = damaged("labs", lambda f: f.assign(visit=visits["visit"].iloc[0]))
    strangers = int((others.frames["labs"]["id"] != visits["id"].iloc[0]).sum())
    assert broken(compare(others))[0]["labs: earlier link visit to visits"] >= strangers


def test_too_many_rows_of_an_owner_are_counted(compare, damaged):
    def crowd(frame):
        more = frame.iloc[[0] * 12].assign(visit=[f"w{k}" for k in range(12)], cost=0.0)
        more["start"] = 500.0 + 3 * np.arange(12)
        return pd.concat([frame, more.assign(stop=more["start"] + 1)])

    tables = damaged("visits", crowd)
    rows = tables.counts("visits")
    assert broken(compare(tables))[0] == {"visits: rows by owner": int((rows - 9).clip(0).sum())}


def test_days_are_no_instants_and_orders_may_be_written_before_the_stay():
    """By hand: a lab at noon of the day of admission, one of the day before, and an end told in days."""

    def side(before_owner):
        when = {"kind": "datetime", "precision": "day"}
        key = {"kind": "identifier"}
        labs = {
            "links": [
                {"columns": ["id"], "to": "people", "kind": "owner"},
                {"columns": ["stay"], "to": "stays", "kind": "earlier"},
            ],
            "order": {"from": "at", "before_owner": before_owner},
            "columns": {"id": key, "stay": {**key, "nullable": True}, "at": {"kind": "datetime"}},
        }
        stays = {
            "key": ["stay"],
            "links": labs["links"][:1],
            "order": {"from": "begin"},
            "columns": {"id": key, "stay": key, "begin": when},
        }
        people = {"key": ["id"], "end": "gone", "columns": {"id": key, "gone": when}}
        schema = LinkedSchema.parse({"unit": "people", "tables": {"people": people, "stays": stays, "labs": labs}})
        frames = {
            "people": pd.DataFrame({"id": ["a", "b"], "gone": ["2020-05-03"] * 2}),
            "stays": pd.DataFrame({"id": ["a"], "stay": ["s"], "begin": ["2020-05-03"]}),
            "labs": pd.DataFrame(
                {"id": ["a"] * 2, "stay": ["s"] * 2, "at": ["2020-05-03 12:00:00", "2020-05-02 12:00:00"]}
            ),
        }
        return LinkedTables.of(frames, schema)

    for before_owner, early in ((False, 1), (True, 0)):
        tables = side(before_owner)
        found, _ = broken(LinkedEvaluationData(train=tables, holdout=tables, synthetic=tables))
        assert found == ({"labs: earlier link stay to stays": early} if early else {})
