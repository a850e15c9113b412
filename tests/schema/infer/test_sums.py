"""Sums that hold in every row are drafted and asked about; what holds by chance, or not everywhere, is not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.errors import SchemaError
from synthkit.schema import Schema
from synthkit.schema.columns import Numeric
from synthkit.schema.infer.draft import draft, examine
from synthkit.schema.infer.sums import find_sums
from synthkit.schema.public_domain import refuse_undeclared
from synthkit.schema.validation import validate

N = 120


def numbers(seed, n=N, most=30):
    return np.random.default_rng(seed).integers(0, most, n)


def found(frame, decimals=0):
    kinds = {name: Numeric(decimals=decimals, nullable=True) for name in frame}
    return {each.total: each.expression for each in find_sums(frame, kinds)}


def bill():
    lab, drugs, ward = (np.round(numbers(k) / 7, 2) for k in range(3))
    total = np.round(lab + drugs + ward, 2)
    return pd.DataFrame({"age": numbers(9), "lab": lab, "drugs": drugs, "ward": ward, "total": total})


def test_a_total_is_drafted_as_the_sum_of_its_parts_and_asked_about():
    drafted = examine(bill(), name="bill")
    assert drafted.schema.derived == {"total": "lab + drugs + ward"}
    assert "total" not in drafted.schema.learned
    assert "derived" in drafted.schema.columns["total"].observed
    [question] = [q for q in drafted.questions if q.about == "sum"]
    assert question.asks == "Is `total` by definition lab + drugs + ward?"
    assert question.evidence == f"so it is in all {N} rows"
    again = Schema.loads(drafted.text)
    assert again.derived == drafted.schema.derived
    assert validate(bill(), again).success


def test_a_sum_somebody_denies_is_learned():
    assert examine(bill(), learned=["total"]).schema.derived == {}


def test_under_a_budget_a_sum_that_was_seen_is_no_public_fact_until_somebody_answers_for_it():
    schema = examine(bill(), name="bill").schema.model_copy(update={"declared_by": "A. Lee: price list"})
    with pytest.raises(SchemaError, match=r"`total`: .*derived"):
        refuse_undeclared(schema)
    declared = Schema.loads(draft(bill(), name="bill", declared_by="A. Lee: price list"))
    assert declared.derived == {"total": "lab + drugs + ward"}
    refuse_undeclared(declared)


def test_sums_are_found_before_and_behind_their_parts_and_anywhere_in_small_tables():
    a, b, c = numbers(1), numbers(2), numbers(3)
    assert found(pd.DataFrame({"sum": a + b + c, "a": a, "b": b, "c": c})) == {"sum": "a + b + c"}
    assert found(pd.DataFrame({"a": a, "x": c, "b": b, "y": a * 2, "sum": a + b})) == {"sum": "a + b"}
    assert found(pd.DataFrame({"a": a, "x": a * b, "b": b, "y": a * 2, "c": c, "s": a + b + c})) == {"s": "a + b + c"}


def test_a_total_of_many_items_in_a_wide_table_is_found():
    items = {f"item{k}": numbers(k, most=4) for k in range(50)}
    others = {f"v{k}": numbers(100 + k, most=1000) for k in range(60)}
    frame = pd.DataFrame({**others, **items, "score": sum(items.values())})
    assert found(frame) == {"score": " + ".join(items)}


def test_sums_of_sums_and_names_that_are_no_words():
    a, b, c, d = (numbers(k) for k in range(4))
    frame = pd.DataFrame({"part a": a, "b": b, "a+b": a + b, "c": c, "d": d, "all": a + b + c + d})
    assert found(frame) == {"a+b": "`part a` + b", "all": "`a+b` + c + d"}
    derived = found(frame)
    kinds = {name: {"kind": "numeric", "decimals": 0} for name in frame}
    assert validate(frame, Schema.model_validate({"columns": kinds, "derived": derived})).success


def test_none_is_computed_from_itself():
    """With negative numbers each of the three is a sum of others; one of them is computed."""
    a, b = numbers(1) - 15, numbers(2) - 15
    once = found(pd.DataFrame({"a": a, "b": b, "c": -(a + b), "minus c": a + b}))
    assert len(once) == 1


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": numbers(1), "b": numbers(2), "t": numbers(1) + numbers(2) + (np.arange(N) == 77)}),
        pd.DataFrame({"a": numbers(1), "b": numbers(2), "t": numbers(1) + numbers(2)}).head(40),
        pd.DataFrame({"a": numbers(1), "b": np.zeros(N, dtype=int), "t": numbers(1)}),
        pd.DataFrame({"a": numbers(1), "b": np.arange(N) // (N - 1), "t": numbers(1) + np.arange(N) // (N - 1)}),
        pd.DataFrame({"a": numbers(1, most=2), "b": 1 - numbers(1, most=2), "t": 1}),
        pd.DataFrame({"a": numbers(1), "b": numbers(2), "t": (numbers(1) + numbers(2)).astype(float)}).mask(
            pd.DataFrame({"a": np.arange(N) == 5, "b": False, "t": False})
        ),
        pd.DataFrame({"a": numbers(1) / 3, "b": numbers(2) / 3, "t": 1e300}),
        pd.DataFrame({"a": []}),
    ],
    ids=["one row off", "few rows", "adds nothing", "hardly adds", "constant", "part missing", "too large", "no rows"],
)
def test_what_does_not_hold_everywhere_or_says_little_is_no_sum(frame):
    assert found(frame) == {}


def test_missing_totals_go_with_missing_parts():
    a, b = numbers(1).astype(float), numbers(2).astype(float)
    a[::10] = np.nan
    assert found(pd.DataFrame({"a": a, "b": b, "t": a + b})) == {"t": "a + b"}


@settings(max_examples=30)
@given(st.integers(2, 6), st.integers(0, 3), st.integers(0, 2**32 - 1), st.booleans())
def test_any_sum_of_neighbours_is_found_and_every_sum_that_is_found_holds(parts, digits, seed, first):
    rng = np.random.default_rng(seed)
    scale = 10**digits
    whole = rng.integers(0, 5000, (200, parts))
    cells = {f"p{k}": whole[:, k] / scale for k in range(parts)}
    total = {"t": whole.sum(axis=1) / scale}
    frame = pd.DataFrame({**total, **cells} if first else {**cells, **total})
    drafted = found(frame, digits)
    assert drafted == {"t": " + ".join(f"p{k}" for k in range(parts))}
    kinds = {name: {"kind": "numeric", "decimals": digits} for name in frame}
    schema = Schema.model_validate({"columns": kinds, "derived": drafted})
    assert not [v for v in validate(frame, schema).violations if "=" in v.rule]
