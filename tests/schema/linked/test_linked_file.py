"""Files of linked schemas: defaults left out, comments above keys, either format told from the other, JSON Schema."""

import json

import jsonschema
import pytest
from places import ROOT
from ruamel.yaml import YAML

from synthkit.errors import SchemaError, TableError
from synthkit.schema import Schema
from synthkit.schema.json_schema import save_json_schema
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.either_schema import as_linked, is_linked, load_either, parse_either
from synthkit.schema.linked.linked_json_schema import linked_json_schema

REAL = sorted((ROOT / "benchmarks" / "linked" / "schemas").glob("*.yaml"))
TEXT = """# a clinic
format: synthkit-linked/1
name: clinic
unit: people

tables:
  people:
    key: [id]
    columns:
      id: {kind: identifier}

  # what was measured
  tests:
    # who
    links:
      # whose
      - {columns: [id], to: people, kind: owner, max_rows_per_owner: 9}
    order: {from: day}
    max_rows_per_unit: 9
    columns:
      id: {kind: identifier}
      day: {kind: numeric}
      # in mmol/l
      value: {kind: numeric, min: 0, nullable: true}
      double: {kind: numeric}
    derived:
      double: "2 * value"
    rules:
      - {rule: implication, if: {value: {min: 3}}, then: {double: {min: 6}}}

rules:
  # never twice
  - {rule: once, table: tests, columns: [value], when: {value: {min: 2}}}

contradictions:
  - {name: odd, table: tests, when: {value: {min: 8}}, without: {table: tests, when: {value: {max: 1}}}}

targets:
  - {name: next, at: tests, event: {table: tests, when: {value: {min: 5}}}, within: "1 rows"}
"""
COMMENTS = {
    "": "a clinic",
    "tables.tests": ["what was measured"],
    "tables.tests.links": "who",
    "tables.tests.links[0]": "whose",
    "tables.tests.columns.value": "in mmol/l",
    "rules[0]": "never twice",
}


def test_a_schema_is_written_as_a_person_would_and_read_back(tmp_path):
    schema = LinkedSchema.loads(TEXT)
    assert schema.dumps(comments=COMMENTS) == TEXT
    schema.save(tmp_path / "again.yaml", comments=COMMENTS)
    assert LinkedSchema.load(tmp_path / "again.yaml") == schema
    with pytest.raises(TableError, match="must be writable"):
        schema.save(tmp_path / "nowhere" / "a.yaml")


@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_schemas_of_real_tables_round_trip_and_satisfy_the_json_schema(path):
    schema = LinkedSchema.load(path)
    assert LinkedSchema.loads(schema.dumps()) == schema
    assert schema.dumps() == path.read_text("utf-8")
    jsonschema.validate(YAML(typ="safe", pure=True).load(path.read_text("utf-8")), linked_json_schema())


def test_there_are_schemas_of_real_tables():
    assert {"mimic3_demo", "synthea_ma", "synthea_omop_27nj", "baseball"} <= {path.stem for path in REAL}


def test_the_shipped_json_schema_is_up_to_date(tmp_path):
    """If this fails: save_json_schema("schemas/synthkit-linked-1.json", linked_json_schema()) writes it anew."""
    save_json_schema(tmp_path / "now.json", linked_json_schema())
    assert (ROOT / "schemas" / "synthkit-linked-1.json").read_text("utf-8") == (tmp_path / "now.json").read_text(
        "utf-8"
    )
    jsonschema.Draft202012Validator.check_schema(json.loads((tmp_path / "now.json").read_text("utf-8")))


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": "a", "tables": {}},
        {"tables": {"a": {"columns": {"x": {"kind": "code"}}}}},
        {"unit": "a", "tables": {"a": {"columns": {"x": {}}}}},
        {"unit": "a", "tables": {"a": {"columns": {"x": {"kind": "code"}}, "zz": 1}}},
        {"unit": "a", "tables": {"a": {"columns": {"x": {"kind": "code"}}, "order": {"start": "x"}}}},
        {"unit": "a", "tables": {"a": {"columns": {"x": {"kind": "code"}}}}, "rules": [{"table": "a"}]},
        {"unit": "a", "tables": {"a": {"columns": {"x": {"kind": "code"}}, "role": "lookup"}}},
    ],
)
def test_the_json_schema_refuses_what_the_loader_refuses(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, linked_json_schema())
    if "start" not in str(wrong):  # the loader takes the name of the field as well
        with pytest.raises(SchemaError):
            LinkedSchema.parse(wrong)


def test_the_json_schema_explains_keys_with_the_docstrings():
    parts = linked_json_schema()["$defs"]
    assert parts["Link"]["properties"]["to"]["description"] == "the table it points to."
    assert parts["RowOrder"]["properties"]["from"]["description"].startswith("moment or number at which")
    assert parts["Within"]["required"] == ["rule", "table", "of"]


def test_a_file_is_told_by_its_format_or_its_keys(tmp_path):
    one, linked = Schema.loads("columns: {age: {kind: numeric}}"), LinkedSchema.loads(TEXT)
    one.save(tmp_path / "one.yaml")
    linked.save(tmp_path / "linked.yaml")
    assert load_either(tmp_path / "one.yaml") == one
    assert load_either(tmp_path / "linked.yaml") == linked
    assert as_linked(tmp_path / "linked.yaml") == linked == as_linked(linked)
    assert as_linked(tmp_path / "one.yaml").tables["table"].columns == one.columns
    assert not is_linked(None)
    assert not is_linked({"tables": 1, "columns": 2})
    with pytest.raises(SchemaError, match="`format` must be synthkit-linked/1; however: 'synthkit-linked/2'"):
        parse_either({"format": "synthkit-linked/2"})
    with pytest.raises(SchemaError, match="`format` must be synthkit-schema/1"):
        parse_either({"format": "other/1"})
    with pytest.raises(SchemaError, match="must be a mapping with the key `columns`; however: it holds nothing"):
        parse_either(None)
    with pytest.raises(SchemaError, match="must be a mapping with the key `tables`; however: it holds a list"):
        LinkedSchema.parse([])


def test_one_table_is_linked_ones_and_stays_itself():
    """Columns, roles, rules and where it comes from; a table whose units own several rows has no table of units."""
    text = "{source: here, columns: {a: {kind: numeric}, b: {kind: numeric}}, secrets: [a], rules: "
    one = Schema.loads(text + "[{rule: comparison, left: a, op: <=, right: b}]}")
    linked = LinkedSchema.of(one)
    assert linked.source == "here"
    assert linked.graph.records == ("table",)
    assert linked.tables["table"].alone("table") == one.model_copy(update={"source": None})
    assert LinkedSchema.loads(linked.dumps()) == linked
    with pytest.raises(SchemaError, match="each row is a unit; however: rows belong to `p`"):
        LinkedSchema.of(Schema.loads("{unit: p, columns: {p: {kind: identifier}, a: {kind: numeric}}}"))
