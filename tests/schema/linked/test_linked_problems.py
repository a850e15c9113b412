"""Every sentence on what is wrong with a linked schema, with the path and line in the file."""

import copy

import pytest

from synthkit.errors import SchemaError
from synthkit.schema.linked import LinkedSchema

ID, TIME = {"kind": "identifier"}, {"kind": "datetime"}
GOOD = {
    "unit": "people",
    "tables": {
        "people": {
            "key": ["person"],
            "end": "died",
            "columns": {
                "person": ID,
                "died": {"kind": "datetime", "nullable": True},
                "sex": {"kind": "categorical", "levels": ["F", "M"]},
                "bill": {"kind": "numeric"},
            },
        },
        "stays": {
            "key": ["stay"],
            "links": [{"columns": ["person"], "to": "people", "kind": "owner"}],
            "order": {"from": "came", "until": "left"},
            "columns": {"stay": ID, "person": ID, "came": TIME, "left": TIME, "cost": {"kind": "numeric"}},
        },
        "tests": {
            "links": [
                {"columns": ["stay"], "to": "stays", "kind": "owner"},
                {"columns": ["person"], "to": "people", "kind": "implied"},
                {"columns": ["last"], "to": "stays", "kind": "earlier", "open": True},
                {"columns": ["what"], "to": "kinds", "kind": "reference"},
            ],
            "order": {"from": "at"},
            "series": "what",
            "position": "n",
            "columns": {
                "stay": ID,
                "person": ID,
                "last": {"kind": "identifier", "nullable": True},
                "what": {"kind": "code"},
                "at": TIME,
                "n": {"kind": "numeric", "decimals": 0},
                "value": {"kind": "numeric"},
                "note": {"kind": "code"},
            },
        },
        "kinds": {"role": "reference", "key": ["what"]},
        "wards": {"role": "shared", "key": ["ward"], "columns": {"ward": ID}},
    },
    "rules": [{"rule": "within", "table": "tests", "of": "stays"}],
    "contradictions": [{"name": "no", "table": "tests", "when": {"what": {"in": ["x"]}}}],
    "targets": [{"name": "back", "at": "stays", "event": {"table": "stays"}, "within": "30 d"}],
}


def changed(path: str, value: object) -> dict:
    """GOOD with another value at a path; None takes the key out."""
    data = copy.deepcopy(GOOD)
    here, *rest = data, *path.split(".")
    for part in rest[:-1]:
        here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
    last = rest[-1]
    if isinstance(here, list):
        here[int(last) : int(last) + 1] = [value]
    elif value is None:
        del here[last]
    else:
        here[last] = value
    return data


def test_the_schema_that_is_broken_below_is_good():
    assert LinkedSchema.parse(GOOD).graph.ancestors("tests") == ("stays", "people")


