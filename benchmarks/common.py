"""What the benchmarks share: real tables, one fit-and-score, results as JSON beside the scripts."""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "20000")  # before torch, as in the command

import pandas as pd

from synthkit.evaluate import Comparison, evaluate
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.table import obeying
from synthkit.synthesizer import Synthesizer

HERE = Path(__file__).parent
SCHEMAS = HERE.parent / "schemas"


def data(name: str) -> Path:
    """Folder of a real table; SYNTHKIT_DATA says where the tables are."""
    root = os.environ.get("SYNTHKIT_DATA")
    if root is None:
        sys.exit("set SYNTHKIT_DATA to the folder of the tables; benchmarks/README.md says where each comes from")
    return Path(root) / name


def schema(name: str) -> Schema:
    """A shipped schema."""
    return Schema.load(SCHEMAS / f"{name}.yaml")


def fit_and_score(
    train: pd.DataFrame, holdout: pd.DataFrame, meaning: Schema, *, seed: int, settings: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Fit on train, sample as many rows, score against the holdout; figures as plain numbers."""
    train, holdout = conform(train, meaning), conform(holdout, meaning)
    synthesizer = Synthesizer(meaning, settings=settings or {})
    clock = time.perf_counter()
    synthesizer.fit(train, seed=seed)
    fitted = time.perf_counter() - clock
    synthesizer.sample(1000, seed=seed)  # the first call also warms caches
    clock = time.perf_counter()
    synthetic = synthesizer.sample(len(train), seed=seed + 1)
    sampled = time.perf_counter() - clock
    many = synthesizer.sample(100_000, seed=seed + 2)
    broken = int((~obeying(conform(many, meaning), meaning)).sum())
    clock = time.perf_counter()
    comparison = Comparison(train=train, holdout=holdout, synthetic=(conform(synthetic, meaning),), schema=meaning)
    measured = evaluate(comparison, seed=seed)
    log = synthesizer.log
    return {
        "seed": seed,
        "rows": len(train),
        "columns": len(meaning.learned),
        "fit_seconds": round(fitted, 1),
        "steps": log.steps if log else 0,
        "best_step": log.best_step if log else 0,
        "validation_nats": min(log.validation) if log and log.validation else None,
        "sample_rows_per_second": round(len(train) / sampled),
        "rows_breaking_a_rule_of_100000": broken,
        "evaluate_seconds": round(time.perf_counter() - clock, 1),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "scores": {
            s.metric: {"value": s.value, "low": s.low, "high": s.high, "reference": s.reference}
            for s in measured.scores
        },
        "failures": [f.metric for f in measured.failures],
    }


def save(name: str, results: list[dict[str, Any]]) -> None:
    """Write results beside the scripts."""
    import torch

    machine = {
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
    }
    path = HERE / f"{name}.json"
    path.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n", encoding="utf-8")
    for result in results:
        print(line(result))


def line(result: dict[str, Any]) -> str:
    """The figures that matter, in one line."""
    scores = result["scores"]
    get = lambda metric: scores.get(metric, {}).get("value", float("nan"))  # noqa: E731
    gaps = {m: round(s["value"], 4) for m, s in scores.items() if m.endswith(".gap")}
    return (
        f"seed {result['seed']}: fit {result['fit_seconds']} s ({result['steps']} steps, best {result['best_step']}), "
        f"{result['sample_rows_per_second']:,} rows/s, c2st {get('fidelity.c2st'):.4f} / lightgbm "
        f"{get('fidelity.c2st_lightgbm'):.4f}, tv3_train {get('fidelity.tv3_train'):.4f}, "
        f"dcr {get('copying.dcr_share'):.4f}, gaps {gaps}, broken {result['rows_breaking_a_rule_of_100000']}"
    )
