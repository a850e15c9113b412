"""Odd but legal tables go the whole path, from the table to the report, under every model."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import SchemaError
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import synthesize
from synthkit.schema import Schema
from synthkit.synthesizer.synthesizer import Synthesizer

N = 160
MODELS = {
    "independent": {},
    "autoregressive": {"steps": 12, "width": 16, "hidden": 8, "batch_size": 64},
    "diffusion": {"steps": 12, "width": 16, "blocks": 1, "batch_size": 64, "draws": 8},
}


@pytest.fixture(params=MODELS, scope="module")
def model(request):
    return request.param


def go(frame: pd.DataFrame, schema: dict, model: str, **more):
    """A whole run, quickly; its synthetic rows were validated on the way."""
    config = RunConfig(model=model, settings=MODELS[model], quick=True, seed=3, **more)
    return synthesize(frame, Schema(**schema), config=config)


def failed(run) -> set[str]:
    return {failure.metric for failure in run.evaluation.failures}


def test_a_constant_column_stays_constant(model):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"site": ["north"] * N, "dose": 2.5, "x": rng.normal(size=N), "y": rng.normal(size=N)})
    columns = {"site": {"kind": "categorical", "levels": ["north"]}, "dose": {"kind": "numeric"}}
    run = go(frame, {"columns": columns | {"x": {"kind": "numeric"}, "y": {"kind": "numeric"}}}, model)
    assert set(run.synthetic["site"]) == {"north"}
    assert set(run.synthetic["dose"]) == {2.5}
    assert "fidelity.columns" not in failed(run)


def test_a_column_without_any_value_stays_empty(model):
    """But declared levels keep the small chance that every declared level has."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "n": np.full(N, np.nan),
            "code": pd.Series([None] * N, dtype=object),
            "day": pd.Series([pd.NaT] * N),
            "level": pd.Series([None] * N, dtype=object),
            "x": rng.normal(size=N),
        }
    )
    columns = {
        "n": {"kind": "numeric", "nullable": True},
        "code": {"kind": "code", "nullable": True},
        "day": {"kind": "datetime", "nullable": True},
        "level": {"kind": "categorical", "levels": ["a", "b"], "nullable": True},
        "x": {"kind": "numeric"},
    }
    run = go(frame, {"columns": columns}, model)
    assert run.synthetic[["n", "code", "day"]].isna().to_numpy().all()
    assert run.synthetic["level"].isna().mean() > 0.9
    assert run.synthetic["x"].notna().all()


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ({"kind": "numeric"}, np.random.default_rng(3).normal(size=N)),
        ({"kind": "categorical", "levels": ["a", "b"]}, np.random.default_rng(3).choice(["a", "b"], N)),
    ],
    ids=["numeric", "categorical"],
)
def test_one_column_is_enough(model, column, values):
    """Its shape is measured; what needs a pair of columns is listed as not measured."""
    run = go(pd.DataFrame({"only": values}), {"columns": {"only": column}}, model)
    assert list(run.synthetic) == ["only"]
    assert 0.5 < run.evaluation.score("fidelity.shape").value <= 1
    assert "fidelity.columns" not in failed(run)


def test_only_identifiers_is_nothing_to_learn(model):
    frame = pd.DataFrame({"id": range(N), "name": [f"p{k}" for k in range(N)]})
    columns = {"id": {"kind": "identifier"}, "name": {"kind": "identifier"}}
    with pytest.raises(SchemaError, match=r"must declare a column to learn; however: it declares only identifiers"):
        go(frame, {"columns": columns}, model)


