"""Who imports whom: the table in CONTRIBUTING.md is what the code does, and some libraries have one home."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from places import ROOT

PACKAGE = ROOT / "synthkit"
FILES = sorted(PACKAGE.rglob("*.py"))
HOMES = {
    "great_expectations": "schema/validation.py",
    "altair": "report/charts/vega.py report/charts/curves.py",
    "vl_convert": "report/charts/vega.py",
    "jinja2": "report/html.py",
    "safetensors": "artefact.py",
    "lightgbm": "metrics/fidelity/classifier_two_sample.py",
    "lifelines": "metrics/stats/time_to_event.py",
    "faker": "schema/faker_providers.py",
    "dp_accounting": "privacy/accounting/accountant.py",
    "sdv": "baselines/sdv_models.py",
    "ctgan": "baselines/sdv_models.py",
}


def imported(node: ast.AST) -> Iterator[str]:
    """Modules imported at run time, inside functions too; blocks for type checkers are left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module == "synthkit":
            yield from (f"synthkit.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
        yield from imported(child)


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def actual() -> dict[str, set[str]]:
    """Rooms and files of the top level, each with those it imports; `errors` and the version are left out."""
    known = {room(path) for path in FILES} - {"__init__"}
    out: dict[str, set[str]] = {name: set() for name in known}
    for path in FILES:
        if room(path) != "__init__":
            ours = (name.split(".") for name in imported(ast.parse(path.read_text(encoding="utf-8"))))
            out[room(path)] |= {parts[1] for parts in ours if parts[0] == "synthkit" and len(parts) > 1}
    return {name: (uses & known) - {name, "errors"} for name, uses in out.items()}


def declared() -> dict[str, set[str]]:
    block = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("<!-- layers -->")[1].split("<!-- /layers")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", block, flags=re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", uses)) for name, uses in rows}


def test_the_table_is_what_the_code_does():
    assert declared() == actual()


def test_imports_run_down_only():
    """A circle would raise."""
    assert list(TopologicalSorter(actual()).static_order())


def test_the_promises_between_rooms_hold():
    uses = actual()
    assert "privacy" not in uses["models"] | uses["nn"]
    assert "models" not in uses["privacy"]
    assert uses["evaluate"] <= {"documents", "schema", "seeds"}
    assert not uses["report"] & {"models", "nn", "encode", "synthesizer", "pipeline"}


@pytest.mark.parametrize("library", HOMES)
def test_a_library_has_one_home(library):
    homes = {
        path.relative_to(PACKAGE).as_posix()
        for path in FILES
        if any(name.split(".")[0] == library for name in imported(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert homes == set(HOMES[library].split())


@pytest.mark.parametrize("name", ["schema", "evaluate", "report"])
def test_rooms_without_torch(name):
    for path in (PACKAGE / name).rglob("*.py"):
        assert "torch" not in {m.split(".")[0] for m in imported(ast.parse(path.read_text(encoding="utf-8")))}, path


def test_models_and_networks_know_no_tables():
    for name in ("models", "nn"):
        for path in (PACKAGE / name).rglob("*.py"):
            assert "pandas" not in {m.split(".")[0] for m in imported(ast.parse(path.read_text(encoding="utf-8")))}, (
                path
            )
