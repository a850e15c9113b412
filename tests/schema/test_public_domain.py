"""What of a schema is public, what is refused, and cells mapped into the domain each by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.errors import SchemaError
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.domain_mapping import into_domain
from synthkit.schema.infer.draft import draft
from synthkit.schema.level_order import in_public_order
from synthkit.schema.public_domain import NOT_STATED, declared_domain, declarers

COLUMNS = {
    "age": {"kind": "numeric", "decimals": 0, "min": 0, "max": 120},
    "sex": {"kind": "categorical", "levels": ["f", "m"]},
    "ward": {"kind": "categorical", "levels": ["a", "b"], "nullable": True},
    "seen": {"kind": "datetime", "min": "2020-01-01", "max": "2021-01-01", "precision": "day"},
    "icd": {"kind": "code", "pattern": r"\d{3}", "nullable": True},
}


def frame():
    return pd.DataFrame(
        {
            "age": [61.0, 130.0, np.nan, -4.0],
            "sex": ["f", "x", None, "m"],
            "ward": ["a", "z", None, "b"],
            "seen": ["2020-05-01", "1999-01-01", None, "2030-01-01"],
            "icd": ["250", "25", None, "401"],
        }
    )


def test_all_that_is_declared_is_known():
    public = declared_domain(Schema(declared_by="the test: made-up people", columns=COLUMNS))
    assert public.unknown == {"icd": frozenset({"levels"})}
    assert public.schema.columns["age"].max == 120


def test_bounds_spikes_gaps_and_levels_read_off_the_data_are_not_used():
    seen = {
        "age": COLUMNS["age"] | {"observed": ["max", "nullable", "atoms"], "atoms": [0]},
        "sex": COLUMNS["sex"] | {"observed": ["levels"]},
    }
    public = declared_domain(Schema(declared_by="the test: made-up people", columns=seen))
    age = public.schema.columns["age"]
    assert (age.min, age.max, age.nullable, age.atoms, age.observed) == (0, None, True, (), ())
    assert public.unknown == {"age": frozenset({"max"}), "sex": frozenset({"levels"})}


def test_what_noise_cannot_buy_is_refused_line_by_line():
    schema = Schema(
        declared_by="the test: made-up people",
        columns={
            "age": COLUMNS["age"] | {"observed": ["kind", "decimals", "max"]},
            "low": COLUMNS["age"] | {"observed": ["min"]},
            "icd": COLUMNS["icd"] | {"observed": ["pattern"]},
        },
        rules=[{"rule": "comparison", "left": "low", "op": "<=", "right": "age", "observed": True}],
    )
    with pytest.raises(SchemaError) as caught:
        declared_domain(schema)
    text = str(caught.value)
    assert "every line of the schema must be public; however: 3 lines were read off" in text
    assert "`age`: kind, decimals\n" in text
    assert "`icd`: pattern" in text
    assert "`rules[0]`: low <= age" in text
    assert "`low`" not in text
    assert "--declared-by" in text


def test_every_cell_gets_into_the_domain():
    schema = Schema(declared_by="the test: made-up people", columns=COLUMNS)
    mapped = into_domain(frame(), schema)
    assert mapped["age"].tolist() == [61, 120, 0, 0]
    assert mapped["sex"].tolist() == ["f", "f", "f", "m"]
    assert mapped["ward"].tolist() == ["a", None, None, "b"]
    assert mapped["seen"].dt.strftime("%Y-%m-%d").tolist() == ["2020-05-01", "2020-01-01", "2020-01-01", "2021-01-01"]
    assert mapped["icd"].tolist() == ["250", None, None, "401"]
    for name, column in schema.columns.items():
        assert column.admits(mapped[name]).all()


def test_a_row_is_mapped_whoever_else_is_there():
    schema = Schema(declared_by="the test: made-up people", columns=COLUMNS)
    whole = into_domain(frame(), schema)
    for k in range(4):
        alone = into_domain(frame().iloc[[k]], schema)
        assert alone.astype(object).iloc[0].tolist() == whole.astype(object).iloc[k].tolist()


def test_an_open_number_without_bounds_stands_in_as_zero():
    schema = Schema(declared_by="the test: made-up people", columns={"x": {"kind": "numeric"}, "c": {"kind": "code"}})
    mapped = into_domain(pd.DataFrame({"x": [np.nan, 2.0], "c": [None, "a"]}), schema)
    assert mapped["x"].tolist() == [0.0, 2.0]
    assert mapped["c"].tolist() == [NOT_STATED, "a"]


def test_only_structure_refuses():
    schema = Schema(declared_by="the test: made-up people", columns=COLUMNS)
    with pytest.raises(SchemaError, match="missing from the table"):
        into_domain(frame().drop(columns="age"), schema)
    assert into_domain(frame().assign(age="old"), schema)["age"].tolist() == [0] * 4


def test_what_is_in_the_domain_stays():
    schema = Schema(declared_by="the test: made-up people", columns=COLUMNS)
    good = pd.DataFrame({"age": [1], "sex": ["m"], "ward": [None], "seen": ["2020-05-01"], "icd": ["999"]})
    pd.testing.assert_frame_equal(into_domain(good, schema), conform(good, schema))


def test_whoever_declares_a_draft_is_named_in_it_and_nothing_is_marked():
    frame = pd.DataFrame({"age": [61, 44, 70] * 5, "sex": ["f", "m", "m"] * 5})
    text = draft(frame, declared_by="A. Lee: codebook of 2019")
    schema = Schema.loads(text)
    assert schema.declared_by == "A. Lee: codebook of 2019"
    assert not any(column.observed for column in schema.columns.values())
    assert not any(rule.observed for rule in schema.rules)
    assert "answers for every line" in text
    assert declared_domain(schema).unknown == {}


@pytest.mark.parametrize("said", ["A. Lee", ": codebook", "A. Lee:", "", " : "])
def test_a_declaration_needs_a_name_and_a_reason(said):
    with pytest.raises(SchemaError, match="must be named with a reason"):
        draft(pd.DataFrame({"age": [1, 2]}), declared_by=said)
    if said:
        with pytest.raises(ValueError, match="declared_by"):
            Schema(columns=COLUMNS, declared_by=said)


@given(st.sets(st.sampled_from(sorted(COLUMNS))), st.booleans(), st.booleans())
def test_a_line_nobody_answers_for_is_refused_by_name(silent, whole, ruled):
    """Marks of `observed` taken away by hand left a schema that was public by nobody's word."""
    named = {n: c if n in silent else c | {"declared_by": "B. Roth: form 12"} for n, c in COLUMNS.items()}
    rules = [{"rule": "implication", "if": {"sex": {"in": ["f"]}}, "then": {"age": {"min": 1}}}] * ruled
    schema = Schema(columns=named, rules=rules, declared_by="A. Lee: codebook of 2019" if whole else None)
    if whole or not (silent or ruled):
        answered = declarers(declared_domain(schema).schema)
        assert sorted(n for names in answered.values() for n in names) == sorted([*COLUMNS, *["rules"] * ruled])
        assert set(answered.get("B. Roth: form 12", ())) == set(COLUMNS) - silent
        return
    with pytest.raises(SchemaError, match="nobody answers for") as caught:
        declared_domain(schema)
    said = str(caught.value).partition("\n")[0]
    assert {name for name in [*COLUMNS, "rules"] if f"`{name}`" in said} == silent | ({"rules"} if ruled else set())
    assert 'declared_by: "NAME: reason"' in str(caught.value)


