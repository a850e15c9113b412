"""Calibrated draws from beginning to end: nearer tables, rules and seeds kept, saved with the model, paid for."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import ArtefactError, ConfigError, UnsupportedError
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.fidelity.distributions import tv_mean
from synthkit.models.registry import MODELS
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import synthesize
from synthkit.privacy.access.curator import Curator
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.release.run_folder import redraw
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.rules import rows_obeying
from synthkit.synthesizer.synthesizer import Synthesizer

SCHEMA = Schema(
    columns={
        "id": {"kind": "identifier", "pattern": "P[0-9]{6}"},
        "ward": {"kind": "categorical", "levels": ["a", "b", "c", "d"]},
        "grade": {"kind": "ordinal", "levels": [1, 2, 3, 4], "nullable": True},
        "cost": {"kind": "numeric", "min": 0, "decimals": 1},
        "first": {"kind": "numeric", "min": 0, "max": 60, "decimals": 0},
        "last": {"kind": "numeric", "min": 0, "max": 90, "decimals": 0},
    },
    rules=[
        {"rule": "comparison", "left": "first", "op": "<=", "right": "last"},
        {"rule": "implication", "if": {"ward": {"in": ["a"]}}, "then": {"grade": {"missing": True}}},
    ],
)


def patients(n: int = 3000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    ward = rng.integers(0, 4, n)
    grade = np.clip(ward + rng.integers(0, 2, n), 1, 4).astype(float)
    first = rng.integers(0, 15 * (ward + 1))
    return pd.DataFrame(
        {
            "id": [f"P{k:06d}" for k in range(n)],
            "ward": np.array(list("abcd"), dtype=object)[ward],
            "grade": np.where(ward == 0, np.nan, grade),
            "cost": np.round(rng.lognormal(ward, 0.5), 1),
            "first": first,
            "last": first + rng.integers(0, 30, n),
        }
    )


def quick(model: str) -> dict[str, int]:
    small = {"steps": 30, "components": 50, "batch_size": 256, "odds_batch": 256}
    small |= {"width": 32, "hidden": 32, "critic_width": 32}
    return {k: v for k, v in small.items() if k in {f.name for f in fields(MODELS[model].Config)}}


@pytest.fixture(scope="module", params=sorted(MODELS))
def fitted(request) -> Synthesizer:
    return Synthesizer(SCHEMA, request.param, settings=quick(request.param), device="cpu").fit(patients(), seed=1)


@pytest.fixture(scope="module")
def baseline() -> Synthesizer:
    return Synthesizer(SCHEMA, "independent", device="cpu").fit(patients(), seed=1)


def error(draw: pd.DataFrame) -> float:
    """Mean two-way total variation from the training rows, as the evaluation measures it."""
    train = conform(patients(), SCHEMA)
    binning = EvaluationData(train=train, holdout=train, synthetic=(draw,), schema=SCHEMA).binning
    pairs = [(a, b) for a in range(5) for b in range(a)]
    return tv_mean(binning.codes(conform(draw, SCHEMA)), binning.codes(train), binning.sizes, pairs).difference.value


def test_every_model_draws_nearer_tables_and_keeps_its_promises(fitted):
    plain, chosen = fitted.sample(1500, seed=2), fitted.sample(1500, rake="sample", seed=2)
    assert error(chosen) < 0.8 * error(plain)
    assert chosen.shape == plain.shape
    assert (chosen.dtypes == plain.dtypes).all()
    assert rows_obeying(conform(chosen, SCHEMA), SCHEMA.rules).all()
    assert chosen["id"].is_unique
    assert (chosen.attrs["synthkit_calibrated"], plain.attrs["synthkit_calibrated"]) == (True, False)
    assert chosen.attrs["synthkit_pool"] == (6000 if fitted.model_name == "ctgan" else 4500)


def test_same_seed_same_rows_and_a_saved_model_chooses_the_same(fitted, tmp_path):
    one, two, other = (fitted.sample(300, rake="sample", seed=seed) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(other)
    fitted.save(tmp_path / "model")
    again = Synthesizer.load(tmp_path / "model", device="cpu")
    pd.testing.assert_frame_equal(again.sample(300, rake="sample", seed=3), one)
    pd.testing.assert_frame_equal(again.sample(300, seed=3), fitted.sample(300, seed=3))


def test_rows_are_raked_to_the_population_unless_the_sample_is_asked_for(fitted):
    told, usual, sample = (fitted.sample(400, rake=to, seed=3) for to in ("population", True, "sample"))
    pd.testing.assert_frame_equal(told, usual)
    assert not usual.equals(sample)
    assert (RunConfig().raked, RunConfig(rake=True).raked) == (False, "population")
    assert RunConfig(rake=True, rake_to="sample").raked == "sample"


@pytest.mark.parametrize("n", [0, 1])
def test_few_rows_can_be_asked_for(baseline, n):
    assert baseline.sample(n, rake="sample", seed=5).shape == (n, 6)


def test_tables_are_charged_before_they_are_counted():
    """Five single columns and ten pairs, in one line of the ledger."""
    ledger = Ledger.unlimited(unit=None)
    curator = Curator(conform(patients(), SCHEMA), SCHEMA, ledger, Seeds(0))
    Synthesizer(SCHEMA, "independent", device="cpu").fit(curator, seed=1)
    (charge,) = (c for c in ledger.charges if c.what == "one- or two-way table of grouped columns")
    assert charge.times == 15
    ledger = Ledger.unlimited(unit=None)
    curator = Curator(conform(patients(), SCHEMA), SCHEMA, ledger, Seeds(0))
    Synthesizer(SCHEMA, "independent", device="cpu", margins=False).fit(curator, seed=1)
    assert not [c for c in ledger.charges if "two-way" in c.what]


def test_a_model_without_targets_says_what_to_do(tmp_path):
    bare = Synthesizer(SCHEMA, "independent", device="cpu", margins=False).fit(patients(300), seed=1)
    bare.save(tmp_path / "model")
    for synthesizer in (bare, Synthesizer.load(tmp_path / "model", device="cpu")):
        assert len(synthesizer.sample(10, seed=1)) == 10
        with pytest.raises(UnsupportedError, match=r"however: this model was fitted without.*margins=True"):
            synthesizer.sample(10, rake="sample")


def test_given_values_and_raking_exclude_each_other(baseline):
    with pytest.raises(ConfigError, match="tables of all rows; however: values are given"):
        baseline.sample(10, given={"ward": "b"}, rake="sample")


def test_damaged_targets_are_refused(baseline, tmp_path):
    baseline.save(tmp_path / "model")
    card = tmp_path / "model" / "synthesizer.json"
    card.write_text(card.read_text().replace("synthkit-targets/1", "synthkit-targets/9"))
    with pytest.raises(ArtefactError, match="incomplete or altered"):
        Synthesizer.load(tmp_path / "model")


def test_a_table_of_fewer_than_five_rows_leaves_the_draw_plain():
    tiny = Synthesizer(SCHEMA, "independent", device="cpu").fit(patients(4), seed=1)
    assert len(tiny.sample(20, rake="sample", seed=1)) == 20


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of which every draw is raked, saved."""
    asked = RunConfig(model="independent", quick=True, rake=True, rake_to="sample", draws=2)
    made = synthesize(patients(800), SCHEMA, rows=300, seed=1, config=asked)
    return made, made.save(tmp_path_factory.mktemp("raked") / "run")