def test_forty_rows_are_enough_for_a_run(model):
    """The fewest that are split; the report says that they are few."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"x": rng.normal(size=40), "sex": rng.choice(["f", "m"], 40), "dead": rng.random(40) < 0.4})
    schema = {
        "columns": {
            "x": {"kind": "numeric"},
            "sex": {"kind": "categorical", "levels": ["f", "m"]},
            "dead": {"kind": "boolean"},
        },
        "targets": [{"column": "dead", "task": "binary", "positive": True}],
    }
    run = go(frame, schema, model)
    rows = run.evaluation.run["rows"]
    assert rows["train"] + rows["holdout"] <= 40
    assert len(run.synthetic) == rows["train"]
    assert "rows only" in run.report.html


def test_synthetic_rows_of_repeated_patients_are_units_of_their_own(model):
    rng = np.random.default_rng(5)
    patient = np.repeat(np.arange(1000, 1100), 3)
    frame = pd.DataFrame({"patient": patient, "visit": np.tile([1, 2, 3], 100), "bp": rng.normal(120, 10, 300).round()})
    schema = {
        "unit": "patient",
        "columns": {
            "patient": {"kind": "identifier", "unique": False},
            "visit": {"kind": "ordinal", "levels": [1, 2, 3]},
            "bp": {"kind": "numeric", "decimals": 0},
        },
    }
    run = go(frame, schema, model)
    assert run.synthetic["patient"].is_unique
    assert not set(run.synthetic["patient"]) & set(patient)
    trained = set(run.roles.loc[(run.roles["role"] == "train") | run.roles["coin"].fillna(value=False), "unit"])
    assert run.evaluation.run["rows"]["train"] == 3 * len(trained)
    assert "Structure within one patient is not reproduced" in run.report.html


def test_a_stay_never_ends_before_it_begins(model):
    rng = np.random.default_rng(6)
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1000, N), unit="D")
    frame = pd.DataFrame({"admission": start, "discharge": start + pd.to_timedelta(rng.poisson(4, N), unit="D")})
    schema = {
        "columns": {"admission": {"kind": "datetime"}, "discharge": {"kind": "datetime"}},
        "rules": [{"rule": "comparison", "left": "admission", "op": "<=", "right": "discharge"}],
    }
    run = go(frame, schema, model, rows=2000)
    assert (run.synthetic["admission"] <= run.synthetic["discharge"]).all()
    assert (run.synthetic.dtypes == frame.dtypes).all()


def test_dtypes_come_back(model):
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "dead": rng.random(N) < 0.3,
            "dnr": pd.array(rng.choice([True, False, None], N), dtype="boolean"),
            "ward": pd.Categorical(rng.choice(["a", "b", "c"], N)),
            "beds": rng.integers(1, 9, N).astype("int8"),
            "crea": rng.gamma(2, size=N).astype("float32"),
        }
    )
    columns = {
        "dead": {"kind": "boolean"},
        "dnr": {"kind": "boolean", "nullable": True},
        "ward": {"kind": "categorical", "levels": ["a", "b", "c"]},
        "beds": {"kind": "numeric", "decimals": 0, "min": 1, "max": 8},
        "crea": {"kind": "numeric", "min": 0},
    }
    run = go(frame, {"columns": columns}, model)
    assert run.synthetic.dtypes.astype(str).to_dict() == frame.dtypes.astype(str).to_dict()


def test_nine_hundred_codes(model, tmp_path):
    """A few are common and most are rare, as diagnoses are; what is drawn are codes that were fitted."""
    rng = np.random.default_rng(8)
    codes = np.array([f"{k // 10:03d}.{k % 10}" for k in range(900)])
    frequency = rng.permutation(1 / np.arange(1, 901))
    common = codes[frequency.argmax()]
    drawn = rng.choice(codes, 5000, p=frequency / frequency.sum())
    frame = pd.DataFrame({"icd": np.r_[codes, drawn], "x": rng.normal(size=5900)})
    run = go(frame, {"columns": {"icd": {"kind": "code"}, "x": {"kind": "numeric"}}}, model, rows=3000)
    assert set(run.synthetic["icd"]) <= set(codes)
    assert run.synthetic["icd"].nunique() > 50
    assert (run.synthetic["icd"] == common).mean() == pytest.approx((frame["icd"] == common).mean(), abs=0.06)
    folder = run.save(tmp_path / "run")
    again = Synthesizer.load(folder / "model").sample(5, seed=1)
    pd.testing.assert_frame_equal(again, run.synthesizer.sample(5, seed=1))
    assert json.loads((folder / "run.json").read_text())["columns"] == 2
