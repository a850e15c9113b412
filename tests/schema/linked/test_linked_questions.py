"""What linked tables owe each other, question by question, against tables broken by hand and against brute force."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.schema.columns import Datetime, Identifier, Numeric
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.count_questions import count_questions
from synthkit.schema.linked.key_questions import agreeing_questions, key_questions, resolving_questions
from synthkit.schema.linked.linked_columns import LinkedColumns
from synthkit.schema.linked.resolved_tables import ResolvedTables
from synthkit.schema.linked.row_keys import RowKeys
from synthkit.schema.linked.row_moments import RowMoments
from synthkit.schema.linked.time_questions import overlapping, pointing_questions, time_questions

TEXT = """
unit: people
tables:
  people:
    key: [person]
    end: died
    columns:
      person: {kind: identifier}
      died: {kind: datetime, nullable: true, precision: day}
      bill: {kind: numeric, decimals: 2, nullable: true}
      count: {kind: numeric, nullable: true}
  stays:
    key: [person, turn]
    links: [{columns: [person], to: people, kind: owner, max_rows_per_owner: 3}]
    order: {from: came, until: left}
    position: turn
    columns:
      person: {kind: identifier}
      turn: {kind: numeric, decimals: 0}
      came: {kind: datetime}
      left: {kind: datetime, nullable: true}
      cost: {kind: numeric, nullable: true}
  tests:
    key: [test]
    links:
      - {columns: [person, turn], to: stays, kind: owner}
      - {columns: [person], to: people, kind: implied}
      - {columns: [previous], to: tests, kind: earlier}
      - {columns: [mate], to: people, kind: peer}
      - {columns: [ward], to: wards, kind: reference}
      - {columns: [other, other_turn], to: stays, kind: earlier, open: true}
    order: {from: at}
    max_rows_per_unit: 4
    columns:
      test: {kind: identifier}
      person: {kind: identifier}
      turn: {kind: identifier}
      previous: {kind: identifier, nullable: true}
      mate: {kind: identifier, nullable: true}
      ward: {kind: code}
      other: {kind: identifier, nullable: true}
      other_turn: {kind: identifier, nullable: true}
      at: {kind: datetime}
      what: {kind: code}
  wards: {role: reference}
rules:
  - {rule: within, table: tests, of: stays}
  - {rule: nothing_after, moment: people.died, tables: [tests]}
  - {rule: total, parent: people.bill, child: stays.cost}
  - {rule: total, parent: people.count, child: stays}
  - {rule: once, table: tests, columns: [what], when: {what: {in: [once]}}}
