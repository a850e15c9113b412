"""Source files of a package as syntax trees: what they define, catch and name, without running any of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

BROAD = ("Exception", "BaseException")


@dataclass(frozen=True)
class SourceFile:
    """One file.

    Args:
        module: its dotted name, that of the package for an `__init__.py`.
        text: what it holds.
        is_package: whether it is an `__init__.py`.
    """

    module: str
    text: str
    is_package: bool

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return len(self.text.splitlines())

    @property
    def stem(self) -> str:
        """The last part of its name."""
        return self.module.rpartition(".")[2]


def read(package: Path) -> list[SourceFile]:
    """All files of a package, by name."""
    out = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        out.append(SourceFile(name, path.read_text(encoding="utf-8"), is_package))
    return out


def names_any(file: SourceFile) -> int:
    """How often `Any` is named."""
    return sum(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(file.tree))


def broad_excepts(file: SourceFile) -> int:
    """Handlers that catch everything: `except:`, `except Exception`, alone or among others.

    Example:
        >>> text = "try: pass\\nexcept (OSError, Exception): pass\\ntry: pass\\nexcept OSError: pass"
        >>> broad_excepts(SourceFile("a", text, False))
        1
    """
    handlers = [node.type for node in ast.walk(file.tree) if isinstance(node, ast.ExceptHandler)]
    return sum(caught is None or any(name in BROAD for name in _names(caught)) for caught in handlers)


def _names(caught: ast.expr) -> Iterator[str]:
    for each in caught.elts if isinstance(caught, ast.Tuple) else [caught]:
        if isinstance(each, ast.Name):
            yield each.id


def public_classes(file: SourceFile) -> list[str]:
    """Names of its classes that do not begin with an underscore; those inside of others are left out."""
    return [node.name for node in file.tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
