"""What a wide table costs: 1,000 columns x 200 rows through init, validate, fit and sample, each a process of its own.

CPU seconds and the largest memory of each process as the operating system counts them, whole processes with all they
import. A small table goes through first, so that modules are compiled, as they are once anything has run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.flags import parser
from benchmarks.json_files import read, write
from benchmarks.measure.machine import fingerprint
from benchmarks.places import MEASURED

FILE = MEASURED / "wide.json"
COLUMNS, ROWS = 1000, 200
SMALL = 50  # columns and rows of the table that goes first
SECONDS, MIB = 60.0, 2048.0  # of all four together; of each
NAMES = ("independent", "autoregressive", "marginal")
KINDS = (*["lab"] * 5, *["count"] * 2, "level", "flag", "day")  # by the last digit of a column's number
STEPS = ("init", "validate", "fit", "sample")
PROGRAM = "from synthkit.cli.app import main; main()"


def table(columns: int, rows: int, seed: int = 0) -> pd.DataFrame:
    """Laboratory values, counts, levels, flags and dates in turn, a tenth of some missing, groups of them related."""
    rng = np.random.default_rng(seed)
    out: dict[str, Any] = {}
    for k in range(columns):
        if k % 10 == 0:  # what the next nine columns have in common
            shared = rng.normal(size=rows)
        own = 0.7 * shared + 0.7 * rng.normal(size=rows)
        if k % 10 < 5:
            cells: Any = np.round(np.exp(1 + 0.5 * own), 2)
        elif k % 10 < 7:
            cells = np.floor(20 * np.exp(0.3 * own))
        elif k % 10 == 7:
            cells = np.array(["low", "middle", "high", "very high"])[np.digitize(own, [-0.7, 0, 0.7])]
        elif k % 10 == 8:
            cells = np.where(own > 0, "yes", "no")
        else:
            cells = (np.datetime64("2020-01-01") + np.floor(100 * np.abs(own)).astype(int)).astype(str)
        if k % 3 == 0:
            cells = np.where(rng.random(rows) < 0.1, None, cells.astype(object))
        out[f"{KINDS[k % 10]}_{k}"] = cells
    return pd.DataFrame(out)


def environment() -> dict[str, str]:
    """Of each process: one thread, and what Python compiles is kept."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {"OMP_NUM_THREADS": "1"} | kept


def spent(words: Sequence[str]) -> tuple[float, float]:
    """CPU seconds of one command with all its threads and children, and the MiB it held at most.

    Raises:
        SystemExit: the command failed; what it said is shown.
    """
    with tempfile.TemporaryFile("w+") as said:
        program = [sys.executable, "-c", PROGRAM, *words]
        child = subprocess.Popen(program, stdout=said, stderr=said, env=environment())
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            sys.exit(f"synthkit {' '.join(words)} ended with {child.returncode}:\n{said.read()}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def steps(model: str, columns: int, rows: int, folder: Path) -> Iterator[tuple[str, float, float]]:
    """Each step of one model: its name, CPU seconds and MiB."""
    frame, file, draft = table(columns, rows), str(folder / "wide.csv"), str(folder / "wide.yaml")
    frame.to_csv(file, index=False)
    fitted, drawn = str(folder / model), str(folder / f"{model}.csv")
    commands: Mapping[str, Sequence[str]] = {
        "init": ["init", file, "-o", draft, "--overwrite", "--quiet"],
        "validate": ["validate", file, "--schema", draft],
        "fit": [
            "fit",
            file,
            "--schema",
            draft,
            "--model",
            model,
            "--seed",
            "1",
            "--out",
            fitted,
            "--quiet",
            "--overwrite",
        ],
        "sample": ["sample", fitted, "--rows", str(rows), "--seed", "1", "--out", drawn, "--quiet", "--overwrite"],
    }
    for step in STEPS:
        yield step, *spent(commands[step])


def measure(model: str, columns: int, rows: int, folder: Path) -> dict[str, Any]:
    """One line: CPU seconds and MiB of each step, for one model."""
    line: dict[str, Any] = {"model": model, "columns": columns, "rows": rows}
    for step, seconds, mib in steps(model, columns, rows, folder):
        line[step] = {"cpu_seconds": round(seconds, 1), "peak_mib": round(mib)}
        print(f"{model:16} {step:9} {seconds:7.1f} CPU s {mib:7.0f} MiB", flush=True)
    line["cpu_seconds"] = round(sum(line[step]["cpu_seconds"] for step in STEPS), 1)
    line["peak_mib"] = max(line[step]["peak_mib"] for step in STEPS)
    line["within"] = line["cpu_seconds"] <= SECONDS and line["peak_mib"] <= MIB
    print(f"{model:16} together  {line['cpu_seconds']:7.1f} CPU s {line['peak_mib']:7} MiB", flush=True)
    return line


def main(words: Sequence[str] | None = None) -> None:
    """Measure the models that are asked for, and keep what came of it beside the lines of the others."""
    flags = parser("wide", __doc__)
    flags.add_argument("--models", nargs="+", default=list(NAMES), choices=NAMES)
    flags.add_argument("--columns", type=int, default=COLUMNS, metavar="N", help=f"{COLUMNS} if not given")
    flags.add_argument("--rows", type=int, default=ROWS, metavar="N", help=f"{ROWS} if not given")
    flags.add_argument("--keep", action="store_true", help="write the figures to wide.json")
    asked = flags.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        for model in asked.models:
            list(steps(model, SMALL, SMALL, Path(folder)))
        lines = [measure(model, asked.columns, asked.rows, Path(folder)) for model in asked.models]
    if asked.keep:
        before = read(FILE)["lines"] if FILE.exists() else []
        kept = [line for line in before if line["model"] not in asked.models]
        limits = {"cpu_seconds": SECONDS, "mib": MIB}
        write(FILE, {"limits": limits, "machine": fingerprint(), "lines": [*kept, *lines]})
