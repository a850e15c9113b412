"""What CI runs: all steps, whatever fails before them; their results in short; a status that says if any failed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from places import ROOT

STEPS = {
    "environment": "venv",
    "format": "format",
    "lint": "lint",
    "types": "types",
    "tests": "test",
    "notebooks": "test-notebooks",
    "instruction sets": "test-processors",
}
RESULTS = '<testsuites><testsuite><testcase classname="tests.report.test_browser" name="a"/></testsuite></testsuites>'


@pytest.fixture
def ci(tmp_path):
    """Runs the script over targets that do nothing, but for those that must fail; status and last lines."""
    if shutil.which("make") is None or shutil.which("bash") is None:
        pytest.skip("bash and make are not installed")
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    binaries = tmp_path / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (binaries / "python").chmod(0o755)
    (tmp_path / "results.xml").write_text(RESULTS)

    def run(*failing: str, results: bool = True) -> tuple[int, list[str]]:
        targets = {target: "false" if target in failing else "true" for target in STEPS.values()}
        if results:  # where the flag of pytest asks for them
            targets["test"] = f'cp results.xml "$${{PYTEST_ADDOPTS##*=}}" && {targets["test"]}'
        made = "".join(f"{target}:\n\t@{does}\n" for target, does in targets.items())
        (tmp_path / "Makefile").write_text(f".PHONY: {' '.join(targets)}\n{made}")
        keep = {key: value for key, value in os.environ.items() if key not in {"MAKEFLAGS", "PYTEST_ADDOPTS", "VENV"}}
        done = subprocess.run(
            ["bash", str(tmp_path / ".ci" / "run")],
            env={**keep, "CHROMIUM": "/bin/true"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.partition("== in short\n")[2].splitlines()

    return run


def failed(lines: list[str]) -> set[str]:
    return {line.partition("  ")[0] for line in lines if "FAILED with status" in line}


def test_all_steps_pass(ci):
    code, lines = ci()
    assert code == 0
    assert [line.partition("  ")[0] for line in lines] == [
        *list(STEPS)[:5],
        "browser tests",
        *list(STEPS)[5:],
    ]
    assert all(", " in line and "passed" in line for line in lines)


@pytest.mark.parametrize("name", list(STEPS)[1:])
def test_a_step_that_fails_fails_the_whole_and_stops_no_other(ci, name):
    code, lines = ci(STEPS[name])
    assert (code, len(lines), failed(lines)) == (1, 8, {name})


def test_without_an_environment_nothing_else_is_tried(ci):
    code, lines = ci("venv")
    assert (code, len(lines), failed(lines)) == (1, 1, {"environment"})


def test_tests_that_leave_no_results_are_a_failure(ci):
    code, lines = ci(results=False)
    assert (code, failed(lines)) == (1, {"browser tests"})


def test_the_targets_are_those_of_the_makefile():
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in STEPS.values():
        assert f"\n{target}: " in made
    assert "mypy --strict" in made
    assert "\ncheck: format lint types test test-notebooks\n" in made
