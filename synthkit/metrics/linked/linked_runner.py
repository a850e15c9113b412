"""Run every metric of linked tables: each with its own random stream, each failure listed, nothing averaged away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from synthkit.errors import MetricError
from synthkit.metrics.linked.attacks.unit_targets import UnitTargets
from synthkit.metrics.linked.linked_metric_registry import linked_metrics_of, metrics_of_all_draws
from synthkit.metrics.linked.measured_draws import over_draws
from synthkit.metrics.linked.unit_aggregates import UnitAggregates
from synthkit.metrics.metric import MetricOptions
from synthkit.metrics.result import Failure
from synthkit.metrics.runner import all_measured, assembled, cores
from synthkit.runtime.seeds import Seeds

if TYPE_CHECKING:
    import numpy as np

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
    """Measure fidelity, utility and risks of synthetic linked tables; as confidential as the real ones.

    Args:
        comparison: training, holdout and synthetic tables of one schema; of several draws scores are means, but those
            of attackers, who take all draws together.
        run: facts about the run to keep with the scores.
        seed: root of the random streams; every metric has its own, so a failure of one changes no other.
        quick: look at 2,000 units of each, without SDMetrics' report; the run block says so.
        workers: metrics measured at a time, each by one core; as many as there are cores if not given.
        progress: called as progress(name, k, n) when k of n metrics are done, with the name of one that is not.
    """
    seeds, whole, known = Seeds(seed), rows_by_table(comparison), known_units(comparison)
    if comparison.pool is None:
        comparison = replace(comparison, pool=_paired(comparison, seeds.numpy("pool")))
    if quick:
        comparison = comparison.sampled(QUICK_LINKED_UNITS, seeds.numpy("quick"))
    chosen = linked_metrics_of(comparison.schema, MetricOptions(quick=quick))
    whole_release = metrics_of_all_draws(comparison.schema, MetricOptions(quick=quick))
    by_draw = {name: metric for name, metric in chosen.items() if name not in whole_release}
    together = {name: metric for name, metric in chosen.items() if name in whole_release}
    rounds = [*((draw, by_draw) for draw in comparison.draws), (comparison, together)]
    each, told = [], _counted(progress, sum(len(metrics) for _, metrics in rounds))
    for k, (draw, metrics) in enumerate(rounds):
        before = sum(len(earlier) for _, earlier in rounds[:k])
        each.append(all_measured(metrics, draw, seeds, workers or cores(), told(before)))
    done = {name: over_draws([measured[name] for measured in each if name in measured]) for name in chosen}
    facts = {**(run or {}), "evaluation_seed": seed, "quick": quick, "rows": whole, "known units": known}
    found = assembled(done, {**facts, "measured": rows_by_table(comparison)})
    return replace(found, failures=(*_not_held_out(known), *found.failures))


def _counted(
    progress: Callable[[str, int, int], None] | None, total: int
) -> Callable[[int], Callable[[str, int, int], None]]:
    """Progress of one round of metrics, before which so many were done, as that of all rounds."""

    def of_round(before: int) -> Callable[[str, int, int], None]:
        def part(name: str, k: int, n: int) -> None:
            if progress is not None:
                progress(name, before + k, total)

        return part

    return of_round


def _paired(comparison: LinkedEvaluationData, rng: np.random.Generator) -> UnitTargets | None:
    """Units to be attacked where somebody else split the tables; none if there are too few."""
    try:
        return UnitTargets.of_tables(comparison.train, comparison.holdout, rng)
    except MetricError:
        return None


def known_units(comparison: LinkedEvaluationData) -> int:
    """Units of the holdout that are training units: the same key, and the same rows as far as aggregates tell."""
    schema = comparison.schema
    key = list(schema.tables[schema.unit].key)
    if not key:
        return 0
    sides = [comparison.known, comparison.real]
    frames = [UnitAggregates.of(side, brief=True).frame.fillna(-1.0) for side in sides]
    keys = [side.tables.frames[schema.unit][key].astype(str).add_prefix("key ") for side in sides]
    both = [pd.concat(each, axis=1) for each in zip(keys, frames, strict=True)]
    return len(both[1].merge(both[0].drop_duplicates(), how="inner"))


def _not_held_out(known: int) -> tuple[Failure, ...]:
    """What is said of a holdout that was trained on."""
    if not known:
        return ()
    reason = f"held-out units must not be trained on; however: {known} have the key and the rows of a training unit. "
    reason += "Take them out: until then every reference flatters, and classifiers tell too little"
    return (Failure(metric="holdout", reason=reason),)


def rows_by_table(comparison: LinkedEvaluationData) -> dict[str, JSON]:
    """Numbers of rows by side and table; of the synthetic side by draw."""

    def count(tables: LinkedTables) -> dict[str, JSON]:
        return {name: len(frame) for name, frame in tables.frames.items()}

    rows: dict[str, JSON] = {name: count(tables) for name, tables in comparison.by_name.items()}
    return {**rows, "synthetic": [count(tables) for tables in (comparison.synthetic, *comparison.further)]}
