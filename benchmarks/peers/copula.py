"""GaussianCopula of the package sdv at its defaults; it takes missing cells as they are."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sdv.metadata import Metadata
from sdv.single_table import GaussianCopulaSynthesizer

from benchmarks.measure.job import Job, main

KINDS = {"numeric": "numerical", "datetime": "datetime"}


class Copula:
    """A fitted copula; sdv draws the same rows each time it is asked, so the seed says nothing here."""

    def __init__(self, model: GaussianCopulaSynthesizer) -> None:
        self.model = model
        self.about: dict[str, Any] = {}

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        return self.model.sample(num_rows=rows)["table"]


def fit(job: Job, table: pd.DataFrame) -> Copula:
    columns = {name: {"sdtype": KINDS.get(kind, "categorical")} for name, kind in job["kinds"].items()}
    metadata = Metadata.load_from_dict({"tables": {"table": {"columns": columns}}})
    model = GaussianCopulaSynthesizer(metadata, **job["settings"])
    model.fit({"table": table})
    return Copula(model)


if __name__ == "__main__":
    main(fit, ["sdv", "rdt"])