OWNER = {"columns": ["person"], "to": "people", "kind": "owner"}
T, S, P = "tables.tests", "tables.stays", "tables.people"


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("unit", "nobody", "`unit` must name a table of records; however: `nobody` is not one"),
        ("unit", "kinds", "`unit` must name a table of records; however: `kinds` is not one"),
        ("name", "a/b", "`name` must have short names, for files are called by them; however: 'a/b' is not one"),
        ("tables.a/b", {"role": "reference"}, "`tables` must have short names, for files are called by them"),
        ("tables.People", GOOD["tables"]["kinds"], "`tables.People` must differ from other names by more than case"),
        (f"{S}.columns", {}, "`tables.stays` must declare `columns`; however: none"),
        (f"{S}.key", ["no"], "`key` must name declared columns; however: `no` is not declared"),
        (f"{S}.order", {"from": "no"}, "`order` must name declared columns; however: `no` is not declared"),
        (f"{T}.series", "no", "`series` must name declared columns; however: `no` is not declared"),
        (f"{P}.end", "no", "`end` must name declared columns; however: `no` is not declared"),
        (f"{T}.position", "no", "`position` must name declared columns; however: `no` is not declared"),
        (f"{S}.key", ["stay", "stay"], "`key` must name each column once; however: stay, stay"),
        (
            f"{S}.columns.stay",
            {**ID, "nullable": True},
            "`key` must have columns without missing cells; however: stay is",
        ),
        (
            f"{S}.columns.person",
            {**ID, "nullable": True},
            "a link of kind owner must have columns without missing cells; however: person is nullable",
        ),
        (f"{P}.position", "bill", "`position` belongs to rows of a unit; however: the rows are units"),
        (f"{P}.max_rows_per_unit", 3, "`max_rows_per_unit` belongs to rows of a unit; however: the rows are units"),
        (
            "tables.wards.order",
            {"from": "ward"},
            "`order` belongs to rows of a unit; however: the table is declared `role: shared`",
        ),
        (
            f"{S}.order",
            {"from": "cost", "until": "left"},
            "`order` needs `from` and `until` of one kind; however: `cost`",
        ),
        (f"{T}.order", {"from": "note"}, "`order` needs moments or numbers; however: `note` is code"),
        (f"{P}.order", {"from": "died"}, "`order` must name as `from` a column without missing cells; however: `died`"),
        (f"{S}.order.until", "came", "`until` must be another column than `from`; however: both are `came`"),
        (f"{T}.order.overlap", True, "`overlap` is about rows that last; however: there is no `until`"),
        (f"{T}.series", "value", "`series` needs a column with levels or codes; however: `value` is numeric"),
        (
            f"{T}.position",
            "value",
            "`position` needs a numeric column with `decimals: 0` that is not nullable; however",
        ),
        (f"{P}.end", "sex", "`end` needs a moment or a number; however: `sex` is categorical"),
        (f"{S}.end", "left", "`end` belongs to the table of units; however: this is another"),
        (
            f"{S}.rules",
            [{"rule": "comparison", "left": "came", "op": "<", "right": "no"}],
            "`rules[0]` must name declared",
        ),
        (
            f"{P}.links",
            [OWNER],
            "must have no owner, for it is the table of units; however: a link of kind owner is given",
        ),
        ("tables.wards.links", [OWNER], "must have no owner, for it is declared `role: shared`"),
        (f"{S}.links", [], "`tables.stays` must have one link of kind owner; however: none is given"),
        (
            f"{T}.links.1",
            {**OWNER},
            "`tables.tests` must have one link of kind owner; however: 2 given, to `stays` and `people`",
        ),
        (
            f"{T}.links.1",
            {"columns": ["no"], "to": "people", "kind": "implied"},
            "must name declared columns; however: `no`",
        ),
        (
            f"{T}.links.1.to",
            "nowhere",
            "must point to a declared table; however: `nowhere` is not declared under `tables`",
        ),
        (
            f"{T}.links.1.to",
            "kinds",
            "of kind implied must point to a table of `role: records`; however: that is reference",
        ),
        (
            f"{T}.links.3.to",
            "stays",
            "of kind reference must point to a table of `role: reference`; however: that is rec",
        ),
        (
            f"{T}.links.1.columns",
            ["person", "stay"],
            "must give a column for each of the key of `people`; however: 2 given",
        ),
        (
            f"{T}.links.1.columns",
            ["person", "person"],
            "`links[1]` must name each column once; however: person, person",
        ),
        (
            f"{T}.links.2",
            GOOD["tables"]["tests"]["links"][1],
            "must differ from the others; however: it is there twice",
        ),
        (f"{S}.order", {"from": "came"}, "can be `open` only where rows have moments; however: `order` is missing"),
        (f"{T}.links.1.open", True, "`open` belongs to a link of kind earlier; however: this one is implied"),
        (f"{T}.links.1.max_rows_per_owner", 3, "`max_rows_per_owner` belongs to a link of kind owner; however"),
        (f"{T}.links.2.to", "tests", "must give a column for each of the key of `tests`; however: 1 given for 0"),
        (
            f"{S}.links.0",
            {"columns": ["person"], "to": "stays", "kind": "owner"},
            "`tables.stays` must belong to `people` by its owners; however: stays -> stays is a circle",
        ),
        (
            f"{T}.links.1",
            {"columns": ["note"], "to": "tests", "kind": "implied"},
            "of kind implied must point to an owner further up; however: `tests` is none of stays, people",
        ),
        (
            f"{T}.columns.at",
            {"kind": "numeric"},
            "must tell time in one way, for rows of a unit make one timeline; however: `stays.came` is a moment and "
            "`tests.at` a number",
        ),
        (
            f"{S}.columns",
            {**GOOD["tables"]["stays"]["columns"], "came": {**TIME, "zone": "UTC"}, "left": {**TIME, "zone": "+01:00"}},
            "one timeline: in one zone, or all in none; however: `stays.left` is in +01:00 and `stays.came` is in UTC",
        ),
        (
            f"{S}.columns",
            {**GOOD["tables"]["stays"]["columns"], "came": {**TIME, "zone": "UTC"}, "left": TIME},
            "one timeline: in one zone, or all in none; however: `stays.came` is in UTC and `stays.left` names none",
        ),
        ("rules.0.table", "no", "`rules[0]` must name tables of records; however: `no` is not one"),
        (
            "rules.0",
            {"rule": "within", "table": "stays", "of": "tests"},
            "must belong or point to rows of `tests`; however",
        ),
        (
            "rules.0",
            {"rule": "within", "table": "tests", "of": "people"},
            "needs `order` of `tests`, and of `people` with",
        ),
        (
            "rules.0",
            {"rule": "nothing_after", "moment": "people.no"},
            "must name a declared column as TABLE.COLUMN; howev",
        ),
        (
            "rules.0",
            {"rule": "nothing_after", "moment": "people.sex"},
            "needs a column of kind datetime or numeric; however",
        ),
        ("rules.0", {"rule": "nothing_after", "moment": "stays.left"}, "the moment must be one of a unit, in `people`"),
        (
            "rules.0",
            {"rule": "nothing_after", "moment": "people.bill"},
            "moments compare with moments; however: people.bill is numeric, `stays` not",
        ),
        (
            "rules.0",
            {"rule": "nothing_after", "moment": "people.died", "tables": ["kinds"]},
            "`rules[0]` must name tables of records; however: `kinds` is not one",
        ),
        (
            "rules.0",
            {"rule": "nothing_after", "moment": "people.died", "tables": ["people"]},
            "`people` must have an `order`; however: none is given",
        ),
        (
            "rules.0",
            {"rule": "total", "parent": "people.bill", "child": "tests"},
            "rows of `tests` must belong to rows of",
        ),
        (
            "rules.0",
            {"rule": "total", "parent": "people.sex", "child": "stays"},
            "needs a column of kind numeric; however",
        ),
        (
            "rules.0",
            {"rule": "once", "table": "tests", "columns": ["no"]},
            "must name declared columns; however: `tests.no`",
        ),
        (
            "rules.0",
            {"rule": "once", "table": "tests", "when": {"at": {"min": 3}}},
            "`min` and `max` need a numeric column; however: `at` is datetime",
        ),
        ("contradictions.0.when", {"no": {"missing": True}}, "must name declared columns; however: `tests.no`"),
        ("contradictions.0.when", {}, "must say of which rows it speaks; however: neither `when` nor `unit` is given"),
        ("contradictions.0.unit", {"sex": {"in": ["X"]}}, "`in` must list levels of `sex`; however: X not among them"),
        ("contradictions.0.without", {"table": "kinds"}, "must name tables of records; however: `kinds` is not one"),
        ("contradictions.0.name", "a/b", "`contradictions[0]` must have a short name of its own; however: it is none"),
        ("targets.0.at", "no", "`targets[0]` must name tables of records; however: `no` is not one"),
        (
            "targets.0.at",
            "people",
            "`at` must name a table with an `order`, which tells what comes after; however: `people` has none",
        ),
        ("targets.0.event", None, "must give `column` or `event`, one of them; however: neither"),
        ("targets.0.column", "cost", "must give `column` or `event`, one of them; however: both"),
        (
            "targets.0.event",
            {"table": "people"},
            "`event` must name a table with an `order`; however: `people` has none",
        ),
        ("targets.0.within", "soon", "`within` must be a number and one of d, h, min, s, y, rows; however: 'soon'"),
        ("targets.0.positive", 1, "`positive` is about a `column`; however: an `event` is to be predicted"),
        (
            "targets.0",
            {"name": "x", "at": "stays", "column": "stay"},
            "`column` must be a number or have levels; however",
        ),
        (
            "targets.0",
            {"name": "x", "at": "stays", "column": "cost", "within": "3 d"},
            "`within` is about an `event`; however: a `column` is to be predicted",
        ),
    ],
)
def test_what_is_wrong_is_said(path, value, sentence):
    with pytest.raises(SchemaError) as caught:
        LinkedSchema.parse(changed(path, value), "here.yaml")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("here.yaml must be a synthkit schema; however: ")


