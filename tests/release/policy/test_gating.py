"""The command on a real run folder: files, first page, exit codes."""

from __future__ import annotations

import json

import pytest
from places import ROOT
from typer.testing import CliRunner

from synthkit.cli.app import app

EXAMPLES = ROOT / "schemas" / "policies"
LENIENT = """
format: synthkit-policy/1
policy: {id: lenient-v1, owner: A. Custodian, justification: for a test}
membership: null
fidelity: {constraint_violations_max: 0.0}
evidence: {min_control_units: 10, whole: false}
"""


@pytest.fixture(scope="module")
def folder(patients_run, tmp_path_factory):
    return patients_run.save(tmp_path_factory.mktemp("gate") / "run")


def test_a_policy_that_is_not_met(folder):
    done = CliRunner().invoke(app, ["gate", str(folder), "--policy", str(EXAMPLES / "public-release.yaml")])
    assert done.exit_code == 1
    assert "✗ FAIL Privacy budget (dp.required)" in done.output
    assert "this policy is an example" in done.output
    gate = json.loads((folder / "gate.json").read_text(encoding="utf-8"))
    assert gate["verdict"] == "FAIL"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'data-test-decision="FAIL"' in page
    assert "public-release-v1" in page
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert {line["clause"] for line in report["sections"][0]["lines"]} <= {line["clause"] for line in gate["lines"]}
    assert (folder / "policy.yaml").read_text(encoding="utf-8") == (EXAMPLES / "public-release.yaml").read_text(
        encoding="utf-8"
    )


def test_a_policy_that_is_met_and_its_json(folder, tmp_path):
    path = tmp_path / "lenient.yaml"
    path.write_text(LENIENT, encoding="utf-8")
    done = CliRunner().invoke(app, ["gate", str(folder), "--policy", str(path), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["verdict"] == "PASS"
    assert "asks nothing of membership" in done.stderr


def test_what_cannot_be_read_is_refused(folder, tmp_path):
    assert CliRunner().invoke(app, ["gate", str(folder), "--policy", str(tmp_path / "none.yaml")]).exit_code == 2
    done = CliRunner().invoke(app, ["gate", str(tmp_path), "--policy", str(EXAMPLES / "public-release.yaml")])
    assert done.exit_code == 2
