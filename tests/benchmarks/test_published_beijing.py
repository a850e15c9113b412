"""Air quality of Beijing: the published split, the error of its target against a booster by hand, and the page."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from benchmarks.contest import published_beijing as beijing
from benchmarks.places import MEASURED, PAGE

needs_data = pytest.mark.skipif("SYNTHKIT_DATA" not in os.environ, reason="SYNTHKIT_DATA names no folder of tables")


def frame(rows: int = 900, noise: float = 0.3, seed: int = 0) -> pd.DataFrame:
    """Hours whose log(pm2.5) is 3 + 0.1 TEMP and noise."""
    rng = np.random.default_rng(seed)
    out = {name: rng.choice(levels, rows) for name, levels in beijing.NAMES.items()}
    out |= {name: rng.normal(0, 5, rows).round(1) for name in beijing.DECIMALS}
    out[beijing.TARGET] = np.exp(3 + 0.1 * out["TEMP"] + rng.normal(0, noise, rows))
    return pd.DataFrame(out)


@needs_data
def test_the_split_is_that_of_the_published_tables():
    """41,757 rows have a measurement; nine tenths are fitted, and no row is lost."""
    train, test = beijing.parts()
    assert (len(train), len(test)) == (37_581, 4_176)
    assert not train.isna().any(axis=None)
    assert set(train["cbwd"]) == set(test["cbwd"]) == set(beijing.NAMES["cbwd"])


def test_the_error_of_the_target_is_that_of_its_noise(monkeypatch):
    """No booster is better than the noise of .3, and log(pm2.5) itself varies by .58: sqrt(.3² + .5²)."""
    monkeypatch.setattr(beijing, "GRID", ((50,), (1, 10), (5,), (0,)))
    found = beijing.rmse(frame(3000), frame(1000, seed=1), seed=0)
    assert 0.28 < found < 0.40
    shuffled = frame(3000)
    shuffled[beijing.TARGET] = np.random.default_rng(2).permutation(shuffled[beijing.TARGET].to_numpy())
    assert beijing.rmse(shuffled, frame(1000, seed=1), seed=0) > 0.5


def test_the_target_is_cut_and_no_feature():
    rows = frame(3).assign(**{beijing.TARGET: [0.0, 1.0, 1e6]})
    assert beijing.log_target(rows).tolist() == [0.0, 0.0, np.log(20_000)]
    names = beijing.features(rows).columns
    assert beijing.TARGET not in names
    assert len(names) == 6 + sum(map(len, beijing.NAMES.values()))


def cell(name: str, seed: int, detection: float) -> dict[str, object]:
    scores = {"detection": detection, "shape error, %": 0.5, "trend error, %": 1.5, "RMSE": 0.6}
    return beijing.identity(name, seed) | {"fit": {"cpu": 60.0 + seed}, "scores": scores}


def test_what_is_there_is_not_made_again():
    content = {"cells": [cell("autoregressive", 0, 0.9)]}
    assert list(beijing.missing(content, ["autoregressive"], [0, 1])) == [("autoregressive", 1)]
    content["cells"][0]["version"] = "another"
    assert list(beijing.missing(content, ["autoregressive"], [0])) == [("autoregressive", 0)]


def test_the_table_has_medians_beside_what_was_published():
    content = {"cells": [cell("autoregressive", seed, 0.8 + seed / 10) for seed in (0, 1, 2)]}
    lines = beijing.markdown(content).splitlines()
    assert "| autoregressive | 0.900 | 0.50 | 1.50 | 0.600 | 61 (CPU, one thread) | 3 |" in lines
    assert "| TabDiff, published | 0.772 | 1.05 | 2.59 | 0.564 | 14,418 | 5 |" in lines


def test_the_page_has_what_is_recorded():
    if not (MEASURED / beijing.FILE).exists():
        pytest.skip("nothing is recorded in this version")
    text = PAGE.read_text(encoding="utf-8")
    assert beijing.markdown(beijing.read(MEASURED / beijing.FILE)) in text
