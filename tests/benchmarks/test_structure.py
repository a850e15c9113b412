"""The figures of a package as a text: counted by hand on a tiny one, and ours keep their limits."""

from __future__ import annotations

import json

import pytest

from benchmarks.anatomy import import_graph, source_files, structure
from benchmarks.anatomy.functions import functions
from benchmarks.anatomy.source_files import SourceFile
from benchmarks.places import ROOT

ONE = '''"""One."""

from __future__ import annotations

from typing import Any


class Thing:
    """A thing."""

    def __init__(self) -> None:
        self.x = 1

    def typed(self, a: int, *more: str) -> Any:
        """Says.

        Much.
        """
        from toy.deep.two import Other

        try:
            return Other
        except Exception:
            return a, more

    @staticmethod
    def untyped(a, b: int) -> int:
        return b

    async def takes(self, **anything: Any):
        def inside(x):
            return x


class _Hidden:
    def public_only_by_name(self, x): ...
'''
TWO = '''"""Two."""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..one import Thing as T


class Other:
    class Thing: ...


class Thing: ...


def alone():
    """Only says."""
'''
FILES = {
    "__init__.py": '"""Toy."""\nimport toy.one\n',
    "one.py": ONE,
    "__main__.py": "import sys\n",
    "deep/__init__.py": "from . import two\nfrom .two import Other\nfrom toy import absent\n",
    "deep/two.py": TWO,
    "deep/one.py": "try:\n    pass\nexcept:\n    pass\ntry:\n    pass\nexcept (ValueError, BaseException):\n    pass\n",
}


@pytest.fixture
def toy(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "toy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text("\n" * 20)
    return tmp_path / "toy"


def test_a_tiny_package_is_counted_by_hand(toy):
    found = structure.measured(toy, toy.with_name("tests"))
    lines = [len(text.splitlines()) for text in FILES.values()]
    assert found["files"] == len(FILES) == 6
    assert found["lines"] == sum(lines)
    assert found["median_file"] == sum(sorted(lines)[2:4]) / 2
    assert found["functions"] == 7
    assert found["typed_share"] == 1 / 4  # typed; not untyped, takes, alone
    assert found["tests_to_source"] == 20 / sum(lines)
    assert found["any_keyword"] == 1
    assert found["broad_excepts"] == 3
    assert found["names_any"] == 2
    assert found["names"]["circles"] == [["toy.deep.two", "toy.one"]]
    assert found["in_circles"] == 2
    assert found["top_level"] == 2  # one and __main__
    assert found["names"]["classes_twice"] == {"Thing": 2}
    assert found["names"]["stems_twice"] == {"one": 2}
    assert found["long_files"] == found["long_bodies"] == 0


def test_every_import_counts_lazy_relative_or_for_types_only(toy):
    imports = import_graph.graph(source_files.read(toy))
    assert imports["toy"] == {"toy.one"}
    assert imports["toy.one"] == {"toy.deep.two"}
    assert imports["toy.deep"] == {"toy.deep.two", "toy"}  # `toy.absent` is no module, so it is something of `toy`
    assert imports["toy.deep.two"] == {"toy.one"}


def test_circles_are_what_brute_force_finds():
    """Two modules are in one circle if each can be reached from the other."""
    edges = {k: {(3 * k + 1) % 20, (7 * k + 2) % 20} - {k} for k in range(14)} | {k: set() for k in range(14, 20)}
    graph = {str(a): frozenset(map(str, b)) for a, b in edges.items()}

    def from_(module, seen):
        for other in graph[module] - seen:
            seen |= {other} | from_(other, seen | {other})
        return seen

    reach = {module: from_(module, set()) for module in graph}
    both = {m: frozenset({o for o in graph if o in reach[m] and m in reach[o]} | {m}) for m in graph}
    assert {frozenset(c) for c in import_graph.circles(graph)} == {c for c in both.values() if len(c) > 1} != set()


def test_a_long_chain_is_no_circle_and_no_burden():
    chain = {str(k): frozenset({str(k + 1)}) for k in range(5_000)} | {"5000": frozenset()}
    assert import_graph.circles(chain) == []
    assert len(import_graph.circles(chain | {"5000": frozenset({"0"})})[0]) == 5_001


@pytest.mark.parametrize(("many", "long", "longest"), [(40, 0, 0), (41, 1, 0), (61, 1, 1)])
def test_a_body_is_what_is_left_without_head_and_docstring(tmp_path, many, long, longest):
    body = "".join(f"    x = {k}\n" for k in range(many))
    text = f'def f(\n    a: int,\n) -> int:\n    """Says.\n\n    Much.\n    """\n{body}'
    (tmp_path / "a.py").write_text(text)
    found = structure.measured(tmp_path)
    assert (found["long_bodies"], found["longest_bodies"]) == (long, longest)
    assert found["median_function"] == many + 7
    assert found["tests_to_source"] is None
    assert found["names"]["long_bodies"] == ({f"{tmp_path.name}.a:f": many} if long else {})


def test_a_function_that_only_says_has_no_body():
    (only,) = functions(SourceFile("a", 'def f():\n    """Says."""\n', False))
    assert (only.lines, only.body_lines, only.is_typed) == (2, 0, False)


def test_a_row_and_json_are_printed(toy, capsys):
    structure.main(["--package", str(toy), "--label", "before"])
    head, rule, row = capsys.readouterr().out.splitlines()
    assert head.count("|") == rule.count("|") == row.count("|") == len(structure.HEADS) + 2
    assert row.startswith("| before | 6 | ")
    assert "| 25.0% |" in row
    structure.main(["--package", str(toy), "--json"])
    assert json.loads(capsys.readouterr().out)["tests_to_source"] > 0  # tests beside the package


def test_what_is_no_package_or_no_folder_is_refused(tmp_path, toy, capsys):
    for words, said in (
        (["--package", str(tmp_path / "none")], "--package must be a folder with Python files; however:"),
        (["--package", str(toy), "--tests", str(tmp_path / "none")], "--tests must be a folder; however:"),
    ):
        with pytest.raises(SystemExit):
            structure.main(words)
        assert said in capsys.readouterr().err


def test_the_benchmarks_keep_the_rules_of_the_house():
    """Short files and functions, no circles, no name twice."""
    found = structure.measured(ROOT / "benchmarks")
    assert found["names"] == {
        "long_files": [],
        "long_bodies": {},
        "circles": [],
        "classes_twice": {},
        "stems_twice": {},
    }
    assert found["typed_share"] == 1
