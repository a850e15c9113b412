"""Linked tables at the door: all that is wrong at once, by table, with counts and remedies and no cell of theirs."""

import json

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import ConfigError, SchemaError
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.linked_columns import LinkedColumns
from synthkit.schema.linked.validate_linked import typed_columns, validate_columns, validate_linked, validate_structure
from synthkit.tables.linked_tables import LinkedTables

SCHEMA = LinkedSchema.loads(
    """
unit: people
tables:
  people: {key: [id], columns: {id: {kind: identifier}, sex: {kind: categorical, levels: [F, M]}}}
  stays:
    key: [stay]
    links: [{columns: [id], to: people, kind: owner}]
    order: {from: came, until: left}
    columns: {stay: {kind: identifier}, id: {kind: identifier}, came: {kind: datetime}, left: {kind: datetime}}
  tests:
    links:
      - {columns: [stay], to: stays, kind: owner}
      - {columns: [last], to: stays, kind: earlier}
      - {columns: [what], to: kinds, kind: reference}
      - {columns: [doctor], to: doctors, kind: shared}
    columns:
      stay: {kind: identifier}
      last: {kind: identifier, nullable: true}
      what: {kind: code, nullable: true}
      doctor: {kind: identifier}
      value: {kind: numeric, min: 0}
  kinds: {role: reference, key: [what]}
  doctors: {role: shared, key: [doctor], columns: {doctor: {kind: identifier}}}
"""
)


def frames():
    return {
        "people": pd.DataFrame({"id": ["007", "8", "9"], "sex": ["F", "M", "F"]}),
        "stays": pd.DataFrame(
            {
                "stay": [10, 11],
                "id": ["007", "8"],
                "came": ["2021-01-01", "2021-01-02"],
                "left": ["2021-01-03", "2021-01-04"],
            }
        ),
        "tests": pd.DataFrame(
            {
                "stay": [10, 10, 11],
                "last": [None, 10, None],
                "what": ["a", None, "b"],
                "doctor": [1, 1, 2],
                "value": [1.0, 2.0, 3.0],
            }
        ),
        "kinds": pd.DataFrame({"what": ["a", "b"], "name": ["x", "y"]}),
        "doctors": pd.DataFrame({"doctor": [1, 2]}),
    }


def test_tables_that_keep_the_schema_pass_and_are_counted():
    found = validate_linked(frames(), SCHEMA)
    assert found.success
    found.raise_if_failed()
    assert str(found).startswith("the tables keep their schema: 5 tables with 12 rows, ")
    links = {(link.table, link.to): link for link in found.links}
    stays = links["stays", "people"]
    assert (stays.rows, stays.missing, stays.dangling, stays.without, stays.most) == (2, 0, 0, 1, 1)
    last = links["tests", "stays"]
    assert (last.kind, last.missing, last.dangling, last.without) == ("earlier", 2, 0, 1)


def test_everything_is_said_at_once_by_table_and_no_cell_is_shown():
    secret = "Margarete Steiff"  # stands in every table, and must not leave it
    tables = frames()
    tables["people"] = pd.DataFrame({"id": [secret, secret, "9"], "sex": ["F", secret, "F"]})
    tables["stays"].loc[0, "left"] = "2020-01-01"
    tables["stays"]["id"] = [secret, f"{secret} of Giengen"]
    tables["tests"] = tables["tests"].assign(what=[secret, None, "b"], value=[-1.0, 2.0, 3.0])
    tables["guests"] = pd.DataFrame({"a": [secret]})
    del tables["doctors"]
    found = validate_linked(tables, SCHEMA)
    said = str(found)
    for line in (
        "`doctors`  a declared table is given; however: it is absent",
        "`guests`   a table that is given is declared; however: it is not",
        "`people` (3 rows): 2 rules are broken",
        "one of the 2 declared levels  1     2",
        "no key twice",
        "left not before came",
        "names a row of `people`",
        "names a row of `kinds`",
        ">= 0",
        "names a row of `doctors`: table `doctors` is absent or has other columns",
        "-> declare the table (`synthkit init FOLDER` drafts it), or take it out of the folder",
    ):
        assert line in said
    assert secret not in said + found.to_json()
    assert json.loads(found.to_json()) == json.loads(json.dumps(found.to_dict()))
    assert found.to_dict()["tables"]["people"]["violations"][0]["count"] == 1
    assert set(found.unchecked) == {"tests"}
    with pytest.raises(SchemaError, match="linked tables must keep their schema; however"):
        found.raise_if_failed()


