"""A worked metric: rows of one synthetic draw that another row of it repeats, beside the training rows."""

from __future__ import annotations

import numpy as np

from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score
from synthkit.metrics.stats import intervals

REPEATED = "fidelity.repeated_rows"


def repeated_rows(data: EvaluationData, rng: np.random.Generator) -> tuple[list[Score], dict[str, object]]:
    """Share of rows whose learned cells another row of the same table has too; with that of the holdout beside it."""
    del rng
    columns = list(data.schema.learned)
    synthetic, holdout = (table[columns].duplicated(keep=False) for table in (data.synthetic[0], data.holdout))
    at = intervals.wilson(int(synthetic.sum()), len(synthetic))
    note = "Share of the first draw, Wilson interval; the reference is the same share of the holdout."
    score = Score(metric=REPEATED, **at._asdict(), goal="none", reference=float(holdout.mean()), note=note)
    return [score], {}


METRIC = MetricSpec(
    name=REPEATED,
    measure=repeated_rows,
    labels={REPEATED: MetricLabel("Rows that repeat", "Share of rows that another synthetic row repeats.", "share")},
)
