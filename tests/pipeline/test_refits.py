"""Further fits and the final one: who is fitted in each, what is kept, what it costs, and what is refused."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from synthkit.errors import ConfigError, SchemaError
from synthkit.pipeline.refits import ENOUGH, MAX_FITS, fits_for
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.split import Shares
from synthkit.pipeline.synthesize import fit, release, synthesize
from synthkit.release.run_folder import audited_tables
from synthkit.schema import Schema
from synthkit.synthesizer.synthesizer import Synthesizer

SCHEMA = Schema(
    name="few",
    columns={
        "age": {"kind": "numeric", "min": 0, "max": 120, "decimals": 0},
        "ward": {"kind": "categorical", "levels": ["a", "b", "c"]},
    },
    declared_by="the makers of this test: made up",
)


def table(n: int = 240) -> pd.DataFrame:
    return pd.DataFrame({"age": [20 + k % 60 for k in range(n)], "ward": [list("abc")[k % 3] for k in range(n)]})


@pytest.mark.parametrize("n", [40, 100, 402, 1_000, 1_384, 2_800, 10_000])
def test_as_many_fits_as_it_takes(n):
    many = fits_for(n)
    each = Shares.of(n).pool * n
    assert 1 <= many <= MAX_FITS
    assert many == MAX_FITS or many * each >= ENOUGH - 1e-6
    assert many == 1 or (many - 1) * each < ENOUGH


@pytest.fixture(scope="module")
def run():
    return synthesize(table(), SCHEMA, config=RunConfig(model="independent"), seed=3, final=True)


def test_people_of_all_fits_are_attacked(run):
    roles = pd.concat([run.roles.assign(fit=1), run.refits])
    pools = roles[roles["role"] == "pool"]
    assert pools["unit"].is_unique
    assert run.evaluation.run["people"]["attacked"] == pools.groupby("fit").size().tolist()
    assert run.evaluation.panels["membership"]["units"] == len(pools)
    assert roles.groupby("fit").size().tolist() == [240] * 5


def test_all_people_are_fitted_at_last_and_a_sibling_is_measured(run, tmp_path):
    people = run.evaluation.run["people"]
    fitted = people["train"] + people["pool trained on"]
    assert len(run.sibling.draws[0]) == fitted < 240 == len(run.synthetic)
    assert run.evaluation.run["audited"] == run.facts["audited"] == "sibling"
    assert run.evaluation.run["rows"]["train"] == fitted
    out = run.save(tmp_path / "out")
    draws, model = audited_tables(out)
    pd.testing.assert_frame_equal(draws[0], run.sibling.draws[0], check_dtype=False)
    assert len(pd.read_parquet(out / "synthetic.parquet")) == 240
    assert Synthesizer.load(model).sample(2, seed=1).equals(run.sibling.synthesizer.sample(2, seed=1))
    assert json.loads((out / "run.json").read_text())["audited"] == "sibling"
    assert run.facts["released"] == [240]
    assert "240 synthetic rows" in (out / "report.html").read_text()
    assert "a fit to all people" in (out / "report.html").read_text()


def test_without_more_words_one_fit_is_released_and_measured():
    run = synthesize(table(120), SCHEMA, config=RunConfig(model="independent", quick=True), seed=3)
    assert run.sibling is run.refits is None
    assert run.audited.draws is run.draws
    assert "audited" not in run.facts
    assert len(run.evaluation.run["people"]["attacked"]) == 1


def test_a_final_fit_is_charged_anew_and_stays_inside_the_budget(tmp_path):
    config = RunConfig(epsilon=2.0, delta=1e-5, ledger=tmp_path / "ledger.json")
    made = release(table(), SCHEMA, config=config, final=True, seed=1)
    first, second = (part.epsilon() for part in made.ledger.parts)
    assert first <= 1.0
    assert second <= 2.0 - first + 1e-9
    assert made.ledger.epsilon() <= 2.0
    assert made.ledger.delta() <= 1e-5
    assert made.statement["privacy_loss"]["privacy_parameters"]["epsilon"] == made.ledger.epsilon()
    assert made.sibling is not None
    out = made.save(tmp_path / "out")
    assert {p.name for p in out.iterdir()} >= {"synthetic.parquet", "internal", "statement.json"}
    assert not {p.name for p in out.iterdir()} & {"sibling", "refits.parquet"}


def test_further_fits_under_a_budget_are_refused():
    with pytest.raises(ConfigError, match="under a budget each fit is paid for, so there is one; however: `fits` is 3"):
        RunConfig.of(epsilon=1.0, delta=1e-6, fits=3)
    with pytest.raises(ConfigError, match="fits"):
        RunConfig.of(fits=6)


def test_the_settings_of_a_sibling_are_those_that_were_settled():
    small = {"width": 8, "hidden": 8, "steps": 3, "batch_size": 64}
    run = synthesize(table(), SCHEMA, config=RunConfig(settings=small, fits=1, quick=True), final=True, seed=1)
    assert run.synthesizer.settings == run.sibling.synthesizer.settings
    assert run.synthesizer.seed != run.sibling.synthesizer.seed


def test_a_schema_nobody_answers_for_leaves_no_ledger_behind(tmp_path):
    """Refused by what is declared alone, before a file is begun."""
    config = RunConfig(epsilon=1.0, delta=1e-6, ledger=tmp_path / "ledger.json")
    nobody = SCHEMA.model_copy(update={"declared_by": None})
    for go in (release, fit):
        with pytest.raises(SchemaError, match="nobody answers for `age`, `ward`"):
            go(table(), nobody, config=config)
    assert not list(tmp_path.iterdir())
