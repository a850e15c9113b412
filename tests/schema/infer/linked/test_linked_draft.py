"""Drafts of linked tables: the made hospital's law is found, and each line says how often it holds and by chance."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT  # noqa: F401  # puts the benchmarks on the path

from benchmarks.linked.made_hospital import schema as law
from benchmarks.linked.made_hospital import tables
from synthkit.errors import SchemaError
from synthkit.schema.infer.linked.evidence import Evidence, shuffled
from synthkit.schema.infer.linked.linked_draft import draft_linked, rounded_up
from synthkit.schema.infer.linked.unit_tree import draft_tree
from synthkit.schema.linked.linked_schema import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables


@cache
def drafted():
    return draft_linked(tables(400, 0), name="hospital")


def test_units_owners_and_kinds_of_links_are_those_of_the_law():
    found, true = drafted().schema, law()
    assert found.unit == true.unit
    assert found.graph.owners == true.graph.owners
    for name in true.graph.records:
        kinds = {(link.columns, link.to, link.kind, link.open) for link in found.tables[name].links}
        want = {(link.columns, link.to, link.kind, link.open) for link in true.tables[name].links}
        assert {k for k in kinds if k[1] != "payers"} == {k for k in want if k[1] != "payers"}


def test_order_series_position_and_end_are_those_of_the_law():
    found, true = drafted().schema, law()
    for name in true.graph.owners:
        assert found.tables[name].moments == true.tables[name].moments, name
    assert found.tables["labs"].series == "test"
    assert found.tables["doses"].position == "number"
    assert found.tables["patients"].end == "end"
    assert not found.tables["visits"].order.overlap


def test_rules_across_tables_are_those_of_the_law():
    assert {rule.sentence for rule in drafted().schema.rules} == {rule.sentence for rule in law().rules}
    assert all(rule.observed for rule in drafted().schema.rules)


def test_each_line_says_how_often_it_holds_and_how_often_by_chance():
    draft = drafted()
    for path, lines in draft.comments.items():
        if "links" in path or "rules" in path or "series" in path or "position" in path:
            assert all("%" in line and "chance" in line for line in lines), path
    assert len([path for path in draft.comments if path.startswith("rules")]) == len(draft.schema.rules)


def test_the_tables_keep_their_draft():
    frames = tables(400, 0)
    typed = LinkedTables.of(frames, drafted().schema)
    assert {name: len(frame) for name, frame in typed.frames.items()} == {
        name: len(frames[name]) for name in drafted().schema.graph.records
    }


@given(st.integers(1, 10**9))
def test_a_bound_of_rows_is_round_and_above_what_was_seen(most):
    bound = rounded_up(most)
    assert most < bound <= 2.5 * most
    assert str(bound).rstrip("0") in ("1", "2", "5")


def test_the_largest_number_of_rows_an_owner_has_is_in_no_draft():
    frames = tables(400, 0)
    for name, key in (("visits", "patient_id"), ("orders", "visit_id"), ("doses", "order_id"), ("labs", "patient_id")):
        most = int(frames[name].groupby(key).size().max())
        assert drafted().schema.tables[name].owner.max_rows_per_owner == rounded_up(most) > most


def test_overlapping_stays_are_declared():
    frames = tables(200, 1)
    frames["visits"]["discharged"] += pd.Timedelta(900, unit="D")
    visits = draft_linked({k: frames[k] for k in ("patients", "visits")}).schema.tables["visits"]
    assert visits.order.overlap


def test_what_no_unit_reaches_is_shared_unless_its_name_says_it_is_public():
    frames = {**tables(100, 2), "d_codes": pd.DataFrame({"code": list("abc"), "title": list("xyz")})}
    found = draft_linked(frames).schema.tables
    assert (found["doctors"].role, found["payers"].role, found["d_codes"].role) == ("shared", "shared", "reference")


def test_another_persons_row_is_a_peer():
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"person_id": range(1000, 1200), "age": rng.integers(0, 90, 200)})
    births = pd.DataFrame({"person_id": range(1000, 1200), "mother_person_id": rng.permutation(people["person_id"])})
    tree = draft_tree({"persons": people, "births": births})
    assert tree.unit == "persons"
    assert [link.kind for link in tree.links["births"]] == ["owner", "peer"]


def test_a_unit_that_is_no_table_is_refused():
    with pytest.raises(SchemaError, match="`wards` is not"):
        draft_tree({"patients": pd.DataFrame({"id": [1, 2]})}, unit="wards")


def test_no_tables_and_names_that_no_file_has_are_refused():
    with pytest.raises(SchemaError, match="none is given"):
        draft_linked({})
    with pytest.raises(SchemaError, match="1 have names that no file may have"):
        draft_linked({"a/b": pd.DataFrame({"id": [1, 2]})})


def test_a_table_that_cannot_be_drafted_is_named():
    with pytest.raises(SchemaError, match="table `stays`: "):
        draft_linked(
            {
                "patients": pd.DataFrame({"patient_id": [1, 2]}),
                "stays": pd.DataFrame({"patient_id": [1, 2], "": [3, 4]}),
            }
        )


def test_evidence_tells_what_holds_by_chance():
    held = np.ones(100, dtype=bool)
    assert not Evidence.of(held, held).beyond_chance(1.0)
    assert Evidence.of(held, np.arange(100) < 50).beyond_chance(1.0)
    assert not Evidence.of(np.arange(100) < 98, np.zeros(100, dtype=bool)).beyond_chance(0.99)
    assert Evidence(0, 0, 0.0).share == 0
    assert sorted(shuffled(50)) == list(range(50))


def test_the_draft_is_a_file_that_says_what_was_seen():
    text = drafted().text
    assert LinkedSchema.loads(text) == drafted().schema
    assert text.count("by chance") >= len(drafted().schema.rules) + 10
