"""Energy-based boosted trees of the package nrgboost, at its defaults.

References:
    Bravo: NRGBoost: energy-based generative boosted trees (2024).
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from nrgboost import Dataset, NRGBooster, train

from benchmarks.measure.job import Job, main
from benchmarks.peers.gaps import Gapless


class Energy:
    """A fitted booster; rows are ends of Gibbs chains of 100 steps, its default."""

    def __init__(self, model: NRGBooster, gapless: Gapless, threads: int) -> None:
        self.model, self.gapless, self.threads = model, gapless, threads
        self.about: dict[str, Any] = {}

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        drawn = self.model.sample(rows, seed=seed, num_threads=self.threads)
        return self.gapless.restored(drawn.astype(dict.fromkeys(self.gapless.discrete, object)))


def fit(job: Job, table: pd.DataFrame) -> Energy:
    gapless, threads = Gapless.of(table, job["kinds"]), int(job["threads"])
    rows = gapless.rows.astype(dict.fromkeys(gapless.discrete, "category"))
    model = train(Dataset(rows), {"num_threads": threads, **job["settings"]}, seed=int(job["seed"]))
    return Energy(model, gapless, threads)


if __name__ == "__main__":
    main(fit, ["nrgboost"])
