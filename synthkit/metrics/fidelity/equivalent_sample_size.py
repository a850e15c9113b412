"""Equivalent sample size of tables: real rows that would differ from the holdout as much as the synthetic ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.fidelity.distributions import both_sides, tv_mean
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats import intervals, paired_difference
from synthkit.metrics.stats.binning import tuples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData

SAMPLE_SIZES, SMALLEST_SAMPLE, SAMPLED_PAIRS = 8, 20, 200


def equivalent_sample_size(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Number n such that n random training rows differ from the holdout as much as the synthetic rows do.

    Difference is mean two-way total variation. It is measured for eight sizes and interpolated on logarithmic
    scales; a table better than all training rows is worth "at least" that many, which is where the scale ends.

    References:
        The equivalent subsample of SDNist (National Institute of Standards and Technology, 2023).
    """
    binning, columns = comparison.binning, len(comparison.schema.described)
    if columns < 2:
        return [], {}
    chosen = tuples(columns, 2, SAMPLED_PAIRS, rng, drawn=SAMPLED_PAIRS)
    sides = both_sides(comparison, rng)[0]
    holdout, train = binning.codes(comparison.holdout), binning.codes(comparison.train)
    draws = [tv_mean(binning.codes(draw), holdout, binning.sizes, chosen).difference for draw in comparison.synthetic]
    at = paired_difference.over_draws(draws, [sides.units(d) for d in sides.draws], sides.units(comparison.holdout))
    n = train.shape[1]
    sizes = np.unique(np.geomspace(min(SMALLEST_SAMPLE, n), n, SAMPLE_SIZES).round().astype(int))
    order = rng.permutation(n)
    errors = np.array([tv_mean(train[:, order[:k]], holdout, binning.sizes, chosen).difference.value for k in sizes])
    errors = np.minimum.accumulate(errors)
    equivalent = [_size_at_error(error, sizes, errors) for error in (at.value, at.high, at.low)]
    ends = intervals.off_scale(
        intervals.Interval(equivalent[0], min(equivalent), max(equivalent)), float(sizes[0]), float(sizes[-1])
    )
    rows = min(map(len, comparison.synthetic))
    score = Score(
        metric="fidelity.equivalent_sample_size",
        value=ends.value,
        low=ends.low,
        high=ends.high,
        goal="high",
        reference=float(min(rows, n)),
        parts={str(k): float(error) for k, error in zip(sizes, errors, strict=True)},
        note=f"Real rows that would differ from the holdout as much as the {rows} synthetic rows of a draw do "
        f"(mean two-way total variation); the scale ends at the {n} training rows and starts at {sizes[0]}. "
        "Interval: that of the synthetic difference, read off the same curve.",
    )
    panel = {
        "sizes": sizes.tolist(),
        "errors": errors.round(6).tolist(),
        "synthetic_error": at.value,
        "equivalent": ends.value,
        "low": ends.low,
        "high": ends.high,
    }
    return [score], {"sample_size": panel}


def _size_at_error(error: float, sizes: NDArray[np.intp], errors: NDArray[np.float64]) -> float:
    """Size at which the falling curve meets `error`, between its ends."""
    if error <= errors[-1]:
        return float(sizes[-1])
    if error >= errors[0]:
        return float(sizes[0])
    floor = 1e-12
    log_error = np.log(np.maximum(errors[::-1], floor))
    return float(np.exp(np.interp(np.log(max(error, floor)), log_error, np.log(sizes[::-1].astype(float)))))


EQUIVALENT_SAMPLE_SIZE_SPEC = MetricSpec(
    name="fidelity.equivalent_sample_size",
    measure=equivalent_sample_size,
    labels={
        "fidelity.equivalent_sample_size": MetricLabel(
            "Equivalent sample size",
            "Number of real rows whose release would err as much as the synthetic ones.",
            "count",
        ),
    },
)