def test_a_run_says_everywhere_that_its_draws_are_raked(run):
    made, folder = run
    chosen = {"rows": 300, "pool": 900}
    assert made.facts["calibrated"] == made.evaluation.run["calibrated"] == chosen
    assert json.loads((folder / "run.json").read_text())["calibrated"] == chosen
    assert all(draw.attrs["synthkit_calibrated"] for draw in made.draws)
    page = (folder / "report.html").read_text()
    assert page.count("calibrated draw</title>") == 1
    assert "300 rows selected from a pool of 900" in page
    assert "No score here is that of the model alone." in page
    assert "as if those tables were released" in page
    redraw(folder).save(folder / "again.html")
    assert "calibrated draw</title>" in (folder / "again.html").read_text()


def test_a_plain_run_says_nothing_of_it():
    made = synthesize(patients(400), SCHEMA, rows=100, seed=1, config=RunConfig(model="independent", quick=True))
    assert made.facts["calibrated"] is None
    assert "alibrated" not in made.report.html


def test_the_commands_say_so_too(run, command, refused, tmp_path):
    _, folder = run
    said = command("sample", folder, "--rows", 200, "--rake", "--seed", 3, "--out", tmp_path / "s.csv")
    assert "raked: 200 rows selected from a pool of 600" in said.out
    assert len(pd.read_csv(tmp_path / "s.csv")) == 200
    plain = command("sample", folder, "--rows", 200, "--seed", 3, "--out", tmp_path / "p.csv")
    assert "raked" not in plain.out
    words = ("--rows", 5, "--rake", "--given", "ward=b", "--out", tmp_path / "g.csv")
    assert "values are given" in refused("sample", folder, *words)


def test_run_takes_the_flag_and_prints_the_selection(command, tmp_path):
    patients(300).to_parquet(tmp_path / "t.parquet")
    SCHEMA.save(tmp_path / "t.yaml")
    out = ("--out", tmp_path / "run", "--model", "independent", "--rows", 100, "--quick", "--rake")
    said = command("run", tmp_path / "t.parquet", "--schema", tmp_path / "t.yaml", *out)
    assert said.code == 0, said.err
    assert "raked: 100 rows selected from a pool of 300" in said.out
