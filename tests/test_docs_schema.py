"""docs/schema.md is complete and true: its examples load, and every key is explained and shown at work."""

from __future__ import annotations

import re

import pytest
from places import ROOT
from pydantic import BaseModel
from ruamel.yaml import YAML

from synthkit.errors import SchemaError
from synthkit.schema import (
    Boolean,
    Categorical,
    Code,
    Comparison,
    Condition,
    Datetime,
    ExactlyOne,
    FixedCombination,
    Identifier,
    Implication,
    Numeric,
    Ordinal,
    Schema,
    Target,
)
from synthkit.schema.schema_errors import column_kinds, rule_kinds

TEXT = (ROOT / "docs" / "schema.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
SECTIONS = {
    "The table": Schema,
    "numeric": Numeric,
    "categorical": Categorical,
    "ordinal": Ordinal,
    "boolean": Boolean,
    "datetime": Datetime,
    "code": Code,
    "identifier": Identifier,
    "Targets": Target,
    "comparison": Comparison,
    "implication": Implication,
    "Conditions": Condition,
    "fixed_combination": FixedCombination,
    "exactly_one": ExactlyOne,
}


def keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def explained(heading: str) -> set[str]:
    """Keys in the table that stands under a heading."""
    body = re.split(rf"^##+ {heading}$", TEXT, flags=re.MULTILINE)[1].split("\n#")[0]
    return set(re.findall(r"^\| `(\w+)` \|", body, flags=re.MULTILINE))


def shown() -> dict[str, set[str]]:
    """Keys that the examples use, by the section they belong to."""
    used: dict[str, set[str]] = {heading: set() for heading in SECTIONS}
    for text in EXAMPLES:
        data = YAML(typ="safe", pure=True).load(text)
        used["The table"] |= set(data)
        for column in data["columns"].values():
            used[column["kind"]] |= set(column)
        for target in data.get("targets", []):
            used["Targets"] |= set(target)
        for rule in data.get("rules", []):
            used[rule["rule"]] |= set(rule)
            for side in ("if", "then"):
                for condition in rule.get(side, {}).values():
                    used["Conditions"] |= set(condition)
    return used


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_loads(text):
    assert Schema.loads(text).columns


def test_there_is_a_section_for_every_kind_and_rule():
    assert set(SECTIONS) - {"The table", "Targets", "Conditions"} == {*column_kinds(), *rule_kinds()}
    assert {SECTIONS[name] for name in (*column_kinds(), *rule_kinds())} == {
        *column_kinds().values(),
        *rule_kinds().values(),
    }


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_explained_and_no_other(heading):
    shared = (
        explained("Every column")
        if heading in column_kinds()
        else explained("Rules")
        if heading in rule_kinds()
        else set()
    )
    assert explained(heading) | shared - {"kind"} == keys(SECTIONS[heading])


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_shown_in_an_example(heading):
    """Keys that all kinds or all rules share need to be shown once, the others in their own section's examples."""
    used = shown()
    families = {**dict.fromkeys(column_kinds(), column_kinds()), **dict.fromkeys(rule_kinds(), rule_kinds())}
    shared = explained("Every column" if heading in column_kinds() else "Rules") if heading in families else set()
    anywhere = set().union(*(used[name] for name in families.get(heading, [])))
    assert keys(SECTIONS[heading]) <= used[heading] | (anywhere & shared)


def test_the_number_of_shipped_schemas_is_right():
    count = len(list((ROOT / "schemas").glob("*.yaml")))
    assert f"The folder `schemas/` holds { {8: 'eight', 9: 'nine', 10: 'ten'}[count] } complete ones" in TEXT


def test_what_the_page_says_of_yaml_is_true():
    levels = Schema.loads("columns: {c: {kind: categorical, levels: [NO, 12:30, 2020-01-01]}}").columns["c"].levels
    assert levels == ("NO", "12:30", "2020-01-01")
    assert Schema.loads("columns: {c: {kind: categorical, levels: [012]}}").columns["c"].levels == (12,)


@pytest.mark.parametrize(
    "text", [">5", "[0-10)", "{x", "*x", "&x", "!x", "|x", "%x", "@x", "`x", "a: b", "a #b", "a,b"]
)
def test_texts_that_must_be_quoted_are_not_themselves_unquoted(text):
    pair = "columns: {{c: {{kind: categorical, levels: [{}]}}}}"
    assert Schema.loads(pair.format(f'"{text}"')).columns["c"].levels == (text,)
    try:
        unquoted = Schema.loads(pair.format(text)).columns["c"].levels
    except SchemaError:
        return
    assert unquoted != (text,)
