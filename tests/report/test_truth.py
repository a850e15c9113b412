"""Numbers and claims of pages and console are those of the files: parsed out of the text and held against them."""

from __future__ import annotations

import copy
import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_comparison import DATA, score
from typer.testing import CliRunner

from synthkit import RunConfig, synthesize
from synthkit.cli.app import app
from synthkit.data import DEMO_POLICY, path
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.result import Evaluation, Failure
from synthkit.metrics.runner import evaluate
from synthkit.pipeline.evaluate_tables import evaluate_tables
from synthkit.release.gate_run_folder import apply_policy
from synthkit.report.comparison_view import comparison_data as compared
from synthkit.report.row_counts import looked_at, synthetic
from synthkit.report.view_model import page_data
from synthkit.schema import Schema

NUMBER = re.compile(r"\d[\d,]*")
COUNT = st.integers(1, 60_000)
SCHEMA = Schema.model_validate(
    {
        "name": "ward",
        "columns": {
            "age": {"kind": "numeric", "min": 0, "max": 100},
            "site": {"kind": "categorical", "levels": ["north", "south"]},
            "ill": {"kind": "boolean", "levels": ["no", "yes"]},
        },
        "targets": [{"column": "ill", "task": "binary"}],
        "rules": [{"rule": "implication", "if": {"ill": {"in": ["yes"]}}, "then": {"age": {"min": 0}}}],
    }
)


def people(rows, seed):
    rng = np.random.default_rng(seed)
    age = rng.integers(0, 101, rows).astype(float)
    ill = np.where(rng.random(rows) < age / 150, "yes", "no")
    return pd.DataFrame({"age": age, "site": rng.choice(["north", "south"], rows), "ill": ill})


def numbers(text):
    return [int(each.replace(",", "")) for each in NUMBER.findall(text)]


def sections(page):
    return {section["id"]: section for section in page["sections"]}


def sentences(page):
    return dict(sections(page)["summary"]["sentences"])


def facts_of(page):
    return dict(sections(page)["released"]["facts"])


# Sentences against facts


@st.composite
def runs(draw):
    """Facts of runs, evaluations and entrants of a comparison: whole and quick, of one draw and several."""
    train, holdout = draw(COUNT), draw(COUNT)
    drawn = draw(st.lists(COUNT, min_size=1, max_size=4))
    quick, most = draw(st.booleans()), draw(COUNT)
    seen = [min(n, most) if quick else n for n in (train, holdout, *drawn)]
    facts = {
        "quick": quick,
        "columns": draw(st.integers(1, 99)),
        "draws": len(drawn),
        "rows": {"train": train, "holdout": holdout, "synthetic": drawn},
        "measured": {"train": seen[0], "holdout": seen[1], "synthetic": seen[2:]},
    }
    made = draw(st.sampled_from(["run", "run with its model", "evaluation", "entrant"]))
    if made != "evaluation":
        facts |= {"model": "tvae", "config": {"release_model": made == "run with its model"}}
    return made, facts | ({"compared": True} if made == "entrant" else {})


@given(runs())
@settings(deadline=None, max_examples=80)
def test_what_is_said_of_rows_is_what_the_facts_hold(told):
    facts = told[1]
    page = page_data(Evaluation(run=facts, scores=()))
    rows, seen = facts["rows"], facts["measured"]
    each = [rows["synthetic"][0]] if len(set(rows["synthetic"])) == 1 else rows["synthetic"]
    draws = [len(rows["synthetic"])] if len(rows["synthetic"]) > 1 else []
    what = sections(page)["decision"]["what"]
    assert numbers(what) == [*draws, *each, facts["columns"]]
    assert sections(page)["decision"]["rows"] == rows["synthetic"]
    said = sentences(page)["Rows"]
    before, _, after = said.partition("Looked at were")
    assert numbers(before) == [*draws, *each, rows["train"], rows["holdout"]]
    shown = facts_of(page)
    assert numbers(shown["Synthetic rows"]) == each
    assert [numbers(shown[name])[0] for name in ("Rows fitted on", "Rows held out")] == [rows["train"], rows["holdout"]]
    assert numbers(shown["Draws"]) == [len(rows["synthetic"])]
    assert bool(after) == (rows != seen)
    for name, table in (("training", "train"), ("held-out", "holdout")):
        found = re.search(rf"([\d,]+) of ([\d,]+) {name} rows", after)
        if rows[table] == seen[table]:
            assert found is None
        else:
            assert numbers(found[0]) == [seen[table], rows[table]]


