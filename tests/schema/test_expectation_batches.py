"""Great Expectations is asked about the column that is meant, whatever the case of its name, and about many at once."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.schema import Schema
from synthkit.schema import expectation_batches as module
from synthkit.schema.expectation_batches import alike, stacked
from synthkit.schema.validation import validate

DOSES = Schema.model_validate(
    {
        "columns": {
            "Dose": {"kind": "numeric", "min": 100, "max": 199, "decimals": 0},
            "dose": {"kind": "numeric", "min": 0, "max": 59, "decimals": 0},
            "DOSE": {"kind": "categorical", "levels": ["a", "b"]},
            "dosE": {"kind": "identifier", "unique": True},
        },
        "rules": [{"rule": "comparison", "left": "dose", "op": "<", "right": "Dose"}],
    }
)


def doses(n=20):
    cells = {"Dose": np.arange(n) + 100, "dose": np.arange(n), "DOSE": ["a", "b"] * (n // 2)}
    return pd.DataFrame({**cells, "dosE": [f"P{k}" for k in range(n)]})


def test_a_good_table_whose_names_differ_in_case_keeps_its_schema():
    assert validate(doses(), DOSES).success


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("Dose", 59, ">= 100 and <= 199"),
        ("dose", 60, ">= 0 and <= 59"),
        ("DOSE", "c", "one of the 2 declared levels"),
        ("DOSE", None, "no missing cell"),
        ("dosE", "P4", "no value twice"),
    ],
)
def test_a_bad_cell_is_found_in_the_column_that_holds_it(column, cell, rule):
    frame = doses().astype({column: object})
    frame.loc[3, column] = cell
    rows = (4, 5) if column == "dosE" else (4,)
    assert [(v.columns, v.rule, v.rows) for v in validate(frame, DOSES).violations] == [((column,), rule, rows)]


def test_a_pair_whose_names_differ_in_case_is_compared_in_its_order():
    wide = DOSES.model_copy(update={"columns": {**DOSES.columns, "dose": DOSES.columns["Dose"]}})
    frame = doses().assign(dose=np.r_[doses()["Dose"].to_numpy()[:-1] - 0, 100])
    broken = validate(frame, wide).violations
    assert [(v.columns, v.rule, v.count) for v in broken] == [(("dose", "Dose"), "dose < Dose", 19)]


cells = st.one_of(st.none(), st.integers(-5, 5))


@settings(max_examples=40)  # of more rows each: the time goes into the question, not into the rows
@given(
    st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=15),
    st.lists(st.tuples(st.integers(-6, 0), st.integers(0, 6), st.booleans()), min_size=3, max_size=3),
)
def test_what_is_found_is_what_plain_pandas_finds(rows, bounds):
    names = ["x", "X", "xX"]
    frame = pd.DataFrame(rows, columns=names, dtype=object)
    kinds = [{"kind": "numeric", "min": low, "max": high, "nullable": may} for low, high, may in bounds]
    schema = Schema.model_validate({"columns": dict(zip(names, kinds, strict=True))})
    expected = set()
    for name, (low, high, may) in zip(names, bounds, strict=True):
        outside = [k + 1 for k, v in enumerate(frame[name]) if v is not None and not low <= v <= high]
        absent = [k + 1 for k, v in enumerate(frame[name]) if v is None]
        if outside:
            expected.add((name, f">= {low} and <= {high}", tuple(outside)))
        if absent and not may:
            expected.add((name, "no missing cell", tuple(absent)))
    assert {(v.columns[0], v.rule, v.rows) for v in validate(frame, schema).violations} == expected


def test_a_suite_of_the_user_s_own_is_not_answered_about_another_column(tmp_path):
    path = tmp_path / "own.json"
    kwargs = [{"column": "dose", "max_value": 5}, {"column_A": "Age", "column_B": "dose"}, {"column": "age"}]
    kinds = ["be_between", "be_equal", "not_be_null"]
    asked = [
        {"type": f"expect_column_{'pair_' if 'column_A' in k else ''}values_to_{kind}", "kwargs": k}
        for k, kind in zip(kwargs, kinds, strict=True)
    ]
    path.write_text(json.dumps({"expectations": asked}))
    schema = Schema.model_validate({"columns": {c: {"kind": "numeric"} for c in ("Dose", "dose", "age")}})
    found = validate(pd.DataFrame({"Dose": [1.0], "dose": [9.0], "age": [5.0]}), schema, extra=path)
    assert [u.columns for u in found.unchecked] == [("dose",), ("Age", "dose")]
    assert all("differ only in case" in u.reason for u in found.unchecked)
    assert not found.violations


def test_a_suite_of_the_user_s_own_sees_the_columns_of_the_table_alone(tmp_path):
    path = tmp_path / "own.json"
    count = {"type": "expect_table_column_count_to_equal", "kwargs": {"value": 4}}
    path.write_text(json.dumps({"expectations": [count]}))
    assert validate(doses(), DOSES, extra=path).success


# ---- stacks


def test_one_question_serves_all_columns_of_a_kind():
    frame = pd.DataFrame({f"v{k}": np.arange(10.0) for k in range(50)})
    asked = [
        {"type": kind, "kwargs": {"column": c, **more}}
        for k, c in enumerate(frame)
        for kind, more in (
            ("expect_column_values_to_not_be_null", {}),
            ("expect_column_values_to_be_between", {"min_value": k, "max_value": 100 + k}),
        )
    ]
    assert [len(stack.members) for stack in stacked(frame, asked)] == [50, 100]  # each number has two bounds


def test_a_stack_has_a_bounded_number_of_cells(monkeypatch):
    monkeypatch.setattr(module, "MAX_STACKED_CELLS", 25)
    frame = pd.DataFrame({f"v{k}": np.arange(10.0) for k in range(5)})
    asked = [{"type": "expect_column_values_to_not_be_null", "kwargs": {"column": c}} for c in frame]
    assert [stack.members for stack in stacked(frame, asked)] == [(0, 1), (2, 3), (4,)]


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_labels_come_back_to_their_members(columns, rows, data):
    frame = pd.DataFrame(np.zeros((rows, columns)), columns=[f"v{k}" for k in range(columns)])
    asked = [{"type": "expect_column_values_to_not_be_null", "kwargs": {"column": c}} for c in frame]
    [stack] = stacked(frame, asked)
    labels = data.draw(st.lists(st.integers(0, stack.height - 1), unique=True))
    back = [member * rows + row for member, mine in stack.split(labels) for row in mine]
    assert sorted(back) == sorted(labels)


def test_names_that_differ_only_in_case():
    assert alike(["a", "B", "b", "Strasse", "STRASSE", "straße"]) == {"b", "strasse"}
