"""Which module of a package imports which, and the circles in that.

Every import counts, wherever it stands: at the head of a file, inside of a function, or for type checkers only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.anatomy.source_files import SourceFile

Graph = Mapping[str, frozenset[str]]


def graph(files: Sequence[SourceFile]) -> Graph:
    """Modules that each module imports. A name that is a module counts as that module, any other as what holds it."""
    known = {file.module for file in files}
    return {file.module: frozenset(_imported(file, known)) - {file.module} for file in files}


def _imported(file: SourceFile, known: set[str]) -> Iterator[str]:
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            source = _source(file, node)
            for alias in node.names:
                whole = f"{source}.{alias.name}"
                if whole in known or source in known:
                    yield whole if whole in known else source


def _source(file: SourceFile, node: ast.ImportFrom) -> str:
    """What stands after `from`, in full; each dot but the first goes one package up."""
    if not node.level:
        return node.module or ""
    up = node.level - file.is_package
    base = file.module.split(".")[: len(file.module.split(".")) - up]
    return ".".join([*base, *([node.module] if node.module else [])])


def circles(imports: Graph) -> list[list[str]]:
    """Groups of modules that import each other, directly or not, largest first.

    A group is what can be reached from a module and reaches it back. The search goes from module to module by a stack
    of its own, since a chain of imports may be longer than Python's.

    Example:
        >>> circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}})
        [['b', 'c']]

    References:
        Sharir: A strong-connectivity algorithm and its applications in data flow analysis (1981).
    """
    back: dict[str, set[str]] = {module: set() for module in imports}
    for module, others in imports.items():
        for other in others:
            back[other].add(module)
    groups, seen = [], set()
    for module in reversed(_finished(imports)):
        group = _reached(module, back, seen)
        if len(group) > 1:
            groups.append(sorted(group))
    return sorted(groups, key=lambda group: (-len(group), group))


def _finished(imports: Graph) -> list[str]:
    """Modules in the order in which a search from each in turn is done with them."""
    seen: set[str] = set()
    order: list[str] = []
    for start in imports:
        stack = [(start, False)]
        while stack:
            module, is_done = stack.pop()
            if is_done:
                order.append(module)
            elif module not in seen:
                seen.add(module)
                stack.append((module, True))
                stack += [(other, False) for other in sorted(imports[module]) if other not in seen]
    return order


def _reached(start: str, edges: Mapping[str, set[str]], seen: set[str]) -> set[str]:
    """What can be reached and was not seen before; now it is."""
    stack, out = [start], set()
    while stack:
        module = stack.pop()
        if module not in seen:
            seen.add(module)
            out.add(module)
            stack += edges[module]
    return out