@given(runs())
@settings(deadline=None, max_examples=60)
def test_only_a_run_of_ours_releases_and_only_what_it_was_asked(told):
    made, facts = told
    page = page_data(Evaluation(run=facts, scores=()))
    shown, what = facts_of(page)["To be released"], sections(page)["decision"]["what"]
    expected = {"run": "the rows", "run with its model": "the rows and the fitted model"}.get(made, "nothing")
    assert shown == expected
    assert ("Nothing is released" in what) == (expected == "nothing")
    assert (f"To be released: {expected}." in what) == (expected != "nothing")
    assert ("made elsewhere" in what) == (made == "evaluation") == ("made elsewhere" in sentences(page)["Rows"])
    assert (sections(page)["released"]["title"] == "What was released") == (expected != "nothing")


@given(runs())
@settings(deadline=None, max_examples=40)
def test_no_number_of_real_rows_is_in_the_shareable_edition_and_no_section_of_it_is_called_internal(told):
    facts = told[1]
    page = page_data(Evaluation(run=facts, scores=()), tier="shareable")
    known = {
        *facts["rows"]["synthetic"],
        *facts["measured"]["synthetic"],
        facts["columns"],
        len(facts["rows"]["synthetic"]),
    }
    real = {facts["rows"][t] for t in ("train", "holdout")} | {facts["measured"][t] for t in ("train", "holdout")}
    told = [json.dumps(section) for section in page["sections"] if section["id"] in ("decision", "released", "limits")]
    assert not {n for n in real - known if n > 100} & {n for text in told for n in numbers(text)}
    assert {section["tag"] for section in page["sections"]} <= {"ROUNDED", "DP", "public"}
    assert "INTERNAL" not in json.dumps(page["sections"])


def test_no_sentence_blames_the_schema_for_a_measurement_that_failed():
    failed = tuple(Failure(metric=metric, reason="x") for metric in ("utility.ill", "fidelity.subgroups"))
    for failures, words in (((), "schema names no"), (failed, "failed")):
        found = sections(page_data(Evaluation(run={}, scores=(), failures=failures)))
        assert words in found["utility"]["absent"].replace("names none", "names no")
        assert words in found["subgroups"]["absent"]
        assert ("failed" in dict(found["decision"]["sentences"])["The data"]) == bool(failures)


def test_a_failed_measurement_is_not_said_to_be_listed_where_it_is_not():
    failed = (Failure(metric="utility.ill", reason="x"),)
    text = json.dumps(page_data(Evaluation(run={}, scores=(), failures=failed), tier="shareable"))
    assert "1 measurement" in text
    assert "listed" not in text


# The comparison page


@given(st.lists(st.booleans(), min_size=3, max_size=3))
@settings(deadline=None, max_examples=8)
def test_a_comparison_says_on_whom_attacks_were_made_and_ranks_none(attacked):
    data = copy.deepcopy(DATA)
    done = [e for e in data["entrants"] if not e["reason"]][:3]
    data["entrants"] = done
    for k, (entrant, yes) in enumerate(zip(done, attacked, strict=True)):
        if yes:
            entrant["scores"] += [score("membership.auc", 0.5 + k / 10, 0.4, 0.9, reference=0.5)]
            entrant["scores"] += [score("copying.excess.whole", k / 10, 0.0, 0.9, reference=0.0)]
    page = sections(compared(data))
    said = dict(page["verdicts"]["sentences"])["Privacy"]
    assert ("no attack was made" in said) == (not any(attacked))
    assert ("the rows of each were attacked" in said) == all(attacked)
    if any(attacked) and not all(attacked):
        assert {e["name"] for e in done if e["name"] in said} == {
            e["name"] for e, yes in zip(done, attacked, strict=True) if yes
        }
    for row in (*page["scoreboard"]["head"], *page["scoreboard"]["rest"]):
        if row["metric"].startswith(("membership.", "copying.")):
            assert all(cell["mark"] is None for cell in row["cells"])


def test_numbers_of_the_comparison_are_those_of_its_entrants():
    page = sections(compared(DATA))
    facts = dict(page["released"]["facts"])
    done = [e for e in DATA["entrants"] if not e["reason"]]
    assert numbers(facts["Models"]) == [len(done), len(DATA["entrants"])]
    assert {n for e in done for n in e["rows"]} == set(numbers(facts["Synthetic rows a draw"]))
    assert {len(e["rows"]) for e in done} == set(numbers(facts["Draws a model"]))
    for card, entrant in zip(page["entrants"]["entrants"], DATA["entrants"], strict=True):
        if not entrant["reason"]:
            assert sum(entrant["rows"]) in numbers(card["rules"])


