"""Table in, table out: fit, sample, given, impute, log_prob, save and load, on real ICU patients and on known laws."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from synthkit import artefact
from synthkit.data import support2, support2_schema
from synthkit.errors import ArtefactError, ConfigError, EncodingError, SchemaError, UnsupportedError
from synthkit.models import MODELS, Independent
from synthkit.privacy import Curator, Ledger
from synthkit.schema import Numeric, Schema
from synthkit.schema.conform import conform
from synthkit.seeds import Seeds
from synthkit.synthesizer import Synthesizer, obeying

SCHEMAS = Path(__file__).parent.parent / "schemas"
DATA = os.environ.get("SYNTHKIT_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="SYNTHKIT_DATA does not name the folder of the real tables")
QUICK = {"width": 32, "hidden": 16, "steps": 12, "batch_size": 128}


def test_a_synthesizer_must_be_fitted_first(tmp_path):
    blank = Synthesizer(support2_schema())
    for act in (lambda: blank.sample(1), lambda: blank.impute(support2()), lambda: blank.save(tmp_path / "m")):
        with pytest.raises(ConfigError, match=r"must be fitted first; however: it is not\. Call fit"):
            act()


def test_an_unknown_model_and_an_unknown_setting_are_refused():
    with pytest.raises(ConfigError, match="`model` must be one of autoregressive, independent; however: `gan`"):
        Synthesizer(support2_schema(), "gan")
    with pytest.raises(ConfigError, match=r"settings of `autoregressive` must be among: .*width; however: widht"):
        Synthesizer(support2_schema(), settings={"widht": 3})
    with pytest.raises(ConfigError, match="must be among: none; however: width"):
        Synthesizer(support2_schema(), "independent", settings={"width": 3})


@pytest.fixture(scope="module")
def quick():
    """The flagship after a dozen steps: it has learned little, and keeps every promise that is not about quality."""
    return Synthesizer(support2_schema(), settings=QUICK, device="cpu").fit(support2(), seed=1)


@pytest.fixture(scope="module")
def baseline():
    return Synthesizer(support2_schema(), "independent").fit(support2(), seed=1)


@pytest.fixture(params=["quick", "baseline"])
def fitted(request):
    return request.getfixturevalue(request.param)


def test_samples_are_tables_of_the_schema(fitted):
    """Columns in order, dtypes of the input, values in the domain, identifiers fresh, every rule obeyed."""
    schema, real = support2_schema(), support2()
    rows = fitted.sample(2000, seed=2)
    assert rows.shape == (2000, 48)
    assert list(rows) == list(real)
    assert [c for c in schema.learned if rows[c].dtype != real[c].dtype] == []
    assert [c for c, kind in schema.columns.items() if not kind.admits(rows[c]).all()] == []
    assert [c for c, kind in schema.columns.items() if rows[c].isna().any() and not kind.nullable] == []
    assert obeying(conform(rows, schema), schema).all()
    assert rows["id"].is_unique
    assert not set(rows["id"].astype(str)) & set(real["id"].astype(str))


@pytest.mark.parametrize("n", [0, 1])
def test_none_and_one_are_numbers_of_rows(fitted, n):
    rows = fitted.sample(n, seed=3)
    assert rows.shape == (n, 48)
    assert fitted.sample(n, given={"sex": "male"}, seed=3).shape == (n, 48)
    with pytest.raises(ConfigError, match="must not be negative; however: -1"):
        fitted.sample(-1)


def test_same_seed_same_rows_and_the_seed_is_kept(fitted):
    one, two, other = (fitted.sample(30, seed=s) for s in (4, 4, 5))
    pd.testing.assert_frame_equal(one, two)
    assert not one.drop(columns="id").equals(other.drop(columns="id"))
    assert one.attrs["synthkit_seed"] == 4
    drawn = fitted.sample(30)
    pd.testing.assert_frame_equal(fitted.sample(30, seed=drawn.attrs["synthkit_seed"]), drawn)


def test_log_prob_is_one_number_a_row(fitted):
    log = fitted.log_prob(support2()[:50])
    assert log.shape == (50,)
    assert np.isfinite(log).all()
    assert (log < 0).all()


def test_a_rare_level_given_comes_back_in_every_row(fitted):
    """Dementia and an income over $50,000: 14 real patients have both."""
    rows = fitted.sample(1000, given={"dementia": 1, "income": ">$50k"}, seed=6)
    assert len(rows) == 1000
    assert (rows["dementia"] == 1).all()
    assert (rows["income"] == ">$50k").all()
    assert obeying(conform(rows, support2_schema()), support2_schema()).all()


def test_missing_numbers_half_a_combination_and_the_end_of_a_gap_can_be_given(fitted):
    """None means missing; dzclass is half of a fixed combination; d.time is measured from slos, which is unknown."""
    rows = fitted.sample(200, given={"alb": None, "dzclass": "Cancer", "d.time": 300, "age": 61.25}, seed=7)
    assert rows["alb"].isna().all()
    assert set(rows["dzgroup"]) <= {"Colon Cancer", "Lung Cancer"}
    assert (rows["d.time"] == 300).all()
    assert (rows["slos"] <= 300).all()
    assert (rows["age"] == 61.25).all()
    assert rows["slos"].nunique() > 10


def test_a_frame_of_partial_rows_is_completed_row_by_row(fitted):
    part = pd.DataFrame({"sex": ["male", None, "female"], "slos": [3, None, 400], "dnrday": [None, 7, 12]})
    rows = fitted.sample(3, given=part, seed=8)
    assert (rows["sex"][[0, 2]] == ["male", "female"]).all()
    assert rows["slos"][[0, 2]].tolist() == [3, 400]
    assert rows["dnrday"][[1, 2]].tolist() == [7, 12]
    assert obeying(conform(rows, support2_schema()), support2_schema()).all()


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


def test_imputing_keeps_what_is_known_and_fills_what_may_be_filled(fitted):
    real = support2()[:400]
    full = fitted.impute(real, seed=10)
    assert list(full) == list(real)
    for column in real:
        held = real[column].notna()
        assert (full[column][held] == real[column][held]).all(), column
    assert obeying(conform(full, support2_schema()), support2_schema()).all()
    assert full.isna().sum().sum() == 0
    pd.testing.assert_frame_equal(fitted.impute(real, seed=10), full)


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


@pytest.mark.parametrize("model", sorted(MODELS))
def test_what_a_rule_says_is_missing_stays_missing(model):
    frame = pd.DataFrame(
        {
            "g": list("ppqp") * 30,
            "c": ["x", "y", None, "x"] * 30,
            "parity": [1, None, None, 3] * 30,
            "sex": list("fmmf") * 30,
        }
    )
    synthesizer = Synthesizer(GROUPED, model, settings=QUICK if model == "autoregressive" else {}, device="cpu")
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
    """Masked cells of 600 patients not learned from, the mean or the mode of five draws: a fifth less error in each."""
    schema, real = some_of_support2(), support2()[SOME]
    order = np.random.default_rng(0).permutation(len(real))
    train, test = (real.iloc[part].reset_index(drop=True) for part in (order[600:], order[:600]))
    settings = {"width": 32, "hidden": 16, "steps": 250, "batch_size": 256}
    synthesizer = Synthesizer(schema, settings=settings, device="cpu").fit(train, seed=1)
    for name in ("surv6m", "totcst", "dzgroup", "death"):
        held = test[test[name].notna()].reset_index(drop=True)
        masked = held.assign(**{name: pd.Series([None] * len(held), dtype=object)})
        draws = pd.concat([synthesizer.impute(masked, seed=s)[name] for s in range(5)], axis=1)
        if isinstance(schema.columns[name], Numeric):
            error = (draws.astype(float).mean(axis=1) - held[name]).abs().mean()
            plain = (train[name].mean() - held[name]).abs().mean()
        else:
            error = (draws.mode(axis=1)[0] != held[name]).mean()
            plain = (train[name].mode()[0] != held[name]).mean()
        assert error < 0.8 * plain, name


@pytest.mark.slow
def test_imputing_beats_the_columns_mean_and_mode_of_the_whole_table():
    """The same on all columns, after a longer fit."""
    schema, real = support2_schema(), support2()
    order = np.random.default_rng(0).permutation(len(real))
    train, test = (real.iloc[part].reset_index(drop=True) for part in (order[600:], order[:600]))
    synthesizer = Synthesizer(schema, device="cpu").fit(train, seed=1)
    better = []
    for name, kind in schema.columns.items():
        if name == "id" or test[name].notna().mean() < 0.5:
            continue
        held = test[test[name].notna()].reset_index(drop=True)
        masked = held.assign(**{name: pd.Series([None] * len(held), dtype=object)})
        draws = pd.concat([synthesizer.impute(masked, seed=s)[name] for s in range(5)], axis=1)
        if isinstance(kind, Numeric):
            error = ((draws.astype(float).mean(axis=1) - held[name]) ** 2).mean()
            better.append(error < ((train[name].mean() - held[name]) ** 2).mean())
        else:
            better.append((draws.mode(axis=1)[0] != held[name]).mean() <= (train[name].mode()[0] != held[name]).mean())
    assert np.mean(better) > 0.8


FULL = {
    "cat": pd.Categorical(["a", "b", None, "a"] * 20, categories=["b", "a"]),
    "ordered": pd.Categorical(["lo", "hi", "hi", "lo"] * 20, categories=["lo", "hi"], ordered=True),
    "count": pd.Series([1, None, 3, 4] * 20, dtype="Int64"),
    "small": pd.Series([1, 2, 3, 4] * 20, dtype="int8"),
    "dose": pd.Series([0.5, 1.5, None, 2.5] * 20, dtype="float32"),
    "text": pd.Series(["u", "v", None, "u"] * 20, dtype="string[pyarrow]"),
    "code": pd.Series(["250.1", "401", "250.1", "401"] * 20, dtype=object),
    "yes": pd.Series([True, False, None, True] * 20, dtype="boolean"),
    "flag": pd.Series([True, False, False, True] * 20, dtype="bool"),
    "day": pd.Series(pd.to_datetime(["2020-01-01", None, "2020-03-01", "2021-01-01"] * 20)).astype("datetime64[ns]"),
}
MANY = Schema(
    columns={
        "cat": {"kind": "categorical", "levels": ["a", "b"], "nullable": True},
        "ordered": {"kind": "ordinal", "levels": ["lo", "hi"]},
        "count": {"kind": "numeric", "decimals": 0, "nullable": True},
        "small": {"kind": "numeric", "decimals": 0},
        "dose": {"kind": "numeric", "nullable": True},
        "text": {"kind": "categorical", "levels": ["u", "v"], "nullable": True},
        "code": {"kind": "code"},
        "yes": {"kind": "boolean", "nullable": True},
        "flag": {"kind": "boolean"},
        "day": {"kind": "datetime", "precision": "day", "nullable": True},
    }
)


def test_the_dtypes_of_the_input_are_kept(tmp_path):
    """In samples, in completed rows, and after a journey through the disk."""
    frame = pd.DataFrame(FULL)
    synthesizer = Synthesizer(MANY, "independent").fit(frame, seed=1)
    synthesizer.save(tmp_path / "m")
    for rows in (
        synthesizer.sample(60, seed=2),
        synthesizer.sample(60, given={"cat": "b"}, seed=2),
        Synthesizer.load(tmp_path / "m").sample(60, seed=2),
        synthesizer.impute(frame, seed=2),
    ):
        assert {c: str(rows[c].dtype) for c in rows} == {c: str(frame[c].dtype) for c in frame}
        assert list(rows["cat"].cat.categories) == ["b", "a"] or set(rows["cat"].dropna()) <= {"a", "b"}
    assert synthesizer.sample(200, seed=3)["count"].isna().any()


def test_a_curator_can_be_learned_from_and_its_ledger_says_so():
    schema = support2_schema()
    ledger = Ledger(budget=None, unit=schema.unit)
    curator = Curator(conform(support2()[:300], schema), schema, ledger, Seeds(1))
    rows = Synthesizer(schema, "independent").fit(curator, seed=1).sample(10, seed=1)
    assert len(rows) == 10
    assert len(ledger.charges) == 46 + 1  # one histogram a coded column, one door


def test_a_table_that_is_not_the_schemas_is_refused():
    with pytest.raises(SchemaError, match=r"age +declared in the schema, missing from the table"):
        Synthesizer(support2_schema(), "independent").fit(support2().drop(columns="age"))
    with pytest.raises(SchemaError, match="at least 2 rows; however: 0"):
        Synthesizer(support2_schema(), "independent").fit(support2()[:0])


def test_rules_that_contradict_each_other_end_in_words():
    """a is always 1, and 1 is forbidden by two implications together."""
    rules = [
        {"rule": "implication", "if": {"a": {"in": ["u"]}}, "then": {"b": {"in": ["x"]}}},
        {"rule": "implication", "if": {"a": {"in": ["u"]}}, "then": {"b": {"in": ["y"]}}},
    ]
    schema = Schema(
        columns={"a": {"kind": "categorical", "levels": ["u"]}, "b": {"kind": "categorical", "levels": ["x", "y"]}},
        rules=rules,
    )
    synthesizer = Synthesizer(schema, "independent").fit(pd.DataFrame({"a": ["u"] * 4, "b": list("xyxy")}), seed=1)
    with pytest.raises(SchemaError, match=r"after 20 rounds 5 of 5 still break one\. Check whether rules contradict"):
        synthesizer.sample(5, seed=1)


def test_a_model_that_cannot_condition_says_so(monkeypatch):
    """A model with samples alone: `given`, `impute` and `log_prob` are refused, and by name."""

    class SamplesOnly:
        coding, Config = Independent.coding, Independent.Config

        def __init__(self, layout, config=None):
            self._inner = Independent(layout, config)
            self.fit, self.sample, self.layout = self._inner.fit, self._inner.sample, layout

    monkeypatch.setitem(MODELS, "plain", SamplesOnly)
    synthesizer = Synthesizer(INTEGERS, "plain").fit(integers(50), seed=1)
    assert len(synthesizer.sample(5, seed=1)) == 5
    for act in (
        lambda: synthesizer.sample(5, given={"stay": 1}),
        lambda: synthesizer.impute(integers(5).astype("Int64").mask([[True, False]] * 5)),
    ):
        with pytest.raises(
            UnsupportedError, match="`given` and `impute` need a model that conditions; however: `plain`"
        ):
            act()
    with pytest.raises(UnsupportedError, match="log_prob needs a model with an exact likelihood; however: `plain`"):
        synthesizer.log_prob(integers(5))


TABLES = {
    "adult": "adult/train",
    "breast_cancer": "breast_cancer/wdbc",
    "census_income_kdd": "census_income_kdd/test",
    "default_credit": "default_credit/default",
    "diabetes130": "diabetes130/diabetic_data",
    "heart_disease": "heart_disease/heart_disease",
    "kddcup99": "kddcup99_10pct/kddcup",
    "support2": "support2/support2",
}


@cache
def real(name: str) -> tuple[Schema, pd.DataFrame]:
    schema = Schema.load(SCHEMAS / f"{name}.yaml")
    frame = pd.read_parquet(Path(str(DATA)) / f"{TABLES[name]}.parquet")
    return schema, frame.sample(min(len(frame), 20_000), random_state=0).reset_index(drop=True)


def test_every_shipped_schema_is_sampled():
    assert {path.stem for path in SCHEMAS.glob("*.yaml")} == set(TABLES)


@needs_data
@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_rule_of_every_shipped_schema_holds_in_samples(name):
    """Even of the model that knows no dependence; and every value lies in its column's domain."""
    schema, frame = real(name)
    rows = Synthesizer(schema, "independent").fit(frame, seed=1).sample(5000, seed=2)
    typed = conform(rows, schema)
    broken = {r.sentence: int((~r.holds(typed)).sum()) for r in schema.rules}
    assert {s: k for s, k in broken.items() if k} == {}
    assert [c for c, kind in schema.columns.items() if not kind.admits(typed[c]).all()] == []


