"""Several releases of one table are attacked together, as draws of one are; nothing else looks at the others."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from synthkit.cli.app import app
from synthkit.metrics.attacks.attribute_inference import attributes
from synthkit.metrics.attacks.identity_disclosure import identity, linkability
from synthkit.metrics.attacks.membership_inference import membership
from synthkit.metrics.copying.copied_rows import matches
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.fidelity import distributions
from synthkit.metrics.metric import MetricOptions
from synthkit.report.sections.scope import scope
from synthkit.schema import Schema

SCHEMA = Schema.model_validate(
    {
        "name": "toy",
        "columns": {
            "age": {"kind": "numeric", "min": 0, "max": 99, "decimals": 0},
            "weight": {"kind": "numeric", "min": 0, "max": 200, "decimals": 1},
            "ward": {"kind": "categorical", "levels": ["a", "b", "c"]},
            "ill": {"kind": "categorical", "levels": ["no", "yes"]},
        },
        "quasi_identifiers": ["age", "ward"],
        "secrets": ["ill"],
    }
)


def people(n, seed):
    rng = np.random.default_rng(seed)
    age, ward = rng.integers(0, 100, n), rng.choice(["a", "b", "c"], n)
    ill = np.where(rng.random(n) < age / 120, "yes", "no")
    return pd.DataFrame({"age": age, "weight": np.round(rng.normal(75, 12, n), 1), "ward": ward, "ill": ill})


TRAIN, HOLDOUT = people(120, 1), people(180, 2)
OURS = people(120, 3)  # tells nothing of anybody
THEIRS = pd.concat([TRAIN.iloc[:80], people(40, 4)], ignore_index=True)  # 80 people copied


def compared(**changed):
    return EvaluationData(**{"train": TRAIN, "holdout": HOLDOUT, "synthetic": (OURS,), "schema": SCHEMA, **changed})


def scores(metric, comparison):
    found, _ = metric(comparison, np.random.default_rng(7))
    return {each.metric: (each.value, each.low, each.high) for each in found if hasattr(each, "value")}


ATTACKS = {"membership": membership, "identity": identity, "linkability": linkability} | attributes(
    SCHEMA, MetricOptions(quick=True)
)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attacker_of_two_releases_sees_what_an_attacker_of_two_draws_sees(name):
    together = scores(ATTACKS[name], compared(others=(THEIRS,)))
    assert together
    assert together == scores(ATTACKS[name], compared(synthetic=(OURS, THEIRS)))


def test_people_whom_another_release_copied_are_found():
    alone, together = scores(membership, compared()), scores(membership, compared(others=(THEIRS,)))
    assert alone["membership.auc"][1] < 0.5
    assert together["membership.auc"][1] > 0.6


@pytest.mark.parametrize("metric", [distributions.columns, partial(matches)], ids=["fidelity", "copies among our rows"])
def test_what_is_said_of_our_rows_is_said_of_them_alone(metric):
    assert scores(metric, compared(others=(THEIRS,))) == scores(metric, compared())


def test_the_report_says_that_releases_were_attacked_together(tmp_path):
    for name, frame in (("train", TRAIN), ("holdout", HOLDOUT), ("ours", OURS), ("theirs", THEIRS)):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    SCHEMA.save(tmp_path / "toy.yaml")
    words = ["evaluate", "--schema", tmp_path / "toy.yaml", "--out", tmp_path / "out", "--quick", "--seed", "1"]
    for flag, name in (("--train", "train"), ("--holdout", "holdout"), ("--synthetic", "ours"), ("--with", "theirs")):
        words += [flag, tmp_path / f"{name}.csv"]
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.output
    said = "1 other release of the same table, 120 rows in all"
    assert said in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    alone = scope(SCHEMA, {"rows": {"synthetic": [120]}}, {})
    assert "Attacked together with" not in dict(alone["rows"])
    two = scope(SCHEMA, {"rows": {"synthetic": [120], "others": [7, 1500]}}, {})
    assert dict(two["rows"])["Attacked together with"] == "2 other releases of the same table, 1,507 rows in all"
