"""Partly known rows: `given` and `impute`, every promise kept and the law the model's own."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from synthkit.data import support2, support2_schema
from synthkit.errors import EncodingError, SchemaError
from synthkit.models.base import Capability
from synthkit.models.registry import MODELS
from synthkit.schema import Numeric, Schema
from synthkit.schema.conform import conform
from synthkit.schema.rules import rows_obeying
from synthkit.synthesizer.synthesizer import Synthesizer

QUICK = {"width": 32, "hidden": 16, "steps": 12, "batch_size": 128}
SMALL = {
    "autoregressive": QUICK,
    "ctgan": {"noise": 8, "width": 16, "critic_width": 16, "steps": 12, "batch_size": 64, "odds_batch": 64},
    "diffusion": {"width": 32, "hidden": 32, "blocks": 1, "steps": 12, "draws": 8},
    "marginal": {"components": 20, "rounds": 2, "first": 10, "between": 5, "last": 10},
    "tvae": {"width": 16, "hidden": 8, "latent": 2, "blocks": 1, "couplings": 2, "steps": 12, "batch_size": 64},
}


def test_a_rare_level_given_comes_back_in_every_row(either):
    """Dementia and an income over $50,000: 14 real patients have both."""
    rows = either.sample(300, given={"dementia": 1, "income": ">$50k"}, seed=6)
    assert len(rows) == 300
    assert (rows["dementia"] == 1).all()
    assert (rows["income"] == ">$50k").all()
    assert rows_obeying(conform(rows, support2_schema()), support2_schema().rules).all()


def test_missing_numbers_half_a_combination_and_the_end_of_a_gap_can_be_given(either):
    """None means missing; dzclass is half of a fixed combination; d.time is measured from slos, which is unknown."""
    rows = either.sample(80, given={"alb": None, "dzclass": "Cancer", "d.time": 300, "age": 61.25}, seed=7)
    assert rows["alb"].isna().all()
    assert set(rows["dzgroup"]) <= {"Colon Cancer", "Lung Cancer"}
    assert (rows["d.time"] == 300).all()
    assert (rows["slos"] <= 300).all()
    assert (rows["age"] == 61.25).all()
    assert rows["slos"].nunique() > 10


def test_a_frame_of_partial_rows_is_completed_row_by_row(either):
    part = pd.DataFrame({"sex": ["male", None, "female"], "slos": [3, None, 400], "dnrday": [None, 7, 12]})
    rows = either.sample(3, given=part, seed=8)
    assert (rows["sex"][[0, 2]] == ["male", "female"]).all()
    assert rows["slos"][[0, 2]].tolist() == [3, 400]
    assert rows["dnrday"][[1, 2]].tolist() == [7, 12]
    assert rows_obeying(conform(rows, support2_schema()), support2_schema().rules).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"slos": 50, "d.time": 20}, "must obey the rule slos <= d.time; however: 5 rows do not .row 1 is the first"),
        (
            {"hospdead": 1, "death": 0},
            r"known values must obey the rule if hospdead in \{1\} then death in \{1\}; however: 5",
        ),
        ({"dzgroup": "CHF", "dzclass": "Coma"}, "known values must obey the rule only known combinations of dzgroup"),
        ({"sex": "diverse"}, "must lie in the domain of `sex`; however: 5 values do not. Its levels: female, male"),
        ({"age": 300}, "must lie in the domain of `age`; however: 5 values do not. Its bounds: 18.0 to 110.0"),
        ({"age": None}, "`age` is not nullable. Give a value"),
        ({"id": 7}, "must name columns the model has learned; however: `id` is an identifier"),
        ({"height": 7}, "must name columns the model has learned; however: `height` is not a learned column"),
        (pd.DataFrame({"sex": ["male"]}), "must have as many rows as are asked for; however: 1 rows for 5"),
    ],
)
def test_what_cannot_be_given_is_refused(baseline, given, message):
    with pytest.raises((SchemaError, EncodingError), match=message):
        baseline.sample(5, given=given, seed=9)


def test_a_gap_into_which_few_anchors_fit_is_filled_nevertheless():
    """A stay that is nearly always 9 and a follow-up of 1: one proposal in 500 fits, and the row is not refused."""
    stay = np.where(np.arange(5000) % 500 == 0, 1, 9)
    frame = pd.DataFrame({"stay": stay, "follow": stay + np.arange(5000) // 500 % 2})
    synthesizer = Synthesizer(INTEGERS, "independent").fit(frame, seed=1)
    rows = synthesizer.sample(50, given={"follow": 1}, seed=1)
    assert (rows["stay"] == 1).all()


def test_what_only_an_unknown_cell_could_mend_is_refused_after_many_tries():
    """Two implications that no level of sex can obey together: nothing known breaks a rule by itself."""
    rules = [
        {"rule": "implication", "if": {"sex": {"in": [level]}}, "then": {"stay": {"min": 5}}} for level in ("f", "m")
    ]
    schema = Schema(columns={**INTEGERS.columns, "sex": {"kind": "categorical", "levels": ["f", "m"]}}, rules=rules)
    frame = integers(400).assign(sex=["f", "m"] * 200, stay=7, follow=9)
    synthesizer = Synthesizer(schema, "independent").fit(frame, seed=1)
    with pytest.raises(SchemaError, match=r"must be compatible with the rules; however: 3 rows break one in every one"):
        synthesizer.sample(3, given={"stay": 2}, seed=1)


def test_a_known_follow_up_that_leaves_no_room_is_refused():
    """Follow-up 3 with a stay that is always at least 5."""
    synthesizer = Synthesizer(INTEGERS, "independent").fit(integers(400).assign(stay=5, follow=9), seed=1)
    with pytest.raises(SchemaError, match="must be compatible with the rules; however: 4 rows break one"):
        synthesizer.sample(4, given={"follow": 3}, seed=1)


INTEGERS = Schema(
    columns={
        "stay": {"kind": "numeric", "min": 0, "max": 9, "decimals": 0},
        "follow": {"kind": "numeric", "min": 0, "max": 20, "decimals": 0},
    },
    rules=[{"rule": "comparison", "left": "stay", "op": "<=", "right": "follow"}],
)


def integers(n):
    rng = np.random.default_rng(0)
    stay = rng.choice(6, n, p=[0.05, 0.3, 0.1, 0.25, 0.2, 0.1])
    return pd.DataFrame({"stay": stay, "follow": stay + rng.choice([0, 1, 3, 4], n, p=[0.1, 0.4, 0.2, 0.3])})


def wide(n):
    """Gaps of two kinds: one common value, and rare ones the codec hides in intervals of several."""
    rng = np.random.default_rng(1)
    stay = rng.choice([1, 2, 3], n, p=[0.5, 0.3, 0.2])
    return pd.DataFrame({"stay": stay, "follow": stay + np.where(rng.random(n) < 0.5, 4, rng.integers(1, 41, n))})


@pytest.mark.parametrize(
    ("model", "table", "limit", "given"),
    [
        ("independent", integers, 20, 4),
        ("independent", integers, 20, 5),
        ("autoregressive", integers, 20, 5),
        ("independent", wide, 60, 6),
    ],
)
def test_a_stay_given_the_follow_up_follows_the_models_own_law(model, table, limit, given):
    """Against brute force: the rows with that follow-up among very many drawn freely (chi-square of two samples)."""
    schema = Schema(
        columns={**INTEGERS.columns, "follow": Numeric(min=0, max=limit, decimals=0)}, rules=list(INTEGERS.rules)
    )
    settings = {"width": 16, "hidden": 8, "steps": 60, "batch_size": 256} if model == "autoregressive" else {}
    synthesizer = Synthesizer(schema, model, settings=settings, device="cpu").fit(
        table(3000 if table is integers else 120), seed=1
    )
    free = synthesizer.sample(120_000, seed=2)
    brute = free["stay"][free["follow"] == given].value_counts()
    drawn = synthesizer.sample(4000, given={"follow": given}, seed=3)
    assert (drawn["follow"] == given).all()
    got = drawn["stay"].value_counts()
    assert set(got.index) <= set(brute.index)
    assert len(brute) >= 2
    both = pd.DataFrame({"brute": brute, "got": got}).fillna(0)
    both = both[both["brute"] * len(drawn) / brute.sum() >= 5]
    assert chi2_contingency(both.to_numpy()).pvalue > 1e-4


def test_imputing_keeps_what_is_known_and_fills_what_may_be_filled(either):
    real = support2()[:100]
    full = either.impute(real, seed=10)
    assert list(full) == list(real)
    for column in real:
        held = real[column].notna()
        assert (full[column][held] == real[column][held]).all(), column
    assert rows_obeying(conform(full, support2_schema()), support2_schema().rules).all()
    assert full.isna().sum().sum() == 0
    pd.testing.assert_frame_equal(either.impute(real, seed=10), full)


def test_a_table_without_holes_comes_back_as_it_is(baseline):
    whole = baseline.impute(support2()[:50], seed=11)
    pd.testing.assert_frame_equal(baseline.impute(whole, seed=12), whole)


GROUPED = Schema(
    columns={
        "g": {"kind": "categorical", "levels": ["p", "q"]},
        "c": {"kind": "categorical", "levels": ["x", "y"], "nullable": True},
        "parity": {"kind": "numeric", "decimals": 0, "nullable": True},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
    },
    rules=[
        {"rule": "fixed_combination", "columns": ["g", "c"], "combinations": [["p", "x"], ["p", "y"], ["q", None]]},
        {"rule": "implication", "if": {"sex": {"in": ["m"]}}, "then": {"parity": {"missing": True}}},
    ],
)


@pytest.mark.parametrize("model", sorted(name for name, kind in MODELS.items() if kind.can(Capability.GIVEN)))
def test_what_a_rule_says_is_missing_stays_missing(model):
    frame = pd.DataFrame(
        {
            "g": list("ppqp") * 30,
            "c": ["x", "y", None, "x"] * 30,
            "parity": [1, None, None, 3] * 30,
            "sex": list("fmmf") * 30,
        }
    )
    synthesizer = Synthesizer(GROUPED, model, settings=SMALL.get(model, {}), device="cpu")
    synthesizer.fit(frame, seed=1)
    holes = pd.DataFrame({"g": ["p", "q", "q"], "c": [None] * 3, "parity": [None] * 3, "sex": ["f", "m", "f"]})
    full = synthesizer.impute(holes, seed=2)
    assert full["c"].notna().tolist() == [True, False, False]
    assert full["parity"].notna().tolist() == [True, False, True]


SOME = [
    "age",
    "death",
    "hospdead",
    "slos",
    "d.time",
    "dzgroup",
    "dzclass",
    "ca",
    "surv2m",
    "surv6m",
    "totcst",
    "charges",
]


def some_of_support2() -> Schema:
    """Twelve columns of SUPPORT2 and the rules that speak of them alone."""
    schema = support2_schema()
    rules = [r for r in schema.rules if set(r.columns) <= set(SOME)]
    assert len(rules) == 7
    return Schema(columns={c: schema.columns[c] for c in SOME}, rules=rules)


def test_imputing_beats_the_columns_mean_and_mode():
    """Masked cells of 300 patients not learned from, the mean or the mode of five draws: a fifth less error in each."""
    schema, real = some_of_support2(), support2()[SOME]
    order = np.random.default_rng(0).permutation(len(real))
    train, test = (real.iloc[part].reset_index(drop=True) for part in (order[300:], order[:300]))
    settings = {"width": 32, "hidden": 16, "steps": 150, "batch_size": 256}
    synthesizer = Synthesizer(schema, settings=settings, device="cpu").fit(train, seed=1)
    for name in ("surv6m", "totcst", "dzgroup", "death"):
        held = test[test[name].notna()].reset_index(drop=True)
        masked = held.assign(**{name: pd.Series([None] * len(held), dtype=object)})
        drawn = synthesizer.impute(pd.concat([masked] * 5, ignore_index=True), seed=0)[name]
        draws = pd.DataFrame(drawn.to_numpy().reshape(5, len(held)).T)
        if isinstance(schema.columns[name], Numeric):
            error = (draws.astype(float).mean(axis=1) - held[name]).abs().mean()
            plain = (train[name].mean() - held[name]).abs().mean()
        else:
            error = (draws.mode(axis=1)[0] != held[name]).mean()
            plain = (train[name].mode()[0] != held[name]).mean()
        assert error < 0.8 * plain, name


def test_mended_rows_have_the_types_of_the_others():
    """A number that is missing in all mended rows does not make its column one of objects: pandas will take it so."""
    synthesizer = Synthesizer(MENDED, "independent").fit(to_mend(4000, missing=0.5), seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        drawn = [synthesizer.sample(6, seed=seed) for seed in range(20)]
    assert {frame["seen"].dtype for frame in drawn} == {np.dtype(np.float64)}


MENDED = Schema(
    columns={
        "a": {"kind": "categorical", "levels": [0, 1]},
        "low": {"kind": "numeric", "min": 0, "max": 1, "decimals": 0},
        "x": {"kind": "numeric", "min": 0, "max": 10, "decimals": 0},
        "seen": {"kind": "numeric", "min": 0, "max": 1, "nullable": True},
    },
    rules=[
        {"rule": "comparison", "left": "low", "op": "<=", "right": "x"},
        {"rule": "implication", "if": {"a": {"in": [1]}}, "then": {"x": {"max": 2}}},
    ],
)


def to_mend(n: int, missing: float = 0.0) -> pd.DataFrame:
    """A table of which many independent draws break `if a then x <= 2`."""
    rng = np.random.default_rng(4)
    low, gap, a = rng.integers(0, 2, n), rng.integers(0, 10, n), rng.integers(0, 2, n)
    x = np.where(a == 1, low + gap % 2, low + gap)
    return pd.DataFrame({"a": a, "low": low, "x": x, "seen": np.where(rng.random(n) < missing, np.nan, 0.5)})


def test_mending_keeps_the_law_of_what_a_rule_asks_about():
    """Rows that break `if a then x <= 2` get a new x, not a new a: half the rows keep a = 1, as the model has it.

    Drawing whole rows again would leave a = 1 in p / (1 + p) of the rows, p being the share of x <= 2.
    """
    n, table = 4000, to_mend(4000)
    synthetic = Synthesizer(MENDED, "independent").fit(table, seed=0).sample(n, seed=1)
    assert all(rule.holds(synthetic).all() for rule in MENDED.rules)
    assert abs(synthetic["a"].mean() - table["a"].mean()) < 4 * np.sqrt(0.25 / n)
