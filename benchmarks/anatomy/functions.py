"""Functions of a source file: how long each is, and whether its types are said."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.anatomy.source_files import SourceFile

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    """One `def`.

    Args:
        node: its syntax tree.
        is_public: whether neither it nor a class around it begins with an underscore, and no function is around it.
        is_method: whether its first argument is the object or the class.
    """

    node: Definition
    is_public: bool
    is_method: bool

    @property
    def lines(self) -> int:
        """From `def` to its last line."""
        return _last(self.node) - self.node.lineno + 1

    @property
    def body_lines(self) -> int:
        """Of what it does: without its head and its docstring."""
        body = self.node.body[ast.get_docstring(self.node, clean=False) is not None :]
        return _last(body[-1]) - body[0].lineno + 1 if body else 0

    @property
    def takes_any_keyword(self) -> bool:
        """Whether it has `**kwargs`, whatever they are called."""
        return self.node.args.kwarg is not None

    @property
    def is_typed(self) -> bool:
        """Whether the types of all arguments and of what it returns are said."""
        args = self.node.args
        named = [*args.posonlyargs, *args.args][self.is_method :]
        every = [*named, *args.kwonlyargs, *(each for each in (args.vararg, args.kwarg) if each is not None)]
        return self.node.returns is not None and all(each.annotation is not None for each in every)


def _last(node: ast.stmt) -> int:
    """Its last line; parsed code always has one."""
    return node.end_lineno or node.lineno


def functions(file: SourceFile) -> Iterator[Function]:
    """All of a file, those inside of others too."""
    yield from _inside(file.tree, is_public=True, in_class=False)


def _inside(node: ast.AST, *, is_public: bool, in_class: bool) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            is_static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in child.decorator_list)
            shown = is_public and not child.name.startswith("_")
            yield Function(child, is_public=shown, is_method=in_class and not is_static)
            yield from _inside(child, is_public=False, in_class=False)
        elif isinstance(child, ast.ClassDef):
            yield from _inside(child, is_public=is_public and not child.name.startswith("_"), in_class=True)
        else:
            yield from _inside(child, is_public=is_public, in_class=in_class)
