"""Ours and theirs on the same machine, cores, seeds and rows: cells, their scores, and the table of targets.

What is there from the same machine, versions and settings is not made again, so that a run can be broken off and
continued. Run: python benchmarks/bench.py [--peers | --ours] [--only WHO ...] [--tables NAME ...] [--seeds 0 1 2]
[--timing] [--again]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from benchmarks.contest import plan
from benchmarks.contest import ratios
from benchmarks.measure import scoring
from benchmarks.contest import table
from benchmarks.measure.cells import Cell, run

TIMING = {"seeds": [0], "threads": 2}  # on a machine that does nothing else


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


SHOWN = {
    "c2st": "fidelity.c2st",
    "lightgbm": "fidelity.c2st_lightgbm",
    "tv2": "fidelity.tv2_train",
    "tv3": "fidelity.tv3_train",
    "shape": "fidelity.shape_train",
    "trend": "fidelity.trend_train",
    "dcr": "copying.dcr_share",
}


def wanted(asked: argparse.Namespace) -> Iterator[Cell]:
    """The cells asked for, in order."""
    if not asked.ours:
        yield from plan.peers(asked.seeds, asked.threads)
    if not asked.peers:
        yield from plan.ours(asked.seeds, asked.threads)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--peers", action="store_true", help="the peers' cells only")
    whose.add_argument("--ours", action="store_true", help="our cells only")
    parser.add_argument("--only", nargs="+", help="these contestants only")
    parser.add_argument("--tables", nargs="+", help="these tables only")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--timing", action="store_true", help="2 threads and seed 0, for times; no scores")
    parser.add_argument("--again", action="store_true", help="make cells again that are there")
    asked = parser.parse_args()
    if asked.timing:
        vars(asked).update(TIMING)
    for cell in wanted(asked):
        if (asked.only and cell.who.name not in asked.only) or (asked.tables and cell.table not in asked.tables):
            continue
        if asked.again or not cell.done():
            print(line(run(cell)), flush=True)
        if not asked.timing and cell.synthetic.exists() and not scoring.done(cell):
            print(scored(scoring.score(cell)), flush=True)
        pages()
    print(pages())


def pages() -> str:
    """Write what is recorded so far into the pages, so that they are true whenever a run is broken off."""
    table.main()
    return ratios.main()


if __name__ == "__main__":
    main()
