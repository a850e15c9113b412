"""Cells that are made and scored where they are not there yet, each told in a line."""

from __future__ import annotations

from typing import Any

from benchmarks.measure import scoring
from benchmarks.measure.cells import Cell, run

SHOWN = {
    "c2st": "fidelity.c2st",
    "lightgbm": "fidelity.c2st_lightgbm",
    "tv2": "fidelity.tv2_train",
    "tv3": "fidelity.tv3_train",
    "tv3 to holdout": "fidelity.tv3",
    "G2": "membership.generalisation_gap_tv2",
    "G3": "membership.generalisation_gap_tv3",
    "one column": "fidelity.c2st_one_column",
    "pair gain": "fidelity.two_column_gain",
    "shape": "fidelity.shape_train",
    "trend": "fidelity.trend_train",
    "dcr": "copying.dcr_share",
}


def line(content: dict[str, Any]) -> str:
    """A cell in one line."""
    head = f"{content['table']} {content['who']} seed {content['seed']}"
    if not content["finished"]:
        return f"{head}: not finished (return code {content['return_code']})"
    fit, sample = content["fit"], content["sample"]
    rate = sample["rows"] / max(sample["cpu"], 1e-9)
    return (
        f"{head}: fit {fit['cpu']:.0f} CPU s ({fit['wall']:.0f} s, others {fit['others']:.2f}), "
        f"{rate:,.0f} rows/CPU s, {sample['peak_mib']} MiB"
    )


def scored(content: dict[str, Any]) -> str:
    """Scores of a cell in one line."""
    scores, theirs = content["scores"], content["sdmetrics"]
    parts = [f"{name} {scores[metric]['value']:.4f}" for name, metric in SHOWN.items() if metric in scores]
    gaps = [f"{m.split('.')[1]} {s['value']:+.4f}" for m, s in scores.items() if m.endswith(".gap")]
    return f"  {', '.join(parts)}, gaps {', '.join(gaps)}, XGBoost {theirs['xgboost_detection']:.3f}"


def listed(cell: Cell) -> str:
    """What is known of a cell, in one line: whether it is made, or of another version, machine or settings."""
    return f"{cell.table} {cell.key}: {cell.state()}"


def make(cell: Cell, *, again: bool = False, scores: bool = True) -> None:
    """Make a cell and its scores, unless they are there, and print what came of it.

    Args:
        cell: which.
        again: make it even if it is there.
        scores: whether its sample is scored.
    """
    if again or not cell.done():
        print(line(run(cell)), flush=True)
    if scores and cell.synthetic.exists() and not scoring.done(cell):
        print(scored(scoring.score(cell)), flush=True)
