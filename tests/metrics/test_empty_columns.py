"""A column that is missing throughout costs no other column its score."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.runner import evaluate
from synthkit.schema import Schema

SCHEMA = Schema(
    columns={
        "x": {"kind": "numeric"},
        "urine": {"kind": "numeric", "nullable": True},
        "note": {"kind": "categorical", "levels": ["a", "b"], "nullable": True},
        "ill": {"kind": "boolean", "levels": [0, 1]},
    },
    targets=[{"column": "ill", "task": "binary"}, {"column": "x", "task": "regression"}],
)


def draw(seed: int, *, urine: float = np.nan) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=300)
    ill = (rng.random(300) < 1 / (1 + np.exp(-2 * x))).astype(int)
    return pd.DataFrame({"x": x, "urine": urine, "note": pd.Series([None] * 300, dtype=object), "ill": ill})


@pytest.mark.parametrize("held", [np.nan, 1.0], ids=["missing everywhere", "missing where it is fitted"])
def test_an_empty_column_fails_no_metric(held):
    comparison = EvaluationData(train=draw(1), holdout=draw(2, urine=held), synthetic=(draw(3),), schema=SCHEMA)
    measured = evaluate(comparison, quick=True)
    assert {f.metric.rsplit("_", 1)[0] for f in measured.failures} <= {"membership.tpr_at_fpr"}  # 300 people are few
    assert measured.score("utility.ill.tstr").value > 0.8
