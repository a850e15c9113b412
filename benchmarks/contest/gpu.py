"""The cells of ours on one GPU, in one process and one call of under ten minutes; gpu.json holds figures and scores.

Cells come first: every model, one under a budget too, on adult and diabetes130. Then each model is fitted for some
steps on both sides, whose losses and draws must agree, and a private step and ten million rows are timed. What is begun
while there is time is made, the rest is named; what is there from the same machine, version and settings is not made
again, so that a second call goes on. Scores need no GPU: with `--no-scores` the samples stay in the work folder, and
`--score-only` adds the scores later, on any machine to which they were brought. `--dry` does all of it in small.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.contest import device_checks, ratios
from benchmarks.contest.ours import PROGRAM, fit
from benchmarks.contest.private_plan import DELTA
from benchmarks.flags import parser
from benchmarks.json_files import read, write
from benchmarks.measure import cells, scoring
from benchmarks.measure.cells import Cell, Contestant, digest, job
from benchmarks.measure.job import work
from benchmarks.measure.machine import fingerprint
from benchmarks.measure.sources import PRIVATE, version_of
from benchmarks.places import MEASURED
from synthkit.models.registry import MODELS

ORDER: Sequence[tuple[str, str]] = (  # what matters most stands first; after @ stands epsilon
    ("diffusion", "adult"),
    ("autoregressive", "adult"),
    ("ctgan", "adult"),
    ("tvae", "adult"),
    ("autoregressive@3", "adult"),
    ("autoregressive", "diabetes130"),
    ("diffusion", "diabetes130"),
    ("ctgan", "diabetes130"),
    ("tvae", "diabetes130"),
    ("autoregressive@3", "diabetes130"),
    ("diffusion", "default_credit"),
    ("autoregressive", "support2"),
)
DRY = {"rows": 300, "steps": 4}
CHECKED = ("autoregressive", "diffusion", "tvae", "ctgan")  # whose laws are compared with those of the processor


def cell_of(who: str, table: str, device: str, *, dry: bool) -> Cell:
    """The cell of a model on the device; dry ones look at few rows for few steps."""
    model, _, epsilon = who.partition("@")
    settings: dict[str, Any] = {"device": device} | ({"steps": DRY["steps"]} if dry else {})
    settings |= {"epsilon": float(epsilon), "delta": DELTA} if epsilon else {}
    version = version_of(MODELS[model].__module__, *([PRIVATE] if epsilon else []))
    one = Contestant(name=f"{who}@{device}", program=PROGRAM, version=version, settings=settings)
    return Cell(who=one, table=table, seed=0, threads=os.cpu_count() or 1, rows=DRY["rows"] if dry else None)


def make(cell: Cell) -> dict[str, Any]:
    """Fit and sample in this process: a GPU needs seconds to be ready, which a fit should not pay each time."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    content = read(job(cell))
    work(content, fit, ["synthkit"])
    result = read(Path(content["result"]))
    memory = torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else 0.0
    return cell.identity() | result | {"synthetic": digest(cell.synthetic), "gpu_peak_mib": round(memory)}


def is_made(cell: Cell, content: Mapping[str, Any]) -> bool:
    """Whether it is there from the same machine, version and settings."""
    wanted = cell.identity()
    return any(all(one.get(key) == wanted[key] for key in wanted) for one in content["cells"])


def made(asked: argparse.Namespace, content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Add what is not there yet, cell after cell and then the checks, while there is time; name what was not begun."""
    start, content["not_begun"] = time.monotonic(), []
    for who, table in ((m, t) for m, t in ORDER if not asked.only or m in asked.only):
        late = time.monotonic() - start > 60 * asked.minutes  # before the code is hashed, which takes a while
        cell = cell_of(who, table, asked.device, dry=asked.dry)
        if is_made(cell, content):
            continue
        if late:
            content["not_begun"].append(f"{who} {table}")
            continue
        one = make(cell)
        content["cells"] = [c for c in content["cells"] if (c["who"], c["table"]) != (one["who"], table)] + [one]
        print(f"{who} {table}: fit {one['fit']['wall']:.1f} s, {one['sample']}", flush=True)
        yield content
    scale = device_checks.DRY if asked.dry else device_checks.Scale()
    models = [model for model in CHECKED if not asked.only or model in asked.only]
    for name, check in device_checks.checks(asked.device, scale, models):
        if name in content["checks"]:
            continue
        if time.monotonic() - start > 60 * asked.minutes:
            content["not_begun"].append(name)
            continue
        content["checks"][name] = check()
        print(device_checks.said(content["checks"][name]), flush=True)
        yield content


def scored(asked: argparse.Namespace, content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Add the scores of cell after cell to the content."""
    for one in content["cells"]:
        cell = cell_of(one["who"].rpartition("@")[0], one["table"], one["device"], dry=one["of_rows"] is not None)
        if one.get("scored", {}).get("of") == one["synthetic"]:
            continue
        one["scored"] = scoring.score(cell, asked.work / "scores")
        yield content


def main(words: Sequence[str] | None = None) -> None:
    """Make cells, scores or both; what there is is written after each."""
    flags = parser("gpu", __doc__)
    flags.add_argument("--device", default="cuda")
    flags.add_argument("--minutes", type=float, default=9.0, help="no cell is begun after so many")
    flags.add_argument("--dry", action="store_true", help="all of it in small, on any device")
    flags.add_argument("--out", type=Path, default=MEASURED, help="where gpu.json goes")
    flags.add_argument("--work", type=Path, default=cells.BENCH, help="folder of work files")
    flags.add_argument("--only", nargs="+", metavar="MODEL", help="these models only")
    scores = flags.add_mutually_exclusive_group()
    scores.add_argument("--no-scores", action="store_true", help="leave the samples for another call")
    scores.add_argument("--score-only", action="store_true", help="score the samples that are there")
    asked = flags.parse_args(words)
    cells.BENCH, file = asked.work, asked.out / "gpu.json"
    name = torch.cuda.get_device_name() if asked.device == "cuda" and torch.cuda.is_available() else asked.device
    here = {"machine": fingerprint(), "device": name}
    content: dict[str, Any] = here | {"cells": [], "checks": {}, "not_begun": []}
    if file.exists() and (asked.score_only or all(read(file).get(key) == value for key, value in here.items())):
        content = read(file)
    if not asked.score_only:
        for part in made(asked, content):
            write(file, part)  # what was made is kept whatever comes
        write(file, content)
    if not asked.no_scores:
        for part in scored(asked, content):
            write(file, part)
    if asked.out == MEASURED:
        ratios.write_page()
