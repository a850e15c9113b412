"""A run's folder in which a file says something else is refused in words by whatever reads it."""

from __future__ import annotations

import json
import shutil

import pytest

from synthkit import RunConfig, synthesize
from synthkit.data.shipped_files import find
from synthkit.errors import ArtefactError
from synthkit.release import run_folder
from synthkit.release.bundle.build_bundle import release
from synthkit.release.gate_run_folder import apply_policy


@pytest.fixture(scope="module")
def made(toy, tmp_path_factory):
    place = tmp_path_factory.mktemp("altered") / "run"
    synthesize(toy.frame, toy.schema, seed=1, config=RunConfig(model="independent", quick=True)).save(place)
    return place


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


def alter(path, change):
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


@pytest.fixture(scope="module")
def policy():
    return find("internal-research")


@pytest.mark.parametrize("panel", [7, "x", [1], {"checks": 3}])
def test_a_gate_on_an_altered_evaluation_is_refused(panel, run, policy):
    alter(run / "evaluation.json", lambda data: data["panels"].update(membership=panel))
    with pytest.raises(ArtefactError, match=r"must hold what a run wrote; however: a file in it was altered"):
        apply_policy(run, policy)


@pytest.mark.parametrize("config", [7, "x", [1]])
def test_a_release_of_an_altered_run_is_refused(config, run, tmp_path):
    alter(run / "run.json", lambda data: data.update(config=config))
    with pytest.raises(ArtefactError, match=r"must hold what a run wrote; however: a file in it was altered"):
        release(run, tmp_path / "b.zip", although="a test")
    assert not (tmp_path / "b.zip").exists()


@pytest.mark.parametrize("statement", [{}, {"privacy_loss": 3}, [], 7])
def test_a_report_on_an_altered_statement_is_refused(statement, run):
    (run / "statement.json").write_text(json.dumps(statement))
    with pytest.raises(ArtefactError, match=r"a file in it was altered"):
        run_folder.redraw(run)
