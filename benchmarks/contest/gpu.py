"""The cells of ours on one GPU, in one process and one call of under ten minutes; gpu.json holds figures and scores.

Cells are begun while there is time; those that were not are named. Scores need no GPU: with `--no-scores` the samples
stay in the work folder, and `--score-only` adds the scores later, on any machine to which they were brought.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.contest import ratios
from benchmarks.contest.ours import PROGRAM, fit
from benchmarks.flags import parser
from benchmarks.json_files import read, write
from benchmarks.measure import cells, scoring
from benchmarks.measure.cells import Cell, Contestant, digest, job
from benchmarks.measure.job import work
from benchmarks.measure.machine import fingerprint
from benchmarks.measure.sources import version_of
from benchmarks.places import MEASURED
from synthkit.models.registry import MODELS

ORDER: Sequence[tuple[str, str]] = (  # what matters most stands first
    ("diffusion", "adult"),
    ("autoregressive", "adult"),
    ("ctgan", "adult"),
    ("tvae", "adult"),
    ("diffusion", "default_credit"),
    ("autoregressive", "default_credit"),
    ("diffusion", "breast_cancer"),
    ("autoregressive", "diabetes130"),
    ("ctgan", "support2"),
    ("tvae", "support2"),
    ("autoregressive", "support2"),
)
QUICK = {"rows": 300, "steps": 4}


def cell_of(model: str, table: str, device: str, *, quick: bool) -> Cell:
    """The cell of a model on the device; quick ones look at few rows for few steps."""
    settings = {"device": device} | ({"steps": QUICK["steps"]} if quick else {})
    version = version_of(MODELS[model].__module__)
    who = Contestant(name=f"{model}@{device}", program=PROGRAM, version=version, settings=settings)
    return Cell(who=who, table=table, seed=0, threads=os.cpu_count() or 1, rows=QUICK["rows"] if quick else None)


def make(cell: Cell, model: str) -> dict[str, Any]:
    """Fit and sample in this process: a GPU needs seconds to be ready, which a fit should not pay each time."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    content = read(job(cell)) | {"who": model}
    work(content, fit, ["synthkit"])
    result = read(Path(content["result"]))
    memory = torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else 0.0
    return cell.identity() | result | {"synthetic": digest(cell.synthetic), "gpu_peak_mib": round(memory)}


def made(asked: argparse.Namespace, content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Add cell after cell to the content while there is time, and the names of those that were not begun."""
    start = time.monotonic()
    for model, table in ((m, t) for m, t in ORDER if not asked.only or m in asked.only):
        if time.monotonic() - start > 60 * asked.minutes:
            content["not_begun"].append(f"{model} {table}")
            continue
        one = make(cell_of(model, table, asked.device, quick=asked.quick), model)
        content["cells"].append(one)
        print(f"{model} {table}: fit {one['fit']['wall']:.1f} s, {one['sample']}", flush=True)
        yield content


def scored(asked: argparse.Namespace, content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Add the scores of cell after cell to the content."""
    for one in content["cells"]:
        cell = cell_of(one["who"].split("@")[0], one["table"], one["device"], quick=one["of_rows"] is not None)
        one["scored"] = scoring.score(cell, asked.work / "scores")
        yield content


def main(words: Sequence[str] | None = None) -> None:
    """Make cells, scores or both; what there is is written after each."""
    flags = parser("gpu", __doc__)
    flags.add_argument("--device", default="cuda")
    flags.add_argument("--minutes", type=float, default=9.0, help="no cell is begun after so many")
    flags.add_argument("--quick", action="store_true", help="few rows, few steps")
    flags.add_argument("--out", type=Path, default=MEASURED, help="where gpu.json goes")
    flags.add_argument("--work", type=Path, default=cells.BENCH, help="folder of work files")
    flags.add_argument("--only", nargs="+", metavar="MODEL", help="these models only")
    scores = flags.add_mutually_exclusive_group()
    scores.add_argument("--no-scores", action="store_true", help="leave the samples for another call")
    scores.add_argument("--score-only", action="store_true", help="score the samples that are there")
    asked = flags.parse_args(words)
    cells.BENCH, file = asked.work, asked.out / "gpu.json"
    name = torch.cuda.get_device_name() if asked.device == "cuda" and torch.cuda.is_available() else asked.device
    content: dict[str, Any] = {"machine": fingerprint(), "device": name, "cells": [], "not_begun": []}
    if asked.score_only:
        content = read(file)
    else:
        for part in made(asked, content):
            write(file, part)  # what was made is kept whatever comes
        write(file, content)
    if not asked.no_scores:
        for part in scored(asked, content):
            write(file, part)
    if asked.out == MEASURED:
        ratios.write_page()
