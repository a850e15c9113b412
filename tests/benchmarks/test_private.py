"""Cells of private models, and the bins that peers are lent."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.contest import ours, private_plan
from benchmarks.measure import lent_codes
from synthkit.schema import Schema

SCHEMA = Schema(
    declared_by="the test: made-up people",
    columns={
        "age": {"kind": "numeric", "min": 0, "max": 99, "decimals": 0},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
    },
)


def frame(n=4000):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"age": rng.integers(20, 60, n), "sex": rng.choice(["f", "m"], n)})


def test_peers_get_codes_and_their_codes_become_rows():
    """Decoded codes have the levels as they were and every number inside its bin."""
    table = frame()
    coded = lent_codes.Coded.bought(table, SCHEMA, {"epsilon": 1.0, "delta": 1e-5})
    codes = coded.codes(table)
    assert codes.shape == (4000, 2)
    assert [int(codes[c].max()) < k for c, k in zip(codes, coded.sizes, strict=True)] == [True, True]
    back = coded.table(codes, seed=3)
    assert back["sex"].astype(str).tolist() == table["sex"].tolist()
    assert (coded.codes(back) == codes).all(axis=None)


def test_a_contestant_is_named_by_its_budget():
    reduced = private_plan.contestant("aim-reduced", 1.0)
    assert (reduced.name, reduced.coded, reduced.settings["rounds"]) == ("peer-aim-reduced@1", True, 32)
    assert private_plan.contestant("mostlyai", 3.0).settings == {"epsilon": 3.0, "delta": 1e-5}
    mine = private_plan.contestant("marginal", 0.5)
    assert (mine.name, mine.coded, mine.environment) == ("marginal@0.5", False, None)


def test_aim_at_its_defaults_runs_once_and_nothing_twice():
    keys = [(cell.table, cell.key) for cell in [*private_plan.peers([0, 1, 2]), *private_plan.ours([0, 1, 2])]]
    assert len(keys) == len(set(keys))
    assert sum("peer-aim@" in key for _, key in keys) == 1


def test_a_budget_makes_a_fresh_ledger_and_is_taken_out_of_the_settings(tmp_path):
    settings = {"epsilon": 1.0, "delta": 1e-5, "rounds": 4}
    for _ in range(2):
        ledger = ours.fresh(tmp_path / "ledger.json", dict(settings), None)
        assert ledger is not None
        assert ledger.left().epsilon == 1.0
    left = dict(settings)
    ours.fresh(tmp_path / "ledger.json", left, None)
    assert left == {"rounds": 4}
    assert ours.fresh(tmp_path / "other.json", {"rounds": 4}, None) is None
