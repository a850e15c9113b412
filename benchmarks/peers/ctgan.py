"""CTGAN and TVAE of the package ctgan, at its defaults.

Its documents ask for tables without missing values. A missing level is therefore a level of its own; a missing number
is the column's mean, and beside the column stands a discrete one that says so, from which the sample gets its gaps.
That is RDT's treatment `from_column`, the one of the two that keeps who lacks a value.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from ctgan import CTGAN, TVAE
from joblib.externals.loky import get_reusable_executor

from benchmarks.measure.job import Job, main

NONE = "(missing)"
FLAG = "{} is missing"


class Plain:
    """A fitted CTGAN or TVAE, and how its table becomes ours again."""

    def __init__(self, model: CTGAN | TVAE, gaps: list[str], columns: list[str]) -> None:
        self.model, self.gaps, self.columns = model, gaps, columns
        self.about: dict[str, Any] = {"numbers_with_a_flag": len(gaps)}

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        self.model.set_random_state(seed)
        drawn = self.model.sample(rows)
        for name in self.gaps:
            drawn[name] = drawn[name].mask(drawn[FLAG.format(name)] == "yes")
        return drawn[self.columns].replace({NONE: None})


def filled(table: pd.DataFrame, kinds: dict[str, str]) -> tuple[pd.DataFrame, list[str], list[str]]:
    """The table without gaps, its discrete columns, and the numbers that had gaps."""
    out = table.copy()
    numbers = [name for name, kind in kinds.items() if kind == "numeric"]
    gaps = [name for name in numbers if table[name].isna().any()]
    for name in numbers:
        values = table[name].astype(float)
        out[name] = values.fillna(values.mean()).fillna(0.0)  # 0: a column without any value has no mean
    discrete = [name for name in table if name not in numbers]
    out[discrete] = out[discrete].fillna(NONE)
    for name in gaps:
        out[FLAG.format(name)] = np.where(table[name].isna(), "yes", "no")
    return out, [*discrete, *(FLAG.format(name) for name in gaps)], gaps


def fit(job: Job, table: pd.DataFrame) -> Plain:
    kind = {"ctgan": CTGAN, "tvae": TVAE}[job["who"].removeprefix("peer-")]
    model = kind(enable_gpu=False, **job["settings"])
    model.set_random_state(int(job["seed"]))
    rows, discrete, gaps = filled(table, job["kinds"])
    model.fit(rows, discrete)
    get_reusable_executor().shutdown(wait=True)  # so that what its workers used is counted
    return Plain(model, gaps, list(table.columns))


if __name__ == "__main__":
    main(fit, ["ctgan", "rdt"])
