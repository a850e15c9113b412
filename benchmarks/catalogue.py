"""What can be measured: every subcommand of `python -m benchmarks`, and the module that does it.

A module is loaded when its command is asked for, and so are the libraries it needs. The list takes its sentences from
the files as texts: they are the first line of each.
"""

from __future__ import annotations

import ast
import os
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module

from benchmarks.places import ROOT

ROOMS: Mapping[str, Sequence[str]] = {  # packages of benchmarks, and their subcommands
    "contest": ("bench", "private", "gpu", "ratios", "budgets", "ahead", "table", "published_beijing"),
    "parts": ("drafts", "imputation", "patient_counts", "patient_rows", "raking"),
    "load": ("scaling", "wide", "evaluating", "validation", "clipping"),
    "risk": ("risks", "alarms", "mutations", "watermark", "unit_watermark", "mt_mia", "planted_patients", "cohorts"),
    "linked": ("linked", "published_baseball"),
    "stress": ("faults", "reliability"),
    "tables": ("derived", "shipped_synthea"),
    "anatomy": ("structure",),
}
MODULES: Mapping[str, str] = {name: f"benchmarks.{room}.{name}" for room, names in ROOMS.items() for name in names}
USAGE = "usage: python -m benchmarks COMMAND [flags]"
HEAD = """\
Figures of quality, speed and risk. What is measured goes to benchmarks/figures as JSON, and from there into the pages:
nobody types a figure. What is there from the same machine, versions and settings is not measured again, so that a run
can be broken off and continued. COMMAND --help says what is measured, how, and which flags there are."""
FOOT = """\
First steps
  python -m benchmarks structure            # seconds, no table needed: files, functions and imports of the package
  export SYNTHKIT_DATA=/path/to/tables      # public tables; benchmarks/README.md says where each comes from
  python -m benchmarks bench --list         # which cells there are, and whether today's code made them
  python -m benchmarks bench --ours --only autoregressive --tables breast_cancer --seeds 0        # one cell: minutes"""


def sentence(module: str) -> str:
    """The first line of a module or package, which is read and not run."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]


def overview() -> str:
    """What `--help` prints: each subcommand with its sentence, by topic."""
    return "\n".join([USAGE, "", HEAD, "", *_listed(), FOOT])


def _listed() -> Iterator[str]:
    wide = max(map(len, MODULES)) + 4
    for room, names in ROOMS.items():
        yield sentence(f"benchmarks.{room}").rstrip(".")
        for name in names:
            first = f"  {name}".ljust(wide)
            yield textwrap.fill(
                sentence(MODULES[name]), 118, initial_indent=first, subsequent_indent=" " * wide, break_on_hyphens=False
            )
        yield ""


def main(words: Sequence[str] | None = None) -> int:
    """Run a subcommand; the exit status."""
    name, *rest = (sys.argv[1:] if words is None else words) or ["--help"]
    if name in ("-h", "--help"):
        print(overview())
        return 0
    if name not in MODULES:
        near = "".join(f", such as {match}" for match in get_close_matches(name, MODULES, n=1))
        print(
            f"COMMAND must be one that there is{near}; however: {name}. `python -m benchmarks --help` lists them all",
            file=sys.stderr,
        )
        return 2
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # before torch, as in the command `synthkit`
    return import_module(MODULES[name]).main(rest) or 0
