"""A limit in minutes becomes steps that anybody can ask for again; `auto` becomes a model with a reason."""

from __future__ import annotations

import json

import pytest
import torch

from synthkit.errors import ConfigError
from synthkit.models.auto import AUTO, SMALL_TABLE_ROWS, WIDE_TABLE_COLUMNS, ModelChoice, TableSize, choose_model
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import fit
from synthkit.privacy.access.curator import Curator
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.synthesizer.synthesizer import Synthesizer

SMALL = {"width": 16, "hidden": 8, "batch_size": 32}


def tensors(synthesizer: Synthesizer) -> dict[str, torch.Tensor]:
    return synthesizer._model.tensors()


def test_steps_found_by_a_wish_make_the_same_model_when_asked_for(toy, tmp_path):
    """The wish is far too short for the usual number of steps, whatever the machine."""
    config = RunConfig(settings=SMALL, seed=3, max_minutes=1e-4)
    wished = fit(toy.frame, toy.schema, config=config)
    steps = wished.facts["settings"]["steps"]
    assert 1 <= steps < 150
    assert wished.synthesizer.settings == wished.facts["settings"]
    (note,) = wished.facts["notes"]
    many = "1 step, the least there is, may fit" if steps == 1 else f"about {steps:,} steps fit"
    assert note == f"{many} into 0.006 seconds; without that limit there would be 150"
    asked = fit(toy.frame, toy.schema, config=RunConfig(settings={**SMALL, "steps": steps}, seed=3))
    assert all(torch.equal(v, tensors(asked.synthesizer)[k]) for k, v in tensors(wished.synthesizer).items())
    wished.save(tmp_path / "w")
    card = json.loads((tmp_path / "w" / "model" / "synthesizer.json").read_text())
    assert (
        card["settings"]["steps"] == json.loads((tmp_path / "w" / "run.json").read_text())["settings"]["steps"] == steps
    )
    assert Synthesizer.load(tmp_path / "w" / "model").settings["steps"] == steps


def test_a_wish_that_is_long_enough_changes_nothing(toy):
    settings = {**SMALL, "steps": 4}
    plain, wished = (
        Synthesizer(toy.schema, settings=settings).fit(toy.frame, seed=3, max_minutes=minutes) for minutes in (None, 60)
    )
    assert all(torch.equal(v, tensors(wished)[k]) for k, v in tensors(plain).items())
    assert wished.log.steps == wished.log.planned == 4


@pytest.mark.parametrize("minutes", [0, -1.0, float("nan")])
def test_a_wish_must_be_above_nought(toy, minutes):
    with pytest.raises(ConfigError, match="`max_minutes` must be above 0; however"):
        Synthesizer(toy.schema, settings=SMALL).fit(toy.frame, max_minutes=minutes)
    with pytest.raises(ConfigError, match="max_minutes: must be greater than 0"):
        RunConfig.of(None, max_minutes=minutes)


def test_the_command_takes_a_wish_and_tells_what_fits(toy, tmp_path, command):
    words = ["fit", toy.csv, "--schema", toy.yaml, "--out", tmp_path / "m", "--max-minutes", "0.0001"]
    said = command(*words, "--set", "width=16", "--set", "hidden=8", "--model", "auto")
    assert said.code == 0
    assert "into 0.006 seconds; without that limit there would be" in said.err
    assert "for 80 rows of 5 columns like cohorts measured: told apart at " in said.err
    facts = json.loads((tmp_path / "m" / "run.json").read_text())
    assert (facts["model"], facts["config"]["model"], facts["why"]) == ("autoregressive", "auto", facts["notes"][0])


# ---- auto ----


def test_auto_becomes_a_model_with_a_reason(toy, tmp_path):
    ledger, said = Ledger.unlimited(unit=None), []
    curator = Curator(toy.frame, toy.schema, ledger, Seeds(1))
    chosen = Synthesizer(toy.schema, AUTO, settings={"steps": 2, "hidden": 16}).fit(curator, seed=1, say=said.append)
    assert (chosen.model_name, chosen.why) == ("autoregressive", said[0])
    own = choose_model(TableSize(rows=len(toy.frame), columns=5, numeric=_numbers(toy.schema), device="cpu"))
    asked = {**own.settings, "hidden": 16, "steps": 2}
    assert (own.model, own.why) == (chosen.model_name, chosen.why)
    assert {k: chosen.settings[k] for k in asked} == asked
    assert ledger.charges[0].what == "number of rows"
    chosen.save(tmp_path / "m")
    again = Synthesizer.load(tmp_path / "m")
    assert again.model_name == "autoregressive"
    assert again.settings == chosen.settings


def _numbers(schema) -> int:
    return sum(schema.columns[name].kind in ("numeric", "datetime") for name in schema.learned)


def test_settings_are_those_of_the_model_that_auto_chooses(toy):
    with pytest.raises(ConfigError, match=r"settings of `autoregressive` must be among: .*; however: colour"):
        Synthesizer(toy.schema, AUTO, settings={"colour": 1}).fit(toy.frame)


def task(rows: float = 30_000, columns: int = 15) -> TableSize:
    return TableSize(rows=rows, columns=columns, numeric=5, device="cpu")


@pytest.mark.parametrize(
    ("known", "width", "reason"),
    [
        (task(), None, "the most faithful model for 30,000 rows of 15 columns, in its usual size"),
        (task(rows=SMALL_TABLE_ROWS), None, "in its usual size"),
        (task(columns=WIDE_TABLE_COLUMNS), None, "in its usual size"),
        (task(columns=WIDE_TABLE_COLUMNS + 1), 64, "half its usual width, for 30,000 rows of 151 columns are wide"),
    ],
)
def test_thresholds_of_auto(known, width, reason):
    choice = choose_model(known)
    assert isinstance(choice, ModelChoice)
    assert choice.model == "autoregressive"
    assert choice.settings.get("width") == width
    assert choice.why.startswith("autoregressive: ")
    assert reason in choice.why
    assert "\n" not in choice.why
