"""Keys of persons and encounters: found by name and by how they repeat, whatever the order of rows and the storage."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_tables import made

from synthkit.schema.infer.draft import examine, infer_schema
from synthkit.schema.infer.keys_of_entities import (
    EntityKey,
    entity_keys,
    find_repeated_keys,
    owner_key,
    repetition_in_words,
    text_key,
    whole_key,
)
from synthkit.schema.infer.type_inference import infer_column


def kinds(frame):
    return {name: column.kind for name, column in infer_schema(frame).columns.items()}


def test_a_key_whose_name_says_nothing_is_told_by_traits_that_never_change_within_it():
    draft = examine(made("insurance"))
    assert draft.schema.columns["zper"].kind == "identifier"
    assert draft.owner.column == "zper"
    assert (draft.owner.role, draft.owner.rows, draft.owner.distinct) == ("person", 20031, 5912)
    assert "5,912 different values in 20,031 rows, 3.4 rows each" in draft.owner.evidence
    assert "`plan`, `site`, `coins` and 7 others never change within one" in draft.owner.evidence
    identifiers = [c for c, k in draft.schema.columns.items() if k.kind == "identifier"]
    assert identifiers == ["zper"]  # not the income of a person, which is a trait


def test_a_unique_key_with_gaps_is_one_whether_whole_or_float():
    frame = made("cohort")
    assert frame["seqn"].dtype == float
    assert kinds(frame)["seqn"] == "identifier"
    assert kinds(frame.astype({"seqn": int}))["seqn"] == "identifier"
    assert kinds(frame.rename(columns={"seqn": "x"}))["x"] == "identifier"


def test_keys_of_cases_and_encounters_are_never_codes():
    draft = examine(made("registry"))
    columns = draft.schema.columns
    assert columns["case.id"].kind == columns["encounter"].kind == "identifier"
    assert columns["encounter"].unique
    assert draft.owner.column == "case.id"


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("PATIENT", [f"{k:08x}-0000-4000-8000-{k:012x}" for k in range(40)] * 9, "identifier"),
        ("x", [f"{k:08x}-0000-4000-8000-{k:012x}" for k in range(40)] * 9, "identifier"),
        ("case.id", [f"C-{k}" for k in range(60)] * 9, "identifier"),
        ("patient_nbr", list(range(5, 25)) * 30, "identifier"),
        ("hadm_id", list(range(100_000, 100_120)) * 20, "identifier"),
        ("group_id", [f"g{k}" for k in range(2000)] * 5, "identifier"),
        ("encounter", list(range(3, 903, 3)), "identifier"),
        ("patient_type_id", [1, 2, 3, 4] * 30, "categorical"),
        ("visits", list(range(60)) * 9, "numeric"),
        ("stay", list(range(1, 61)) * 9, "numeric"),
        ("department", [f"D{k:02d}" for k in range(30)] * 9, "categorical"),
        ("item_id", [f"I{k}" for k in range(900)] * 9, "code"),
    ],
)
def test_kinds_of_columns_that_may_be_keys(name, values, kind):
    assert infer_column(name, pd.Series(values)).column.kind == kind


def test_amounts_of_a_table_without_owners_are_no_keys():
    rng = np.random.default_rng(3)
    n = 4000
    frame = pd.DataFrame(
        {
            "amount": rng.integers(0, 2500, n),
            "sex": rng.choice(["f", "m"], n),
            "black": rng.integers(0, 2, n),
            "age": rng.integers(0, 90, n),
        }
    )
    assert find_repeated_keys(frame, infer_schema(frame).columns) == ()
    doubled = pd.concat([frame, frame])  # rows that stand twice tie everything to everything
    assert find_repeated_keys(doubled, infer_schema(doubled).columns) == ()


def test_a_spike_is_no_key():
    rng = np.random.default_rng(3)
    amount = np.where(rng.random(3000) < 0.5, 0, rng.permutation(3000) + 1)
    frame = pd.DataFrame({"amount": amount, "a": (amount > 0) * 1, "b": (amount > 0) * 2, "c": rng.random(3000)})
    assert find_repeated_keys(frame, infer_schema(frame).columns) == ()


def test_the_unit_is_never_a_place():
    rng = np.random.default_rng(0)
    zips = np.array([f"0{place}" for place in rng.integers(1_000, 9_999, 60)])
    frame = pd.DataFrame({"zip": np.append(zips, zips[:3]), "x": rng.random(63)})
    draft = examine(frame)
    assert draft.schema.columns["zip"].kind == "identifier"
    assert draft.owner is None
    assert "unit: zip" not in draft.text


def test_of_two_keys_the_person_owns_the_rows():
    found = [
        EntityKey("encounter_id", "event", 90, 60, ""),
        EntityKey("zip", "place", 90, 70, ""),
        EntityKey("zper", "person", 90, 50, ""),
        EntityKey("patient_id", "person", 90, 40, ""),
        EntityKey("mrn", "person", 90, 90, ""),
    ]
    assert owner_key(found).column == "patient_id"
    assert owner_key(found[:2]) is None


def test_counts_in_words():
    assert repetition_in_words(4, 4) == "4 rows, each with its own value"
    assert repetition_in_words(10, 4) == "4 different values in 10 rows, 2.5 rows each"
    assert repetition_in_words(0, 0) == "0 rows, each with its own value"


@given(st.integers(30, 300), st.integers(1, 12), st.integers(0, 1000))
def test_unique_numbers_that_chance_would_repeat_are_a_key(n, gap, seed):
    rng = np.random.default_rng(seed)
    distinct = np.sort(rng.choice(n * gap, n, replace=False)).astype(float)
    why = whole_key("x", distinct, np.ones(n, dtype=int))
    pairs = n * (n - 1) / 2 / (distinct[-1] - distinct[0])
    assert bool(why) == (pairs >= 7 or distinct[-1] - distinct[0] < 1.05 * n)


@pytest.mark.parametrize("name", ["insurance", "registry"])
def test_keys_do_not_depend_on_the_order_of_rows_or_on_storage(name):
    frame = made(name)
    expected = entity_keys(frame, infer_schema(frame).columns)
    mixed = frame.sample(frac=1, random_state=1)
    assert entity_keys(mixed, infer_schema(mixed).columns) == expected
    nullable = frame.convert_dtypes()
    assert entity_keys(nullable, infer_schema(nullable).columns) == expected


def test_words_are_no_keys():
    assert text_key("case", ["in hospital", "at home"] * 20, np.ones(40, dtype=int)) == ""
    assert text_key("person", ["child", "adult"] * 20, np.ones(40, dtype=int)) == ""


def test_quantities_by_name_are_no_keys_however_many_values_they_have():
    for name in ("age", "time", "weight", "total_cost"):
        assert infer_column(name, pd.Series(range(20, 80))).column.kind == "numeric"
        assert infer_column(name, pd.Series(range(2000, 5000, 2))).column.kind == "numeric"
    assert infer_column("x", pd.Series(range(20, 80))).column.kind == "identifier"
