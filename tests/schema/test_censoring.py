"""Cells such as "<5" are masses of their own, beside their limit, and come out as they came in."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.errors import SchemaError
from synthkit.schema import Numeric, Schema
from synthkit.schema.conform import conform
from synthkit.schema.domain_mapping import map_into_domain
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.number_formats import NOT_A_NUMBER, write_numbers
from synthkit.schema.rules_sql import checks
from synthkit.schema.validation import validate
from synthkit.synthesizer.synthesizer import Synthesizer
from tests.schema.test_number_formats import spelled


@pytest.mark.parametrize(
    ("keys", "points"),
    [
        ({"decimals": 0, "censored": {"below": 5}}, (4.0, None)),
        ({"decimals": 1, "censored": {"below": 5, "above": 100}}, (4.9, 100.1)),
        ({"decimals": 1, "censored": {"below": 0.05}}, (0.0, None)),
        ({"decimals": 2, "censored": {"below": 0.29}, "min": 0}, (0.28, None)),
        ({"decimals": 0, "censored": {"above": 99.5}}, (None, 100.0)),
        ({"censored": {"below": 5}}, (np.nextafter(5, 0), None)),
        ({"decimals": 1, "decimal": ",", "censored": {"below": "< 0,5 "}}, (0.4, None)),
        ({"decimals": 0, "suffix": " mg", "censored": {"above": ">=200 mg"}}, (None, 201.0)),
    ],
)
def test_what_is_censored_is_an_atom_next_to_its_limit_and_its_bound(keys, points):
    column = Numeric(**keys)
    assert (column.min, column.max) == points
    assert set(column.atoms) == {point for point in points if point is not None}
    schema = Schema(columns={"x": column})
    assert "min" not in schema.dumps()
    assert "max" not in schema.dumps()
    assert Schema.loads(schema.dumps()) == schema
    assert Numeric.model_validate(column.model_dump()) == column


@pytest.mark.parametrize(
    ("censored", "words"),
    [
        ({}, "`censored` must give `below` or `above`"),
        ({"below": None}, "`censored` must give `below` or `above`"),
        ({"below": "5"}, "`below` must be a number, or a text like <5"),
        ({"below": "<5,0"}, "`below` must be a number, or a text like <5"),
        ({"above": "<5"}, "`above` must be a number, or a text like >5"),
        ({"below": 7, "above": 5}, "`below` must not exceed `above`"),
        ({"below": True}, "below"),
    ],
)
def test_a_limit_that_is_none_is_refused(censored, words):
    with pytest.raises(ValueError, match=words):
        Numeric(censored=censored)
    with pytest.raises(ValueError, match="censored"):
        Numeric(censored=5)


CENSORED = {"below": "< 5", "above": 100}


def test_censored_cells_are_read_and_written_and_no_number_beyond_a_limit_is():
    column = Numeric(decimals=1, decimal=",", censored=CENSORED, nullable=True)
    frame = pd.DataFrame({"x": ["< 5", "5", "7,5", "100", ">100", None]})
    typed = conform(frame, Schema(columns={"x": column}))["x"]
    assert typed.tolist()[:5] == [4.9, 5.0, 7.5, 100.0, 100.1]
    assert write_numbers(typed, column).tolist() == frame["x"].tolist()
    for same in ("<5", "≤ 5,0", "<=5", " <5"):
        assert column.cell(same) == "4.9"
    for strange in ("4,9", "3", "100,5", "<6", ">99", "<", "<5 mg", "> 5"):
        assert column.cell(strange) == NOT_A_NUMBER
        assert [
            v.count for v in validate(pd.DataFrame({"x": [strange]}), Schema(columns={"x": column})).violations
        ] == [1]
    assert column.sentence.endswith(", or < 5, or >100")


@pytest.mark.parametrize(
    ("decimal", "below", "above", "texts"),
    [
        (".", 5, 100, ["<5", ">100", "7.50"]),
        (",", 5, None, ["<5", "7,50"]),
        (",", 0.5, None, ["<0,5", "7,50"]),
        (".", "<5.00", "> 100.0", ["<5.00", "> 100.0", "7.50"]),
    ],
)
def test_a_limit_is_written_as_it_was_declared_though_numbers_are_filled_up(decimal, below, above, texts):
    column = Numeric(
        decimals=2, decimal=decimal, trailing_zeros=True, censored={"below": below, "above": above}, nullable=True
    )
    typed = conform(pd.DataFrame({"x": texts}), Schema(columns={"x": column}))["x"]
    assert write_numbers(typed, column).tolist() == texts
    assert column.sentence.endswith(f", or {', or '.join(texts[:-1])}")


@pytest.mark.parametrize("limit", ["<5", "<5.0", "< 5"])
def test_a_drafted_limit_comes_back_as_it_came_beside_numbers_that_are_filled_up(limit):
    frame = pd.DataFrame({"crp": [limit, *(f"{x}.0" for x in range(5, 12)), "7.5"] * 3})
    schema = infer_schema(frame)
    assert schema.columns["crp"].trailing_zeros
    assert write_numbers(conform(frame, schema)["crp"], schema.columns["crp"]).tolist() == frame["crp"].tolist()


@given(st.data())
def test_censored_columns_are_written_back_whatever_their_digits(data):
    decimals = data.draw(st.sampled_from([None, 0, 1, 3]))
    places = 3 if decimals is None else decimals
    low = Decimal(data.draw(st.integers(-1000, 1000))).scaleb(-places)
    high = low + Decimal(data.draw(st.integers(10, 10**6))).scaleb(-places)
    column = Numeric(
        decimal=",", thousands=".", decimals=decimals, censored={"below": float(low), "above": float(high)}
    )
    inside = st.integers(int(low.scaleb(places)), int(high.scaleb(places)))
    numbers = [Decimal(k).scaleb(-places) for k in data.draw(st.lists(inside, max_size=6))]
    texts = [spelled(one, column) for one in numbers]
    beyond = [f"<{spelled(low, column)}", f">{spelled(high, column)}"]
    typed = conform(pd.DataFrame({"x": [*texts, *beyond]}), Schema(columns={"x": column}))["x"]
    assert typed.astype(float).tolist()[: len(texts)] == [float(one) for one in numbers]
    assert typed.iloc[-2] < float(low)
    assert typed.iloc[-1] > float(high)
    assert write_numbers(typed, column).tolist() == [*texts, *beyond]
    again = Schema(columns={"x": column})
    assert conform(pd.DataFrame({"x": typed}), again)["x"].tolist() == typed.tolist()


@pytest.mark.parametrize("model", ["independent", "marginal"])
@pytest.mark.parametrize("decimals", [0, 2, None])
def test_a_sample_has_its_censored_cells_and_keeps_their_share(model, decimals):
    rng = np.random.default_rng(3)
    x = np.round(rng.lognormal(2, 1, 400), 2 if decimals is None else decimals)
    column = Numeric(decimals=decimals, censored={"below": 5, "above": 30}, nullable=True)
    texts = pd.Series([column.text(v) if 5 <= v <= 30 else "<5" if v < 5 else ">30" for v in x], dtype=object)
    frame = pd.DataFrame({"x": texts, "low": (x < 5).astype(int)})
    schema = Schema(columns={"x": column, "low": {"kind": "categorical", "levels": [0, 1]}})
    drawn = Synthesizer(schema, model).fit(frame, seed=1).sample(2000, seed=2)
    assert validate(drawn, schema).success
    for text in ("<5", ">30"):
        share = (texts == text).mean()
        assert abs((drawn["x"] == text).mean() - share) < 4 * np.sqrt(share / 2000) + 0.01
    if model == "marginal":
        assert ((drawn["x"] == "<5") == (drawn["low"] == 1)).mean() > 0.95


def test_under_a_budget_limits_are_public_bounds_and_atoms():
    from synthkit.schema.public_domain import declared_domain

    column = Numeric(decimals=3, censored={"below": 5, "above": 30}, observed=("min", "atoms"))
    public = declared_domain(Schema(columns={"x": column}, declared_by="A. Lee: manual of the analyser"))
    kept = public.schema.columns["x"]
    assert (kept.min, kept.max, kept.atoms) == (4.999, 30.001, (4.999, 30.001))
    assert not public.unknown
    found = map_into_domain(pd.DataFrame({"x": ["<5", "3", "7.5", ">30", "4.2"]}), public.schema)
    assert found.frame["x"].tolist() == [4.999, 4.999, 7.5, 30.001, 4.999]
    assert found.counts == {"x": 2}
    with pytest.raises(SchemaError, match="censored"):
        declared_domain(
            Schema(columns={"x": column.model_copy(update={"observed": ("censored",)})}, declared_by="A: b")
        )


LIMITED = ("<5", "< 5,0", ">100", "> 1.00", "3", "5", "100", "100,5", "4,9", "<6", "≥100", None, "?", "x")


@settings(max_examples=25)  # of many cells each: a query of 24,000 letters takes long to read, not to answer
@given(st.lists(st.sampled_from(LIMITED), min_size=1, max_size=40))
def test_sql_counts_censored_cells_as_the_validation_does(tmp_path_factory, texts):
    column = Numeric(decimals=1, decimal=",", thousands=".", censored=CENSORED, missing=["?"])
    path = tmp_path_factory.mktemp("sql") / "x.parquet"
    pd.DataFrame({"x": pd.Series(texts, dtype=object)}).to_parquet(path)
    counted = {c.rule: duckdb.sql(c.sql).fetchall()[0][0] for c in checks(Schema(columns={"x": column}), str(path))}
    said = [None if text is None else column.cell(text) for text in texts]
    assert counted["a number, finite"] == said.count(NOT_A_NUMBER)
    assert counted[">= 4.9 and <= 100.1"] == said.count(NOT_A_NUMBER)
    assert counted["no missing cell"] == said.count(None)