def test_a_saved_folder_is_small_json_and_tensors_without_a_row(quick, tmp_path):
    quick.save(tmp_path / "m")
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["model.safetensors", "synthesizer.json"]
    card = json.loads((tmp_path / "m" / "synthesizer.json").read_text())
    assert card["format"] == "synthkit-model/1"
    assert "id" not in card["encoder"]["codecs"]


def test_it_loads_where_the_data_are_not(quick, tmp_path):
    """In another process, in an empty folder: the same rows for the same seed."""
    quick.save(tmp_path / "m")
    quick.sample(20, seed=5).to_parquet(tmp_path / "here.parquet")
    script = (
        "from synthkit.synthesizer import Synthesizer\n"
        "Synthesizer.load('m', device='cpu').sample(20, seed=5).to_parquet('there.parquet')\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "SYNTHKIT_DATA"}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, env=environment, timeout=120)
    here, there = (pd.read_parquet(tmp_path / f"{side}.parquet") for side in ("here", "there"))
    pd.testing.assert_frame_equal(here, there)


CARDS = {
    "no json": lambda card: json.dumps(card)[:200],
    "a list": lambda card: "[]",
    "other format": lambda card: json.dumps(card | {"format": "synthkit-model/9"}),
    "no encoder": lambda card: json.dumps({k: v for k, v in card.items() if k != "encoder"}),
    "other schema": lambda card: json.dumps(card | {"schema": {"columns": {}}}),
    "other model": lambda card: json.dumps(card | {"model": "gan"}),
}


def damaged(folder: Path, how: str) -> None:
    card, tensors = folder / artefact.CARD, folder / artefact.TENSORS
    if how == "no card":
        card.unlink()
    elif how == "no tensors":
        tensors.unlink()
    elif how == "truncated":
        tensors.write_bytes(tensors.read_bytes()[:-100])
    elif how == "other tensors":
        tensors.write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    else:
        card.write_text(CARDS[how](json.loads(card.read_text())))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("no card", "however: synthesizer.json is not there"),
        ("no tensors", "however: model.safetensors is not there"),
        ("truncated", "must hold an undamaged model; however: a file cannot be read .SafetensorError"),
        ("other tensors", "must hold the model's tensors; however: .*query.* differ"),
        ("no json", "must hold an undamaged model; however: a file cannot be read .JSONDecodeError"),
        ("a list", "must have format synthkit-model/1; however: None"),
        ("other format", "must have format synthkit-model/1; however: 'synthkit-model/9'. Load it with"),
        ("no encoder", "synthesizer.json is incomplete or altered .KeyError"),
        ("other schema", "synthesizer.json is incomplete or altered .ValidationError"),
        ("other model", "synthesizer.json is incomplete or altered .ConfigError"),
    ],
)
def test_a_damaged_folder_is_refused(quick, tmp_path, how, message):
    quick.save(tmp_path / "m")
    damaged(tmp_path / "m", how)
    with pytest.raises(ArtefactError, match=message):
        Synthesizer.load(tmp_path / "m")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match=r"must hold synthesizer.json and model.safetensors"):
        Synthesizer.load(tmp_path / "nowhere")


def test_saving_again_replaces_the_older_model(quick, baseline, tmp_path):
    quick.save(tmp_path / "m")
    baseline.save(tmp_path / "m")
    assert Synthesizer.load(tmp_path / "m").model_name == "independent"
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
