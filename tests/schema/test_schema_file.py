"""Schema files: what is written is read back, and everything wrong with a file is said at once."""

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT
from ruamel.yaml import YAML

from synthkit.errors import SchemaError, TableError
from synthkit.runtime.docstrings import arguments
from synthkit.schema import Schema
from synthkit.schema.json_schema import json_schema, save_json_schema
from synthkit.schema.mixed_levels import level_text
from synthkit.schema.yaml_writer import YAML_WIDTH

SHIPPED = sorted((ROOT / "schemas").glob("*.yaml"))

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PLAIN = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/\\"), min_size=1, max_size=8).filter(
    lambda name: not name.startswith(".")
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0)  # a bound of -0.0 is written 0
LEVEL = st.one_of(st.booleans(), st.integers(), FLOATS, NAMES)
LEVELS = st.lists(
    LEVEL,
    min_size=1,
    max_size=40,
    unique_by=(lambda x: str(x) if isinstance(x, str) else float(x), level_text),  # levels that mix are texts
)
ZONES = st.sampled_from(["UTC", "+01:00", "Europe/Berlin"])


def formats(*sure):
    """Formats of a day and of part of a clock, in any order and with any text between, beside what is sure."""
    between = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="%"), max_size=4)
    days = st.sampled_from([(), ("%m",), ("%^b",), ("%m", "%-d"), ("%d", "%b", "%A"), ("%j",), ("%j", "%%")])
    clocks = st.sampled_from(
        [("%H",), ("%I", "%P"), ("%-H", "%M"), ("%I", "%p", "%M", "%S"), ("%H", "%M", "%S", "%3f")]
    )
    whole = st.one_of(
        days, st.tuples(days.filter({"%j", "%d", "%-d"}.intersection), clocks).map(lambda two: sum(two, ()))
    )

    def told(parts):
        return st.tuples(st.permutations(sure + parts), st.lists(between, min_size=9, max_size=9)).map(
            lambda drawn: "".join(part + text for part, text in zip(drawn[0], drawn[1], strict=False))
        )

    return whole.flatmap(told)


def moments():
    """Columns of moments that a schema can have: years of two digits ask for no bounds, offsets for a zone."""
    kind, bound = st.just("datetime"), st.none() | st.dates().map(str)
    return st.one_of(
        st.fixed_dictionaries(
            {"kind": kind, "min": bound, "format": st.none() | formats("%Y"), "zone": st.none() | ZONES}
        ),
        st.fixed_dictionaries({"kind": kind, "min": bound, "format": formats("%Y", "%:z"), "zone": ZONES}),
        st.fixed_dictionaries({"kind": kind, "format": formats("%y"), "pivot": st.integers(1, 9900)}),
    )


def columns():
    shared = {"nullable": st.booleans(), "description": st.none() | NAMES}
    numeric = st.fixed_dictionaries(
        {"kind": st.just("numeric"), "unit": st.none() | NAMES, "decimals": st.none() | st.integers(0, 15)}
        | {"min": st.none() | FLOATS.filter(lambda x: x <= 0), "max": st.none() | FLOATS.filter(lambda x: x >= 0)}
        | shared
    )
    levels = st.fixed_dictionaries(
        {"kind": st.sampled_from(["categorical", "ordinal", "code"]), "levels": LEVELS, "observed": st.just(["levels"])}
        | shared
    )
    boolean = st.fixed_dictionaries(
        {"kind": st.just("boolean"), "levels": st.sampled_from([[0, 1], [False, True], ["no", "yes"], [0.0, 1.0]])}
    )
    return st.dictionaries(NAMES, st.one_of(numeric, levels, boolean, moments()), min_size=1, max_size=5)


def same(a: Schema, b: Schema) -> bool:
    """Equal, and equal as written: 0, 0.0 and false are equal in Python, but not in a table."""
    return a == b and repr(a) == repr(b) and list(a.columns) == list(b.columns)


