"""Every bad input that linked tables are known to come with is told by table, column, count and remedy."""

import pandas as pd
import pytest

from synthkit.errors import SchemaError
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.validate_linked import validate_linked
from synthkit.tables.linked_tables import LinkedTables

KEY, DAY = {"kind": "identifier"}, {"kind": "datetime", "precision": "day"}
OF_STAY = {"columns": ["id", "no"], "to": "stays", "kind": "owner"}
DROP = "orphans=drop (--orphans drop)"


def declared(change=None):
    tables = {
        "people": {"key": ["id"], "columns": {"id": KEY}},
        "stays": {
            "key": ["id", "no"],
            "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
            "order": {"from": "came", "until": "left"},
            "columns": {"id": KEY, "no": KEY, "came": DAY, "left": DAY},
        },
        "labs": {
            "links": [OF_STAY],
            "order": {"from": "at"},
            "columns": {"id": KEY, "no": KEY, "at": DAY, "x": {"kind": "numeric"}},
        },
    }
    content = {"unit": "people", "tables": tables}
    if change is not None:
        change(content["tables"])
    return LinkedSchema.parse(content)


def frames(table="", **cells):
    """Tables that keep everything, with some cells of one changed: column, row and value."""
    found = {
        "people": pd.DataFrame({"id": ["1", "2", "3"]}),
        "stays": pd.DataFrame(
            {
                "id": ["1", "1", "2"],
                "no": ["1", "2", "1"],
                "came": ["2020-01-01", "2020-02-01", "2020-01-01"],
                "left": ["2020-01-03", "2020-02-03", "2020-01-09"],
            }
        ),
        "labs": pd.DataFrame(
            {
                "id": ["1", "1", "2"],
                "no": ["1", "2", "1"],
                "at": ["2020-01-02", "2020-02-01", "2020-01-05"],
                "x": [1.0, 2.0, 3.0],
            }
        ),
    }
    for column, (row, value) in cells.items():
        found[table][column] = found[table][column].astype(object)
        found[table].loc[row, column] = value
    return found


def said(tables, **options):
    """Columns, rule, count and remedy of everything that is broken, by table."""
    found = validate_linked(tables, declared(), **options)
    return {t: [(v.columns, v.rule, v.count, v.remedy) for v in each] for t, each in found.violations.items()}


def test_what_is_damaged_below_is_whole():
    assert said(frames()) == {}
    assert len(LinkedTables.of(frames(), declared()).frames["labs"]) == 3


@pytest.mark.parametrize(
    ("table", "cells", "columns", "rule", "count", "remedy"),
    [
        ("labs", {"no": (0, "9")}, ("id", "no"), "names a row of `stays`", 1, f"leave such rows out with {DROP}"),
        ("stays", {"no": (1, "1")}, ("id", "no"), "no key twice", 2, "take the rows out that stand twice"),
        ("stays", {"no": (1, None)}, ("id", "no"), "a key with all its parts", 1, f"leave such rows out with {DROP}"),
        ("people", {"id": (2, None)}, ("id",), "no missing cell", 1, f"leave such rows out with {DROP}"),
        ("labs", {"at": (0, "2019-01-02")}, ("at",), "at not before stays.came of its owner", 1, "before_owner: true"),
        ("stays", {"left": (0, "2019-01-02")}, ("came", "left"), "left not before came", 1, "correct the rows"),
        ("people", {"id": (1, "002")}, ("id",), "names a row of `people`", 1, "1 are found once spelled alike"),
    ],
)
def test_a_damaged_cell_is_told_by_table_column_count_and_remedy(table, cells, columns, rule, count, remedy):
    found = said(frames(table, **cells))
    mine = [
        each for each in found["stays" if rule.endswith("`people`") else table] if each[:3] == (columns, rule, count)
    ]
    assert len(mine) == 1
    assert remedy in mine[0][3]


def test_keys_may_not_be_declared_nullable_and_nobody_is_told_to():
    tables = frames("people", id=(2, None))
    assert not any("nullable" in each[3] for each in said(tables)["people"])
    with pytest.raises(SchemaError, match="fill the cells, or leave such rows out with orphans=drop"):
        LinkedTables.of(tables, declared())


@pytest.mark.parametrize(
    ("table", "cells", "left"),
    [
        ("people", {"id": (2, None)}, {"people": 1}),
        ("people", {"id": (0, None)}, {"people": 1, "stays": 2, "labs": 2}),
        ("stays", {"no": (1, None)}, {"stays": 1, "labs": 1}),
        ("labs", {"no": (0, None)}, {"labs": 1}),
    ],
)
def test_rows_without_a_key_are_left_out_with_what_belongs_to_them_and_counted(table, cells, left):
    found = validate_linked(frames(table, **cells), declared(), orphans="drop")
    assert found.success
    assert {name: count.rows for name, count in found.orphans.items()} == left


def test_a_key_that_stands_twice_is_no_orphan_for_nobody_knows_which_row_is_meant():
    found = said(frames("stays", no=(1, "1")), orphans="drop")
    assert found["stays"][0][1:3] == ("no key twice", 2)


def test_units_without_children_and_tables_without_rows_are_nothing_bad():
    tables = frames()
    tables["labs"] = tables["labs"].iloc[:0]
    assert said(tables) == {}
    tables["stays"] = tables["stays"].iloc[:0]
    assert said(tables) == {}
    found = LinkedTables.of(tables, declared())
    assert found.counts("stays").tolist() == [0, 0, 0]


def circle(tables):
    tables["labs"]["key"], tables["stays"]["links"] = ["id", "no"], [{**OF_STAY, "to": "labs"}]


def two_paths(tables):
    tables["visits"] = {
        "key": ["visit"],
        "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
        "columns": {"id": KEY, "visit": KEY},
    }
    tables["labs"]["links"] = [OF_STAY, {"columns": ["visit"], "to": "visits", "kind": "implied"}]
    tables["labs"]["columns"] = {**tables["labs"]["columns"], "visit": KEY}


def zones(tables):
    for name, column, zone in (("stays", "came", "Europe/Paris"), ("labs", "at", "UTC")):
        tables[name]["columns"] = {**tables[name]["columns"], column: {"kind": "datetime", "zone": zone}}


def doctors(tables):
    tables["doctors"] = {
        "role": "shared",
        "key": ["doctor"],
        "links": [{"columns": ["id"], "to": "people", "kind": "peer"}],
        "columns": {"doctor": KEY, "id": KEY},
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (circle, "`tables.labs` must belong to `people` by its owners; however: labs -> stays -> labs is a circle"),
        (lambda tables: tables["stays"].pop("links"), "`tables.stays` must have one link of kind owner; however: none"),
        (
            two_paths,
            "two ways of equal length, labs -> stays -> people and labs -> visits -> people. Keep one as owner",
        ),
        (zones, "however: `stays.came` is in Europe/Paris and `labs.at` is in UTC. Name one `zone` for all"),
        (doctors, "`doctors` is declared `role: shared` and its rows belong to no unit; however: it is peer."),
    ],
)
def test_a_schema_that_cannot_be_is_told_with_the_remedy(change, sentence):
    with pytest.raises(SchemaError) as caught:
        declared(change)
    assert sentence in str(caught.value)
