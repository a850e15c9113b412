"""Made-up results, as cells and scores are written."""

from __future__ import annotations

import pytest

from benchmarks.measure.results import Result

MACHINE = {"cpu": "A CPU", "cores": 2, "python": "3.11.7", "torch": "2.13.0"}


def made_cell(who, table, seed=0, *, threads=1, cpu=60.0, wall=40.0, rate=1000.0, others=0.5, **more):
    """A cell as `cells.run` writes it."""
    sample = {"rows": 100_000, "cpu": 100_000 / rate, "wall": 100_000 / rate, "others": others, "peak_mib": 500}
    return {
        "who": who,
        "table": table,
        "seed": seed,
        "threads": threads,
        "version": "synthkit 1 abc",
        "machine": MACHINE,
        "finished": True,
        "fit": {"cpu": cpu, "wall": wall, "others": others, "peak_mib": 400},
        "first_sample": sample,
        "sample": sample,
        "about": {},
        "synthetic": f"{who}{table}{seed}",
    } | more


def made_score(c2st=0.6, tv3=0.9, tv2=0.95, gaps=(0.01,), dcr=0.5, attack=0.5, reference=0.5):
    """Scores as `scoring.score` writes them."""

    def one(value, reference=None):
        return {"value": value, "low": value - 0.01, "high": value + 0.01, "reference": reference}

    utility = {f"utility.{k}.gap": one(g) for k, g in enumerate(gaps)}
    utility |= {f"utility.{k}.tstr": one(0.9 - g) for k, g in enumerate(gaps)}
    scores = {
        "fidelity.c2st": one(c2st, reference),
        "fidelity.tv3_train": one(tv3),
        "fidelity.tv2_train": one(tv2),
        "copying.dcr_share": one(dcr),
    }
    names = {"quality": 0.9, "shape": 0.9, "trend": 0.8, "xgboost_detection": 0.7}
    return {
        "rows": 32561,
        "columns": 15,
        "scores": scores | utility,
        "logistic": {name: s["value"] - 0.02 for name, s in utility.items() if name.endswith(".tstr")},
        "attack": {"auc": attack, "se": 0.005},
        "numbers": {"c2st": c2st},
        "sdmetrics": names,
    }


@pytest.fixture
def result():
    """Makes a result: who, table, seed, parts of the cell, and scores by name."""

    def make(who, table="adult", seed=0, scores=None, **parts):
        return Result(cell=made_cell(who, table, seed, **parts), score=made_score(**(scores or {})))

    return make
