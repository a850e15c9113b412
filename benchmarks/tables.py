"""diabetes130 (split by patient) and support2: fit on one part, score against the other.

Run: python benchmarks/tables.py [--tables diabetes130 support2] [--seeds 1]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from common import data, fit_and_score, line, save, schema

SPLIT = 2026  # seed of the split, the same for every fit
FILES: Mapping[str, str] = {"diabetes130": "diabetic_data.parquet", "support2": "support2.parquet"}
SHARES: Mapping[str, float] = {"diabetes130": 0.67, "support2": 0.63}  # of the units, to fit on


def parts(name: str, *, rows: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and holdout rows of a table; all rows of a unit are on one side.

    Args:
        name: one of FILES.
        rows: look at the first so many rows only; all if not given.
    """
    frame = pd.read_parquet(data(name) / FILES[name])
    frame = frame if rows is None else frame.head(rows)
    unit = schema(name).unit
    owner = np.arange(len(frame)) if unit is None else pd.factorize(frame[unit])[0]
    order = np.random.default_rng(SPLIT).permutation(owner.max() + 1)
    fitted = np.isin(owner, order[: round(SHARES[name] * len(order))])
    return frame[fitted].reset_index(drop=True), frame[~fitted].reset_index(drop=True)


def measure(
    name: str,
    *,
    seeds: int,
    rows: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """One result a seed.

    Args:
        name: one of FILES.
        seeds: how many fits.
        rows: look at the first so many rows only; all if not given.
        settings: of the model; its defaults if not given.
    """
    train, holdout = parts(name, rows=rows)
    results = []
    for seed in range(seeds):
        results.append(fit_and_score(train, holdout, schema(name), seed=seed, settings=dict(settings or {})))
        print(name, line(results[-1]), flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", choices=sorted(FILES), default=sorted(FILES))
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    for name in asked.tables:
        save(name, measure(name, seeds=asked.seeds))


if __name__ == "__main__":
    main()
