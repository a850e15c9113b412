"""Targets are proposed by evidence: names, levels and associations, not by their place."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_tables import made

from synthkit.schema.infer.draft import draft, examine

RNG = np.random.default_rng(5)
N = 400


def targets(frame):
    return [p.column for p in examine(frame).targets]


def around(name, cells):
    """A column among others, two of which say something about it."""
    code = pd.factorize(pd.Series(cells))[0]
    rng = np.random.default_rng(2)
    return pd.DataFrame({"age": code * 9 + rng.integers(20, 60, N), name: cells, "bmi": rng.normal(25, 4, N).round(1)})


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("outcome", RNG.choice(["better", "same", "worse"], N)),
        ("hospital_mortality", RNG.integers(0, 2, N)),
        ("readmitted", RNG.choice(["no", "yes"], N)),
        ("Diabetes_binary", RNG.integers(0, 2, N)),
        ("default payment next month", RNG.integers(0, 2, N)),
        ("credit", RNG.choice(["good", "bad"], N)),
        ("income", RNG.choice(["<=50K", ">50K"], N)),
        ("class", RNG.choice(["benign", "malignant"], N)),
    ],
)
def test_outcomes_wherever_they_stand(name, cells):
    frame = around(name, cells)
    assert targets(frame) == [name]
    assert targets(frame[frame.columns[::-1]]) == [name]
    assert targets(frame.sample(frac=1, random_state=1)) == [name]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("personal_status", RNG.choice(["single male", "married male", "female"], N)),
        ("status", RNG.choice(["no account", "below 0", "0 to 200"], N)),
        ("credit_history", RNG.choice(["paid", "delayed"], N)),
        ("marital_status", RNG.choice(["single", "married"], N)),
        ("education", RNG.choice(["school", "college"], N)),
        ("income", RNG.choice(["low", "middle", "high"], N)),
        ("drug_class", RNG.choice([f"c{k}" for k in range(12)], N)),
        ("age_at_death", RNG.integers(40, 99, N)),
    ],
)
def test_no_outcomes(name, cells):
    assert targets(around(name, cells)) == []


def test_status_is_no_target_of_a_table_about_credit():
    assert targets(made("credit")) == ["credit"]
    text = draft(made("credit"))
    assert "# targets: [{column: credit, task: binary, positive: bad}]" in text.splitlines()
    assert "column: status" not in text


def test_the_event_of_a_pair_is_no_target_of_its_own():
    assert targets(made("registry")) == ["time", "readmitted"]
    text = draft(made("registry")).splitlines()
    assert "#   - {column: time, task: survival, event: status}" in text
    assert '#   - {column: readmitted, task: binary, positive: "yes"}' in text
    assert targets(made("insurance")) == []


def test_the_evidence_is_said_and_asked_about():
    (question,) = (q for q in examine(made("credit")).questions if q.about == "target")
    assert question.column == "credit"
    assert question.evidence.startswith("its name speaks of an outcome, 2 levels, that are good or bad")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("support2/support2", ["d.time", "hospdead"]),
        ("adult/train", ["income"]),
        ("diabetes130/diabetic_data", ["readmitted"]),
        ("breast_cancer/wdbc", ["target"]),
        ("default_credit/default", ["default payment next month"]),
    ],
)
def test_targets_of_real_tables(file, expected):
    folder = os.environ.get("SYNTHKIT_DATA")
    if not folder:
        pytest.skip("SYNTHKIT_DATA names no folder with the public tables")
    assert targets(pd.read_parquet(Path(folder) / f"{file}.parquet")) == expected
