"""CTGAN and TVAE of the package ctgan, at its defaults.

Its documents ask for tables without missing values; peers/gaps.py says what is done with them.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from ctgan import CTGAN, TVAE
from joblib.externals.loky import get_reusable_executor

from benchmarks.measure.job import Job, main
from benchmarks.peers.gaps import Gapless


class Plain:
    """A fitted CTGAN or TVAE, and how its table becomes ours again."""

    def __init__(self, model: CTGAN | TVAE, gapless: Gapless) -> None:
        self.model, self.gapless = model, gapless
        self.about: dict[str, Any] = {"numbers_with_a_flag": len(gapless.gaps)}

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        self.model.set_random_state(seed)
        return self.gapless.restored(self.model.sample(rows))


def fit(job: Job, table: pd.DataFrame) -> Plain:
    kind = {"ctgan": CTGAN, "tvae": TVAE}[job["who"].removeprefix("peer-")]
    model = kind(enable_gpu=False, **job["settings"])
    model.set_random_state(int(job["seed"]))
    gapless = Gapless.of(table, job["kinds"])
    model.fit(gapless.rows, gapless.discrete)
    get_reusable_executor().shutdown(wait=True)  # so that what its workers used is counted
    return Plain(model, gapless)


if __name__ == "__main__":
    main(fit, ["ctgan", "rdt"])