def test_names_are_given_once():
    data = changed("targets", [GOOD["targets"][0], GOOD["targets"][0]])
    with pytest.raises(
        SchemaError, match=r"`targets\[1\]` must have a short name of its own; however: it is given twice"
    ):
        LinkedSchema.parse(data)


def test_days_of_a_target_need_moments():
    data = copy.deepcopy(GOOD)
    del data["tables"]["people"]["end"], data["tables"]["tests"]["order"], data["rules"]
    data["tables"]["tests"]["links"].pop(2)
    data["tables"]["stays"]["columns"] |= {"came": {"kind": "numeric"}, "left": {"kind": "numeric"}}
    with pytest.raises(SchemaError, match="`within` must be a number, for time is told in numbers; however: '30 d'"):
        LinkedSchema.parse(data)
    data["targets"][0]["within"] = "30"
    assert LinkedSchema.parse(data).targets[0].within == "30"


def test_moments_need_a_unit_of_time_and_places_a_number_of_rows():
    """What loads has a meaning in the evaluation."""
    with pytest.raises(SchemaError, match=r"`within` must be a number and a unit of time, .*; however: '30'. Write 30"):
        LinkedSchema.parse(changed("targets.0.within", "30"))
    data = copy.deepcopy(GOOD)
    del data["tables"]["people"]["end"], data["rules"]
    data["tables"]["tests"]["links"].pop(2)
    data["tables"]["tests"].pop("order")
    data["tables"]["stays"]["order"] = {"from": "stay"}
    with pytest.raises(SchemaError, match="`within` must be a number of rows, for they have no times; however: '30 d'"):
        LinkedSchema.parse(data)
    data["targets"][0]["within"] = "2 rows"
    assert LinkedSchema.parse(data).targets[0].within == "2 rows"


