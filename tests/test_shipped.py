"""Schemas, policies and JSON Schemas stand once, at the top of the checkout, and come with the package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile

import pytest
from places import ROOT

from synthkit.data import shipped_files
from synthkit.errors import ConfigError
from synthkit.release.policy.limits import Policy
from synthkit.schema import Schema
from synthkit.schema.linked import LinkedSchema

SOURCE = ROOT / "schemas"
EVERY = {
    **shipped_files.schemas(),
    **shipped_files.linked_schemas(),
    **shipped_files.policies(),
    **shipped_files.formats(),
}

# What an installed package says of itself: where it lies, and every file it ships.
ASK = """
import json, sys
import synthkit
from synthkit.data import shipped_files as files, support2_schema, synthea

every = {**files.schemas(), **files.linked_schemas(), **files.policies(), **files.formats()}
json.dump({
    "package": synthkit.__file__,
    "folder": str(files.folder()),
    "files": {name: path.read_text(encoding="utf-8") for name, path in every.items()},
    "policy": str(files.policy("public-release")),
    "columns": len(support2_schema().columns),
    "linked": {name: len(frame) for name, frame in synthea().items()},
}, sys.stdout)
"""


def test_every_file_has_a_name_of_its_own():
    files = {path for path in SOURCE.rglob("*") if path.is_file()}
    assert set(EVERY.values()) == files
    assert all(shipped_files.find(path.name) == shipped_files.find(name) == path for name, path in EVERY.items())


def test_each_is_what_it_is_said_to_be():
    assert all(Schema.load(path).columns for path in shipped_files.schemas().values())
    assert all(LinkedSchema.load(path).tables for path in shipped_files.linked_schemas().values())
    assert all(Policy.load(path).example for path in shipped_files.policies().values())
    assert all("$schema" in json.loads(path.read_text("utf-8")) for path in shipped_files.formats().values())


def test_a_name_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ConfigError, match=r"however: mimic is none\. Name one of adult, .*, synthkit-withdrawal-1"):
        shipped_files.find("mimic")
    with pytest.raises(
        ConfigError,
        match=r"however: ours\.yaml is neither\. Name one of internal-research, partner-release, public-release",
    ):
        shipped_files.policy("ours.yaml")


def test_a_file_that_is_there_comes_before_an_example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shipped_files.policy("public-release") == SOURCE / "policies" / "public-release.yaml"
    (tmp_path / "public-release").touch()
    assert (tmp_path / shipped_files.policy("public-release")) == tmp_path / "public-release"


def test_the_command_lists_and_prints(command):
    listed = command("shipped")
    assert listed.code == 0
    assert all(f"  {name} " in listed.out and str(path) in listed.out for name, path in EVERY.items())
    assert command("shipped", "partner-release").out == EVERY["partner-release"].read_text(encoding="utf-8")
    assert "Name one of adult" in command("shipped", "mimic").err
    assert command("shipped", "mimic").code == 2


def test_the_gate_names_the_examples(command, tmp_path):
    told = " ".join(command("gate", "--help").out.split())
    assert all(name in told for name in shipped_files.policies())
    said = command("gate", tmp_path, "--policy", tmp_path / "none.yaml")
    assert said.code == 2
    assert "Name one of internal-research, partner-release, public-release" in said.err


def test_the_wheel_holds_them(tmp_path):
    """Built, unpacked and asked, with nothing of the checkout in sight."""
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    asked = subprocess.run(
        [sys.executable, "-c", ASK], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr
    said = json.loads(asked.stdout)
    here = str(tmp_path / "site" / "synthkit")
    assert said["package"].startswith(here)
    assert said["folder"] == os.path.join(here, "schemas")
    assert said["policy"].startswith(here)
    assert said["files"] == {name: path.read_text(encoding="utf-8") for name, path in EVERY.items()}
    assert said["columns"] == 48
    assert said["linked"]["patients"] == 115