def test_orphans_are_left_out_with_what_belongs_to_them_and_counted():
    """Row numbers are those of the tables as they came."""
    tables = frames()
    tables["people"] = tables["people"].iloc[1:]
    tables["tests"].loc[2, ["last", "value"]] = [10, -5.0]
    refused = validate_linked(tables, SCHEMA)
    assert {(name, v.rule, v.count) for name, each in refused.violations.items() for v in each} >= {
        ("stays", "names a row of `people`", 1)
    }
    found = validate_linked(tables, SCHEMA, orphans="drop")
    assert {name: (c.rows, c.keys) for name, c in found.orphans.items()} == {"stays": (1, 0), "tests": (2, 1)}
    assert "3 rows and 1 keys of orphans left out" in str(found)
    assert [(v.rule, v.rows) for v in found.violations["tests"]] == [(">= 0", (3,))]
    assert set(found.violations) == {"tests"}
    kept = LinkedTables.of(tables, SCHEMA, orphans="drop")
    assert [len(kept.frames[name]) for name in ("people", "stays", "tests")] == [2, 1, 1]
    assert kept.earlier["tests", 1].tolist() == [-1]
    assert str(kept.frames["stays"]["stay"].dtype) == "int64"


def test_cells_at_fault_are_numbered_as_they_came_and_listed_only_in_rows_that_are_kept():
    broken = frames()
    broken["stays"] = pd.DataFrame(
        {"stay": [9, 10, 11], "id": ["1", "007", "8"], "came": ["2021-01-01"] * 2 + ["soon"], "left": "2021-01-03"}
    )
    (found,) = validate_linked(broken, SCHEMA, orphans="drop").violations["stays"]
    assert (found.columns, found.count, found.rows) == (("came",), 1, (3,))
    assert validate_structure(typed_columns(broken, SCHEMA, "drop")).violations["stays"] == (found,)
    broken["stays"]["came"] = ["soon", "2021-01-01", "2021-01-02"]
    columns = typed_columns(broken, SCHEMA, "drop")
    assert validate_columns(columns).success
    assert pd.api.types.is_datetime64_any_dtype(columns.typed["stays"].frame["came"].dtype)


def test_a_key_that_may_not_be_emptied_takes_its_row_along():
    tables = frames()
    tables["tests"].loc[0, "doctor"] = 7
    found = validate_linked(tables, SCHEMA, orphans="drop")
    assert found.success
    assert found.orphans["tests"].rows == 1


def test_keys_are_counted_of_rows_that_stay_whatever_the_order_of_links():
    """A row that is left out, at once or with its owner, has no key that was emptied."""
    tables = frames()
    tables["people"] = tables["people"].iloc[:1]  # the stay 11 goes, and its test
    tables["tests"]["last"] = [99, 98, 97]
    tables["tests"].loc[0, "doctor"] = 7
    for turned in (False, True):
        data = SCHEMA.model_dump(by_alias=True, exclude_none=True)
        links = data["tables"]["tests"]["links"]
        data["tables"]["tests"]["links"] = links[::-1] if turned else links
        found = validate_linked(tables, LinkedSchema.model_validate(data), orphans="drop")
        assert (found.orphans["tests"].rows, found.orphans["tests"].keys) == (2, 1)


def test_orphans_stay_where_keys_cannot_be_told():
    tables = frames()
    del tables["stays"]
    columns = LinkedColumns.of(tables, SCHEMA)
    assert columns.without_orphans() is columns


def test_keys_of_two_types_are_told_with_the_remedy():
    """007 in one table and 7 in the other: nobody is found, and how many would be is said."""
    tables = frames()
    tables["stays"]["id"] = [7, 8]
    (violation,) = validate_linked(tables, SCHEMA).violations["stays"]
    assert (violation.columns, violation.rule, violation.count) == (("id",), "names a row of `people`", 1)
    assert "; 1 are found once spelled alike (as 007 and 7): write keys the same way in both tables" in violation.remedy


def test_time_zones_that_differ_by_table_are_refused_until_one_is_named():
    tables = frames()
    tables["stays"]["came"] = ["2021-01-01T00:00:00+01:00", "2021-01-02T00:00:00+01:00"]
    found = validate_structure(LinkedColumns.of(tables, SCHEMA))
    assert "a moment written as ISO 8601, without a time zone" in str(found)
    assert "name a `zone` if cells name theirs" in str(found)


def test_a_table_of_no_rows_is_no_fault_but_units_there_must_be():
    tables = frames()
    tables["tests"] = tables["tests"].iloc[:0]
    found = validate_linked(tables, SCHEMA)
    assert found.success
    assert found.tables["tests"].checked.rows == 0
    for each in ("stays", "people"):
        tables[each] = tables[each].iloc[:0]
    found = validate_linked(tables, SCHEMA)
    assert [v.rule for v in found.amiss] == ["the table of units has rows; however: none"]
    with pytest.raises(SchemaError, match="the table of units has rows; however: none"):
        LinkedTables.of(tables, SCHEMA)