def test_a_moment_and_its_event_are_on_one_clock():
    data = copy.deepcopy(GOOD)
    del data["tables"]["people"]["end"], data["rules"]
    data["tables"]["tests"]["links"].pop(2)
    data["tables"]["stays"]["order"] = {"from": "stay"}
    data["targets"][0] |= {"event": {"table": "tests"}}
    with pytest.raises(SchemaError, match="`event` and `at` must tell time on one clock; however: `tests` and `stays`"):
        LinkedSchema.parse(data)


def test_a_level_that_a_target_calls_positive_is_one():
    data = changed("tables.stays.columns.kind", {"kind": "categorical", "levels": ["a", "b"]})
    data["targets"] = [{"name": "x", "at": "stays", "column": "kind", "positive": "c"}]
    with pytest.raises(SchemaError, match="`positive` must be a level of `kind`; however: 'c'"):
        LinkedSchema.parse(data)


def test_two_ways_of_equal_length_are_told_from_a_key_that_leads_nowhere():
    data = changed("tables.trips", copy.deepcopy(GOOD["tables"]["stays"]))
    data["tables"]["trips"] |= {"key": ["trip"]}
    data["tables"]["trips"]["columns"]["trip"] = ID
    data["tables"]["tests"]["columns"]["trip"] = ID
    data["tables"]["tests"]["links"].append({"columns": ["trip"], "to": "trips", "kind": "implied"})
    with pytest.raises(SchemaError) as caught:
        LinkedSchema.parse(data)
    assert (
        "there are two ways of equal length, tests -> stays -> people and tests -> trips -> people. Keep one as owner"
        in str(caught.value)
    )


