"""Questions an encoder asks under a budget: which, at what price, and never more than planned."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.encoding.coded_columns import declared_bounds
from synthkit.encoding.constraints import Recoding
from synthkit.errors import ConfigError
from synthkit.privacy.access.encoder_budget import PRICE_SHARES, EncoderBudget, EncoderQuery, encoder_queries
from synthkit.privacy.accounting.events import Concentrated, DiscreteGaussian, SparseHistogram
from synthkit.privacy.accounting.zcdp import PrivacyFilter
from synthkit.schema import Schema
from synthkit.schema.public_domain import declared_domain


def asked(columns, counted=False, rules=()):
    return [
        (q.kind, q.column)
        for q in encoder_queries(
            declared_domain(Schema(declared_by="the test: made-up people", columns=columns, rules=rules)),
            counted=counted,
        )
    ]


NUMBER = {"kind": "numeric", "decimals": 0, "min": 0, "max": 99_999}


def test_what_is_asked_of_each_kind():
    assert asked({"sex": {"kind": "categorical", "levels": ["f", "m"]}}) == []
    assert asked({"sex": {"kind": "categorical", "levels": ["f", "m"]}}, counted=True) == [
        ("rows", ""),
        ("counts", "sex"),
    ]
    assert asked({"sex": {"kind": "categorical", "levels": ["f", "m"], "observed": ["levels"]}}) == [("levels", "sex")]
    assert asked({"icd": {"kind": "code"}}) == [("levels", "icd")]
    assert asked({"icd": {"kind": "code", "levels": ["a"]}}) == []
    assert asked({"age": NUMBER | {"max": 120}}) == [("cells", "age")]
    assert asked({"gain": NUMBER}) == [("spikes", "gain"), ("cells", "gain")]
    assert asked({"pay": NUMBER | {"decimals": None}}) == [("cells", "pay")]
    assert asked({"far": NUMBER | {"max": 10**8}}) == [("cells", "far")]
    assert asked({"pay": NUMBER | {"observed": ["max"]}}) == [("bounds", "pay"), ("cells", "pay")]
    assert asked({"on": {"kind": "datetime"}}) == [("bounds", "on"), ("cells", "on")]


def test_gaps_and_combinations():
    two = {"low": NUMBER, "high": NUMBER}
    rule = {"rule": "comparison", "left": "low", "op": "<=", "right": "high"}
    assert asked(two, rules=[rule]) == [("spikes", "low"), ("cells", "low"), ("cells", "high")]
    open_ = {"low": NUMBER | {"min": None}, "high": NUMBER}
    assert ("bounds", "high") in asked(open_, rules=[rule])
    pair = {"a": {"kind": "categorical", "levels": ["x", "y"]}, "b": {"kind": "categorical", "levels": ["u", "v"]}}
    found = {"rule": "fixed_combination", "of": ["a", "b"]}
    assert asked(pair, rules=[found]) == [("levels", "a+b")]
    listed = found | {"combinations": [["x", "u"], ["y", "v"]]}
    assert asked(pair, rules=[listed]) == []
    assert asked(pair, counted=True, rules=[listed]) == [("rows", ""), ("counts", "a+b")]


def test_a_gap_is_bounded_by_the_outer_bounds():
    columns = {"low": NUMBER | {"min": 10}, "high": NUMBER | {"max": 500}}
    schema = Schema(
        declared_by="the test: made-up people",
        columns=columns,
        rules=[{"rule": "comparison", "left": "low", "op": "<=", "right": "high"}],
    )
    assert declared_bounds(Recoding.of(schema), "high") == (0.0, 500.0)
    assert declared_bounds(Recoding.of(schema), "low") == (10.0, 99_999.0)


@given(
    st.lists(st.sampled_from(["rows", "bounds", "spikes", "cells", "levels", "counts"]), min_size=1, max_size=30),
    st.floats(1e-6, 10),
    st.floats(1e-12, 0.1),
)
def test_all_answers_together_fit_what_was_planned(kinds, rho, delta):
    plan = EncoderBudget(
        queries=tuple(EncoderQuery(kind=k, column=str(i)) for i, k in enumerate(kinds)), rho=rho, delta=delta
    )
    reserve = Concentrated(rho=rho, delta=delta)
    spent = PrivacyFilter(reserve=reserve).admit(tuple(plan.charges())).spent()
    assert spent.rho <= rho
    assert spent.delta <= delta
    if "levels" not in kinds:
        assert spent.rho == pytest.approx(rho, rel=1e-6)


def test_each_question_has_its_mechanism():
    plan = EncoderBudget(
        queries=(EncoderQuery(kind="cells", column="a"), EncoderQuery(kind="levels", column="b")), rho=1, delta=1e-6
    )
    one, two = plan.charges()
    assert isinstance(one.spent, DiscreteGaussian)
    assert isinstance(two.spent, SparseHistogram)
    shares = PRICE_SHARES["cells"], PRICE_SHARES["levels"]
    for charge, share in zip((one, two), shares, strict=True):
        assert 1 / (2 * charge.spent.sigma**2) == pytest.approx(share / sum(shares))
    assert two.spent.failure <= 1e-6
    assert (one.what, two.what) == ("histogram of a", "levels of b")


@pytest.mark.parametrize("rho", [0.0, math.inf, -1.0])
def test_a_price_must_be_positive_and_finite(rho):
    with pytest.raises(ConfigError, match="positive, finite price"):
        EncoderBudget(queries=(EncoderQuery(kind="rows"),), rho=rho)


def test_levels_need_a_delta():
    with pytest.raises(ConfigError, match="need a part of delta; however: it is 0 for 1 columns"):
        EncoderBudget(queries=(EncoderQuery(kind="levels", column="a"),), rho=1.0)
