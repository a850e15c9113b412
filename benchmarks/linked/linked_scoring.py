"""Scores of the linked tables of a cell, the same code for ours, for peers and for what was published; one JSON each.

Ours: everything `evaluate_linked` measures, SDMetrics' multi-table report among it; rows that break a key or rule;
contradictions. Sources too small to be judged get the counts alone. The prize has its official figures beside ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.json_files import read, write
from benchmarks.linked.linked_cells import LINKED_CELLS, LINKED_SCORES, LinkedCell, folder_digest
from benchmarks.linked.linked_exchange import Completion, handed, plain_columns
from benchmarks.linked.linked_sources import SOURCES
from benchmarks.measure import cells
from synthkit.errors import SchemaError
from synthkit.metrics.linked.key_integrity import breaks
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.linked_runner import evaluate_linked
from synthkit.metrics.linked.linked_side import LinkedSide
from synthkit.metrics.result import Evaluation
from synthkit.schema.linked.validate_linked import validate_linked
from synthkit.tables.contradictions import count_contradictions
from synthkit.tables.linked_tables import LinkedTables

LINKED_SCORING = 2  # to be raised when the same tables would get other scores
OFFICIAL = {"prize_sequential": ("rows", "group_id")}  # rows and their group, of sources with an official figure
WITH_PARTS = ("fidelity.kept_repeats", "fidelity.lag_one", "fidelity.gap_ks", "fidelity.alignment_share")


def path_of(cell: LinkedCell, folder: Path = LINKED_SCORES) -> Path:
    """The JSON of its scores."""
    return folder / cell.table / f"{cell.key}.json"


def is_scored(cell: LinkedCell, folder: Path = LINKED_SCORES, made: Path = LINKED_CELLS) -> bool:
    """Whether the scores are those of the tables the cell tells of."""
    both = path_of(cell, folder), cell.path(made)
    if not all(path.exists() for path in both):
        return False
    found, told = (read(path) for path in both)
    return bool(found["of"] == told.get("synthetic") and found["scoring"] == LINKED_SCORING)


def score_linked(cell: LinkedCell, folder: Path = LINKED_SCORES) -> dict[str, Any]:
    """Measure the tables of a cell and write their scores."""
    clock, source = time.perf_counter(), SOURCES[cell.table]
    content: dict[str, Any] = {
        "of": folder_digest(cell.synthetic),
        "scoring": LINKED_SCORING,
        "who": cell.who.name,
        "table": cell.table,
        "seed": cell.seed,
        "units": cell.parts.units,
        "scores": {},
        "failures": [],
    }
    completion = Completion(cell.parts.train)
    frames = cell.tables()
    if cell.who.environment is not None:
        frames = completion.completed(frames)
    content |= {"cells_moved": completion.moved, "rows_without_owner": completion.lost}
    try:
        drawn = LinkedTables.of(frames, cell.parts.schema)
    except SchemaError as error:  # a key is broken: that is the finding, in words without any value
        content |= {"broken_keys": str(error)}
    else:
        content |= measured_tables(cell, drawn)
        if not source.judged:
            content["violations"] = violations(frames, cell)
    content["versions"] = {name: version(name) for name in ("synthkit", "sdmetrics", "lightgbm")}
    content["seconds"] = round(time.perf_counter() - clock, 1)
    write(path_of(cell, folder), content)
    return content


def measured_tables(cell: LinkedCell, drawn: LinkedTables) -> dict[str, Any]:
    """All figures of tables whose keys can be resolved."""
    source, parts = SOURCES[cell.table], cell.parts
    comparison = LinkedEvaluationData(train=parts.train, holdout=parts.holdout, synthetic=drawn)
    found: dict[str, Any] = {
        "rows": {name: len(frame) for name, frame in drawn.frames.items()},
        "broken": broken(comparison.drawn),
        "broken_real": broken(comparison.real),
        "contradictions": {
            name: count_contradictions(tables).to_dict() for name, tables in (("drawn", drawn), ("real", parts.holdout))
        }
        if parts.schema.contradictions
        else None,
    }
    if source.codes is not None:
        found["codes"] = {
            "tv": codes_tv(comparison.drawn, comparison.real, *source.codes),
            "floor": codes_tv(comparison.known, comparison.real, *source.codes),
        }
    if source.judged:
        found |= judged(evaluate_linked(comparison, seed=cell.seed, workers=1))
    if cell.table in OFFICIAL:
        found["official"] = official(cell, drawn)
    return found


def judged(evaluation: Evaluation) -> dict[str, Any]:
    """Scores as they are kept; parts of those that the tables tell of."""
    return {
        "scores": {
            s.metric: {"value": s.value, "low": s.low, "high": s.high, "reference": s.reference}
            | ({"parts": dict(s.parts)} if s.metric in WITH_PARTS else {})
            for s in evaluation.scores
        },
        "failures": [f"{failure.metric}: {failure.reason}" for failure in evaluation.failures],
    }


def broken(side: LinkedSide) -> dict[str, int]:
    """Rows that break a key, link, order or rule, by table and what was looked at; those that none breaks too."""
    return {f"{table}: {what}": int(rows.sum()) for table, what, rows in breaks(side)}


def violations(frames: Mapping[str, pd.DataFrame], cell: LinkedCell) -> dict[str, int]:
    """What the whole schema finds wrong, domains included: rows by table; the real tables have none."""
    found = validate_linked(frames, cell.parts.schema)
    return {name: sum(max(v.count, 1) for v in each) for name, each in found.violations.items()}


def codes_tv(left: LinkedSide, right: LinkedSide, table: str, column: str, owners: str) -> float:
    """TV of the joint law of a row's code and its owner's, every level that training has told apart."""
    return total_variation(*(_pairs(side, table, column, owners) for side in (left, right)))


def _pairs(side: LinkedSide, table: str, column: str, owners: str) -> NDArray[np.int64]:
    above = side.levels(side.schema.graph.owners[table], owners)[side.owners(table)]
    return side.levels(table, column).astype(np.int64) * 1_000_003 + above


def total_variation(left: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """Half the sum of the differences of shares.

    Example:
        >>> total_variation(np.array([0, 0, 1, 1]), np.array([1, 1, 1, 2]))
        0.5
    """
    codes, at = np.unique(np.concatenate([left, right]), return_inverse=True)
    shares = [np.bincount(x, minlength=len(codes)) / max(len(x), 1) for x in (at[: len(left)], at[len(left) :])]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def official(cell: LinkedCell, drawn: LinkedTables) -> dict[str, Any] | None:
    """The prize's own figures, by its own package in an environment of its own; none where that is not there."""
    python = cells.BENCH / "qa" / "bin" / "python"
    if not python.exists():
        return None
    table, key = OFFICIAL[cell.table]
    scratch = cell.scratch.resolve() / "official"
    scratch.mkdir(parents=True, exist_ok=True)
    job: dict[str, Any] = {"key": key, "seed": cell.seed + 1, "scratch": str(scratch)}
    for name, tables in (("synthetic", drawn), ("training", cell.parts.train), ("holdout", cell.parts.holdout)):
        rows = plain_columns(tables.frames[table], handed(tables.schema, table))
        rows.insert(0, key, tables.frames[table][key].astype(str).to_numpy())
        rows.to_parquet(scratch / f"{name}.parquet", index=False)
        job[name] = str(scratch / f"{name}.parquet")
    job["result"] = str(scratch / "result.json")
    write(scratch / "job.json", job)
    with (scratch / "log.txt").open("w", encoding="utf-8") as log:
        ended = subprocess.run(
            [python, "-P", "-m", "benchmarks.peers.sequence_accuracy", str(scratch / "job.json")],
            check=False,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": str(cells.ROOT), "HF_HUB_OFFLINE": "1"},
        )
    if ended.returncode:
        return None
    return dict(json.loads((scratch / "result.json").read_text(encoding="utf-8")))
