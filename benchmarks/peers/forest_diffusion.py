"""Flows by boosted trees of the package ForestDiffusion, at its defaults.

References:
    Jolicoeur-Martineau, Fatras, Kachman: Generating and imputing tabular data via diffusion and flow-based
    gradient-boosted trees (2024).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from ForestDiffusion import ForestDiffusionModel

from benchmarks.measure.job import Job, main
from benchmarks.peers.gaps import Gapless


class Flow:
    """A fitted flow over codes."""

    def __init__(self, model: ForestDiffusionModel, gapless: Gapless, columns: list[str], levels: Any) -> None:
        self.model, self.gapless, self.columns, self.levels = model, gapless, columns, levels
        self.about: dict[str, Any] = {"noise_levels": model.n_t, "copies": model.duplicate_K}

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        np.random.seed(seed)  # noqa: NPY002  # the generator it draws from
        drawn = pd.DataFrame(self.model.generate(batch_size=rows), columns=self.columns)
        return self.gapless.decoded(drawn, self.levels)


def fit(job: Job, table: pd.DataFrame) -> Flow:
    gapless = Gapless.of(table, job["kinds"])
    rows, levels = gapless.codes
    columns = list(rows.columns)
    sizes = {columns.index(name): len(known) for name, known in levels.items()}
    whole = [k for k, name in enumerate(columns) if k not in sizes and (rows[name] % 1 == 0).all()]
    model = ForestDiffusionModel(
        rows.to_numpy(dtype=float),
        bin_indexes=[k for k, size in sizes.items() if size <= 2],
        cat_indexes=[k for k, size in sizes.items() if size > 2],
        int_indexes=whole,
        n_jobs=int(job["threads"]),
        seed=int(job["seed"]),
        **job["settings"],
    )
    return Flow(model, gapless, columns, levels)


if __name__ == "__main__":
    main(fit, ["ForestDiffusion", "xgboost"])
