"""Our model of linked tables fitted to the members of a database, and how like held-out units what is drawn is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.json_files import read, write
from benchmarks.places import BENCH
from benchmarks.risk.mt_mia_tables import DATABASES, known
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.linked_metric_registry import linked_metrics_of
from synthkit.metrics.result import Score
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.tables.linked_tables import LinkedTables

LIKENESS: Mapping[str, tuple[str, str]] = {  # what is shown, the metric and its score; `unit` and `row` are the tables
    "C2ST units": ("fidelity.unit_c2st", "fidelity.unit_c2st"),
    "C2ST row": ("fidelity.row.row_c2st", "fidelity.row.row_c2st"),
    "owner x row TV": ("fidelity.owner_pairs", "fidelity.owner_pairs_tv"),
    "units, two-way": ("fidelity.unit", "fidelity.unit.tv2"),
    "rows, two-way": ("fidelity.row", "fidelity.row.tv2"),
    "rows a unit KS": ("fidelity.fan_outs", "fidelity.fan_out_ks"),
}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "timeline": {},
    "root of 60 steps": {"root_steps": 60},
    "root of 25 steps, 100 below": {"root_steps": 25, "steps": 100, "dropout": 0.5},
    "root of 15 steps, 60 below": {"root_steps": 15, "steps": 60, "dropout": 0.5},
}  # settings by name


def drawn_by_ours(
    name: str, seed: int, settings: Mapping[str, Any], variant: str
) -> tuple[LinkedTables, dict[str, float]]:
    """As many units as there are members, of a fit to them with so many settings; and how long each took.

    What is drawn is kept among the work files, and not drawn again.
    """
    members, folder = known(name)["mem"], BENCH / "mt_mia" / variant / name / f"seed_{seed}"
    if (folder / "took.json").exists():
        found = {table: pd.read_parquet(folder / f"{table}.parquet") for table in DATABASES[name]}
        return LinkedTables.of(found, members.schema), dict(read(folder / "took.json"))
    folder.mkdir(parents=True, exist_ok=True)
    clock = [time.process_time()]
    fitted = LinkedSynthesizer(members.schema, device="cpu", settings=settings).fit(members, seed=seed)
    clock.append(time.process_time())
    found = fitted.sample(len(members.frames[members.schema.unit]), seed=seed + 1)
    clock.append(time.process_time())
    for table, frame in found.items():
        frame.to_parquet(folder / f"{table}.parquet", index=False)
    took = dict(zip(("fit, CPU s", "draw, CPU s"), np.diff(clock).round(1).tolist(), strict=True))
    write(folder / "took.json", took)
    return LinkedTables.of(found, members.schema), took


def likeness(name: str, drawn: LinkedTables, seed: int) -> dict[str, tuple[float, float]]:
    """How like held-out units some drawn ones are, and how like them members are."""
    sides = known(name)
    unit, row = DATABASES[name]
    comparison = LinkedEvaluationData(train=sides["mem"], holdout=sides["non_mem"], synthetic=drawn)
    metrics = linked_metrics_of(comparison.schema)
    found: dict[str, tuple[float, float]] = {}
    for shown, (metric, wanted) in LIKENESS.items():
        asked, score_name = (_named(text, unit, row) for text in (metric, wanted))
        scores, _ = metrics[asked](comparison, np.random.default_rng(seed))
        score = next(each for each in scores if isinstance(each, Score) and each.metric == score_name)
        found[shown] = (score.value, np.nan if score.reference is None else score.reference)
    return found


def _named(text: str, unit: str, row: str) -> str:
    """A score of the tables `unit` and `row` by their own names."""
    parts = {"unit": unit, "row": row}
    return ".".join(parts.get(part, part) for part in text.split("."))
