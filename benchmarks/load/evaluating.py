"""Seconds and memory of a whole evaluation: 50,000 rows trained on, as many synthetic, 10,000 held out; 30 columns.

People of census_income_kdd at random, other people in the part of synthetic rows, three targets (yes or no, many
classes, a number) and three secrets; quick, whole, and whole with five draws of synthetic rows, each in a process of
its own, on all cores.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.flags import parser
from benchmarks.json_files import write
from benchmarks.measure.machine import fingerprint
from benchmarks.measure.meter import measured
from benchmarks.pages import rewrite
from benchmarks.places import MEASURED, PAGE, ROOT
from benchmarks.tables.real_tables import data, schema
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.runner import cores, evaluate
from synthkit.schema import Schema
from synthkit.schema.conform import conform

OUT = MEASURED / "evaluating.json"
START, END = "<!-- evaluating -->", "<!-- /evaluating -->"
TRAIN, SYNTHETIC, HOLDOUT, COLUMNS = 50_000, 50_000, 10_000, 30
TARGETS = (
    {"column": "income_50k", "task": "binary", "positive": "50000+"},
    {"column": "marital_stat", "task": "multiclass"},
    {"column": "age", "task": "regression"},
)
SECRETS = ("income_50k", "capital_gains", "tax_filer_stat")
LONGEST, MOST = 480.0, 6 * 1024  # seconds and MiB a whole evaluation may take
QUICKEST = 45.0  # seconds of a quick one
KINDS = {"quick": 1, "whole": 1, "five draws": 5}


def narrowed() -> Schema:
    """Thirty columns: what is asked for, numbers, then others in their order; without rules."""
    whole = schema("census_income_kdd").model_dump(mode="json", by_alias=True, exclude_none=True)
    wanted = [t["column"] for t in TARGETS] + list(SECRETS) + whole["quasi_identifiers"]
    numbers = [name for name, column in whole["columns"].items() if column["kind"] == "numeric" and name != "unknown"]
    chosen = list(dict.fromkeys([*wanted, *numbers, *(name for name in whole["columns"] if name != "unknown")]))[
        :COLUMNS
    ]
    whole["columns"] = {name: column for name, column in whole["columns"].items() if name in chosen}
    whole["protected"] = [name for name in whole["protected"] if name in chosen]
    whole |= {"targets": list(TARGETS), "secrets": list(SECRETS), "rules": []}
    return Schema.model_validate(whole)


def people(meaning: Schema, draws: int) -> EvaluationData:
    """Members, non-members, and draws of other people, who may be in several draws but are in neither of the former."""
    frame = pd.read_parquet(data("census_income_kdd/train.parquet"), columns=list(meaning.columns))
    rng = np.random.default_rng(0)
    frame = conform(frame.iloc[rng.permutation(len(frame))], meaning)
    others = np.arange(TRAIN + HOLDOUT, len(frame))
    drawn = tuple(frame.iloc[rng.choice(others, SYNTHETIC, replace=False)] for _ in range(draws))
    return EvaluationData(
        train=frame.iloc[:TRAIN], holdout=frame.iloc[TRAIN : TRAIN + HOLDOUT], synthetic=drawn, schema=meaning
    )


def measure(kind: str) -> dict[str, Any]:
    """One evaluation in this process: seconds on the wall, of the CPU and by metric, memory, what failed."""
    comparison = people(narrowed(), KINDS[kind])
    with measured() as took:
        evaluation = evaluate(comparison, seed=0, quick=kind == "quick")
    return {
        **took,
        "metrics": dict(sorted(evaluation.run["seconds"].items(), key=lambda kv: -kv[1])),
        "scores": len(evaluation.scores),
        "failures": {each.metric: each.reason for each in evaluation.failures},
        "membership": evaluation.panels["membership"]["verdict"],
        "seed": 0,
    }


def markdown(found: Mapping[str, Any]) -> str:
    """What each kind of evaluation takes, and which metrics take longest."""
    out = ["| | " + " | ".join(KINDS) + " |", "|---" * (len(KINDS) + 1) + "|"]
    for label, key in (("seconds", "wall"), ("CPU seconds", "cpu"), ("peak memory, MiB", "peak_mib")):
        out.append(f"| {label} | " + " | ".join(f"{found[kind][key]:,.0f}" for kind in KINDS) + " |")
    out.append(f"| may take | {QUICKEST:.0f} s |" + f" {LONGEST:.0f} s, {MOST:,} MiB |" * 2)
    for name in list(found["whole"]["metrics"])[:12]:
        each = [found[kind]["metrics"].get(name) for kind in KINDS]
        out.append(f"| `{name}`, s | " + " | ".join("–" if x is None else f"{x:.1f}" for x in each) + " |")
    return (
        "\n".join(out)
        + f"\n\nOn {found['cores']} cores; metrics run beside each other, so their seconds add up to more."
    )


def main(words: Sequence[str] | None = None) -> None:
    """Measure each kind in a process of its own, and write what it took into the page."""
    flags = parser("evaluating", __doc__)
    flags.add_argument("--one", choices=list(KINDS), help="measure this kind in this process, and print it as JSON")
    asked = flags.parse_args(words)
    if asked.one:
        print(json.dumps(measure(asked.one)))
        return
    found: dict[str, Any] = {"machine": fingerprint(), "cores": cores()}
    for kind in KINDS:
        command = [sys.executable, "-m", "benchmarks", "evaluating", "--one", kind]
        ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        found[kind] = json.loads(ended.stdout.splitlines()[-1])
        print(f"{kind}: {found[kind]['wall']:.0f} s, {found[kind]['peak_mib']:,} MiB", flush=True)
    write(OUT, found)
    rewrite(PAGE, markdown(found), START, END)
