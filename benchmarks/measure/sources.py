"""Which code made a figure: a short hash of what a fit and a sample run through, comments and docstrings aside."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from benchmarks.places import ROOT
from synthkit._version import __version__

SYNTHESIZER = "synthkit.synthesizer.synthesizer"
ROOTS = (  # what the synthesizer runs for every model
    "synthkit.encoding.encoder",
    "synthkit.privacy.access.exact_access",
    "synthkit.schema.spreads",
    "synthkit.synthesizer.conditional",
    "synthkit.synthesizer.rule_sampling",
)
RAKED, PRIVATE = "synthkit.synthesizer.raking", "synthkit.privacy.access.private_access"  # where that is asked for
# read, but what they import is every model's, or another way's
ENDS = ("synthkit.models.registry", "synthkit.privacy.access.curator", "synthkit.watermark", SYNTHESIZER)


def file_of(module: str, root: Path) -> Path | None:
    """Where a module lies, if it is one of the root's."""
    base = root.joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.exists()), None)


@cache
def imports_of(text: str) -> tuple[str, ...]:
    """Names of the modules a file imports, and of what it imports from them, which may be modules."""
    return tuple(dict.fromkeys(_imported(ast.parse(text))))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def bare(text: str) -> str:
    """What a file does, without its comments and docstrings.

    Example:
        >>> bare('def f():\\n    "Says."\\n    return 1  # one') == bare('def f():\\n    return 1')
        True
    """
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [  # type: ignore[attr-defined]
                n for n in body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))
            ]
    return ast.dump(tree)


def reached(modules: Iterable[str], root: Path = ROOT, ends: Iterable[str] = ENDS) -> dict[str, Path]:
    """Modules of the root that `modules` import, directly or not, with their files; ends are read and not followed.

    Raises:
        ValueError: one of `modules` is not there; a digest that leaves it out would stay the same when it changes.
    """
    modules = list(modules)
    lost = [module for module in modules if file_of(module, root) is None]
    if lost:
        msg = (
            f"modules must be those of a package under {root.name}; however: {', '.join(lost)}. Name where they lie now"
        )
        raise ValueError(msg)
    found: dict[str, Path] = {}
    todo, stop = modules, set(ends)
    while todo:
        module = todo.pop()
        if module in found or not module.startswith("synthkit"):
            continue
        path = file_of(module, root)
        if path is None:
            continue
        found[module] = path
        if module not in stop:
            todo += imports_of(path.read_text(encoding="utf-8"))
    return found


@cache
def code_of(*modules: str) -> str:
    """Hash of what a fit and a sample of the model in these modules run through."""
    files = reached([*modules, *ROOTS, *ENDS])
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\n{bare(files[name].read_text(encoding='utf-8'))}\n".encode())
    return digest.hexdigest()[:12]


def version_of(*modules: str) -> str:
    """Version of ours as cells have it: of the package, and of the code of a model in these modules."""
    return f"synthkit {__version__} {code_of(*modules)}"