def test_a_longer_circle_and_a_path_that_ends_elsewhere():
    data = changed(f"{S}.links.0", {"columns": ["note"], "to": "tests", "kind": "owner"})
    data["tables"]["stays"]["columns"]["note"] = ID
    data["tables"]["tests"]["key"] = ["note"]
    data["tables"]["tests"]["columns"]["note"] = ID
    with pytest.raises(SchemaError) as caught:
        LinkedSchema.parse(data)
    assert "stays -> tests -> stays is a circle. Correct a link" in str(caught.value)
    data = changed(f"{S}.links.0", {"columns": ["person"], "to": "kinds", "kind": "owner"})
    with pytest.raises(SchemaError, match="stays -> kinds ends there"):
        LinkedSchema.parse(data)


def test_all_that_is_wrong_is_said_at_once_with_its_line():
    text = """unit: people
tables:
  people:
    key: [person]
    columns:
      person: {kind: identifer}
      age: {kind: numeric, mn: 0}
  visits:
    links:
      - {columns: [person], to: people, kind: ownr}
      - {columns: [person], too: people, kind: owner}
    ordr: {from: at}
    columns: {person: {kind: identifier}}
    rules:
      - {rule: comparson, left: a, op: "<", right: b}
rules:
  - {rule: witin, table: visits, of: people}
  - {rule: once, table: visits, when: {person: {mising: true}}}
contradictions:
  - {name: x, tabel: visits}
targets:
  - {name: y, at: visits, event: {tabl: visits}}
"""
    with pytest.raises(SchemaError) as caught:
        LinkedSchema.loads(text, "linked.yaml")
    said = str(caught.value)
    for line in (
        "tables.people.columns.person (line 6): `kind` must be one of",
        "Did you mean `identifier`?",
        "tables.people.columns.age.mn (line 7): key must be one of",
        "Did you mean `min`?",
        "tables.visits.links[0].kind (line 10): must be 'owner', 'implied', 'earlier', 'reference', 'shared' or 'peer'",
        "tables.visits.links[1].too (line 11): key must be one of",
        "tables.visits.ordr (line 12): key must be one of",
        "Did you mean `order`?",
        "tables.visits.rules[0] (line 15): `rule` must be one of comparison, exactly_one",
        "Did you mean `comparison`?",
        "rules[0] (line 17): `rule` must be one of nothing_after, once, total, within; however: `witin`.",
        "rules[1].when.person.mising (line 18): key must be one of in, max, min, missing; however: `mising`.",
        "contradictions[0].tabel (line 20): key must be one of",
        "targets[0].event.tabl (line 22): key must be one of table, when; however: `tabl`. Did you mean `table`?",
    ):
        assert line in said


def test_a_problem_of_a_table_is_at_its_line():
    text = """unit: people
tables:
  people:
    key: [person]
    columns:
      person: {kind: identifier}
  visits:
    links:
      - {columns: [person], to: nobody, kind: owner}
    columns: {person: {kind: identifier}}
"""
    with pytest.raises(SchemaError) as caught:
        LinkedSchema.loads(text)
    assert "tables.visits.links[0] (line 9): `tables.visits`: `links[0]` must point to a declared table" in str(
        caught.value
    )