"""
SCHEMA = LinkedSchema.loads(TEXT)


def frames():
    """Three people, one of them without a stay; everything is as declared."""
    return {
        "people": pd.DataFrame(
            {
                "person": [1, 2, 3],
                "died": ["2021-03-05", None, None],
                "bill": [30.0, 7.5, None],
                "count": [2, 1, 0],
            }
        ),
        "stays": pd.DataFrame(
            {
                "person": [1, 2, 1],
                "turn": [2, 1, 1],
                "came": ["2021-03-01 08:00", "2021-01-01", "2021-02-01"],
                "left": ["2021-03-05 12:00", None, "2021-03-01 08:00"],
                "cost": [10.0, 7.5, 20.0],
            }
        ),
        "tests": pd.DataFrame(
            {
                "test": ["a", "b", "c"],
                "person": [1, 1, 2],
                "turn": [1, 2, 1],
                "previous": [None, "a", None],
                "mate": [2, None, 3],
                "ward": ["x", "y", "x"],
                "other": [1, None, None],
                "other_turn": [1, None, None],
                "at": ["2021-02-01", "2021-03-05 11:00", "2021-06-01"],
                "what": ["once", "twice", "once"],
            }
        ),
        "wards": pd.DataFrame({"ward": ["x", "y"], "name": ["north", "south"]}),
    }


def broken(tables, schema=SCHEMA):
    """Rows, from 0, that break each rule, by table and rule; what could not be asked is False."""
    columns = LinkedColumns.of(tables, schema)
    found = columns.resolved
    kinds = ("owner", "implied", "earlier", "reference", "shared", "peer")
    asked = [*key_questions(found), *resolving_questions(found, *kinds), *agreeing_questions(found)]
    answers = columns.answers([*asked, *time_questions(found), *pointing_questions(found), *count_questions(found)])
    rows = {}
    for name, (checks, unchecked) in answers.items():
        rows |= {(name, c.rule): np.flatnonzero(~c.holds).tolist() for c in checks if not c.holds.all()}
        rows |= {(name, u.rule): False for u in unchecked}
    return rows


def test_a_row_lies_inside_every_stay_that_it_points_to():
    id_, time = {"kind": "identifier"}, {"kind": "datetime"}
    owner = {"columns": ["id"], "to": "people", "kind": "owner"}
    back = [{"columns": [c], "to": "stays", "kind": "earlier"} for c in ("first", "second")]
    gaps = {c: {"kind": "identifier", "nullable": True} for c in ("first", "second")}
    days = ["2021-01-01", "2021-02-01"]
    tables = {
        "people": {"key": ["id"], "columns": {"id": id_}},
        "stays": {
            "key": ["stay"],
            "links": [owner],
            "order": {"from": "came", "until": "left", "overlap": True},
            "columns": {"stay": id_, "id": id_, "came": time, "left": time},
        },
        "tests": {"links": [owner, *back], "order": {"from": "at"}, "columns": {"id": id_, **gaps, "at": time}},
    }
    rules = [{"rule": "within", "table": "tests", "of": "stays"}]
    data = {
        "people": pd.DataFrame({"id": [1]}),
        "stays": pd.DataFrame({"stay": [1, 2], "id": 1, "came": days, "left": ["2021-03-01", "2021-02-02"]}),
        "tests": pd.DataFrame({"id": 1, "first": [1, 1, None], "second": [2, 2, None], "at": ["2021-02-01"] * 3}),
    }
    data["tests"].loc[1, "at"] = "2021-02-20"  # inside the first stay alone
    schema = LinkedSchema(unit="people", tables=tables, rules=rules)
    assert broken(data, schema) == {("tests", "tests within stays"): [1]}


def test_a_row_that_points_to_its_like_needs_their_keys():
    schema = LinkedSchema.loads(
        TEXT.replace("what: {kind: code}\n", "what: {kind: code}\n      end: {kind: datetime}\n")
    )
    data = schema.model_dump(by_alias=True, exclude_none=True)
    data["tables"]["tests"]["order"]["until"] = "end"
    data["rules"] = [{"rule": "within", "table": "tests", "of": "tests"}]
    tables = ResolvedTables({}, LinkedSchema.model_validate(data))
    (asked,) = (q for q in time_questions(tables) if q.rule == "tests within tests")
    assert set(asked.needs["tests"]) == {"test", "previous", "at", "end"}


def with_cells(table, **cells):
    """The tables with other cells: `at=(2, value)` is row 2."""
    tables = frames()
    frame = tables[table].astype(object)
    for name, (row, value) in cells.items():
        frame.loc[row, name] = value
    return {**tables, table: frame}


def test_tables_that_keep_everything_break_nothing():
    assert broken(frames()) == {}


@pytest.mark.parametrize(
    ("table", "cells", "expected"),
    [
        ("people", {"person": (1, 1)}, {("people", "no key twice"): [0, 1]}),
        ("tests", {"test": (2, "a")}, {("tests", "no key twice"): [0, 2]}),
        ("stays", {"turn": (0, None)}, {("stays", "a key with all its parts"): [0]}),
        ("tests", {"turn": (1, 9)}, {("tests", "names a row of `stays`"): [1]}),
        (
            "tests",
            {"turn": (1, None)},
            {("tests", "names a row of `stays` with all its parts, or is missing"): [1]},
        ),
        ("tests", {"previous": (2, "zz")}, {("tests", "names a row of `tests`"): [2]}),
        ("tests", {"ward": (0, "z")}, {("tests", "names a row of `wards`"): [0]}),
        ("tests", {"mate": (0, 9)}, {("tests", "names a row of `people`"): [0]}),
        ("tests", {"mate": (0, 1)}, {("tests", "names a row of another unit in `people`"): [0]}),
        ("tests", {"previous": (2, "a")}, {("tests", "names another row of the same unit in `tests`"): [2]}),
        ("tests", {"previous": (1, "b")}, {("tests", "names another row of the same unit in `tests`"): [1]}),
        ("tests", {"previous": (0, "b")}, {("tests", "at not before tests.at it names"): [0]}),
        (
            "tests",
            {"other": (1, 1), "other_turn": (1, 1)},
            {("tests", "at not after stays.left it names"): [1]},
        ),
        ("stays", {"left": (2, "2021-01-31")}, {("stays", "left not before came"): [2]}),
        (
            "stays",
            {"left": (2, "2021-03-01 08:01")},
            {("stays", "no row of an owner begins before the one before has ended (left)"): [0]},
        ),
        ("tests", {"at": (1, "2021-03-05 12:01")}, {("tests", "tests within stays"): [1]}),
        ("tests", {"at": (2, "2020-12-31")}, {("tests", "at not before stays.came of its owner"): [2]}),
        ("people", {"died": (1, "2021-05-31")}, {("tests", "nothing after people.died"): [2]}),
        ("people", {"died": (1, "2021-06-01")}, {}),
        ("stays", {"turn": (0, 3)}, {("stays", "turn numbers the rows of an owner from 1"): [0]}),
        ("people", {"bill": (0, 30.01)}, {("people", "people.bill = sum of stays.cost"): [0]}),
        ("people", {"bill": (0, 30.004)}, {}),
        ("people", {"count": (2, 1)}, {("people", "people.count = sum of stays"): [2]}),
        ("stays", {"cost": (1, None)}, {("people", "people.bill = sum of stays.cost"): [1]}),
    ],
)
def test_what_is_broken_is_found_in_its_rows(table, cells, expected):
    found = broken(with_cells(table, **cells))
    assert {key: found.get(key) for key in expected} == expected
    if not expected:
        assert found == {}


def test_an_implied_key_is_the_owner_s():
    """Here the key is one more column than that of the owner."""
    text = TEXT.replace("columns: [person], to: people, kind: implied", "columns: [again], to: people, kind: implied")
    schema = LinkedSchema.loads(text.replace("      at: {kind", "      again: {kind: identifier}\n      at: {kind"))
    tables = frames()
    tables["tests"]["again"] = [1, 2, 2]
    rule = "names the row of `people` that its owner belongs to"
    assert broken(tables, schema) == {("tests", rule): [1]}


def test_a_key_that_is_missing_in_part_is_no_key():
    found = broken(with_cells("tests", other=(0, None)))
    assert found == {("tests", "names a row of `stays` with all its parts, or is missing"): [0]}


def test_counts_are_asked_of_the_owner():
    tables = frames()
    more = tables["stays"].iloc[[1, 1, 1]].assign(turn=[2, 3, 4], cost=0.0)
    tables["stays"] = pd.concat([tables["stays"], more], ignore_index=True)
    tables["people"]["count"] = [2, 4, 0]
    assert broken(tables) == {("people", "at most 3 rows of `stays`"): [1]}
    tables = frames()
    more = tables["tests"].iloc[[0] * 4].assign(test=list("wxyz"), what="twice")
    tables["tests"] = pd.concat([tables["tests"], more], ignore_index=True)
    assert broken(tables) == {("people", "at most 4 rows of `tests`"): [0]}


def test_what_happens_once_is_counted_by_unit():
    tables = with_cells("tests", what=(1, "once"))
    assert broken(tables) == {("tests", "tests of what once a unit where what in {once}"): [1]}


@pytest.mark.parametrize(("key", "rule"), [("overlap", "no row of an owner begins"), ("before_owner", "at not before")])
def test_what_is_declared_is_not_asked(key, rule):
    text = TEXT.replace("until: left}", f"until: left, {key}: true}}").replace(
        "{from: at}", f"{{from: at, {key}: true}}"
    )
    if key == "overlap":
        text = text.replace("{from: at, overlap: true}", "{from: at}")
    cells = {"left": (2, "2021-03-04")} if key == "overlap" else {"at": (2, "2020-12-31")}
    found = broken(with_cells("stays" if key == "overlap" else "tests", **cells), LinkedSchema.loads(text))
    assert not any(said.startswith(rule) for _, said in found)


def test_what_cannot_be_read_is_not_asked_about():
    """Only questions that need the column are left out; of an absent table none can be answered."""
    found = broken(with_cells("tests", at=(0, "soon")))
    assert {name for name, _ in found} == {"tests"}
    assert set(found.values()) == {False}
    assert ("tests", "no key twice") not in found
    tables = frames()
    del tables["stays"]
    found = broken(tables)
    assert found["tests", "names a row of `stays`"] is False
    assert ("tests", "names a row of `wards`") not in found
    columns = LinkedColumns.of(with_cells("tests", at=(0, "soon")), SCHEMA)
    (why, *_) = {u.reason for _, unasked in columns.answers(time_questions(columns.resolved)).values() for u in unasked}
    assert why == "cells of `tests.at` have the wrong type"


MOMENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(-1, 6)), max_size=14)


@settings(deadline=None, max_examples=100)
@given(MOMENTS)
def test_overlap_against_brute_force(rows):
    """A row is broken if another one of its owner sorts before it and ends after it begins."""
    owners = pd.DataFrame({"id": range(4)})
    frame = pd.DataFrame(rows, columns=["id", "a", "b"]).astype(float)
    frame["b"] = np.where(frame["b"] < 0, np.nan, frame["a"] + frame["b"])
    schema = LinkedSchema.loads(
        "{unit: o, tables: {o: {key: [id], columns: {id: {kind: identifier}}}, "
        "r: {links: [{columns: [id], to: o, kind: owner}], order: {from: a, until: b}, "
        "columns: {id: {kind: identifier}, a: {kind: numeric}, b: {kind: numeric, nullable: true}}}}}"
    )
    found = overlapping(LinkedColumns.of({"o": owners, "r": frame}, schema).resolved, "r")
    ends = frame["b"].fillna(frame["a"]).to_numpy()
    keys = [(frame["a"][k], ends[k], k) for k in range(len(frame))]
    expected = [
        any(
            frame["id"][j] == frame["id"][k] and keys[j] < keys[k] and ends[j] > frame["a"][k]
            for j in range(len(frame))
        )
        for k in range(len(frame))
    ]
    assert found.tolist() == expected


CELL = st.one_of(st.none(), st.integers(0, 3), st.integers(0, 3).map(float), st.sampled_from(["1", "01", "a", "A", ""]))


def as_text(cell):
    """What one cell is as a key, written anew."""
    if cell is None or cell == "":
        return None
    return cell if isinstance(cell, str) else str(int(cell))


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(CELL, CELL), max_size=8), st.lists(st.tuples(CELL, CELL), max_size=8))
def test_keys_against_a_dictionary(mine, theirs):
    """Which row each key names, which keys stand twice, which are complete."""
    own, to = (pd.DataFrame(rows, columns=["a", "b"], dtype=object) for rows in (mine, theirs))
    keys, others = RowKeys.of(own, ("a", "b")), RowKeys.of(to, ("a", "b"))
    first: dict = {}
    for k, row in enumerate(theirs):
        first.setdefault(tuple(map(as_text, row)), k)
    texts = [tuple(map(as_text, row)) for row in mine]
    assert keys.complete.tolist() == [None not in text for text in texts]
    assert keys.positions_in(others).tolist() == [first.get(text, -1) if None not in text else -1 for text in texts]
    assert keys.repeated.tolist() == [None not in text and texts.count(text) > 1 for text in texts]


def test_moments_compare_as_finely_as_the_coarser_column_tells():
    times = pd.Series(pd.to_datetime(["2021-07-01 12:00", "2021-07-02 00:00", None]))
    fine = RowMoments.of(times, Datetime())
    day = RowMoments.of(pd.Series(pd.to_datetime(["2021-07-01"] * 3)), Datetime(precision="day"))
    assert fine.later(day).tolist() == [False, True, False]
    assert day.later(fine).tolist() == [False, False, False]
    numbers = RowMoments.of(pd.Series([1.5, None]), Numeric())
    assert numbers.later(numbers.at(np.array([1, -1]))).tolist() == [False, False]
    assert numbers.at(np.array([], dtype=int)).later(numbers.at(np.array([], dtype=int))).tolist() == []
    assert RowMoments.of(pd.Series([1]), Identifier()) is None


@pytest.mark.parametrize("rows", [0, 1, 50_000])
def test_units_of_any_number_of_rows_are_asked(rows):
    """Columns, not rows: a unit with 50,000 rows, one with one, and all without children."""
    tables = frames()
    one = tables["tests"].iloc[[2] * rows]
    tables["tests"] = one.assign(
        test=range(rows),
        previous=None,
        what="twice",
        at=pd.Timestamp("2021-06-01") + pd.to_timedelta(np.arange(rows), "s"),
    )
    expected = {("people", "at most 4 rows of `tests`"): [1]} if rows > 4 else {}
    assert broken(tables) == expected
