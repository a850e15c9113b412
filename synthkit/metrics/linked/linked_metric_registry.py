"""All metrics of linked tables by name, a line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from synthkit.metrics.linked import (
    contradicted_units,
    drawn_timelines,
    event_transitions,
    fan_outs,
    history_prediction,
    key_integrity,
    multi_table_report,
    nearest_units,
    owner_pairs,
    repeated_values,
    sequence_timing,
    series_memory,
    series_values,
    shared_runs,
    table_alignment,
    table_distributions,
    unit_correlations,
    unit_two_sample,
)
from synthkit.metrics.linked.attacks import unit_attributes, unit_copies, unit_identities, unit_membership
from synthkit.metrics.linked.linked_metric import LinkedMetric, LinkedMetricSpec
from synthkit.metrics.metric import MetricLabel, MetricOptions

if TYPE_CHECKING:
    from synthkit.schema.linked import LinkedSchema

_SPECS = (
    key_integrity.INTEGRITY_SPEC,
    contradicted_units.CONTRADICTIONS_SPEC,
    fan_outs.FAN_OUTS_SPEC,
    table_distributions.TABLES_SPEC,
    owner_pairs.OWNER_PAIRS_SPEC,
    sequence_timing.TIMING_SPEC,
    event_transitions.TRANSITIONS_SPEC,
    series_memory.MEMORY_SPEC,
    series_values.SERIES_VALUES_SPEC,
    repeated_values.REPEATS_SPEC,
    table_alignment.ALIGNMENT_SPEC,
    unit_correlations.UNIT_CORRELATIONS_SPEC,
    shared_runs.SHARED_RUNS_SPEC,
    nearest_units.NEAREST_UNITS_SPEC,
    unit_copies.COPIED_UNITS_SPEC,
    unit_membership.UNIT_MEMBERSHIP_SPEC,
    unit_identities.UNIT_IDENTITY_SPEC,
    unit_identities.HALVES_SPEC,
    unit_attributes.UNIT_ATTRIBUTE_SPEC,
    unit_two_sample.UNIT_C2ST_SPEC,
    unit_two_sample.ROW_C2ST_SPEC,
    history_prediction.HISTORY_SPEC,
    multi_table_report.SDMETRICS_SPEC,
    drawn_timelines.TIMELINES_SPEC,
)
LINKED_METRICS: Mapping[str, LinkedMetricSpec] = {spec.name: spec for spec in _SPECS}


def linked_metrics_of(schema: LinkedSchema, options: MetricOptions | None = None) -> dict[str, LinkedMetric]:
    """The metrics to be measured for a schema of linked tables, by name, in the order of `LINKED_METRICS`."""
    chosen: dict[str, LinkedMetric] = {}
    for spec in LINKED_METRICS.values():
        chosen.update(spec.metrics(schema, options or MetricOptions()))
    return chosen


def metrics_of_all_draws(schema: LinkedSchema, options: MetricOptions | None = None) -> frozenset[str]:
    """Names of those that look at all draws together."""
    specs = [spec for spec in LINKED_METRICS.values() if spec.of_all_draws]
    return frozenset(name for spec in specs for name in spec.metrics(schema, options or MetricOptions()))


def linked_labels() -> dict[str, MetricLabel]:
    """Label and meaning of every score of linked tables, by its name or by the last parts of it."""
    return {name: label for spec in LINKED_METRICS.values() for name, label in spec.labels.items()}