def test_the_two_values_of_a_boolean_cannot_be_bought():
    flag = {"kind": "boolean", "levels": [0, 1], "observed": ["levels"]}
    with pytest.raises(SchemaError, match=r"`flag`: levels"):
        declared_domain(Schema(columns={"flag": flag}, declared_by="A. Lee: codebook of 2019"))


def test_levels_that_were_read_off_are_nowhere_in_what_is_public():
    town = {"kind": "categorical", "levels": ["north", "east"], "observed": ["levels"]}
    icd = {"kind": "code", "levels": ["250"], "observed": ["levels"]}
    public = declared_domain(Schema(columns={"town": town, "icd": icd}, declared_by="A. Lee: codebook of 2019"))
    assert public.unknown == {"town": frozenset({"levels"}), "icd": frozenset({"levels"})}
    assert "east" not in repr(public)
    assert "250" not in repr(public)


@given(st.lists(st.sampled_from(["1", 1, 1.0, 2.0, "2", "x", 10]), max_size=9), st.randoms())
def test_a_cell_of_an_open_column_is_the_same_text_whatever_else_is_there(cells, random):
    """Numbers or texts, ints or floats: the type of one cell does not follow from another."""
    schema = Schema(columns={"w": {"kind": "code", "nullable": True}}, declared_by="A. Lee: codebook of 2019")
    public = declared_domain(schema).schema
    mapped = into_domain(pd.DataFrame({"w": pd.Series(cells, dtype=object)}), public)["w"].tolist()
    alone = [into_domain(pd.DataFrame({"w": pd.Series([c], dtype=object)}), public)["w"][0] for c in cells]
    assert mapped == alone
    assert all(isinstance(cell, str) for cell in mapped)
    shuffled = random.sample(sorted(set(mapped)), len(set(mapped)))
    assert in_public_order(shuffled) == in_public_order(mapped)
