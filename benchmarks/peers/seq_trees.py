"""Sequential trees of the package seqtrees, at its defaults: each column by a tree on those before it.

References:
    El Emam, Mosquera, Zheng: Optimizing the synthesis of clinical trial data using sequential trees (2021).
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from seqtrees import SequentialTreeSynthesizer

from benchmarks.measure.job import Job, main
from benchmarks.peers.gaps import Gapless


class Sequential:
    """Fitted trees over codes."""

    def __init__(self, model: SequentialTreeSynthesizer, gapless: Gapless, levels: Any) -> None:
        self.model, self.gapless, self.levels = model, gapless, levels
        self.about: dict[str, Any] = {"depth": model.max_depth}

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        drawn = self.model.sample(rows, random_state=seed, as_dataframe=True)
        return self.gapless.decoded(drawn, self.levels)


def fit(job: Job, table: pd.DataFrame) -> Sequential:
    gapless = Gapless.of(table, job["kinds"])
    rows, levels = gapless.codes
    model = SequentialTreeSynthesizer(
        continuous_columns=[name for name in rows if name not in levels],
        discrete_columns=list(levels),
        n_jobs=int(job["threads"]),
        random_state=int(job["seed"]),
        **job["settings"],
    )
    return Sequential(model.fit(rows), gapless, levels)


if __name__ == "__main__":
    main(fit, ["seqtrees"])
