"""How time and memory grow with rows: encode, one epoch, as many rows drawn; and the exponent fitted to it.

census_income_kdd and kddcup99_10pct at 10,000, 100,000 and 1,000,000 rows (draws with repetition beyond the table),
each in a process of its own. What is there from the same machine and code is not measured again.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.contest import ratios
from benchmarks.flags import parser
from benchmarks.json_files import read, write
from benchmarks.measure.cells import environment
from benchmarks.measure.machine import fingerprint
from benchmarks.measure.meter import measured, own_cpu, peak_mib
from benchmarks.measure.sources import code_of
from benchmarks.places import MEASURED
from benchmarks.tables.real_tables import data, schema
from synthkit.models.registry import MODELS
from synthkit.schema.conform import conform
from synthkit.synthesizer.synthesizer import Synthesizer

FILE = MEASURED / "scaling.json"
TABLES: Mapping[str, tuple[str, str]] = {  # schema, file
    "census_income_kdd": ("census_income_kdd", "census_income_kdd/train.parquet"),
    "kddcup99_10pct": ("kddcup99", "kddcup99_10pct/kddcup.parquet"),
}
ROWS = (10_000, 100_000, 1_000_000)
NAMES = ("autoregressive", "ctgan", "tvae", "diffusion")
PARTS = ("encode", "epoch", "sample")
BATCH, WARM = 1000, 500  # rows a step, the same for all; rows of the fit that is not counted


def exponent(rows: Sequence[float], seconds: Sequence[float]) -> float:
    """Slope of log seconds over log rows, least squares; 1 is linear.

    Example:
        >>> round(exponent([10, 100, 1000], [3.0, 30.0, 300.0]), 6), round(exponent([10, 100], [1.0, 100.0]), 6)
        (1.0, 2.0)
    """
    return float(np.polyfit(np.log(rows), np.log(seconds), 1)[0])


def table(name: str, rows: int) -> pd.DataFrame:
    """So many rows of a table, with repetition only where it has fewer."""
    which, file = TABLES[name]
    frame = pd.read_parquet(data(file))
    chosen = np.random.default_rng(rows).choice(len(frame), rows, replace=rows > len(frame))
    return conform(frame.iloc[chosen], schema(which))


def steps(rows: int, batch: int) -> int:
    """Steps of one epoch."""
    return math.ceil(rows / batch)


def warm(name: str, model: str, settings: Mapping[str, Any], device: str) -> None:
    """Fit and sample few rows once, so that imports and first calls are not taken for work that grows."""
    small = Synthesizer(schema(TABLES[name][0]), model, settings={**settings, "steps": 1}, device=device)
    small.fit(table(name, WARM), seed=0).sample(10, seed=0)


def measure(
    name: str, rows: int, model: str, settings: Mapping[str, Any] | None = None, device: str = "cpu"
) -> dict[str, Any]:
    """One line: CPU seconds of encoding (up to the first step), of the epoch and of drawing as many rows.

    What a model does after its last step counts as epoch.
    """
    settings = {"batch_size": BATCH} if settings is None else settings
    warm(name, model, settings, device)
    frame = table(name, rows)
    first: list[float] = []

    def told(step: int, of: int, loss: float) -> None:
        if not first:
            first.append(own_cpu())

    wanted = {"steps": steps(rows, settings["batch_size"]), **settings}
    synthesizer = Synthesizer(schema(TABLES[name][0]), model, settings=wanted, device=device)
    start = own_cpu()
    with measured() as fit:
        synthesizer.fit(frame, seed=0, progress=told)
    begun = (first or [own_cpu()])[0]
    with measured() as sample:
        synthesizer.sample(rows, seed=1)
    return {
        "table": name,
        "model": model,
        "rows": rows,
        "columns": len(synthesizer.schema.learned),
        "encode": round(begun - start, 2),
        "epoch": round(fit["cpu"] - (begun - start), 2),
        "sample": sample["cpu"],
        "sample_wall": sample["wall"],
        "others": max(fit["others"], sample["others"]),
        "peak_mib": peak_mib(),
    }


def apart(name: str, rows: int, model: str, threads: int) -> dict[str, Any]:
    """The same in a process of its own, so that memory is its own."""
    command = [sys.executable, "-P", "-m", "benchmarks", "scaling", "--one", name, str(rows), model]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=environment(threads))
    return {**json.loads(ended.stdout.splitlines()[-1]), "threads": threads}


def exponents(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Fitted exponent of the whole on one thread, by table and model, where at least two sizes are there."""
    out, lines = [], [line for line in lines if line.get("threads", 1) == 1]
    for key in sorted({(line["table"], line["model"]) for line in lines}):
        found = sorted((x for x in lines if (x["table"], x["model"]) == key), key=lambda x: x["rows"])
        if len(found) > 1:
            slope = exponent([x["rows"] for x in found], [sum(x[p] for p in PARTS) for x in found])
            out.append({"table": key[0], "model": key[1], "sizes": len(found), "exponent": round(slope, 4)})
    return out


def identity(line: Mapping[str, Any]) -> tuple[Any, ...]:
    """What two measurements of the same thing have in common."""
    return tuple(line.get(name) for name in ("table", "model", "rows", "threads"))


def fresh(
    model: str, sizes: Sequence[tuple[str, int]], threads: int, known: Mapping[tuple[Any, ...], str]
) -> Iterator[dict[str, Any]]:
    """A line for every table and number of rows that a model's code of today was not measured at.

    Args:
        model: its name.
        sizes: tables and numbers of rows.
        threads: of each process.
        known: digest of the code behind each line that there is.
    """
    code = code_of(MODELS[model].__module__)
    for name, rows in sizes:
        if known.get((name, model, rows, threads)) == code:
            continue
        clock = time.perf_counter()
        new = {**apart(name, rows, model, threads), "code": code}
        print(f"{model} {name} {rows}: {new}, {time.perf_counter() - clock:.0f} s", flush=True)
        yield new


def main(words: Sequence[str] | None = None) -> None:
    """Measure what is asked for, and write it down after each."""
    flags = parser("scaling", __doc__)
    flags.add_argument("--models", nargs="+", default=list(NAMES), metavar="NAME", help=f"{' '.join(NAMES)} by default")
    flags.add_argument("--tables", nargs="+", default=list(TABLES), choices=list(TABLES))
    flags.add_argument("--rows", nargs="+", type=int, default=list(ROWS), metavar="N")
    flags.add_argument("--threads", type=int, default=1, metavar="N", help="of each process; 1 if not given")
    flags.add_argument("--again", action="store_true", help="measure again what is there")
    flags.add_argument("--one", nargs=3, metavar=("TABLE", "ROWS", "MODEL"), help="measure in this process, print JSON")
    asked = flags.parse_args(words)
    if asked.one:
        print(json.dumps(measure(asked.one[0], int(asked.one[1]), asked.one[2])))
        return
    old = read(FILE) if FILE.exists() else {}
    lines = list(old.get("lines", [])) if old.get("machine") == fingerprint() else []
    sizes = [(name, rows) for name in asked.tables for rows in asked.rows]
    known = {} if asked.again else {identity(line): line["code"] for line in lines}
    for model in asked.models:
        for new in fresh(model, sizes, asked.threads, known):
            lines = [*(line for line in lines if identity(line) != identity(new)), new]
            write(FILE, {"machine": fingerprint(), "lines": lines, "exponents": exponents(lines)})
            ratios.write_page()