@settings(max_examples=60)
@given(columns(), PLAIN, st.none() | NAMES)
def test_any_schema_comes_back_from_its_yaml(kinds, name, description):
    schema = Schema(columns=kinds, name=name, description=description)
    assert same(Schema.loads(schema.dumps()), schema)


@settings(max_examples=20)
@given(LEVELS, LEVELS)
def test_rules_and_targets_come_back_too(a, b):
    schema = Schema(
        columns={
            "a": {"kind": "categorical", "levels": a},
            "b": {"kind": "ordinal", "levels": b},
            "t": {"kind": "code"},
        },
        unit="t",
        quasi_identifiers=["a"],
        secrets=["b"],
        protected=["a"],
        targets=[{"column": "a", "task": "binary", "positive": a[0], "exclude": ["b"]}],
        rules=[
            {"rule": "implication", "if": {"a": {"in": a}}, "then": {"b": {"missing": False}}, "observed": True},
            {"rule": "fixed_combination", "columns": ["a", "b"], "combinations": [[a[0], b[0]], [None, b[0]]]},
        ],
    )
    assert same(Schema.loads(schema.dumps()), schema)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_schemas_load_round_trip_and_satisfy_the_json_schema(path, tmp_path):
    schema = Schema.load(path)
    schema.save(tmp_path / "again.yaml")
    assert same(Schema.load(tmp_path / "again.yaml"), schema)
    assert all(p.name == "again.yaml" for p in tmp_path.iterdir())
    for file in (path, tmp_path / "again.yaml"):
        jsonschema.validate(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")), json_schema())


def test_there_are_shipped_schemas():
    assert {"support2", "adult", "diabetes130", "heart_disease"} <= {p.stem for p in SHIPPED}


def test_the_shipped_json_schema_is_up_to_date(tmp_path):
    """If this fails: `python -c "from synthkit.schema.json_schema import save_json_schema as s; s('schemas/...')"`."""
    save_json_schema(tmp_path / "now.json")
    assert (ROOT / "schemas" / "synthkit-schema-1.json").read_text("utf-8") == (tmp_path / "now.json").read_text(
        "utf-8"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": {"a": {"kind": "numeric", "zz": 1}}},
        {"columns": {"a": {}}},
        {"columns": {"a": {"kind": "boolean", "levels": [1]}}},
        {"columns": {}},
        {},
        {"columns": {"a": {"kind": "code"}}, "rules": [{"left": "a", "op": "<", "right": "b"}]},
        {"columns": {"a": {"kind": "code"}}, "rules": [{"rule": "implication", "if_": {}, "then": {}}]},
        {"columns": {"a": {"kind": "code"}}, "zz": 1},
    ],
)
def test_the_json_schema_refuses_what_the_loader_refuses(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, json_schema())
    with pytest.raises(SchemaError):
        Schema.parse(wrong)


def test_the_json_schema_explains_keys_with_the_docstrings():
    definitions = json_schema()["$defs"]
    assert definitions["Numeric"]["properties"]["atoms"]["description"].startswith("values with a meaning of their own")
    assert definitions["Condition"]["properties"]["in"]["description"] == "levels the cell may have."
    assert definitions["Code"]["properties"]["nullable"]["description"] == "whether cells may be missing."
    jsonschema.Draft202012Validator.check_schema(json_schema())
    json.dumps(json_schema())


def test_arguments_reads_continuation_lines_and_stops_at_the_next_heading():
    doc = "One.\n\n    Args:\n        a: first\n            goes on.\n        b: second.\n"
    doc += "\n    Raises:\n        c: no.\n    "
    assert arguments(doc) == {"a": "first goes on.", "b": "second."}


def test_yaml_1_2_means_what_it_says():
    text = "columns: {country: {kind: categorical, levels: [NO, 12:30, 2020-01-01, yes, '1']}}"
    assert repr(Schema.loads(text).columns["country"].levels) == "('NO', '12:30', '2020-01-01', 'yes', '1')"
    numbers = "columns: {country: {kind: categorical, levels: [012, 0o12, 1e3]}}"
    assert repr(Schema.loads(numbers).columns["country"].levels) == "(12, 10, 1000.0)"


