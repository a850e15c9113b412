"""Declared contradictions, counted against a loop over units and rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.schema.linked import LinkedSchema
from synthkit.tables.contradictions import contradicting_rows, count_contradictions
from synthkit.tables.linked_tables import LinkedTables

TEXT = """
unit: people
tables:
  people: {key: [id], columns: {id: {kind: identifier}, sex: {kind: categorical, levels: [F, M]}}}
  events:
    links: [{columns: [id], to: people, kind: owner}]
    order: {from: day}
    columns: {id: {kind: identifier}, day: {kind: numeric}, what: {kind: code}}
contradictions:
  - {name: pregnant man, table: events, when: {what: {in: [pregnant]}}, unit: {sex: {in: [M]}}}
  - {name: drug without reason, table: events, when: {what: {in: [drug]}},
     without: {table: events, when: {what: {in: [reason]}}}}
"""
ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 5), st.sampled_from(["pregnant", "drug", "reason"])), max_size=25
)


@settings(deadline=None, max_examples=80)
@given(ROWS, st.lists(st.sampled_from("FM"), min_size=5, max_size=5), st.booleans())
def test_contradictions_against_a_loop(rows, sexes, timed):
    text = TEXT if timed else TEXT.replace("    order: {from: day}\n", "")
    people = pd.DataFrame({"id": range(5), "sex": sexes})
    events = pd.DataFrame(rows, columns=["id", "day", "what"])
    tables = LinkedTables.of({"people": people, "events": events}, LinkedSchema.loads(text))
    found = count_contradictions(tables)
    men = [k for k, (person, _, what) in enumerate(rows) if what == "pregnant" and sexes[person] == "M"]
    drugs = [
        k
        for k, (person, day, what) in enumerate(rows)
        if what == "drug" and not any(p == person and w == "reason" and (d <= day or not timed) for p, d, w in rows)
    ]
    for each, expected in zip(found.each, (men, drugs), strict=True):
        units = {rows[k][0] for k in expected}
        assert (each.rows, each.units, each.share) == (len(expected), len(units), len(units) / 5)
    assert found.contradicted == len({rows[k][0] for k in (*men, *drugs)})
    assert found.share == found.contradicted / found.units
    assert found.to_dict()["each"]["pregnant man"]["asked"] == sum(what == "pregnant" for *_, what in rows)


def test_rows_that_contradict_are_told_in_the_order_of_the_tables():
    people = pd.DataFrame({"id": [1, 2], "sex": ["M", "F"]})
    events = pd.DataFrame({"id": [2, 1, 1], "day": [1, 9, 2], "what": ["pregnant", "pregnant", "drug"]})
    tables = LinkedTables.of({"people": people, "events": events}, LinkedSchema.loads(TEXT))
    man, drug = tables.schema.contradictions
    assert tables.frames["events"]["day"].tolist() == [2, 9, 1]
    assert contradicting_rows(tables, man).tolist() == [False, True, False]
    assert contradicting_rows(tables, drug).tolist() == [True, False, False]


def test_a_contradiction_of_the_units_themselves_and_of_none():
    columns = "{sex: {kind: categorical, levels: [F, M]}, n: {kind: numeric}}"
    text = f"{{unit: p, tables: {{p: {{columns: {columns}}}}}, contradictions: "
    schema = LinkedSchema.loads(text + "[{name: a, table: p, when: {n: {min: 1}}, unit: {sex: {in: [M]}}}]}")
    tables = LinkedTables.of({"p": pd.DataFrame({"sex": list("FMM"), "n": [1.0, 1.0, 0.0]})}, schema)
    assert count_contradictions(tables).share == pytest.approx(1 / 3)
    assert count_contradictions(tables.take(np.array([], dtype=int))).share == 0.0
