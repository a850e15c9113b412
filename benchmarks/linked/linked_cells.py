"""One cell of linked tables: somebody fits them with a seed, in a process of its own; or published them."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import subprocess
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.json_files import read, write
from benchmarks.linked import published_baseball
from benchmarks.linked.linked_exchange import graph, plain_tables
from benchmarks.linked.linked_sources import SOURCES, LinkedParts, grouped
from benchmarks.measure import cells
from benchmarks.measure.cells import Cell, environment
from benchmarks.places import MEASURED
from benchmarks.tables.real_tables import data

LINKED = MEASURED / "linked"
LINKED_CELLS, LINKED_SCORES = LINKED / "cells", LINKED / "scores"
PUBLISHED = "published-"  # how the names of those who published their tables begin
PUBLISHED_BASEBALL = {"argn": "TabularARGN", "rtf": "REaLTabFormer", "rctgan": "RC-TGAN", "par": "SDV PAR"}


@dataclass(frozen=True, kw_only=True)
class LinkedCell(Cell):
    """One fit of linked tables; `table` names a source, `rows` are training units, all if not given."""

    @property
    def key(self) -> str:
        """Name of its files; that of a trial with few units says so."""
        return super().key + ("" if self.rows is None else f"-{self.rows}u")

    @property
    def scratch(self) -> Path:
        """Folder of its work files."""
        return cells.BENCH / "scratch" / "linked" / self.table / self.key

    @property
    def synthetic(self) -> Path:
        """Folder of the synthetic tables."""
        return self.scratch / "synthetic"

    @property
    def is_published(self) -> bool:
        """Whether its tables were published by others and nothing is fitted."""
        return self.who.name.startswith(PUBLISHED)

    def path(self, folder: Path = LINKED_CELLS) -> Path:
        """Its JSON."""
        return super().path(folder)

    def state(self, folder: Path = LINKED_CELLS) -> str:
        """What is known of it."""
        return super().state(folder)

    def done(self, folder: Path = LINKED_CELLS) -> bool:
        """Whether its JSON is there and says the same of machine, version and settings."""
        return super().done(folder)

    @property
    def parts(self) -> LinkedParts:
        """Training and held-out units."""
        return _parts(self.table, self.rows)

    def tables(self) -> dict[str, pd.DataFrame]:
        """What was drawn, by table."""
        return {path.stem: pd.read_parquet(path) for path in sorted(self.synthetic.glob("*.parquet"))}


@lru_cache(maxsize=1)
def _parts(table: str, units: int | None) -> LinkedParts:
    return SOURCES[table].parts(units)


def folder_digest(folder: Path) -> str:
    """Short SHA-256 of the files of a folder and their names."""
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        whole.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def linked_job(cell: LinkedCell) -> Path:
    """Write the training tables and the job; where it is."""
    scratch, parts = cell.scratch.resolve(), cell.parts
    shutil.rmtree(scratch, ignore_errors=True)
    (scratch / "tables").mkdir(parents=True)
    train = parts.train
    if cell.who.environment is None:  # ours also takes keys and links, as a user's tables have them
        frames = {**train.frames, **train.references, **train.shared}
    else:
        frames = plain_tables(train)
    for name, frame in frames.items():
        frame.to_parquet(scratch / "tables" / f"{name}.parquet", index=False)
    parts.schema.save(scratch / "schema.yaml")
    content = {
        "tables": {name: str(scratch / "tables" / f"{name}.parquet") for name in frames},
        "schema": str(scratch / "schema.yaml"),
        "graph": graph(parts.schema),
        "who": cell.who.name,
        "seed": cell.seed,
        "units": parts.units,
        "threads": cell.threads,
        "settings": dict(cell.who.settings),
        "scratch": str(scratch),
        "synthetic": str(scratch / "synthetic"),
        "result": str(scratch / "result.json"),
    }
    write(scratch / "job.json", content)
    return scratch / "job.json"


def run_linked(cell: LinkedCell, folder: Path = LINKED_CELLS) -> dict[str, Any]:
    """Make a cell and write its JSON; a contestant that takes too long or fails is recorded as such."""
    content = cell.identity() | (published(cell) if cell.is_published else fitted(cell))
    if content["finished"]:
        content["synthetic"] = folder_digest(cell.synthetic)
    write(cell.path(folder), content)
    return content


def fitted(cell: LinkedCell) -> dict[str, Any]:
    """Fit and draw in a process of its own; what that took, and all of the process."""
    path = linked_job(cell)
    limit, start = round(cells.HOURS * 3600 * cell.threads), time.perf_counter()
    with (cell.scratch / "log.txt").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(  # the program is named by us
            [cell.who.python, "-P", *cell.who.program, str(path)],  # -P: nothing is imported from where we are
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(cell.threads) | {"HF_HUB_OFFLINE": "1"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5)),  # noqa: PLW1509  # no threads
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    whole = {
        "wall": round(time.perf_counter() - start, 1),
        "cpu": round(used.ru_utime + used.ru_stime, 1),
        "peak_mib": round(used.ru_maxrss / 1024),
    }
    result = cell.scratch / "result.json"
    finished = process.returncode == 0 and result.exists()
    content: dict[str, Any] = {"finished": finished, "whole": whole, "hours": cells.HOURS}
    return content | (read(result) if finished else {"return_code": process.returncode})


def published(cell: LinkedCell) -> dict[str, Any]:
    """The tables somebody published, as if they had been drawn; nothing is known of what they took."""
    shutil.rmtree(cell.synthetic, ignore_errors=True)
    cell.synthetic.mkdir(parents=True)
    train, who = cell.parts.train, cell.who.name.removeprefix(PUBLISHED)
    if cell.table == "baseball":
        players, fielding = (published_baseball.table(n) for n in published_baseball.PUBLISHED[PUBLISHED_BASEBALL[who]])
        frames = dict(published_baseball.linked(players, fielding, train.schema).frames)
    else:
        file = data("published_prize_sequential") / f"{who.upper()}_run1.parquet"
        frames = grouped(pd.read_parquet(file))
    for name, frame in frames.items():
        frame.to_parquet(cell.synthetic / f"{name}.parquet", index=False)
    return {"finished": True, "published": True}
