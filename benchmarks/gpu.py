"""The cells of ours on one GPU, in one process and one call of under ten minutes; gpu.json holds figures and scores.

Cells are begun while there is time; those that were not are named. Scores need no GPU: with `--no-scores` the samples
stay in the work folder, and `--score-only` adds the scores later, on any machine to which they were brought.

Run: python benchmarks/gpu.py [--device cuda] [--minutes 9] [--quick] [--out FOLDER] [--no-scores | --score-only]
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cells
import ratios
import scoring
import torch
from cells import Cell, Contestant, digest, job, write
from common import HERE
from job import work
from machine import fingerprint
from ours import fit
from sources import code_of

from synthkit._version import __version__
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
    version = f"synthkit {__version__} {code_of(MODELS[model].__module__)}"
    who = Contestant(name=f"{model}@{device}", script="ours.py", version=version, settings=settings)
    return Cell(who=who, table=table, seed=0, threads=os.cpu_count() or 1, rows=QUICK["rows"] if quick else None)


def make(cell: Cell, model: str) -> dict[str, Any]:
    """Fit and sample in this process: a GPU needs seconds to be ready, which a fit should not pay each time."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    content = json.loads(job(cell).read_text(encoding="utf-8")) | {"who": model}
    work(content, fit, ["synthkit"])
    result = json.loads(Path(content["result"]).read_text(encoding="utf-8"))
    memory = torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else 0.0
    return cell.identity() | result | {"synthetic": digest(cell.synthetic), "gpu_peak_mib": round(memory)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=9.0, help="no cell is begun after so many")
    parser.add_argument("--quick", action="store_true", help="few rows, few steps")
    parser.add_argument("--out", type=Path, default=HERE, help="where gpu.json goes")
    parser.add_argument("--work", type=Path, default=cells.BENCH, help="folder of work files")
    parser.add_argument("--only", nargs="+", help="these models only")
    scores = parser.add_mutually_exclusive_group()
    scores.add_argument("--no-scores", action="store_true")
    scores.add_argument("--score-only", action="store_true")
    asked = parser.parse_args()
    start = time.monotonic()
    cells.BENCH = asked.work
    file = asked.out / "gpu.json"
    name = torch.cuda.get_device_name() if asked.device == "cuda" and torch.cuda.is_available() else asked.device
    content: dict[str, Any] = {"machine": fingerprint(), "device": name, "cells": [], "not_begun": []}
    if asked.score_only:
        content = json.loads(file.read_text(encoding="utf-8"))
    chosen = [(m, t) for m, t in ORDER if not asked.only or m in asked.only]
    for model, table in () if asked.score_only else chosen:
        if time.monotonic() - start > 60 * asked.minutes:
            content["not_begun"].append(f"{model} {table}")
            continue
        made = make(cell_of(model, table, asked.device, quick=asked.quick), model)
        content["cells"].append(made)
        print(f"{model} {table}: fit {made['fit']['wall']:.1f} s, {made['sample']}", flush=True)
        write(file, content)  # what was made is kept whatever comes
    write(file, content)
    for made in () if asked.no_scores else content["cells"]:
        model = made["who"].split("@")[0]
        cell = cell_of(model, made["table"], made["device"], quick=made["of_rows"] is not None)
        made["scored"] = scoring.score(cell, asked.work / "scores")
        write(file, content)
    if asked.out == HERE:
        ratios.main()


if __name__ == "__main__":
    main()
