"""The order of the rooms, one name for one idea, and libraries that have one home."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from places import ROOT

PACKAGE = ROOT / "synthkit"
FILES = sorted(PACKAGE.rglob("*.py"))
FAMILY_PARTS = {"config", "model", "network"}  # every family of models has them, in a folder of its name
HOMES = {
    "great_expectations": "schema/validation.py",
    "altair": "report/charts/chart_data.py report/charts/curves.py report/charts/linked_curves.py "
    "report/charts/model_points.py report/charts/telling_bars.py report/charts/vega.py",
    "vl_convert": "report/charts/vega.py",
    "jinja2": "report/html.py",
    "safetensors": "synthesizer/model_files.py",
    "lightgbm": "metrics/fidelity/classifier_two_sample.py",
    "faker": "schema/faker_providers.py",
    "duckdb": "engine/duck.py tables/duckdb_files.py",
    "ray": "engine/ray_engine.py",
    "dp_accounting": "privacy/accounting/accountant.py",
    "sdv": "baselines/sdv_models.py",
    "ctgan": "baselines/sdv_models.py",
}


def module(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def imported(tree: ast.AST) -> Iterator[str]:
    """All modules a file imports: at its top, inside functions, and for type checkers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module


def uses() -> dict[str, set[str]]:
    """Our modules, each with those of ours that it imports."""
    return {name: {m for m in imported(tree) if m in MODULES and m != name} for name, tree in TREES.items()}


def order() -> list[str]:
    """The rooms as CONTRIBUTING.md numbers them."""
    block = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("<!-- rooms -->")[1].split("<!-- /rooms")[0]
    return re.findall(r"^\d+\. `(\w+)`", block, flags=re.MULTILINE)


def room(name: str) -> str:
    return name.split(".")[1]


def test_every_room_has_its_number_and_little_lies_beside_them():
    loose = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert loose == {"__init__.py", "__main__.py", "_version.py", "errors.py", "py.typed"}
    assert sorted(order()) == sorted({path.relative_to(PACKAGE).parts[0] for path in FILES} - loose)


def test_an_import_points_to_a_smaller_number():
    """Or stays in its room; errors and the version may be imported by all, and import nothing."""
    numbers = {name: k for k, name in enumerate(order(), 1)} | {"errors": 0, "_version": 0, "__main__": 99}
    wrong = [
        f"{name} imports {other}"
        for name, others in uses().items()
        for other in others
        if name != "synthkit" and (other == "synthkit" or numbers[room(other)] > numbers[room(name)])
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_is_in_a_circle():
    """A circle would raise; imports inside functions and for type checkers count."""
    assert list(TopologicalSorter(uses()).static_order())


def test_a_public_class_has_one_home():
    homes = defaultdict(set)
    for name, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].add(name)
    assert {name: sorted(found) for name, found in homes.items() if len(found) > 1} == {}


def test_a_module_has_a_name_of_its_own():
    """But for the parts of the families of models."""
    stems = Counter(path.stem for path in FILES if path.stem != "__init__")
    families = {path.stem for path in FILES if path.parent.parent.name == "models"} & FAMILY_PARTS
    assert {stem for stem, many in stems.items() if many > 1} <= families


def test_a_constant_has_a_name_of_its_own():
    """`FORMAT` is each format's own; single letters are type variables, and what begins with an underscore is its
    module's affair."""
    homes = defaultdict(set)
    for name, tree in TREES.items():
        for node in tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for target in [each for t in targets for each in getattr(t, "elts", [t])]:
                if (
                    isinstance(target, ast.Name)
                    and target.id.isupper()
                    and len(target.id) > 1
                    and not target.id.startswith("_")
                ):
                    homes[target.id].add(name)
    assert {name: sorted(found) for name, found in homes.items() if len(found) > 1 and name != "FORMAT"} == {}


def test_the_promises_between_rooms_hold():
    rooms: dict[str, set[str]] = defaultdict(set)
    for name, others in uses().items():
        if name != "synthkit":
            rooms[room(name)] |= {room(other) for other in others}
    assert "privacy" not in rooms["training"]
    assert "models" not in rooms["privacy"]
    assert rooms["metrics"] <= {"metrics", "errors", "io", "schema", "tables", "runtime"}
    assert not rooms["report"] & {"models", "training", "encoding", "synthesizer", "pipeline"}


def test_what_models_share_knows_no_family():
    """Synthesizers and what every model is made of see a model as its registry does, not as a family of them."""
    families = {
        f"synthkit.models.{path.name}" for path in (PACKAGE / "models").iterdir() if (path / "model.py").exists()
    }
    shared = [name for name in MODULES if room(f"{name}.") == "synthesizer"]
    shared += [f"synthkit.models.{name}" for name in ("base", "unit_base", "unit_layout", "row_completion", "sampling")]
    assert [name for name in shared if any(other.startswith(tuple(families)) for other in uses()[name])] == []


@pytest.mark.parametrize("library", HOMES)
def test_a_library_has_one_home(library):
    homes = {
        MODULES[name].relative_to(PACKAGE).as_posix()
        for name, tree in TREES.items()
        if any(other.split(".")[0] == library for other in imported(tree))
    }
    assert homes == set(HOMES[library].split())


@pytest.mark.parametrize("name", ["schema", "metrics", "report"])
def test_rooms_without_torch(name):
    for path in (PACKAGE / name).rglob("*.py"):
        assert "torch" not in {m.split(".")[0] for m in imported(TREES[module(path)])}, path


def test_models_and_networks_know_no_tables():
    for name in ("models", "training"):
        for path in (PACKAGE / name).rglob("*.py"):
            assert "pandas" not in {m.split(".")[0] for m in imported(TREES[module(path)])}, path


def test_files_and_functions_stay_short():
    """Files below 400 lines, bodies of functions without their docstring at most 40."""
    long = [name for name, path in MODULES.items() if len(path.read_text(encoding="utf-8").splitlines()) >= 400]
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                if body and node.end_lineno - body[0].lineno + 1 > 40:
                    long.append(f"{name}:{node.name}")
    assert long == []
