"""What one more metric costs, by doing it: the listing of docs/extending, installed as a distribution."""

from __future__ import annotations

import ast
import importlib
import sys

import numpy as np
import pandas as pd
import pytest
from installed import install
from listings import listing
from places import ROOT

from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.metric_registry import METRICS
from synthkit.metrics.runner import evaluate
from synthkit.report.labels import name
from synthkit.schema import Schema

LISTING = ROOT / "docs" / "extending" / "metric.py"
NAME = "fidelity.repeated_rows"
SCHEMA = Schema(columns={"a": {"kind": "categorical", "levels": ["x", "y"]}, "b": {"kind": "numeric", "decimals": 0}})


@pytest.fixture
def site(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("site")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "repeating", raising=False)
    modules = {"repeating": LISTING.read_text(encoding="utf-8")}
    install(folder, "repeating", modules=modules, entry_points={"synthkit.metrics": {NAME: "repeating:METRIC"}})
    importlib.invalidate_caches()
    return folder


def table(n, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"a": rng.choice(["x", "y"], n), "b": pd.array(rng.integers(0, 200, n), dtype="Int64")})


@pytest.mark.usefixtures("site")
def test_the_listing_is_measured_with_all_others():
    data = EvaluationData(train=table(300, 0), holdout=table(200, 1), synthetic=(table(250, 2),), schema=SCHEMA)
    score = evaluate(data, seed=1, quick=True).score(NAME)

    def by_hand(frame):
        rows = list(frame.itertuples(index=False, name=None))
        return sum(rows.count(row) > 1 for row in rows) / len(rows)

    assert score.value == pytest.approx(by_hand(data.synthetic[0]))
    assert score.reference == pytest.approx(by_hand(data.holdout))
    assert score.low < score.value < score.high
    assert name(NAME).label == "Rows that repeat"


def test_a_metric_costs_one_file():
    """Label and meaning stand in it; without imports and its four lines of arithmetic it has at most twenty lines."""
    assert NAME not in METRICS
    assert listing("metric").METRIC.name == NAME
    tree = ast.parse(LISTING.read_text(encoding="utf-8"))
    free = {1}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            free |= set(range(node.lineno, node.end_lineno + 1))
    lines = LISTING.read_text(encoding="utf-8").splitlines()
    assert len([n for n, line in enumerate(lines, 1) if line.strip() and n not in free]) - 4 <= 20
