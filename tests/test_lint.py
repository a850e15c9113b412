"""The tree is formatted, linted and typed as pyproject.toml says."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
from places import ROOT

TREE = ["synthkit", "tests", "benchmarks", "reports"]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.skipif(find_spec("ruff") is None, reason="ruff is not installed")
@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_ruff_is_content(command):
    done = run("ruff", *command, *TREE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_types_are_right():
    done = run("mypy")
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_are_short():
    """A file of the package has fewer than 400 lines, so that one noun fits in the head."""
    long = {
        p.name: n for p in (ROOT / "synthkit").rglob("*.py") if (n := len(p.read_text("utf-8").splitlines())) >= 400
    }
    assert long == {}


def test_files_open_with_a_sentence():
    """The first line is the whole of the summary: it begins the docstring and ends a sentence there."""
    for path in (ROOT / "synthkit").rglob("*.py"):
        first = path.read_text("utf-8").split("\n", 1)[0]
        assert first.lstrip("r").startswith('"""'), path
        assert first.rstrip('"').endswith("."), path


def test_the_numerical_tests_of_each_instruction_set_are_there():
    """Named by path: one that is moved would be run under none of them."""
    text = (ROOT / "tests" / "instruction_sets.py").read_text(encoding="utf-8")
    named = re.findall(r'"(tests/[\w/]+\.py)"', text)
    assert len(named) >= 7
    assert [path for path in named if not (ROOT / path).is_file()] == []
