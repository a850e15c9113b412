"""Run every metric of linked tables: each with its own random stream, each failure listed, nothing averaged away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from synthkit.metrics.linked.linked_metric_registry import linked_metrics_of
from synthkit.metrics.metric import MetricOptions
from synthkit.metrics.runner import all_measured, assembled, cores
from synthkit.runtime.seeds import Seeds

if TYPE_CHECKING:
    from synthkit.io.json_types import JSON
    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.result import Evaluation
    from synthkit.tables.linked_tables import LinkedTables

QUICK_LINKED_UNITS = 2_000  # a side


def evaluate_linked(
    comparison: LinkedEvaluationData,
    *,
    run: Mapping[str, Any] | None = None,
    seed: int = 0,
    quick: bool = False,
    workers: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Evaluation:
    """Measure fidelity, utility and copying of synthetic linked tables; as confidential as the real ones.

    Args:
        comparison: training, holdout and synthetic tables of one schema.
        run: facts about the run to keep with the scores.
        seed: root of the random streams; every metric has its own, so a failure of one changes no other.
        quick: look at 2,000 units of each, without SDMetrics' report; the run block says so.
        workers: metrics measured at a time, each by one core; as many as there are cores if not given.
        progress: called as progress(name, k, n) when k of n metrics are done, with the name of one that is not.
    """
    seeds, whole = Seeds(seed), rows_by_table(comparison)
    if quick:
        comparison = comparison.sampled(QUICK_LINKED_UNITS, seeds.numpy("quick"))
    chosen = linked_metrics_of(comparison.schema, MetricOptions(quick=quick))
    done = all_measured(chosen, comparison, seeds, workers or cores(), progress or (lambda name, k, n: None))
    facts = {**(run or {}), "evaluation_seed": seed, "quick": quick, "rows": whole}
    return assembled(done, {**facts, "measured": rows_by_table(comparison)})


def rows_by_table(comparison: LinkedEvaluationData) -> dict[str, JSON]:
    """Numbers of rows by side and table."""

    def count(tables: LinkedTables) -> dict[str, JSON]:
        return {name: len(frame) for name, frame in tables.frames.items()}

    return {name: count(tables) for name, tables in comparison.by_name.items()}