def test_a_column_is_one_line_where_it_fits_and_defaults_are_left_out():
    schema = Schema(
        columns={
            "age": {"kind": "numeric", "min": 18, "max": 120, "decimals": 0, "unit": "years"},
            "dead": {"kind": "boolean", "levels": [0, 1]},
            "long": {"kind": "categorical", "levels": [f"level number {k}" for k in range(30)]},
        }
    )
    lines = schema.dumps().splitlines()
    assert "  age: {kind: numeric, min: 18, max: 120, decimals: 0, unit: years}" in lines
    assert "  dead: {kind: boolean, levels: [0, 1]}" in lines
    assert max(map(len, lines)) <= YAML_WIDTH
    assert "nullable" not in schema.dumps()


def test_comments_stand_above_their_keys_and_change_nothing():
    schema = Schema(columns={"a": {"kind": "code"}}, rules=[{"rule": "fixed_combination", "columns": ["a", "b"]}][:0])
    comments = {
        "": "top\nsecond",
        "unit": ["likely: a"],
        "columns.a": "guess",
        "secrets": "suggestion",
        "rules": "none",
    }
    text = schema.dumps(comments=comments)
    assert text.startswith("# top\n# second\nformat:")
    assert "  # guess\n  a: {kind: code}\n" in text
    assert all(f"# {line}" in text for line in ("likely: a", "suggestion", "none"))
    assert same(Schema.loads(text), schema)


WRONG = """
name: x
columns:
  age: {kind: numeric, zz: 3, mn: 2, min: foo}
  b: {kind: numerc}
  c: {levels: [1]}
  d: {kind: categorical, levels: [null, 1]}
  e: {kind: categorical, levels: []}
  3: {kind: code, pattern: "("}
  f: {kind: categorical}
  g: [1]
  h: {kind: boolean, levels: [a, b, c]}
rules:
  - {rule: comparison, left: age, op: "=", right: b}
  - {rule: implication, if: {age: {inn: [3]}}, then: {}}
  - {rule: comparson}
  - 7
targets:
  - {column: age, task: regression, exclud: [b]}
colums: {}
"""


@pytest.mark.parametrize(
    "line",
    [
        "columns.age.zz (line 4): key must be one of atoms, censored, decimal, decimals, declared_by, description, "
        "kind, max, min, minus, missing, nullable, observed, paid, percent, plus, prefix, significant_digits, step, "
        "stored_as, suffix, thousands, trailing_zeros, unit, written_decimals; however: `zz`.",
        "columns.age.mn (line 4): key must be one of atoms, censored, decimal, decimals, declared_by, description, "
        "kind, max, min, minus, missing, nullable, observed, paid, percent, plus, prefix, significant_digits, step, "
        "stored_as, suffix, thousands, trailing_zeros, unit, written_decimals; however: `mn`. Did you mean `min`?",
        "columns.age.min (line 4): must be a number; however: 'foo'",
        "columns.b (line 5): `kind` must be one of boolean, categorical, code, datetime, identifier, numeric, ordinal; "
        "however: `numerc`. Did you mean `numeric`?",
        "columns.c (line 6): `kind` must be one of boolean, categorical, code, datetime, identifier, numeric, ordinal; "
        "however: it is absent",
        "columns.d.levels[0] (line 7): a level must be text, a finite number, true or false; however: nothing",
        "columns.e.levels (line 8): must have at least 1 of them; however: an empty list",
        "columns[3] (line 9): a key must be text, so put 3 in quotes; however: 3",
        "columns[3] (line 9): `pattern` must be a regular expression of RE2; however: missing ): (. Write it without "
        "backreferences, without looking ahead or behind, and with counts up to 1000",
        "columns.f.levels (line 10): `levels` must be given; however: it is absent",
        "columns.g (line 11): must be a mapping, {key: value, ...}; however: a list of 1",
        "columns.h.levels (line 12): must have at most 2 of them; however: a list of 3",
        "rules[0].op (line 14): must be '<' or '<='; however: '='",
        "rules[1].if.age.inn (line 15): key must be one of in, max, min, missing; however: `inn`. Did you mean `in`?",
        "rules[1].then (line 15): must have at least 1 of them; however: an empty mapping",
        "rules[2] (line 16): `rule` must be one of comparison, exactly_one, fixed_combination, implication; however: "
        "`comparson`. Did you mean `comparison`?",
        "rules[3] (line 17): must be a mapping, {key: value, ...}; however: 7",
        "targets[0].exclud (line 19): key must be one of column, event, exclude, positive, task; however: `exclud`. "
        "Did you mean `exclude`?",
        "colums (line 20): key must be one of columns, declared_by, derived, description, format, licence, name, "
        "protected, quasi_identifiers, rules, secrets, source, targets, unit; however: `colums`. "
        "Did you mean `columns`?",
    ],
)
def test_every_mistake_has_its_path_line_and_remedy(line):
    with pytest.raises(SchemaError) as caught:
        Schema.loads(WRONG, "wrong.yaml")
    first, *rest = str(caught.value).splitlines()
    assert first == "wrong.yaml must be a synthkit schema; however: 19 things are wrong"
    assert len(rest) == 19
    assert f"  {line}" in rest


