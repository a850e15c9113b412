"""Seconds to hold 100,000 rows x 50 columns against a schema, clean and broken; prints JSON."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.flags import parser
from synthkit.schema import Schema
from synthkit.schema.validation import validate

ROWS = 100_000


def table(rows: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Schema]:
    """A table of 50 columns of every kind, with 10 rules between them."""
    cells, columns = {}, {}
    for k in range(20):
        cells[f"lab{k}"] = np.where(rng.random(rows) < 0.1, np.nan, rng.uniform(0, 100, rows).round(2))
        columns[f"lab{k}"] = {"kind": "numeric", "min": 0, "max": 100, "decimals": 2, "nullable": True}
    for k in range(10):
        cells[f"count{k}"] = rng.integers(0, 50, rows)
        columns[f"count{k}"] = {"kind": "numeric", "min": 0, "max": 50, "decimals": 0}
    for k in range(12):
        levels = [f"level{i}" for i in range(k + 2)]
        cells[f"group{k}"] = rng.choice(levels, rows)
        columns[f"group{k}"] = {"kind": "categorical", "levels": levels}
    for k in range(4):
        cells[f"icd{k}"] = rng.choice([f"{i:03}.{i % 10}" for i in range(800)], rows)
        columns[f"icd{k}"] = {"kind": "code", "pattern": r"\d{3}\.\d"}
    first_day = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 999, rows), unit="D")
    for k in range(3):
        cells[f"day{k}"] = first_day + pd.Timedelta(days=k)
        columns[f"day{k}"] = {"kind": "datetime", "min": "2020-01-01", "max": "2024-01-01"}
    cells["id"] = np.arange(rows)
    columns["id"] = {"kind": "identifier", "unique": True}
    rules = [{"rule": "comparison", "left": f"day{k}", "op": "<=", "right": f"day{k + 1}"} for k in range(2)]
    rules += [
        {"rule": "implication", "if": {f"group{k}": {"in": ["level0"]}}, "then": {f"count{k}": {"min": 0}}}
        for k in range(8)
    ]
    return pd.DataFrame(cells), Schema.model_validate({"columns": columns, "rules": rules})


def main(words: Sequence[str] | None = None) -> None:
    """Print one JSON object."""
    parser("validation", __doc__).parse_args(words)
    start = time.perf_counter()
    frame, schema = table(10, np.random.default_rng(0))
    validate(frame, schema)
    first = time.perf_counter() - start
    frame, schema = table(ROWS, np.random.default_rng(0))
    start = time.perf_counter()
    clean = validate(frame, schema)
    seconds = time.perf_counter() - start
    rng = np.random.default_rng(1)
    for name in ("lab0", "count0", "group3", "icd0"):
        column = frame[name].astype(object)
        column[rng.random(ROWS) < 0.3] = 1234.567 if name in ("lab0", "count0") else "strange"
        frame[name] = column
    start = time.perf_counter()
    broken = validate(frame, schema)
    print(
        json.dumps(
            {
                "benchmark": "validation",
                "rows": ROWS,
                "columns": clean.checked.columns,
                "expectations": clean.checked.expectations,
                "clean": {"success": clean.success, "seconds": round(seconds, 2)},
                "broken": {"violations": len(broken.violations), "seconds": round(time.perf_counter() - start, 2)},
                "import_and_first_seconds": round(first, 2),
                "python": platform.python_version(),
                "cores": os.cpu_count(),
            },
            indent=1,
        )
    )
