"""Many small runs in one process: how much memory each leaves behind."""

from __future__ import annotations

import gc
import time
from pathlib import Path

import numpy as np
import psutil

from benchmarks.stress.corpus import SCHEMA, table

WARM = 20  # runs before the slope is taken: caches fill


def run(work: Path, *, runs: int, until: float) -> dict[str, float]:
    """Fit, draw, evaluate and save, over and over; the slope of the memory by least squares, in percent a run."""
    from synthkit import RunConfig, synthesize
    from synthkit.schema import Schema

    schema, frame, process, taken = Schema(**SCHEMA), table(), psutil.Process(), []
    for number in range(runs):
        if time.monotonic() > until:
            break
        made = synthesize(frame, schema, seed=number, config=RunConfig(model="independent", quick=True))
        made.save(work / "run", overwrite=True)
        del made
        gc.collect()
        taken.append(process.memory_info().rss)
    rest = np.array(taken[min(WARM, len(taken) // 2) :], dtype=float)
    slope = np.polyfit(np.arange(len(rest)), rest, 1)[0] / rest.mean()
    return {
        "runs": len(taken),
        "first_mib": taken[0] / 2**20,
        "last_mib": taken[-1] / 2**20,
        "percent_a_run": 100 * float(slope),
    }
