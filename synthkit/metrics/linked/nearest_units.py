"""Whether synthetic units lie nearer to training units than to held-out ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import MetricError
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.unit_aggregates import UnitAggregates
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Score
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.distances import DistanceSpace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.result import Scored

MAX_ASKING_UNITS, FEWEST_NEAREST = 2_000, 10


def nearest_units(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Scored:
    """Share of synthetic units whose nearest real unit is a training one, among equal numbers of both.

    Units are their aggregates in all tables; numbers count by their rank among training units. 0.5 if nothing is
    copied; the reference is half of the holdout in place of the synthetic units. A diagnostic of copying, no evidence
    of privacy.

    Raises:
        MetricError: there are too few units.
    """
    size = min(comparison.known.size, comparison.real.size)
    if size < 2 * FEWEST_NEAREST:
        msg = f"a share of nearer units needs {2 * FEWEST_NEAREST} units a side; however: the smaller side has {size}"
        raise MetricError(msg)
    known, real, drawn = (UnitAggregates.of(s) for s in (comparison.known, comparison.real, comparison.drawn))
    space = DistanceSpace.fit(known.with_texts(), known.schema)
    points = [space.coordinates(each.with_texts()) for each in (drawn, known, real)]
    chosen = [_some(points[1], size, rng), _some(points[2], size, rng)]
    nearer = _nearer(space, _some(points[0], MAX_ASKING_UNITS, rng), *chosen)
    held = _some(points[2], len(points[2]), rng)
    half = len(held) // 2
    asking, other = held[:half][:MAX_ASKING_UNITS], held[half:]
    fair = min(len(points[1]), len(other))
    floor = _nearer(space, asking, _some(points[1], fair, rng), _some(other, fair, rng))
    at = intervals.wilson(float(nearer.sum()), len(nearer))
    score = Score(
        metric="copying.nearer_units",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="none",
        reference=float(floor.mean()),
        note="Share of synthetic units whose aggregates lie nearer to a training than to a held-out unit, "
        "equal numbers of both; the reference is that of held-out units. Wilson interval of units.",
    )
    return [score], {}


def _some(points: NDArray[np.float32], most: int, rng: np.random.Generator) -> NDArray[np.float32]:
    return points[rng.permutation(len(points))[:most]]


def _nearer(
    space: DistanceSpace, asking: NDArray[np.float32], known: NDArray[np.float32], other: NDArray[np.float32]
) -> NDArray[np.float64]:
    """1 where the nearest is a known point, 0 where it is another, 1/2 where both are as near. **Shape**: (q,)."""
    a, b = (space.nearest(asking, points, k=1)[0][:, 0] for points in (known, other))
    return np.where(a < b, 1.0, np.where(a > b, 0.0, 0.5))


NEAREST_UNITS_SPEC = LinkedMetricSpec(
    name="copying.nearer_units",
    measure=nearest_units,
    labels={
        "copying.nearer_units": MetricLabel(
            "Nearer to training units",
            "Share of synthetic units nearer to a training than to a held-out unit; 0.5 if nothing is copied.",
            "share",
        ),
    },
)
