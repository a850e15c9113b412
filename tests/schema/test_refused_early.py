"""A schema that is none is refused in words, and before anything that takes time is loaded."""

import json
import subprocess
import sys

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from synthkit.cli.app import app
from synthkit.errors import SchemaError
from synthkit.runtime.validation_words import REQUIREMENT_OF
from synthkit.schema import Schema
from synthkit.schema.resolve import resolve_schema

HEAVY = ("torch", "great_expectations", "pandas", "numpy", "pyarrow", "scipy", "sklearn")
PRIVATE = ["--epsilon", "1", "--delta", "1e-6"]
WORDS = {  # of each command, besides the schema
    "validate": ["t.csv"],
    "run": ["t.csv", "--out", "r"],
    "fit": ["t.csv", "--out", "r"],
    "compare": ["t.csv", "--out", "r", "--models", "independent"],
    "evaluate": ["--train", "a.csv", "--holdout", "b.csv", "--synthetic", "c.csv", "--out", "r"],
    "plan": ["--rows", "1000", *PRIVATE],
    "watermark-key": ["--out", "k.json"],
}
COMMANDS = typer.main.get_command(app).commands
PROGRAM = """
import contextlib, io, json, sys
from synthkit.cli.app import main
told = []
for words in json.loads(sys.argv[1]):
    sys.argv, said, status = ["synthkit", *words], io.StringIO(), 0
    try:
        with contextlib.redirect_stderr(said):
            main()
    except SystemExit as end:
        status = end.code
    told.append([said.getvalue(), status, [name for name in {heavy!r} if name in sys.modules]])
print(json.dumps(told))
"""


def told(folder, commands):
    """What each of some commands said, its status and the heavy libraries loaded so far, in one process for all."""
    words = [sys.executable, "-c", PROGRAM.format(heavy=HEAVY), json.dumps(commands)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=folder)
    return json.loads(done.stdout.splitlines()[-1])


def test_every_command_with_a_schema_is_tried():
    assert set(WORDS) == {name for name, each in COMMANDS.items() if any(p.name == "schema" for p in each.params)}


def test_a_bad_schema_is_refused_before_anything_heavy_is_loaded(tmp_path):
    (tmp_path / "bad.yaml").write_text("declared_by: nobody\ncolumns: {age: {kind: numerc}}", encoding="utf-8")
    answers = told(tmp_path, [[name, *words, "--schema", "bad.yaml"] for name, words in WORDS.items()])
    for name, (said, status, heavy) in zip(WORDS, answers, strict=True):
        assert (status, heavy) == (2, []), name
        assert 'declared_by (line 1): must say who answers for the lines and why, as "NAME: reason"; however: ' in said
        assert "Did you mean `numeric`?" in said, name
    assert not list(tmp_path.glob("r*"))


def test_under_a_budget_lines_nobody_answers_for_are_refused_before_anything_heavy_is_loaded(tmp_path):
    (tmp_path / "s.yaml").write_text("columns: {age: {kind: numeric, min: 0, max: 120}}", encoding="utf-8")
    asked = {name: [*WORDS[name], *(PRIVATE if name != "plan" else [])] for name in ("run", "fit", "plan")}
    for said, status, heavy in told(tmp_path, [[name, *words, "--schema", "s.yaml"] for name, words in asked.items()]):
        assert (status, heavy) == (2, [])
        assert "nobody answers for `age`" in said


def test_a_unit_the_schema_lacks_is_refused_before_anything_heavy_is_loaded(tmp_path):
    (tmp_path / "s.yaml").write_text("columns: {age: {kind: numeric, min: 0, max: 120}}", encoding="utf-8")
    asked = [[name, *WORDS[name], "--schema", "s.yaml", "--unit", "pid"] for name in ("run", "fit")]
    for said, status, heavy in told(tmp_path, asked):
        assert (status, heavy) == (2, [])
        assert "the unit must be a column of the schema; however: `pid` is not" in said


