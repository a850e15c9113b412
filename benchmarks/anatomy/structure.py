"""The package as a text: sizes of files and functions, types, broad excepts, circles of imports, names used twice.

Nothing is run or imported, so that an older checkout can be measured too: --package and --tests say where it lies. One
row of a table is printed; --json prints the figures with the names behind them.

A function's body is what is left without its head and its docstring. A public function has no underscore at the head
of its name or of its class's, and stands in no other function. Imports inside of functions and for type checkers count.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.anatomy import import_graph, source_files
from benchmarks.anatomy.functions import functions
from benchmarks.anatomy.source_files import SourceFile
from benchmarks.flags import parser
from benchmarks.places import ROOT

LONG_FILE, LONG_BODY, LONGEST_BODY = 400, 40, 60  # lines
HEADS: Mapping[str, str] = {
    "files": "files",
    "lines": "lines",
    "median_file": "median file",
    "long_files": f"files ≥ {LONG_FILE}",
    "functions": "functions",
    "median_function": "median function",
    "long_bodies": f"bodies > {LONG_BODY}",
    "longest_bodies": f"bodies > {LONGEST_BODY}",
    "typed_share": "public typed",
    "tests_to_source": "tests / source",
    "any_keyword": "`**kwargs`",
    "broad_excepts": "broad excepts",
    "names_any": "`Any`",
    "in_circles": "modules in circles",
    "top_level": "top-level modules",
    "classes_twice": "class names twice",
    "stems_twice": "file names twice",
}


def measured(package: Path, tests: Path | None = None) -> dict[str, Any]:
    """All figures of a package, and the names behind those that should be few.

    Args:
        package: its folder.
        tests: folder of its tests; without it their share is not known.
    """
    files = source_files.read(package)
    lines, every = [file.lines for file in files], [each for file in files for each in functions(file)]
    public, bodies = [each for each in every if each.is_public], [each.body_lines for each in every]
    circles = import_graph.circles(import_graph.graph(files))
    classes = repeated(name for file in files for name in set(source_files.public_classes(file)))
    stems = repeated(file.stem for file in files if not file.is_package and file.stem != "__main__")
    checks = None if tests is None else sum(file.lines for file in source_files.read(tests))
    return {
        "files": len(files),
        "lines": sum(lines),
        "median_file": median(lines),
        "long_files": sum(n >= LONG_FILE for n in lines),
        "functions": len(every),
        "median_function": median([each.lines for each in every] or [0]),
        "long_bodies": sum(n > LONG_BODY for n in bodies),
        "longest_bodies": sum(n > LONGEST_BODY for n in bodies),
        "typed_share": sum(each.is_typed for each in public) / len(public) if public else None,
        "tests_to_source": None if checks is None else checks / max(sum(lines), 1),
        "any_keyword": sum(each.takes_any_keyword for each in every),
        "broad_excepts": sum(map(source_files.broad_excepts, files)),
        "names_any": sum(map(source_files.names_any, files)),
        "in_circles": sum(map(len, circles)),
        "top_level": len(top_level(files, package.name)),
        "classes_twice": len(classes),
        "stems_twice": len(stems),
        "names": {
            "long_files": [file.module for file in files if file.lines >= LONG_FILE],
            "long_bodies": long_bodies(files),
            "circles": circles,
            "classes_twice": classes,
            "stems_twice": stems,
        },
    }


def long_bodies(files: Iterable[SourceFile]) -> dict[str, int]:
    """Functions with long bodies, by module and name, and the lines of each."""
    found = [(file.module, each) for file in files for each in functions(file) if each.body_lines > LONG_BODY]
    return {f"{module}:{each.node.name}": each.body_lines for module, each in found}


def repeated(names: Iterable[str]) -> dict[str, int]:
    """Names that occur more than once, and how often."""
    return {name: many for name, many in sorted(Counter(names).items()) if many > 1}


def top_level(files: Iterable[SourceFile], package: str) -> list[str]:
    """Modules that lie in the package itself and not in a package inside of it."""
    return [file.module for file in files if file.module == f"{package}.{file.stem}" and not file.is_package]


def shown(found: Mapping[str, Any], key: str) -> str:
    """One figure as the table has it."""
    value = found[key]
    if value is None:
        return "–"
    if key == "typed_share":
        return f"{value:.1%}"
    return f"{value:.2f}" if key == "tests_to_source" else f"{value:,g}" if value < 1e5 else f"{value:,.0f}"


def markdown(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """A table with a row for each package."""
    head = ["", *HEADS.values()]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    lines += ["| " + " | ".join([label, *(shown(found, key) for key in HEADS)]) + " |" for label, found in rows.items()]
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> None:
    """Print the figures of one package."""
    flags = parser("structure", __doc__)
    flags.add_argument("--package", type=Path, default=ROOT / "synthkit", help="its folder; synthkit/ if not given")
    flags.add_argument("--tests", type=Path, help="folder of its tests; tests/ beside the package if not given")
    flags.add_argument("--label", help="name of the row; the package's if not given")
    flags.add_argument("--json", action="store_true", help="figures and the names behind them as JSON")
    asked = flags.parse_args(words)
    package = asked.package.resolve()
    tests = asked.tests or package.with_name("tests")
    if not any(package.rglob("*.py")):
        flags.error(f"--package must be a folder with Python files; however: {asked.package} is none. Name another")
    if asked.tests is not None and not tests.is_dir():
        flags.error(f"--tests must be a folder; however: {asked.tests} is none. Name another, or leave it out")
    found = measured(package, tests if tests.is_dir() else None)
    print(json.dumps(found, indent=1) if asked.json else markdown({asked.label or package.name: found}))
