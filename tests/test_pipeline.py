"""A run in Python: what it promises beyond what the command line shows."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import pytest

from synthkit.errors import ArtefactError, ConfigError, SchemaError, TableError, UnsupportedError
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import fit, synthesize
from synthkit.schema import Schema
from synthkit.synthesizer.synthesizer import Synthesizer

QUICK = RunConfig(model="independent", quick=True)


class Listener:
    """Keeps what it is told."""

    def __init__(self):
        self.stages, self.steps, self.sentences = [], [], []

    def stage(self, name):
        self.stages.append(name)

    def advance(self, done, total, note=""):
        self.steps.append((self.stages[-1], done, total, note))

    def say(self, sentence):
        self.sentences.append(sentence)


@pytest.fixture(scope="module")
def run(toy):
    return synthesize(toy.frame, toy.schema, seed=3, config=QUICK)


@pytest.fixture(scope="module")
def twice(toy):
    """By the seed of `run`, with two draws, and against what its configuration says of model, rows and seed."""
    config = RunConfig(model="autoregressive", rows=5, seed=1, draws=2, quick=True)
    return synthesize(toy.frame, toy.schema, model="independent", rows=9, seed=3, config=config)


def test_arguments_beat_the_configuration(twice):
    assert (len(twice.synthetic), twice.facts["model"], twice.facts["seed"]) == (9, "independent", 3)


def test_who_is_held_out_is_drawn_anew_while_rows_come_from_the_seed(toy, run, twice):
    """The same seed gives the same rows from the same model, never the same roles."""
    assert not run.roles.equals(twice.roles)
    a, b = (fit(toy.frame, toy.schema, config=RunConfig(model="independent", seed=4)) for _ in range(2))
    pd.testing.assert_frame_equal(a.synthesizer.sample(20, seed=1), b.synthesizer.sample(20, seed=1))


def test_a_seed_is_drawn_and_recorded(toy):
    made = [fit(toy.frame, toy.schema, config=RunConfig(model="independent")) for _ in range(2)]
    seeds = [m.facts["seed"] for m in made]
    assert seeds[0] != seeds[1]
    assert [m.facts["config"]["seed"] for m in made] == seeds


def test_draws_repeat_from_their_recorded_seeds(twice):
    for draw, seed in zip(twice.draws, twice.facts["draw_seeds"], strict=True):
        pd.testing.assert_frame_equal(draw, twice.synthesizer.sample(len(draw), seed=seed))
    assert len(twice.evaluation.run["rows"]["synthetic"]) == 2


def test_progress_names_stages_in_order_and_counts_steps(toy):
    told = Listener()
    settings = {"steps": 5, "width": 8, "hidden": 4, "batch_size": 32}
    made = synthesize(toy.frame, toy.schema, config=RunConfig(settings=settings, quick=True), progress=told)
    names = ["read and validate", "split", "fit", "sample", "validate synthetic rows", "evaluate", "report"]
    assert told.stages == [*names, ""]
    assert list(made.facts["seconds"]) == names[:-1]
    steps = [(done, total) for stage, done, total, _ in told.steps if stage == "fit"]
    assert steps[-1][1] == 5
    assert [done for done, _ in steps] == list(range(1, len(steps) + 1))
    measured = [(done, total, note) for stage, done, total, note in told.steps if stage == "evaluate"]
    assert [done for done, _, _ in measured] == sorted(done for done, _, _ in measured)
    assert measured[-1][0] == measured[-1][1]
    assert all(note in made.evaluation.run["seconds"] for _, _, note in measured if note)
    assert any(note for _, _, note in measured)


def test_ledger_says_infinity_and_lists_every_look(run):
    assert run.ledger.epsilon() == float("inf")
    said = {charge.what for charge in run.ledger.charges}
    assert {"histogram of age", "one- or two-way table of grouped columns"} <= said
    assert "all training rows" not in said  # the product of marginals looks at none


def test_page_and_evaluation_agree_with_the_files(run, tmp_path):
    folder = run.save(tmp_path / "release")
    page = (folder / "report.html").read_text(encoding="utf-8")
    digest = hashlib.sha256((folder / "synthetic.parquet").read_bytes()).hexdigest()
    told = f'<span data-test-hash="synthetic.parquet">synthetic.parquet SHA-256 <code>{digest}</code></span> '
    assert page.replace(told, "") == run.report.html  # only the folder knows the file
    written = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    values = {s["metric"]: s["value"] for s in written["scores"]}
    assert values["fidelity.shape"] == run.evaluation.score("fidelity.shape").value
    assert Synthesizer.load(folder / "model").schema == run.schema
    with pytest.raises(ArtefactError, match="must not exist yet"):
        run.save(tmp_path / "release")
    run.save(tmp_path / "release", overwrite=True)


def test_a_run_is_short_in_a_console_and_whole_in_a_notebook(run):
    assert repr(run) == f"Run(table='toy', model='independent', draws=1, rows={len(run.synthetic)})"
    assert len(repr(run.report)) < 100
    assert "<iframe" in run._repr_html_()


def test_no_real_identifier_reaches_rows_or_model(run, toy, tmp_path):
    """Identifiers are made fresh, and the saved model holds none."""
    assert not set(run.synthetic["id"]) & set(toy.frame["id"])
    run.synthesizer.save(tmp_path / "model")
    text = (tmp_path / "model" / "synthesizer.json").read_text(encoding="utf-8")
    assert not any(name in text for name in toy.frame["id"])


@pytest.mark.parametrize("call", [synthesize, fit])
def test_refusals_are_those_of_the_rooms_below(call, toy):
    with pytest.raises(SchemaError, match="missing from the table"):
        call(toy.frame.drop(columns="age"), toy.schema, config=QUICK)
    with pytest.raises(TableError, match="there is no"):
        call("nowhere.csv", toy.schema, config=QUICK)
    with pytest.raises(ConfigError, match="`model` must be one of"):
        call(toy.frame, toy.schema, config=RunConfig(model="gan"))
    ids = Schema(columns={"id": {"kind": "identifier"}})
    with pytest.raises(SchemaError, match="declares only identifiers"):
        call(toy.frame[["id"]], ids, config=QUICK)


def test_a_model_that_is_released_is_asked_too(toy):
    # of 80 people so few throw coins that all may fall alike, and nobody can be attacked
    frame = pd.concat([toy.frame.assign(id=toy.frame["id"] + str(k)) for k in range(5)], ignore_index=True)
    rows_only = synthesize(frame, toy.schema, seed=3, config=QUICK)
    both = synthesize(frame, toy.schema, seed=3, config=QUICK, release_model=True)
    attacks = [set(run.evaluation.panels["membership"]["strata"]["all"]["attacks"]) for run in (rows_only, both)]
    assert attacks[1] - attacks[0] == {"likelihood"}


def test_a_model_nobody_could_ask_is_not_released(toy):
    with pytest.raises(UnsupportedError, match="a model is released only if an attack by its likelihood can be made"):
        synthesize(toy.frame, toy.schema, model="ctgan", release_model=True)


def test_a_user_suite_holds_for_synthetic_rows_too(toy, tmp_path):
    """Independent columns cannot keep a relation of two: the run is refused, naming the draw."""
    frame = toy.frame.assign(old=toy.frame["age"] > 60)
    columns = {**toy.schema.columns, "old": {"kind": "boolean"}}
    mine = {"type": "expect_column_pair_values_to_be_in_set", "kwargs": {"column_A": "dead", "column_B": "old"}}
    pairs = frame[["dead", "old"]].drop_duplicates().to_numpy().tolist()
    assert len(pairs) == 4
    frame = frame[~(frame["dead"] & ~frame["old"])]
    mine["kwargs"]["value_pairs_set"] = [[False, False], [False, True], [True, True]]
    (tmp_path / "mine.json").write_text(json.dumps({"name": "mine", "expectations": [mine]}))
    config = RunConfig(model="independent", quick=True, rows=500, suite=tmp_path / "mine.json")
    with pytest.raises(SchemaError, match=r"synthetic rows must keep the schema they were made for; however: draw 1"):
        synthesize(frame, Schema(columns=columns), config=config)
