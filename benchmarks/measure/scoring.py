"""Scores of the synthetic table of a cell, the same code for ours and for peers; one JSON each.

Ours: everything `synthkit.evaluate` measures, and a distance attack. SDMetrics: its quality report with all pairs
counted, and its detection with XGBoost against the training rows, as published tables have it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.json_files import read, write
from benchmarks.measure.cells import Cell, digest
from benchmarks.places import CELLS, SCORES
from benchmarks.tables.real_tables import kinds, parts, plain, schema
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.fidelity.classifier_two_sample import c2st
from synthkit.metrics.runner import evaluate, one_thread
from synthkit.metrics.stats.distances import DistanceSpace
from synthkit.metrics.stats.intervals import auc
from synthkit.schema import Identifier, Schema
from synthkit.schema.clamp import clamp

SCORING = 2  # to be raised when the same rows would get other scores
MOST = 5_000  # members and others that are attacked
SDTYPES = {"numeric": "numerical", "datetime": "datetime"}


def path_of(cell: Cell, folder: Path = SCORES) -> Path:
    """The JSON of its scores."""
    return folder / cell.table / f"{cell.key}.json"


def done(cell: Cell, folder: Path = SCORES, cells: Path = CELLS) -> bool:
    """Whether the scores are those of the synthetic table the cell tells of."""
    both = path_of(cell, folder), cell.path(cells)
    if not all(path.exists() for path in both):
        return False
    found, made = (read(path) for path in both)
    return bool(found["of"] == made.get("synthetic") and found["scoring"] == SCORING)


def completed(learned: pd.DataFrame, meaning: Schema) -> tuple[pd.DataFrame, dict[str, int]]:
    """The schema's table: identifiers are running numbers, numbers the nearest admissible; and how many were moved.

    Peers do not make identifiers and most know no bounds or decimals; a user who has the schema would round too.
    """
    frame = learned.reset_index(drop=True)
    for name, column in meaning.columns.items():
        if isinstance(column, Identifier) or name == meaning.unit:
            frame[name] = np.arange(1, len(frame) + 1).astype(str)
    return clamp(frame[list(meaning.columns)], meaning)


def attack(comparison: EvaluationData, rng: np.random.Generator) -> dict[str, float]:
    """AUC of telling training rows from holdout rows by their distance to the nearest synthetic row; 0.5 is ideal.

    The standard error is that of equal distributions, sqrt((n + m + 1) / 12 n m).
    """
    size = min(len(comparison.train), len(comparison.holdout), MOST)
    asked = [
        frame.iloc[np.sort(rng.choice(len(frame), size, replace=False))]
        for frame in (comparison.train, comparison.holdout)
    ]
    space = DistanceSpace.fit(pd.concat(asked, ignore_index=True), comparison.schema)
    points = space.coordinates(comparison.synthetic[0])
    near = np.concatenate([space.nearest(space.coordinates(frame), points, 1)[0][:, 0] for frame in asked])
    return membership(near, np.repeat([True, False], size))


def numbers_only(comparison: EvaluationData, rng: np.random.Generator) -> float | None:
    """C2ST on the numeric columns alone; none where there are fewer than two."""
    meaning = comparison.schema
    columns = {name: meaning.columns[name] for name, kind in kinds(meaning).items() if kind == "numeric"}
    if len(columns) < 2:
        return None
    alone = replace(comparison, schema=Schema(columns=columns))
    with one_thread():
        scores, _ = c2st(alone, rng)
    return scores[0].value


def membership(near: NDArray[np.floating[Any]], member: NDArray[np.bool_]) -> dict[str, float]:
    """AUC of "the nearer, the likelier a member", and its standard error.

    Example:
        >>> membership(np.array([0.1, 0.2, 0.3, 0.4]), np.array([True, True, False, False]))["auc"]
        1.0
    """
    n, m = int(member.sum()), int((~member).sum())
    return {"auc": float(auc(-near.astype(float), member)), "se": float(np.sqrt((n + m + 1) / (12 * n * m)))}


def sdmetrics(train: pd.DataFrame, synthetic: pd.DataFrame, meaning: Schema) -> dict[str, float]:
    """SDMetrics' own figures against the training rows.

    Its detection cannot take rows with a level that no training row has; they are left out and counted. Its report
    counts strongly related pairs only unless it is told otherwise; here all of them count.
    """
    from sdmetrics.reports import QualityReport
    from sdmetrics.single_table.detection.sklearn import ScikitLearnClassifierDetectionMetric
    from xgboost import XGBClassifier

    class XGBoostDetection(ScikitLearnClassifierDetectionMetric):
        @staticmethod
        def _get_classifier() -> XGBClassifier:
            return XGBClassifier(eval_metric="logloss", enable_categorical=True, random_state=0, n_jobs=1)

    real, made = plain(train, meaning), plain(synthetic, meaning)
    known = seen(real, made, meaning)
    columns = {name: {"sdtype": SDTYPES.get(kind, "categorical")} for name, kind in kinds(meaning).items()}
    tables = {"tables": {"table": {"columns": columns}}}
    report = QualityReport()
    report.real_correlation_threshold = report.real_association_threshold = 0.0
    report.generate({"table": real}, {"table": made}, tables, verbose=False)
    properties = report.get_properties().set_index("Property")["Score"]
    return {
        "quality": float(report.get_score()),
        "shape": float(properties["Column Shapes"]),
        "trend": float(properties["Column Pair Trends"]),
        "xgboost_detection": float(XGBoostDetection.compute(real, made[known], {"columns": columns})),
        "rows_its_detection_cannot_take": int((~known).sum()),
    }


def seen(real: pd.DataFrame, made: pd.DataFrame, meaning: Schema) -> NDArray[np.bool_]:
    """Rows of `made` whose every level, missing being one, some row of `real` has. **Shape**: (n,)."""
    levels = [name for name, kind in kinds(meaning).items() if kind not in SDTYPES]
    known = [made[name].isin(real[name].unique()).to_numpy() for name in levels]
    return np.logical_and.reduce([np.ones(len(made), dtype=bool), *known])


def score(cell: Cell, folder: Path = SCORES) -> dict[str, Any]:
    """Measure the synthetic table of a cell and write its scores."""
    meaning = schema(cell.table)
    train, holdout = parts(cell.table, rows=cell.rows)
    synthetic, moved = completed(pd.read_parquet(cell.synthetic), meaning)
    clock = time.perf_counter()
    comparison = EvaluationData(train=train, holdout=holdout, synthetic=(synthetic,), schema=meaning)
    measured = evaluate(comparison, seed=cell.seed)
    content = {
        "of": digest(cell.synthetic),
        "scoring": SCORING,
        "who": cell.who.name,
        "table": cell.table,
        "seed": cell.seed,
        "rows": len(train),
        "columns": len(meaning.learned),
        "cells_moved": moved,
        "scores": {
            s.metric: {"value": s.value, "low": s.low, "high": s.high, "reference": s.reference}
            for s in measured.scores
        },
        "logistic": {
            s.metric: s.parts["logistic regression"]
            for s in measured.scores
            if s.metric.endswith((".trtr", ".tstr")) and "logistic regression" in s.parts
        },
        "generalisation": measured.panels.get("generalisation"),
        "failures": [f.metric for f in measured.failures],
        "attack": attack(comparison, np.random.default_rng(cell.seed)),
        "numbers": {"c2st": numbers_only(comparison, np.random.default_rng(cell.seed))},
        "sdmetrics": sdmetrics(train, synthetic, meaning),
        "versions": {name: version(name) for name in ("synthkit", "sdmetrics", "xgboost-cpu", "lightgbm")},
        "seconds": round(time.perf_counter() - clock, 1),
    }
    write(path_of(cell, folder), content)
    return content
