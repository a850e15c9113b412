"""A law of patients from which real and synthetic rows can be drawn at will."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.runner import one_thread
from synthkit.schema import Schema

SCHEMA = Schema(
    columns={
        "age": {"kind": "numeric", "min": 0, "max": 120, "decimals": 0},
        "pressure": {"kind": "numeric", "nullable": True},
        "cost": {"kind": "numeric"},
        "ward": {"kind": "categorical", "levels": list("ABCD")},
        "visit day": {"kind": "datetime", "nullable": True},
        "died": {"kind": "boolean", "levels": [0, 1]},
    },
    targets=[
        {"column": "died", "task": "binary"},
        {"column": "ward", "task": "multiclass"},
        {"column": "cost", "task": "regression"},
    ],
    rules=[{"rule": "implication", "if": {"ward": {"in": ["D"]}}, "then": {"age": {"min": 18}}}],
)


def draw(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = np.clip(rng.normal(60, 15, rows).round(), 18, 110)
    ward = rng.choice(list("ABCD"), rows, p=[0.4, 0.3, 0.2, 0.1])
    pressure = 90 + 0.5 * age + rng.normal(0, 8, rows)
    risk = 0.08 * (age - 60) + (ward == "C") * 1.5
    frame = pd.DataFrame(
        {
            "age": age,
            "pressure": np.where(rng.random(rows) < 0.1, np.nan, pressure),
            "cost": np.exp(0.03 * age + (ward == "C") + rng.normal(0, 0.4, rows)),
            "ward": ward,
            "visit day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 700, rows), unit="D"),
            "died": (rng.random(rows) < 1 / (1 + np.exp(-risk))).astype(int),
        }
    )
    frame.loc[rng.random(rows) < 0.05, "visit day"] = pd.NaT
    return frame


def independent(rows: int, seed: int) -> pd.DataFrame:
    frame, rng = draw(rows, seed), np.random.default_rng(seed)
    return pd.DataFrame({c: frame[c].to_numpy()[rng.permutation(rows)] for c in frame})


@pytest.fixture(autouse=True)
def _calm():
    """Several test processes on few cores: one thread each."""
    with one_thread():
        yield


@pytest.fixture
def schema():
    return SCHEMA


@pytest.fixture
def law():
    return draw


@pytest.fixture
def shuffled():
    return independent


@pytest.fixture
def compare():
    def build(synthetic, *, train=None, holdout=None, schema=SCHEMA):
        draws = synthetic if isinstance(synthetic, tuple) else (synthetic,)
        train = draw(1500, 1) if train is None else train
        holdout = draw(1500, 2) if holdout is None else holdout
        return EvaluationData(train=train, holdout=holdout, synthetic=draws, schema=schema)

    return build
