"""Files that version 0.1.0 wrote are read: models without and under a budget, ledgers, a run folder, a schema."""

from __future__ import annotations

import json

import pytest
from places import ROOT

from synthkit.privacy.accounting.ledger_file import recompute
from synthkit.release import run_folder
from synthkit.schema import Schema
from synthkit.schema.validation import validate
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables import table_files

KEPT = ROOT / "tests" / "kept" / "0.1.0"
MODELS = sorted(path.name for path in KEPT.glob("model-*"))
BEFORE = {"rate": "sampling_rate", "clip": "clip_norm", "copies": "augmentation_multiplicity"}

SINCE = {"pairs", "scores", "shrinkage"}  # settings that came after these models were kept


def test_every_model_is_kept_without_a_budget_and_under_one():
    plain = {"autoregressive", "ctgan", "diffusion", "independent", "marginal", "tvae"}
    private = {f"{name}-private" for name in plain - {"independent"}}
    assert {name.removeprefix("model-") for name in MODELS} == plain | private


@pytest.mark.parametrize("name", MODELS)
def test_a_kept_model_draws_rows_that_keep_its_schema(name):
    fitted = Synthesizer.load(KEPT / name, device="cpu")
    rows = fitted.sample(40, seed=1)
    assert list(rows) == ["who", "age", "sex", "came", "went", "ill"]
    assert validate(rows, fitted.schema).success
    card = json.loads((KEPT / name / "synthesizer.json").read_text(encoding="utf-8"))
    kept = {BEFORE.get(key, key): value for key, value in card["settings"].items()}
    assert {key: fitted.settings[key] for key in kept} == kept
    assert fitted.settings.keys() - kept.keys() <= SINCE


@pytest.mark.parametrize("name", MODELS)
def test_a_kept_model_is_written_again_and_read(name, tmp_path):
    fitted = Synthesizer.load(KEPT / name, device="cpu")
    fitted.save(tmp_path / "model")
    again = Synthesizer.load(tmp_path / "model", device="cpu")
    assert again.settings == fitted.settings
    assert again.sample(20, seed=2).equals(fitted.sample(20, seed=2))


@pytest.mark.parametrize("path", sorted(KEPT.glob("ledger-*.json")), ids=lambda path: path.stem)
def test_a_kept_ledger_is_counted_again(path):
    epsilon, delta = recompute(path)
    assert 2.8 < epsilon <= 3.0
    assert delta <= 1e-4


def test_a_kept_run_is_read_and_its_page_drawn():
    schema = Schema.load(KEPT / "schema.yaml")
    assert Schema.loads(schema.dumps()) == schema
    run = KEPT / "run"
    assert run_folder.evaluation(run).scores
    assert run_folder.validations(run)["output"]
    assert "visits" in run_folder.redraw(run).html
    for draw in sorted((run / "draws").glob("*.parquet")):
        assert validate(table_files.read(draw).frame(), schema).success
