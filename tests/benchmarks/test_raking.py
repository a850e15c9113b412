"""The benchmark of raked draws: it measures both draws of one fit, and not twice."""

from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pytest

from benchmarks.parts import raking
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.schema import Schema


@pytest.mark.slow
@pytest.mark.skipif("SYNTHKIT_DATA" not in os.environ, reason="SYNTHKIT_DATA does not say where the tables are")
def test_both_draws_of_a_fit_are_measured():
    found = raking.measure("support2", seed=0, steps=20, quick=True, rows=600)
    plain, chosen = found["plain"], found["calibrated"]
    assert chosen["tables"]["2_train"] < 0.95 * plain["tables"]["2_train"]  # so few rows: most cells are merged
    assert plain["scores"].keys() == chosen["scores"].keys()
    assert {"fidelity.tv2", "fidelity.c2st", "copying.dcr_share"} <= plain["scores"].keys()
    assert found["pieces"]["both, pool of 3"]["2_train"] < found["pieces"]["raked"]["2_train"]
    assert found["real"]["2_train"] == 0
    assert "times slower" in raking.line(json.loads(json.dumps(found)))


def test_what_is_measured_on_this_machine_is_not_measured_again(tmp_path):
    path = tmp_path / "adult.json"
    assert not raking.done(path, 0, 300, quick=True)
    path.write_text(json.dumps({"seed": 0, "steps": 300, "quick": True, "machine": raking.fingerprint()}))
    assert raking.done(path, 0, 300, quick=True)
    assert not raking.done(path, 0, None, quick=True)
    assert not raking.done(path, 1, 300, quick=True)
    assert not raking.done(path, 0, 300, quick=False)
    path.write_text(json.dumps({"seed": 0, "steps": 300, "quick": True, "machine": {"cpu": "another"}}))
    assert not raking.done(path, 0, 300, quick=True)


def test_the_table_attack_knows_whose_tables_were_copied():
    """A draw that is the training table itself gives its rows away; one of fresh rows of the same law does not."""
    levels = list(range(8))
    schema = Schema(columns={f"c{k}": {"kind": "categorical", "levels": levels} for k in range(12)})
    rng = np.random.default_rng(0)
    train, holdout, fresh = (
        pd.DataFrame(rng.integers(0, 8, (300, 12)), columns=list(schema.columns)) for _ in range(3)
    )
    copied, clean = (
        raking.table_attack(
            draw,
            EvaluationData(train=train, holdout=holdout, synthetic=(draw,), schema=schema),
            np.random.default_rng(1),
        )
        for draw in (train, fresh)
    )
    assert copied["auc"] > 0.7
    assert abs(clean["auc"] - 0.5) < 4 * clean["se"]
