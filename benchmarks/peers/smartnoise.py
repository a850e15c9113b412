"""AIM and MST of smartnoise-synth on codes, from the noise on as they are; their own coding of columns is not used.

The job's table holds codes and `sizes` how many each column has, so that both get our private bins for nothing and
their whole budget for tables. Rows are drawn one by one from the fitted model (`method="sample"`): the default of mbi
1.1.0 lays children of one parent out in the order of their rows, so that siblings rise together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from mbi import Dataset, Domain
from snsynth.aim import AIMSynthesizer
from snsynth.mst import MSTSynthesizer
from snsynth.utils import cdp_rho

from benchmarks.measure.job import Job, main


class Graphical:
    """A fitted graphical model over codes."""

    def __init__(self, fitted: AIMSynthesizer | MSTSynthesizer, columns: list[str]) -> None:
        self.fitted, self.columns = fitted, columns
        self.about: dict[str, Any] = {"tables": len(fitted.synthesizer.cliques)}

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        np.random.seed(seed)  # noqa: NPY002  # the generator it draws from
        drawn = self.fitted.synthesizer.synthetic_data(rows=rows, method="sample")
        if isinstance(self.fitted, MSTSynthesizer):
            drawn = self.fitted.undo_compress_fn(drawn)
        return drawn.df[self.columns].astype("int64")


def fit(job: Job, table: pd.DataFrame) -> Graphical:
    settings = dict(job["settings"])
    epsilon, delta = float(settings.pop("epsilon")), float(settings.pop("delta"))
    np.random.seed(int(job["seed"]))  # noqa: NPY002
    columns = list(table.columns)
    data = Dataset(table.to_numpy(), Domain(columns, [int(k) for k in job["sizes"]]))
    if job["who"].startswith("peer-mst"):
        fitted = MSTSynthesizer(epsilon=epsilon, delta=delta)
        fitted.MST(data, epsilon, delta)
    else:
        fitted = AIMSynthesizer(epsilon=epsilon, delta=delta, **settings)
        fitted.rho = cdp_rho(epsilon, delta)
        fitted.AIM(data, fitted.get_workload(data, fitted.degree, fitted.max_cells))
    return Graphical(fitted, columns)


if __name__ == "__main__":
    main(fit, ["smartnoise-synth", "mbi"])
