"""AIM, MST and PrivBayes of the package dpmm, with its own coding and accounting, at its defaults.

A tenth of epsilon goes to its bins of numbers (PrivTree), as it would by default, and the rest to the model, so that
both together are the epsilon of the cell. Bounds and levels are the schema's, which are public. What it reads off the
rows beside that costs it nothing: which columns have gaps, which have but one value, and a real value that stands in a
gap.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from dpmm.pipelines import AIMPipeline, MSTPipeline, PrivBayesPipeline

from benchmarks.measure.job import Job, main

KINDS = {"aim": AIMPipeline, "mst": MSTPipeline, "privbayes": PrivBayesPipeline}
BINS = 0.1  # share of epsilon that its bins cost


class Pipeline:
    """A fitted pipeline."""

    def __init__(self, fitted: Any, columns: list[str]) -> None:
        self.fitted, self.columns = fitted, columns
        self.about: dict[str, Any] = {"bins": {name: int(many) for name, many in fitted.proc.bin_domain.items()}}

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        return self.fitted.generate(n_records=rows, random_state=seed)[self.columns]


def fit(job: Job, table: pd.DataFrame) -> Pipeline:
    settings = dict(job["settings"])
    epsilon, delta = float(settings.pop("epsilon")), float(settings.pop("delta"))
    name = job["who"].split("@")[0].removeprefix("peer-dpmm-")
    share = {"epsilon": (1 - BINS) * epsilon, "proc_epsilon": BINS * epsilon, "delta": delta}
    fitted = KINDS[name](**share, n_jobs=int(job["threads"]), **settings)
    fitted.fit(table, domain=dict(job["domain"]), random_state=int(job["seed"]))
    return Pipeline(fitted, list(table.columns))


if __name__ == "__main__":
    main(fit, ["dpmm", "opendp"])