def test_columns_that_nobody_declared_are_refused_by_name():
    tables = frames()
    tables["stays"] = tables["stays"].assign(ward=1).drop(columns=["left"])
    found = validate_structure(LinkedColumns.of(tables, SCHEMA))
    said = {(v.columns, v.rule) for v in found.violations["stays"]}
    assert (("ward",), "in the table, missing from the schema") in said
    assert (("left",), "declared in the schema, missing from the table") in said
    assert "names a row of `stays`" in {u.rule for u in found.unchecked["tests"]}


def test_the_structure_of_tables_says_which_keys_are_missing():
    tables = frames()
    tables["stays"].loc[0, "id"] = None
    tables["people"].loc[2, "id"] = None
    with pytest.raises(SchemaError) as caught:
        LinkedTables.of(tables, SCHEMA)
    said = str(caught.value)
    assert "`stays` (2 rows): 1 rule is broken\n" in said
    assert "`people` (3 rows): 1 rule is broken\n" in said
    assert said.count("no missing cell") == 2


def test_a_suite_of_the_user_s_own_is_asked_too(tmp_path):
    suite = {"name": "mine", "expectations": [{"type": "expect_column_values_to_be_between", "kwargs": {}}]}
    suite["expectations"][0]["kwargs"] = {"column": "value", "max_value": 2}
    (tmp_path / "mine.json").write_text(json.dumps(suite))
    found = validate_linked(frames(), SCHEMA, suites={"tests": tmp_path / "mine.json"})
    assert [(v.columns, v.rows) for v in found.violations["tests"]] == [(("value",), (3,))]
    with pytest.raises(ConfigError, match="a suite of your own is a file that can be read"):
        validate_linked(frames(), SCHEMA, suites={"tests": tmp_path / "none.json"})


def test_a_reference_is_looked_up_by_columns_of_the_same_name_or_not_at_all():
    text = SCHEMA.dumps().replace("kinds:\n    role: reference\n    key: [what]", "kinds:\n    role: reference")
    schema = LinkedSchema.loads(text)
    tables = frames()
    tables["tests"].loc[0, "what"] = "z"
    kinds = np.array(["names a row of `kinds`"])
    assert validate_linked(tables, schema).violations["tests"][0].rule in kinds
    tables["kinds"] = tables["kinds"].rename(columns={"what": "code"})
    assert validate_linked(tables, schema).success


def test_a_reference_without_the_columns_of_its_key_is_a_violation():
    tables = frames()
    tables["kinds"] = tables["kinds"].rename(columns={"what": "code"})
    for orphans in ("refuse", "drop"):
        found = validate_linked(tables, SCHEMA, orphans=orphans)
        (fault,) = found.amiss
        assert fault.columns == ("`kinds`",)
        assert fault.rule == "a reference has the columns of its key; however: `what` is not there"
        assert [each.rule for each in found.unchecked["kinds"]] == ["no key twice"]
    with pytest.raises(SchemaError, match="a reference has the columns of its key; however: `what` is not there"):
        LinkedTables.of(tables, SCHEMA)


def test_rows_of_a_catalogue_that_nobody_declared_public_are_told_by_table_and_count():
    found = validate_linked(frames(), SCHEMA)
    assert found.copied == {"kinds": len(frames()["kinds"])}
    assert f"`kinds`: its {len(frames()['kinds'])} rows are copied as they are into every release" in str(found)
    assert json.loads(found.to_json())["copied"] == found.copied
    broken = frames()
    broken["people"]["sex"] = ["F", "M", "X"]
    assert "`kinds`: its" in str(validate_linked(broken, SCHEMA))


@pytest.mark.parametrize(
    "lines",
    [
        {"declared_by": "A. Lee: published by the ministry"},
        {"columns": {"what": {"kind": "code"}}},
    ],
)
def test_a_catalogue_that_is_declared_public_or_described_is_not_told(lines):
    kinds = SCHEMA.tables["kinds"].model_dump(by_alias=True) | lines
    tables = {name: table.model_dump(by_alias=True) for name, table in SCHEMA.tables.items()} | {"kinds": kinds}
    given = {**frames(), "kinds": frames()["kinds"][["what"]]}
    assert validate_linked(given, LinkedSchema.parse({"unit": "people", "tables": tables})).copied == {}
    whole = SCHEMA.model_copy(update={"declared_by": "A. Lee: a codebook"})
    assert validate_linked(frames(), whole).copied == {}
    none = {**frames(), "kinds": frames()["kinds"].head(0)}
    assert validate_linked(none, SCHEMA).copied == {}