def test_a_schema_without_a_column_to_learn_is_refused():
    with pytest.raises(SchemaError, match="must declare a column to learn"):
        resolve_schema(Schema(columns={"id": {"kind": "identifier"}}))


def test_a_good_schema_is_read_without_a_table_library(tmp_path):
    (tmp_path / "s.yaml").write_text(
        "columns:\n  age: {kind: numeric, min: 0, max: 120, decimals: 0, atoms: [0]}\n"
        "  sex: {kind: categorical, levels: [f, m, 3, 1.5, true]}\n  day: {kind: datetime, min: '2020-01-01'}\n"
        "  icd: {kind: code, pattern: '[A-Z][0-9]+'}\n  id: {kind: identifier, pattern: 'P[0-9]{6}'}\n"
        "targets: [{column: sex, task: binary, positive: f}]\n"
        "rules:\n- {rule: implication, if: {sex: {in: [f]}}, then: {age: {min: 3}}}\n",
        encoding="utf-8",
    )
    code = "import sys\nfrom synthkit.schema import Schema\nSchema.load('s.yaml')\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert not set(HEAVY) & set(done.stdout.split())


# ---- words

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(2**70),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=3), each, max_size=3),
    max_leaves=4,
)
WHOLE = {
    "name": "t",
    "columns": {
        "a": {"kind": "numeric", "min": 0, "max": 9, "decimals": 0, "atoms": [0], "observed": ["max"]},
        "b": {"kind": "categorical", "levels": ["x", 1], "declared_by": "A: b", "nullable": True},
        "c": {"kind": "datetime", "min": "2020-01-01", "precision": "day", "format": "%d.%m.%Y"},
        "d": {"kind": "code", "pattern": "[a-z]+", "system": "S"},
        "e": {"kind": "identifier", "pattern": "P[0-9]{3}", "unique": True},
    },
    "quasi_identifiers": ["a"],
    "targets": [{"column": "b", "task": "multiclass", "exclude": ["a"]}],
    "rules": [
        {"rule": "implication", "if": {"a": {"min": 3, "missing": False}}, "then": {"b": {"in": ["x"]}}},
        {"rule": "fixed_combination", "columns": ["a", "b"], "combinations": [[1, "x"]], "observed": True},
        {"rule": "comparison", "left": "a", "op": "<", "right": "a"},
    ],
}


def places(tree, path=()):
    """Every place in a tree, whole branches too."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, branch in inner:
        yield (*path, key)
        yield from places(branch, (*path, key))


def put(tree, path, value):
    """A copy of a tree with another value in one place."""
    if not path:
        return value
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[path[0]] = put(tree[path[0]], path[1:], value)
    return copy


@given(st.sampled_from(list(places(WHOLE))), VALUES)
def test_whatever_stands_in_the_place_of_a_value_is_refused_in_our_words(path, value):
    wrong = put(WHOLE, path, value)
    said, kinds = "", set()
    try:
        Schema.parse(wrong)
    except SchemaError as error:
        said = str(error).lower()
        kinds = {detail["type"] for detail in getattr(error.__cause__, "errors", list)()}
    assert "input should" not in said
    assert "should match pattern" not in said
    assert kinds <= {
        *REQUIREMENT_OF,
        "value_error",
        "union_tag_invalid",
        "union_tag_not_found",
        "string_pattern_mismatch",
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("declared_by: A. Lee", 'declared_by (line 1): must say who answers for the lines and why, as "NAME: reason"'),
        ("declared_by: 'A. Lee:'", 'as "NAME: reason"; however: '),
        ("unit: 3", "unit (line 1): must be text; however: 3"),
        ("secrets: age", "secrets (line 1): must be a list, [a, b, ...]; however: 'age'"),
    ],
)
def test_each_mistake_is_said_in_a_sentence(line, says):
    with pytest.raises(SchemaError) as caught:
        Schema.loads(f"{line}\ncolumns: {{age: {{kind: numeric}}}}")
    assert says in str(caught.value)
