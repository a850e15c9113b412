"""The schema: names and roles are checked against the columns, all problems at once."""

import pytest
from pydantic import ValidationError

from synthkit.schema import Schema

COLUMNS = {
    "pid": {"kind": "identifier"},
    "age": {"kind": "numeric"},
    "los": {"kind": "numeric"},
    "sex": {"kind": "categorical", "levels": ["f", "m"]},
    "dead": {"kind": "boolean"},
    "icd": {"kind": "code"},
    "listed": {"kind": "code", "levels": ["A", "B"]},
    "admitted": {"kind": "datetime"},
}

REFUSED = [
    ({"unit": "patient"}, "`unit` must name declared columns; however: `patient` is not declared"),
    ({"quasi_identifiers": ["zip"]}, "`quasi_identifiers` must name declared columns; however: `zip`"),
    ({"secrets": ["hiv"]}, "`secrets` must name declared columns; however: `hiv`"),
    ({"protected": ["race"]}, "`protected` must name declared columns; however: `race`"),
    ({"targets": [{"column": "x", "task": "binary"}]}, "`targets[0]` must name declared columns; however: `x`"),
    ({"targets": [{"column": "dead", "task": "binary", "exclude": ["x"]}]}, "however: `x` is not declared"),
    ({"targets": [{"column": "pid", "task": "binary"}]}, "`targets[0]` must not predict an identifier; however: `pid`"),
    ({"targets": [{"column": "sex", "task": "regression"}]}, "must be numeric for regression; however: `sex` is cat"),
    ({"targets": [{"column": "age", "task": "multiclass"}]}, "must have levels for a multiclass task; however: `age`"),
    ({"targets": [{"column": "age", "task": "survival"}]}, "must name its `event` column; however: none is given"),
    ({"targets": [{"column": "sex", "task": "binary"}]}, "`positive` must be a level of `sex`; however: None"),
    ({"targets": [{"column": "sex", "task": "binary", "positive": "x"}]}, "must be a level of `sex`; however: 'x'"),
    ({"rules": [{"rule": "comparison", "left": "age", "op": "<", "right": "x"}]}, "`rules[0]` must name declared"),
    ({"rules": [{"rule": "comparison", "left": "age", "op": "<", "right": "sex"}]}, "two numeric or two datetime"),
    ({"rules": [{"rule": "comparison", "left": "age", "op": "<", "right": "age"}]}, "however: age < age"),
    ({"rules": [{"rule": "fixed_combination", "columns": ["sex", "admitted"]}]}, "however: `admitted` is datetime"),
    (
        {"rules": [{"rule": "implication", "if": {"pid": {"missing": True}}, "then": {"age": {"min": 1}}}]},
        "a rule must not speak of an identifier; however: `pid`",
    ),
    (
        {"rules": [{"rule": "implication", "if": {"sex": {"min": 1}}, "then": {"age": {"min": 1}}}]},
        "`min` and `max` need a numeric column; however: `sex` is categorical",
    ),
    (
        {"rules": [{"rule": "implication", "if": {"admitted": {"in": [1]}}, "then": {"age": {"min": 1}}}]},
        "`in` needs a column with levels or numbers; however: `admitted` is datetime",
    ),
    (
        {"rules": [{"rule": "implication", "if": {"listed": {"in": ["A", "C"]}}, "then": {"age": {"min": 1}}}]},
        "`in` must list levels of `listed`; however: C not among them",
    ),
    (
        {"unit": "age", "rules": [{"rule": "implication", "if": {"age": {"min": 1}}, "then": {"dead": {"in": [1]}}}]},
        "`rules[0]` must not speak of the unit; however: `age` is made fresh",
    ),
    ({"zz": 1}, "Extra inputs"),
    ({"columns": {}}, "at least 1"),
]


@pytest.mark.parametrize(("keys", "message"), REFUSED)
def test_a_schema_that_contradicts_itself_is_refused(keys, message):
    with pytest.raises(ValidationError) as caught:
        Schema(**({"columns": COLUMNS} | keys))
    assert message in str(caught.value)


def test_all_problems_are_listed_at_once():
    with pytest.raises(ValidationError) as caught:
        Schema(columns=COLUMNS, unit="x", secrets=["y"], targets=[{"column": "z", "task": "binary"}])
    assert all(f"`{name}` is not declared" in str(caught.value) for name in "xyz")


def test_what_is_meant_is_accepted():
    schema = Schema(
        columns=COLUMNS,
        unit="pid",
        targets=[
            {"column": "dead", "task": "binary"},
            {"column": "sex", "task": "binary", "positive": "f"},
            {"column": "icd", "task": "multiclass"},
            {"column": "los", "task": "survival", "event": "dead"},
        ],
        rules=[
            {"rule": "comparison", "left": "age", "op": "<", "right": "los"},
            {"rule": "fixed_combination", "columns": ["sex", "age", "icd"]},
            {"rule": "implication", "if": {"icd": {"in": ["any"]}}, "then": {"age": {"in": [1, 2]}}},
        ],
    )
    assert schema.learned == ("age", "los", "sex", "dead", "icd", "listed", "admitted")
    assert list(schema.columns) == list(COLUMNS)


def test_the_unit_is_not_learned_whatever_its_kind():
    assert Schema(columns={"a": {"kind": "numeric"}, "b": {"kind": "numeric"}}, unit="a").learned == ("b",)
