"""One cell: somebody fits a table with a seed, in a process and an environment of its own; one JSON each.

A cell that was made on the same machine with the same versions and settings is not made again.
"""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmarks.json_files import read, write
from benchmarks.measure.machine import fingerprint
from benchmarks.places import BENCH, CELLS, ROOT, SCHEMAS
from benchmarks.tables.real_tables import domain, kinds, parts, plain, schema

if TYPE_CHECKING:
    from benchmarks.measure.lent_codes import Coded

HOURS = 2.0  # of CPU a thread; who needs more has not finished


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """Who fits.

    Args:
        name: as in the results.
        program: what its interpreter is told to run.
        environment: folder of its own under `.bench`; none for ours.
        settings: given to the model; its defaults where not given.
        version: of the package, and of our code.
        coded: whether it takes codes only: it gets our private bins, and its codes are decoded by us.
    """

    name: str
    program: tuple[str, ...]
    version: str
    environment: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    coded: bool = False

    @property
    def python(self) -> str:
        """The interpreter of its environment."""
        return sys.executable if self.environment is None else str(BENCH / self.environment / "bin" / "python")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One fit.

    Args:
        who: the contestant.
        table: one of `real_tables.TABLES`.
        seed: of the fit; the sample has the next one.
        threads: of the process.
        rows: look at the first so many rows of the table only; all if not given.
    """

    who: Contestant
    table: str
    seed: int
    threads: int = 1
    rows: int | None = None

    @property
    def key(self) -> str:
        """Name of its files."""
        return f"{self.who.name}-s{self.seed}-{self.threads}t"

    @property
    def scratch(self) -> Path:
        """Folder of its work files."""
        return BENCH / "scratch" / self.table / self.key

    @property
    def synthetic(self) -> Path:
        """The synthetic table."""
        return self.scratch / "synthetic.parquet"

    def path(self, folder: Path = CELLS) -> Path:
        """Its JSON."""
        return folder / self.table / f"{self.key}.json"

    def identity(self) -> dict[str, Any]:
        """What must be the same for a figure to be the same."""
        return {
            "who": self.who.name,
            "table": self.table,
            "seed": self.seed,
            "threads": self.threads,
            "of_rows": self.rows,
            "version": self.who.version,
            "settings": dict(self.who.settings),
            "machine": fingerprint(),
        }

    def state(self, folder: Path = CELLS) -> str:
        """What is known of it: `made`, `missing`, `failed`, or in what the one that is there is another."""
        path = self.path(folder)
        if not path.exists():
            return "missing"
        found, wanted = read(path), self.identity()
        if found.get("return_code", 0) > 0:
            return "failed"
        others = [key for key in wanted if found.get(key) != wanted[key]]
        return f"of another {', '.join(others)}" if others else "made"

    def done(self, folder: Path = CELLS) -> bool:
        """Whether its JSON is there and says the same of machine, version and settings; an error is tried again."""
        return self.state(folder) == "made"


def digest(path: Path) -> str:
    """Short SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def lent(cell: Cell) -> Coded | None:
    """Our bins of the table, for a contestant that takes codes; bought anew, since nothing of them is kept."""
    if not cell.who.coded:
        return None
    from benchmarks.measure.lent_codes import Coded

    return Coded.bought(parts(cell.table, rows=cell.rows)[0], schema(cell.table), cell.who.settings)


def job(cell: Cell, coded: Coded | None = None) -> Path:
    """Write the training rows and the job; where it is."""
    scratch = cell.scratch.resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    cell.synthetic.unlink(missing_ok=True)
    (scratch / "result.json").unlink(missing_ok=True)
    meaning = schema(cell.table)
    train, _ = parts(cell.table, rows=cell.rows)
    handed = train  # ours also takes identifiers and the unit
    if cell.who.environment is not None:
        handed = plain(train, meaning) if coded is None else coded.codes(train)
    handed.to_parquet(scratch / "table.parquet", index=False)
    content = {
        "table": str(scratch / "table.parquet"),
        "schema": str(SCHEMAS / f"{cell.table}.yaml"),
        "kinds": kinds(meaning),
        "domain": domain(meaning),
        "sizes": [] if coded is None else coded.sizes,
        "who": cell.who.name,
        "seed": cell.seed,
        "rows": len(train),
        "threads": cell.threads,
        "settings": dict(cell.who.settings),
        "scratch": str(scratch),
        "synthetic": str(scratch / "synthetic.parquet"),
        "result": str(scratch / "result.json"),
    }
    write(scratch / "job.json", content)
    return scratch / "job.json"


def environment(threads: int) -> dict[str, str]:
    """Environment variables of a cell: that many threads, whatever library asks."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "LOKY_MAX_CPU_COUNT", "NUMEXPR_NUM_THREADS")
    own = {name: str(threads) for name in names}
    return os.environ | own | {"PYTHONPATH": str(ROOT), "GOMP_SPINCOUNT": "20000", "TQDM_DISABLE": "1"}


def run(cell: Cell, folder: Path = CELLS) -> dict[str, Any]:
    """Make a cell and write its JSON; a contestant that takes too long or fails is recorded as such."""
    coded = lent(cell)
    path = job(cell, coded)
    limit = round(HOURS * 3600 * cell.threads)
    start = time.perf_counter()
    with (cell.scratch / "log.txt").open("w", encoding="utf-8") as log:
        ended = subprocess.run(  # the program is named by us
            [cell.who.python, "-P", *cell.who.program, str(path)],  # -P: nothing is imported from where we are
            check=False,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(cell.threads),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5)),
        )
    result = cell.scratch / "result.json"
    finished = ended.returncode == 0 and result.exists()
    content = cell.identity() | {"finished": finished, "seconds_in_all": round(time.perf_counter() - start, 1)}
    if finished and coded is not None:
        coded.table(pd.read_parquet(cell.synthetic), cell.seed).to_parquet(cell.synthetic, index=False)
    if finished:
        content |= read(result) | {"synthetic": digest(cell.synthetic)}
    else:
        content["return_code"] = ended.returncode  # minus 24 or 9: the CPU time was used up
    write(cell.path(folder), content)
    return content
