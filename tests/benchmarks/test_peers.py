"""Peers on a small table, each in its own environment if that is there; and tables without gaps, and back."""

from __future__ import annotations

import subprocess

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from benchmarks.contest import private_plan
from benchmarks.contest.plan import PEERS
from benchmarks.json_files import read, write
from benchmarks.measure.cells import Contestant, environment
from benchmarks.peers.gaps import FLAG, NONE, Gapless
from benchmarks.places import BENCH, ROOT

KINDS = {"age": "numeric", "dose": "numeric", "group": "categorical", "sex": "categorical"}
SMALL = {  # settings that make a fit a matter of seconds
    "peer-arf": {"num_trees": 5, "max_iters": 2},
    "peer-nrgboost": {"num_trees": 3, "max_leaves": 8, "num_model_samples": 500, "num_chains": 2, "burn_in": 5},
    "peer-forest-diffusion": {"n_t": 4, "duplicate_K": 4, "n_estimators": 4},
    "peer-seqtrees": {},
    "peer-dpmm-mst@5": {"epsilon": 5.0, "delta": 1e-5},
    "peer-dpmm-aim@5": {"epsilon": 5.0, "delta": 1e-5, "gen_kwargs": {"rounds": 3, "n_iters": 20}},
    "peer-dpmm-privbayes@5": {"epsilon": 5.0, "delta": 1e-5},
}
DOMAIN = {  # bounds and levels that are public
    "age": {"lower": 18, "upper": 90},
    "dose": {"lower": -5, "upper": 15},
    "group": {"categories": ["a", "b", "c"]},
    "sex": {"categories": ["F", "M"]},
}


def table(rows: int = 200) -> pd.DataFrame:
    """Dose depends on the group; some doses and groups are missing."""
    rng = np.random.default_rng(5)
    group = rng.choice(["a", "b", "c"], rows)
    dose = np.round(rng.normal(np.where(group == "a", 1.0, 9.0), 0.5), 1)
    frame = pd.DataFrame({"age": rng.integers(20, 90, rows), "dose": dose, "group": group.astype(object)})
    frame["sex"] = rng.choice(["F", "M"], rows).astype(object)
    frame.loc[::5, "dose"] = np.nan
    frame.loc[::7, "group"] = None
    return frame


def drawn(who: Contestant, folder, settings) -> pd.DataFrame:
    """What a peer draws of the table, as a cell would have it drawn."""
    table().to_parquet(folder / "table.parquet", index=False)
    paths = {"table": "table.parquet", "synthetic": "drawn.parquet", "result": "result.json"}
    job = {name: str(folder / file) for name, file in paths.items()}
    job |= {"kinds": KINDS, "domain": DOMAIN, "who": who.name, "seed": 1, "rows": 300, "threads": 1}
    job |= {"settings": settings, "scratch": str(folder)}
    write(folder / "job.json", job)
    words = [who.python, "-P", *who.program, str(folder / "job.json")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment(1), cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    assert read(folder / "result.json")["sample"]["rows"] >= 300
    return pd.read_parquet(folder / "drawn.parquet")


def test_gaps_are_filled_flagged_and_put_back():
    frame = table()
    gapless = Gapless.of(frame, KINDS)
    assert not gapless.rows.isna().any(axis=None)
    assert gapless.gaps == ["dose"]
    assert gapless.rows["dose"][0] == pytest.approx(frame["dose"].mean())
    assert gapless.rows["group"][0] == NONE
    assert (gapless.rows[FLAG.format("dose")] == "yes").sum() == frame["dose"].isna().sum()
    assert_frame_equal(gapless.restored(gapless.rows), frame, check_dtype=False)
    codes, levels = gapless.codes
    assert all(codes[name].between(0, len(known) - 1).all() for name, known in levels.items())
    assert_frame_equal(gapless.decoded(codes, levels), frame, check_dtype=False)


def test_a_number_without_any_value_is_filled_with_nought():
    frame = table().assign(dose=np.nan)
    assert (Gapless.of(frame, KINDS).rows["dose"] == 0).all()


def contestant(name: str) -> Contestant:
    """Of the plan without a budget, or of the one with budgets."""
    who, _, epsilon = name.removeprefix("peer-").partition("@")
    return private_plan.contestant(who, float(epsilon)) if epsilon else PEERS[name]


@pytest.mark.slow  # each draws for a minute, as its cells do
@pytest.mark.parametrize("name", SMALL)
def test_a_peer_draws_rows_of_the_table(name, tmp_path):
    who, real = contestant(name), table()
    if not (BENCH / str(who.environment) / "bin" / "python").exists():
        pytest.skip(f"the environment {who.environment} is not made: make .bench/{who.environment}/.ok")
    made = drawn(who, tmp_path, SMALL[name])
    assert list(made.columns) == list(real.columns)
    assert len(made) == 300
    assert set(made["group"].dropna()) <= {"a", "b", "c"}
    assert set(made["sex"]) <= {"F", "M"}
    assert 0 < made["dose"].isna().mean() < 0.6
    assert made["dose"].dropna().between(-5, 15).all()
    assert made["group"].isna().any()
