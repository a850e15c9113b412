"""Adversarial random forests of the package arfpy, at its defaults.

References:
    Watson, Blesch, Kapar, Wright: Adversarial random forests for density estimation and generative modeling (2023).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from arfpy.arf import arf

from benchmarks.measure.job import Job, main
from benchmarks.peers.gaps import Gapless


class Forest:
    """A fitted forest with its densities."""

    def __init__(self, model: arf, gapless: Gapless) -> None:
        self.model, self.gapless = model, gapless
        self.about: dict[str, Any] = {"rounds": len(model.acc), "accuracy": float(model.acc[-1])}

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        np.random.seed(seed)  # noqa: NPY002  # the generator it draws from
        drawn = self.model.forge(rows)
        return self.gapless.restored(drawn.astype(dict.fromkeys(self.gapless.discrete, object)))


def fit(job: Job, table: pd.DataFrame) -> Forest:
    gapless = Gapless.of(table, job["kinds"])
    np.random.seed(int(job["seed"]))  # noqa: NPY002
    rows = gapless.rows.astype(dict.fromkeys(gapless.discrete, "category"))
    model = arf(x=rows, verbose=False, random_state=int(job["seed"]), n_jobs=int(job["threads"]), **job["settings"])
    model.forde()
    return Forest(model, gapless)


if __name__ == "__main__":
    main(fit, ["arfpy", "scikit-learn"])
