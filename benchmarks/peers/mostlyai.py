"""mostlyai-engine at its defaults, to its own stop, value protection off.

Every column has the encoding its kind says: numbers TABULAR_NUMERIC_AUTO, dates TABULAR_DATETIME, all others
TABULAR_CATEGORICAL. Missing cells are left as they are. With `epsilon` and `delta` among the settings it trains with
differential privacy, at its own noise multiplier and until that epsilon is used up; since value protection is off, the
levels and ranges it reads off the rows cost it nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mostlyai import engine

from benchmarks.measure.job import Job, main

ENCODINGS = {"numeric": "TABULAR_NUMERIC_AUTO", "datetime": "TABULAR_DATETIME"}


class Engine:
    """A fitted workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        progress = pd.read_csv(folder / "ModelStore" / "model-data" / "progress-messages.csv")
        self.about: dict[str, Any] = {"epochs": float(progress["epoch"].max())}

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        engine.set_random_state(seed)
        engine.generate(sample_size=rows, workspace_dir=self.folder)
        return pd.read_parquet(self.folder / "SyntheticData")


def fit(job: Job, table: pd.DataFrame) -> Engine:
    folder = Path(job["scratch"]) / "workspace"
    engine.set_random_state(int(job["seed"]))
    encodings = {name: ENCODINGS.get(kind, "TABULAR_CATEGORICAL") for name, kind in job["kinds"].items()}
    engine.split(table, workspace_dir=folder, tgt_encoding_types=encodings)
    engine.analyze(value_protection=False, workspace_dir=folder)
    engine.encode(workspace_dir=folder)
    settings = dict(job["settings"])
    if "epsilon" in settings:
        budget = {"max_epsilon": settings.pop("epsilon"), "delta": settings.pop("delta")}
        settings["differential_privacy"] = budget
    engine.train(workspace_dir=folder, **settings)
    return Engine(folder)


if __name__ == "__main__":
    main(fit, ["mostlyai-engine"])
