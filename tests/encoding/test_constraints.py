"""Row rules by construction: whatever is drawn, comparisons and combinations hold; clauses forbid what rules forbid."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.encoding import Rows, TableEncoder
from synthkit.encoding.constraints import Recoding, cuts
from synthkit.encoding.encoder import histograms_of
from synthkit.errors import SchemaError
from synthkit.schema import Comparison, Condition, Schema


def numeric(**keys):
    return {"kind": "numeric", **keys}


def schema_of(columns, rules=()):
    return Schema(columns=columns, rules=list(rules))


def below(left, right, op="<="):
    return {"rule": "comparison", "left": left, "op": op, "right": right}


DAYS = numeric(min=0, max=100, decimals=0)
CHAIN = schema_of(
    {"order": DAYS | {"nullable": True, "min": -50}, "stay": DAYS, "follow": DAYS | {"max": 200}},
    [below("order", "stay"), below("stay", "follow")],
)


def test_a_chain_is_measured_from_the_column_that_is_always_there():
    """Order <= stay <= follow with only order nullable: order down from stay, follow up from stay."""
    gaps = {g.column: (g.up, [a.column for a in g.anchors]) for g in Recoding.of(CHAIN).gaps}
    assert gaps == {"order": (False, ["stay"]), "follow": (True, ["stay"])}


def test_a_chain_of_columns_always_there_is_measured_link_by_link():
    schema = schema_of({c: DAYS for c in "abc"}, [below("a", "b"), below("b", "c")])
    assert [(g.column, [a.column for a in g.anchors]) for g in Recoding.of(schema).gaps] == [("b", ["a"]), ("c", ["b"])]


def test_coded_gaps_are_differences_and_strict_ones_start_one_step_on():
    schema = schema_of({"a": DAYS, "b": DAYS, "c": DAYS}, [below("a", "b"), below("a", "c", "<")])
    frame = pd.DataFrame({"a": [1, 5], "b": [1, 9], "c": [2, 50]})
    coded = Recoding.of(schema).forward(frame)
    assert coded.to_dict("list") == {"a": [1, 5], "b": [0, 4], "c": [0, 44]}


def test_a_column_above_several_is_measured_from_the_highest_that_is_there():
    schema = schema_of(
        {"a": DAYS | {"nullable": True}, "b": DAYS | {"nullable": True}, "c": DAYS | {"min": 3}},
        [below("a", "c"), below("b", "c")],
    )
    gap = {g.column: g for g in Recoding.of(schema).gaps}
    frame = pd.DataFrame({"a": [4, None, 4, None], "b": [7, 6, None, None], "c": [10, 10, 10, 10]}).astype("Int64")
    coded = Recoding.of(schema).forward(frame)
    if "c" in gap and len(gap["c"].anchors) == 2:
        assert coded["c"].tolist() == [3, 4, 6, 7]
    back = Recoding.of(schema).backward(coded)
    pd.testing.assert_frame_equal(back.astype("Int64"), frame)


def test_comparisons_in_a_circle_are_refused():
    schema = schema_of({c: DAYS for c in "abc"}, [below("a", "b"), below("b", "c"), below("c", "a")])
    with pytest.raises(SchemaError, match=r"must not run in a circle; however: those of .*Remove one"):
        Recoding.of(schema)


def test_overlapping_combinations_become_one():
    levels = {"kind": "categorical", "levels": ["u", "v"]}
    fixed = [{"rule": "fixed_combination", "columns": list(pair)} for pair in ("ab", "cd", "bc")]
    recoding = Recoding.of(schema_of({c: levels for c in "abcde"}, fixed))
    assert [set(g) for g in recoding.groups] == [set("abcd")]
    assert [set(m) for m in recoding.columns.values()] == [set("abcd"), {"e"}]


def test_overlapping_combinations_learn_the_joint_ones_that_occur():
    levels = {"kind": "categorical", "levels": ["u", "v"], "nullable": True}
    listed = {"rule": "fixed_combination", "columns": ["a", "b"], "combinations": [["u", "v"], ["v", None]]}
    schema = schema_of({c: levels for c in "abc"}, [listed, {"rule": "fixed_combination", "columns": ["b", "c"]}])
    frame = pd.DataFrame({"a": ["u", "v", "v"], "b": ["v", None, None], "c": ["u", "u", "v"]})
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    assert encoder.layout.sizes == (3,)
    every = encoder.decode(Rows(torch.arange(3)[:, None], torch.empty(3, 0)), np.random.default_rng(0))
    assert schema.rules[0].holds(every).all()
    assert {tuple(r) for r in every.itertuples(index=False)} == {tuple(r) for r in frame.itertuples(index=False)}


@st.composite
def compared(draw):
    """A schema of three numbers with one to three comparisons that do not run in a circle, and a table that obeys."""
    decimals = [draw(st.sampled_from([0, 1, 2, None])) for _ in range(3)]
    nullable = [draw(st.booleans()) for _ in range(3)]
    columns = {
        c: numeric(min=-100, max=100, decimals=d, nullable=n) for c, d, n in zip("abc", decimals, nullable, strict=True)
    }
    pairs = draw(st.lists(st.sampled_from(["ab", "bc", "ac"]), min_size=1, max_size=3, unique=True))
    rules = [
        below(left, right, draw(st.sampled_from(["<", "<="])))
        | {"difference": draw(st.sampled_from([None, "left", "right"]))}
        for left, right in pairs
    ]
    schema = schema_of(columns, rules)
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frame = pd.DataFrame(np.sort(rng.uniform(-99, 99, (n, 3)), axis=1), columns=list("abc"))
    frame += np.array([-0.5, 0, 0.5])
    for c, d, null in zip("abc", decimals, nullable, strict=True):
        frame[c] = frame[c] if d is None else frame[c].round(d)
        frame[c] = frame[c].mask(rng.random(n) < 0.3) if null else frame[c]
    obeys = np.logical_and.reduce([r.holds(frame) for r in schema.rules])
    return schema, frame[obeys].reset_index(drop=True)


@given(compared())
def test_compared_numbers_come_back(case):
    schema, frame = case
    recoding = Recoding.of(schema)
    back = recoding.backward(recoding.forward(frame))
    pd.testing.assert_frame_equal(back[list("abc")].astype(float), frame, rtol=1e-12, atol=1e-12)


def anything(encoder, n, seed):
    """Rows with any level in range in every slot, and any residual."""
    generator = torch.Generator().manual_seed(seed)
    cat = [torch.randint(size, (n, 1), generator=generator) for size in encoder.layout.sizes]
    return Rows(torch.cat(cat, dim=1), torch.rand(n, len(encoder.layout.residuals), generator=generator))


def kept(gap, rule):
    """Whether the gap keeps the rule."""
    return {gap.column, *(a.column for a in gap.anchors)} >= set(rule.columns) and gap.column in rule.columns


@settings(max_examples=60)
@given(compared(), st.integers(0, 2**32 - 1))
def test_whatever_is_drawn_obeys_the_comparisons(case, seed):
    """Wherever the declared bounds leave room: never a comparison broken by a gap, a rounding or a missing anchor."""
    schema, frame = case
    if frame.empty:
        return
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    drawn = encoder.decode(anything(encoder, 200, seed), np.random.default_rng(0))
    for rule in schema.rules:
        gaps = [g for g in encoder.recoding.gaps if kept(g, rule)]
        assert len(gaps) == 1 or len(schema.rules) == 3  # a column between two others minds one; the exit minds both
        for gap in gaps:
            edge = np.isclose(drawn[gap.column].astype(float), 100 * gap.sign)  # held back by a declared bound
            assert rule.holds(drawn)[~edge].all()
    for name, column in schema.columns.items():
        assert column.admits(drawn[name]).all()


@settings(max_examples=40)
@given(
    st.sampled_from(["day", "hour", "second"]),
    st.sampled_from(["day", "minute", "second"]),
    st.sampled_from(["<", "<="]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_moments_are_compared_whatever_their_precision(first, second, op, nullable, seed):
    """Admission in days and discharge in seconds, say: both come back, and hold for any code."""
    columns = {
        "in": {"kind": "datetime", "precision": first, "nullable": nullable},
        "out": {"kind": "datetime", "precision": second},
    }
    schema = schema_of(columns, [below("in", "out", op)])
    rng = np.random.default_rng(seed)
    unit = {"day": "D", "hour": "h", "minute": "min", "second": "s"}
    start = pd.Series(pd.Timestamp("2031-03-01") + pd.to_timedelta(rng.integers(0, 10**7, 30), "s"))
    end = (start + pd.Timedelta("2D") + pd.to_timedelta(rng.integers(0, 10**6, 30), "s")).dt.floor(unit[second])
    start = start.dt.floor(unit[first])
    if nullable:
        start = start.mask(rng.random(30) < 0.3)
    frame = pd.DataFrame({"in": start, "out": end}).astype("datetime64[us]")
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    pd.testing.assert_frame_equal(encoder.decode(encoder.encode(frame), rng), frame)
    drawn = encoder.decode(anything(encoder, 100, seed), rng)
    assert schema.rules[0].holds(drawn).all()


def test_cuts_lie_on_the_grid_and_divide_what_conditions_divide():
    rule = {"rule": "implication", "if": {"x": {"max": 0.5}}, "then": {"y": {"min": 2.5}, "z": {"max": 3}}}
    schema = schema_of({"x": numeric(decimals=0), "y": numeric(decimals=1), "z": numeric()}, [rule])
    assert cuts(schema, "x") == (1.0,)
    assert cuts(schema, "y") == (2.5,)
    assert cuts(schema, "z") == (np.nextafter(3.0, 4.0),)


RULES = [
    {"if": {"sex": {"in": ["m"]}}, "then": {"parity": {"missing": True}}},
    {"if": {"stage": {"in": [2, 3]}, "sex": {"in": ["f"]}}, "then": {"dose": {"min": 3}, "stage": {"in": [1, 2]}}},
    {"if": {"dose": {"max": 1}}, "then": {"stage": {"in": [1]}}},
    {"if": {"parity": {"missing": False}}, "then": {"dose": {"min": 2, "max": 4}}},
    {"if": {"class": {"in": ["x"]}}, "then": {"sex": {"in": ["f"]}}},
    {"if": {"group": {"in": ["p"]}, "class": {"in": ["y"]}}, "then": {"dose": {"in": [1, 2]}}},
]


@pytest.mark.parametrize("chosen", [*[(k,) for k in range(len(RULES))], tuple(range(len(RULES)))])
def test_clauses_forbid_exactly_what_the_rules_forbid(chosen):
    """Brute force over every row of levels of a small schema whose numbers are all points."""
    schema = schema_of(
        {
            "sex": {"kind": "categorical", "levels": ["f", "m"]},
            "stage": {"kind": "ordinal", "levels": [1, 2, 3]},
            "parity": {"kind": "boolean", "nullable": True},
            "dose": numeric(min=0, max=5, decimals=0, nullable=True),
            "group": {"kind": "categorical", "levels": ["p", "q"]},
            "class": {"kind": "categorical", "levels": ["x", "y"]},
        },
        [
            {
                "rule": "fixed_combination",
                "columns": ["group", "class"],
                "combinations": [["p", "x"], ["p", "y"], ["q", "y"]],
            },
            *({"rule": "implication", **RULES[k]} for k in chosen),
        ],
    )
    parts = itertools.product("fm", [1, 2, 3], [None, False, True], [None, *range(6)], ["px", "py", "qy"])
    rows = [(*row[:4], *row[4]) for row in parts]
    frame = pd.DataFrame(rows * 6, columns=list(schema.columns), dtype=object)
    frame["dose"] = frame["dose"].astype("Int64")
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    cat = encoder.encode(frame[: len(rows)]).cat.long().numpy()
    forbidden = np.zeros(len(rows), dtype=bool)
    for clause in encoder.layout.clauses:
        forbidden |= np.logical_and.reduce([marked[cat[:, slot]] for slot, marked in clause.literals])
    broken = ~np.logical_and.reduce([r.holds(frame[: len(rows)]) for r in schema.rules])
    assert broken.any()
    assert np.array_equal(forbidden, broken)


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 0, 1]))
@settings(max_examples=40)
def test_clauses_never_forbid_a_row_that_may_obey(seed, decimals):
    """Numbers in intervals: a real row that obeys is never forbidden, a level wholly on the wrong side always is."""
    rng = np.random.default_rng(seed)
    rule = {"rule": "implication", "if": {"x": {"max": 40.0}}, "then": {"y": {"min": 60.0}}}
    schema = schema_of({"x": numeric(decimals=decimals), "y": numeric(decimals=decimals)}, [rule])
    raw = pd.DataFrame(rng.uniform(0, 100, (400, 2)), columns=["x", "y"])
    frame = raw if decimals is None else raw.round(decimals)
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    cat = encoder.encode(frame).cat.long().numpy()
    forbidden = np.zeros(len(frame), dtype=bool)
    for clause in encoder.layout.clauses:
        forbidden |= np.logical_and.reduce([marked[cat[:, slot]] for slot, marked in clause.literals])
    assert np.array_equal(forbidden, ~schema.rules[0].holds(frame))  # cuts make the levels tell exactly


def test_a_rule_on_the_value_of_a_gap_is_left_to_the_exit():
    schema = Schema(
        columns=CHAIN.columns,
        rules=[*CHAIN.rules, {"rule": "implication", "if": {"stay": {"min": 5}}, "then": {"follow": {"min": 9}}}],
    )
    frame = pd.DataFrame({"order": [1, None], "stay": [5, 6], "follow": [9, 10]}).astype({"order": "Int64"})
    assert TableEncoder.fit(schema, histograms_of(schema, frame)).layout.clauses == ()


def test_the_comparison_knows_itself():
    """The oracle used above, on rows worked by hand."""
    rule = Comparison(left="a", op="<", right="b")
    frame = pd.DataFrame({"a": [1, 1, np.nan], "b": [1, 2, 0]})
    assert rule.holds(frame).tolist() == [False, True, True]
    assert Condition(min=2).met(pd.Series([1, 2, None])).tolist() == [False, True, False]
