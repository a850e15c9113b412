"""Run every metric of linked tables: each with its own random stream, each failure listed, nothing averaged away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from synthkit.metrics.linked.linked_metric_registry import linked_metrics_of
from synthkit.metrics.linked.measured_draws import over_draws
from synthkit.metrics.linked.unit_aggregates import UnitAggregates
from synthkit.metrics.metric import MetricOptions
from synthkit.metrics.result import Failure
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
        comparison: training, holdout and synthetic tables of one schema; of several draws scores are means.
        run: facts about the run to keep with the scores.
        seed: root of the random streams; every metric has its own, so a failure of one changes no other.
        quick: look at 2,000 units of each, without SDMetrics' report; the run block says so.
        workers: metrics measured at a time, each by one core; as many as there are cores if not given.
        progress: called as progress(name, k, n) when k of n metrics are done, with the name of one that is not.
    """
    seeds, whole, known = Seeds(seed), rows_by_table(comparison), known_units(comparison)
    if quick:
        comparison = comparison.sampled(QUICK_LINKED_UNITS, seeds.numpy("quick"))
    chosen = linked_metrics_of(comparison.schema, MetricOptions(quick=quick))
    draws, told = comparison.draws, progress or (lambda name, k, n: None)
    each = [
        all_measured(chosen, draw, seeds, workers or cores(), _part_of(told, k, len(draws)))
        for k, draw in enumerate(draws)
    ]
    done = {name: over_draws([measured[name] for measured in each]) for name in chosen}
    facts = {**(run or {}), "evaluation_seed": seed, "quick": quick, "rows": whole, "known units": known}
    facts["shared rows"] = shared_rows(comparison)
    found = assembled(done, {**facts, "measured": rows_by_table(comparison)})
    return replace(found, failures=(*_not_held_out(known), *found.failures))


def _part_of(told: Callable[[str, int, int], None], draw: int, draws: int) -> Callable[[str, int, int], None]:
    """Progress of one draw as that of all."""

    def part(name: str, k: int, n: int) -> None:
        told(name, draw * n + k, draws * n)

    return part


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


def shared_rows(comparison: LinkedEvaluationData) -> dict[str, JSON]:
    """Numbers of rows of tables that several units have in common, which training and held-out units share."""
    sides = {"real": comparison.train, "synthetic": comparison.synthetic}
    return {side: {name: len(frame) for name, frame in tables.shared.items()} for side, tables in sides.items()}


def rows_by_table(comparison: LinkedEvaluationData) -> dict[str, JSON]:
    """Numbers of rows by side and table; of the synthetic side by draw."""

    def count(tables: LinkedTables) -> dict[str, JSON]:
        return {name: len(frame) for name, frame in tables.frames.items()}

    rows: dict[str, JSON] = {name: count(tables) for name, tables in comparison.by_name.items()}
    return {**rows, "synthetic": [count(tables) for tables in (comparison.synthetic, *comparison.further)]}