# Whole runs and evaluations against their files


def test_a_quick_evaluation_counts_the_rows_of_the_tables_and_those_it_looked_at():
    comparison = EvaluationData(
        train=people(80, 1), holdout=people(90, 2), synthetic=(people(10_311, 3), people(70, 4)), schema=SCHEMA
    )
    run = evaluate(comparison, quick=True).run
    assert run["rows"] == {"train": 80, "holdout": 90, "synthetic": [10_311, 70]}
    assert run["measured"] == {"train": 80, "holdout": 90, "synthetic": [10_000, 70]}
    assert synthetic(run) == "2 draws of 10,311 and 70 synthetic rows"
    assert looked_at(run) == "10,000 of 10,311 synthetic rows"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    config = RunConfig(model="independent", quick=True, rows=137, draws=2)
    return synthesize(people(400, 1), SCHEMA, seed=1, config=config).save(tmp_path_factory.mktemp("truth") / "run")


def held(place):
    """What the folder's files hold: rows of each draw, of the roles, and columns."""
    draws = [pd.read_parquet(file) for file in sorted((place / "draws").glob("*.parquet"))]
    return [len(draw) for draw in draws], draws[0].shape[1]


@pytest.mark.parametrize("judged", [False, True])
def test_the_page_of_a_run_counts_what_its_files_hold(folder, judged):
    if judged:
        apply_policy(folder, path(DEMO_POLICY))
    rows, columns = held(folder)
    page = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    first = page["sections"][0]
    assert rows == [137, 137] == first["rows"]
    assert numbers(first["what"].split(", made")[0]) == [2, 137, columns]
    assert first["what"].endswith("To be released: the rows.")
    assert (first["verdict"] == "NO POLICY") == (not judged)
    real = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["run"]["rows"]
    said = dict(sections(page)["summary"]["sentences"])["Rows"]
    assert numbers(said) == [2, 137, real["train"], real["holdout"]]
    assert real["train"] + real["holdout"] <= 400
    limits = {line["clause"]: line for line in first["lines"]}
    named = [each["limit"] for each in sections(page)["risk"]["verdicts"] if each["limit"]]
    assert all(("policy internal-research-v1" in each) == judged for each in named)
    assert ("membership.eps_lb_max" in limits) == judged


def test_an_evaluation_releases_nothing_and_counts_every_draw_of_its_files(tmp_path):
    for name, rows in (("train", 120), ("holdout", 110), ("a", 61), ("b", 75)):
        people(rows, rows).to_csv(tmp_path / f"{name}.csv", index=False)
    files = [tmp_path / f"{name}.csv" for name in ("train", "holdout", "a", "b")]
    out = evaluate_tables(*files[:2], files[2:], SCHEMA, config=RunConfig(quick=True)).save(tmp_path / "out")
    page = json.loads((out / "report.json").read_text(encoding="utf-8"))
    counted = [len(pd.read_csv(file)) for file in files]
    assert page["sections"][0]["what"] == (
        f"2 draws of {counted[2]} and {counted[3]} synthetic rows of 3 columns, made elsewhere. Nothing is released by "
        "this: rows were measured."
    )
    assert numbers(dict(sections(page)["summary"]["sentences"])["Rows"]) == [2, *counted[2:], *counted[:2]]
    shareable = CliRunner().invoke(app, ["report", str(out), "--tier", "shareable"])
    assert shareable.exit_code == 0, shareable.output
    assert "INTERNAL" not in (out / "shareable.html").read_text(encoding="utf-8").split("<main")[1]


def test_the_console_counts_what_the_files_hold(tmp_path, folder):
    for name, rows in (("train", 120), ("holdout", 110), ("a", 61)):
        people(rows, rows).to_csv(tmp_path / f"{name}.csv", index=False)
    SCHEMA.save(tmp_path / "s.yaml")
    words = ["evaluate", "--quick", "--schema", str(tmp_path / "s.yaml"), "--out", str(tmp_path / "out")]
    for option, name in (("--train", "train"), ("--holdout", "holdout"), ("--synthetic", "a")):
        words += [option, str(tmp_path / f"{name}.csv")]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0, said.output
    line = next(line for line in said.stdout.splitlines() if "synthetic rows;" in line)
    assert numbers(line) == [61, 120, 110]
