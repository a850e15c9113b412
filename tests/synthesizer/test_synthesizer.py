"""Table in, table out: what a sample is, whatever the model; every rule of every shipped schema; dtypes; refusals."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import ROOT

from synthkit.data import support2, support2_schema
from synthkit.errors import ConfigError, SchemaError, UnsupportedError
from synthkit.models.independent import Independent
from synthkit.models.registry import MODELS
from synthkit.privacy.access.curator import Curator
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.rules import rows_obeying
from synthkit.synthesizer.synthesizer import Synthesizer

SCHEMAS = ROOT / "schemas"
DATA = os.environ.get("SYNTHKIT_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="SYNTHKIT_DATA does not name the folder of the real tables")


def test_a_synthesizer_must_be_fitted_first(tmp_path):
    blank = Synthesizer(support2_schema())
    for act in (lambda: blank.sample(1), lambda: blank.impute(support2()), lambda: blank.save(tmp_path / "m")):
        with pytest.raises(ConfigError, match=r"must be fitted first; however: it is not\. Call fit"):
            act()


def test_an_unknown_model_and_an_unknown_setting_are_refused():
    with pytest.raises(
        ConfigError,
        match="one of auto, autoregressive, ctgan, diffusion, independent, marginal, tvae; however: `gan`",
    ):
        Synthesizer(support2_schema(), "gan")
    with pytest.raises(ConfigError, match=r"settings of `autoregressive` must be among: .*width; however: widht"):
        Synthesizer(support2_schema(), settings={"widht": 3})
    with pytest.raises(ConfigError, match="must be among: none; however: width"):
        Synthesizer(support2_schema(), "independent", settings={"width": 3})


def test_samples_are_tables_of_the_schema(either):
    """Columns in order, dtypes of the input, values in the domain, identifiers fresh, every rule obeyed."""
    schema, real = support2_schema(), support2()
    rows = either.sample(2000, seed=2)
    assert rows.shape == (2000, 48)
    assert list(rows) == list(real)
    assert [c for c in schema.learned if rows[c].dtype != real[c].dtype] == []
    assert [c for c, kind in schema.columns.items() if not kind.admits(rows[c]).all()] == []
    assert [c for c, kind in schema.columns.items() if rows[c].isna().any() and not kind.nullable] == []
    assert rows_obeying(conform(rows, schema), schema.rules).all()
    assert rows["id"].is_unique
    assert not set(rows["id"].astype(str)) & set(real["id"].astype(str))


@pytest.mark.parametrize("n", [0, 1])
def test_none_and_one_are_numbers_of_rows(either, n):
    rows = either.sample(n, seed=3)
    assert rows.shape == (n, 48)
    assert either.sample(n, given={"sex": "male"}, seed=3).shape == (n, 48)
    with pytest.raises(ConfigError, match="must not be negative; however: -1"):
        either.sample(-1)


def test_same_seed_same_rows_and_the_seed_is_kept(either):
    one, two, other = (either.sample(30, seed=s) for s in (4, 4, 5))
    pd.testing.assert_frame_equal(one, two)
    assert not one.drop(columns="id").equals(other.drop(columns="id"))
    assert one.attrs["synthkit_seed"] == 4
    drawn = either.sample(30)
    pd.testing.assert_frame_equal(either.sample(30, seed=drawn.attrs["synthkit_seed"]), drawn)


def test_log_prob_is_one_number_a_row(either):
    log = either.log_prob(support2()[:50])
    assert log.shape == (50,)
    assert np.isfinite(log).all()
    assert (log < 0).all()


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
    ledger = Ledger.unlimited(unit=schema.unit)
    curator = Curator(conform(support2()[:300], schema), schema, ledger, Seeds(1))
    rows = Synthesizer(schema, "independent").fit(curator, seed=1).sample(10, seed=1)
    assert len(rows) == 10
    # one histogram a coded column, the margins, steps of numbers, values beside gaps; no rows for a product of them
    assert len(ledger.charges) == 46 + 3


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

    class SamplesOnly(Independent):
        capabilities = frozenset()

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
    """The table of the ninth is made of another by the benchmarks; its rules are those of diabetes130."""
    assert {path.stem for path in SCHEMAS.glob("*.yaml")} == {*TABLES, "diabetes130_dp46"}


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
