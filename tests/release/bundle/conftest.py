"""Runs that are released: one without a budget and one under it, both judged by a policy."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from places import ROOT

from synthkit import RunConfig, synthesize
from synthkit.release import run_folder
from synthkit.release.bundle.build_bundle import release
from synthkit.release.bundle.signature import keygen
from synthkit.release.bundle.zip_archive import unpack
from synthkit.release.gate_run_folder import apply_policy
from synthkit.release.policy.gate_decision import judge
from synthkit.release.policy.gate_evidence import GateEvidence
from synthkit.release.policy.limits import Policy
from synthkit.schema import Schema

sys.path.append(
    str(Path(__file__).parent)
)  # the tests import `sealing` and `released_hospital`, which stand beside them
POLICY = ROOT / "schemas" / "policies" / "internal-research.yaml"


def judged(made, place):
    """Save a run with what the policy says of it."""
    made.save(place)
    shutil.copy(POLICY, place / run_folder.POLICY_FILE)
    evidence = GateEvidence(
        evaluation=made.evaluation,
        ledger=made.ledger.to_dict(),
        statement=dict(made.statement),
        today=dt.datetime.now(dt.UTC).date(),
    )
    (place / run_folder.GATE).write_text(judge(Policy.load(POLICY), evidence).to_json(), encoding="utf-8")


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """`folder` of a small run without a gate; `ours` and `theirs`, names of keys without their endings."""
    place = tmp_path_factory.mktemp("toy")
    rng = np.random.default_rng(3)
    people = 320  # of half as many, one time in fifty too few draw a coin to be attacked
    frame = pd.DataFrame({"sex": rng.choice(["f", "m"], people), "age": rng.integers(0, 100, people)})
    columns = {
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "age": {"kind": "numeric", "min": 0, "max": 99, "decimals": 0},
    }
    asked = RunConfig(model="independent", quick=True, rows=160)
    synthesize(frame, Schema(columns=columns, name="toy"), seed=1, config=asked).save(place / "run")
    for name in ("ours", "theirs"):
        keygen(place / name)
    return SimpleNamespace(folder=place / "run", ours=place / "ours", theirs=place / "theirs")


@pytest.fixture
def run(toy, tmp_path):
    """A copy of the small run in a folder of its own, so that its register is its own too."""
    return shutil.copytree(toy.folder, tmp_path / "runs" / "toy")


@pytest.fixture(scope="session")
def home(patients_run, tmp_path_factory):
    """A run folder with a gate, and the custodian's keys."""
    place = tmp_path_factory.mktemp("release")
    judged(patients_run, place / "run")
    keygen(place / "ours")
    keygen(place / "theirs")
    return place


@pytest.fixture(scope="session")
def bundle(home):
    return release(
        home / "run", home / "bundle.zip", key=home / "ours.key", recipient="University B", although="a test"
    )


@pytest.fixture(scope="session")
def members(bundle):
    return unpack(bundle.read_bytes())


@pytest.fixture(scope="session")
def private(home):
    """A bundle under a budget of 2: 200 people of two rows each."""
    rng = np.random.default_rng(5)
    sex, ill = rng.choice(["f", "m"], 400), rng.choice(["no", "yes"], 400, p=[0.8, 0.2])
    frame = pd.DataFrame({"id": np.repeat(np.arange(200), 2), "sex": sex, "ill": ill})
    columns = {
        "id": {"kind": "identifier"},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "ill": {"kind": "categorical", "levels": ["no", "yes"]},
    }
    schema = Schema(columns=columns, name="toy", unit="id", declared_by="A. Lee: the codebook")
    asked = RunConfig(epsilon=2.0, delta=1e-5, quick=True, max_rows_per_unit=2, ledger=home / "ledger.json")
    judged(synthesize(frame, schema, seed=1, config=asked), home / "private")
    return release(
        home / "private", home / "private.zip", key=home / "ours.key", recipient="University B", although="a test"
    )


@pytest.fixture(scope="session")
def ward(tmp_path_factory):
    """A run of one draw and one of two, gates and keys, and a bundle of each; the real tables as files."""
    place = tmp_path_factory.mktemp("ward")
    from released_hospital import hospital_frames, hospital_schema

    schema, asked = hospital_schema(), RunConfig(model="independent", quick=True, units=24)
    for name, draws in (("one", 1), ("two", 2)):
        made = synthesize(hospital_frames(), schema, seed=3, config=asked, draws=draws)
        apply_policy(made.save(place / "runs" / name), POLICY)
    for name in ("ours", "theirs"):
        keygen(place / name)
    (place / "real").mkdir()
    for name, frame in hospital_frames().items():
        frame.to_csv(place / "real" / f"{name}.csv", index=False)
    words = {"key": place / "ours.key", "although": "a test"}
    return SimpleNamespace(
        place=place,
        run=place / "runs" / "one",
        key=place / "ours.pub",
        bundle=release(place / "runs" / "one", place / "one.zip", recipient="University B", **words),
        two=release(place / "runs" / "two", place / "two.zip", table=place / "real", **words),
    )