def test_contradictions_point_at_their_rule_and_target():
    text = "columns: {a: {kind: numeric}, b: {kind: code}}\nrules:\n- {rule: comparison, left: a, op: <, right: b}\n"
    with pytest.raises(SchemaError) as caught:
        Schema.loads(text + "targets:\n- {column: a, task: binary}\n", "f.yaml")
    assert str(caught.value).splitlines() == [
        "f.yaml must be a synthkit schema; however: 2 things are wrong",
        "  targets[0] (line 5): `targets[0]` must have levels for a binary task; however: `a` is numeric",
        "  rules[0] (line 3): `rules[0]`: a comparison needs two numeric or two datetime columns; however: a < b",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml must be a mapping with the key `columns`; however: it holds nothing"),
        ("- 1", "f.yaml must be a mapping with the key `columns`; however: it holds a list"),
        ("a: [", "f.yaml must be valid YAML; however, line 1, column 5: expected the node content"),
        ("a: 1\na: 2", 'f.yaml must be valid YAML; however, line 2, column 1: found duplicate key "a". Keep one'),
        ("a: \x00", "f.yaml must be valid YAML; however: unacceptable character #x0000"),
        (
            "columns: {a: {kind: code}}\nformat: synthkit-schema/2",
            "`format` must be synthkit-schema/1; however: 'synth",
        ),
        ("name: x", "\n  columns: `columns` must be given; however: it is absent"),
    ],
)
def test_what_is_no_schema_is_said_plainly(text, message):
    with pytest.raises(SchemaError) as caught:
        Schema.loads(text, "f.yaml")
    assert message in str(caught.value)


def test_a_missing_file_names_the_command_that_drafts_one(tmp_path):
    with pytest.raises(SchemaError, match=r"does not exist. `synthkit init TABLE -o .*absent.yaml` drafts one"):
        Schema.load(tmp_path / "absent.yaml")


def test_a_folder_and_other_encodings_are_refused(tmp_path):
    with pytest.raises(SchemaError, match=r"must be a readable file; however: .*Is a directory"):
        Schema.load(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: Zürich".encode("latin-1"))
    with pytest.raises(SchemaError, match="must be UTF-8 text; however: byte 7 is not"):
        Schema.load(tmp_path / "latin.yaml")


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfcolumns: {a: {kind: code}}")
    assert list(Schema.load(str(tmp_path / "bom.yaml")).columns) == ["a"]


def test_saving_where_nothing_can_be_saved_is_an_error(tmp_path):
    with pytest.raises(TableError, match="must be writable"):
        Schema(columns={"a": {"kind": "code"}}).save(tmp_path / "absent" / "schema.yaml")
