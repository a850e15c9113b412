"""All metrics by name: our own, a line each, and those that other distributions add."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from synthkit.errors import ConfigError
from synthkit.metrics.attacks import (
    attribute_inference,
    generalisation_gap,
    identity_disclosure,
    membership_inference,
)
from synthkit.metrics.copying import copied_people, copied_rows
from synthkit.metrics.fidelity import (
    associations,
    classifier_two_sample,
    distributions,
    equivalent_sample_size,
    telling_pairs,
    validity,
)
from synthkit.metrics.linked.linked_metric_registry import linked_labels
from synthkit.metrics.metric import Metric, MetricLabel, MetricOptions, MetricSpec, Need
from synthkit.metrics.utility import subgroups, train_synthetic_test_real
from synthkit.runtime.plugins import plugins

if TYPE_CHECKING:
    from synthkit.schema import Schema

METRIC_PLUGINS = "synthkit.metrics"


def _by_name(*specs: MetricSpec) -> Mapping[str, MetricSpec]:
    return {spec.name: spec for spec in specs}


METRICS: Mapping[str, MetricSpec] = _by_name(
    distributions.COLUMNS_SPEC,
    distributions.PAIRS_SPEC,
    distributions.TRIPLES_SPEC,
    associations.ASSOCIATIONS_SPEC,
    validity.MISSINGNESS_SPEC,
    validity.RULES_SPEC,
    validity.RANGES_SPEC,
    validity.LEVELS_SPEC,
    equivalent_sample_size.EQUIVALENT_SAMPLE_SIZE_SPEC,
    telling_pairs.TELLING_PAIRS_SPEC,
    classifier_two_sample.C2ST_SPEC,
    copied_people.COPIED_PEOPLE_SPEC,
    copied_rows.MATCHES_SPEC,
    copied_rows.DISTANCES_SPEC,
    copied_rows.VERBATIM_SPEC,
    membership_inference.MEMBERSHIP_SPEC,
    generalisation_gap.GENERALISATION_GAP_SPEC,
    identity_disclosure.IDENTITY_SPEC,
    identity_disclosure.LINKABILITY_SPEC,
    classifier_two_sample.C2ST_LIGHTGBM_SPEC,
    subgroups.SUBGROUPS_SPEC,
    attribute_inference.ATTRIBUTE_SPEC,
    train_synthetic_test_real.UTILITY_SPEC,
)


def installed_metrics() -> dict[str, MetricSpec]:
    """Metrics of other installed distributions: their entry points in the group `synthkit.metrics`, by name.

    Raises:
        ConfigError: a name or a label is taken, or an entry point is no `MetricSpec` of its own name.
    """
    found: dict[str, MetricSpec] = {}
    taken = {*_labels(METRICS.values()), *linked_labels()}
    for name, spec in plugins(METRIC_PLUGINS, METRICS).items():
        if not isinstance(spec, MetricSpec) or spec.name != name:
            what = f"a metric called `{spec.name}`" if isinstance(spec, MetricSpec) else f"a {type(spec).__name__}"
            msg = f"an entry point in `{METRIC_PLUGINS}` must be a MetricSpec of its own name; however: `{name}` is "
            raise ConfigError(f"{msg}{what}. Let it point to a MetricSpec with `name={name!r}`")
        again = sorted(taken & set(spec.labels))
        if again:
            msg = f"a score must be labelled once; however: the metric `{name}` labels `{again[0]}`, which has a label"
            raise ConfigError(f"{msg}. Rename the score, or uninstall what adds the metric")
        taken |= set(spec.labels)
        found[name] = spec
    return found


def metrics_of(schema: Schema, options: MetricOptions | None = None) -> dict[str, Metric]:
    """The metrics to be measured for a schema, by name: ours in the order of `METRICS`, then those that are installed.

    Args:
        schema: its secrets and targets have a metric each.
        options: what is asked for; a whole evaluation if not given.

    Raises:
        ConfigError: an installed metric cannot be used, or its name is that of another.
    """
    labels.cache_clear()  # what is installed is looked up again whenever an evaluation starts
    chosen: dict[str, Metric] = {}
    for spec in (*METRICS.values(), *installed_metrics().values()):
        if not all(_is_there(need, schema) for need in spec.needs):
            continue
        for name, metric in spec.metrics(schema, options or MetricOptions()).items():
            if name in chosen:
                msg = f"a metric must have a name of its own; however: `{name}` is given twice, once by `{spec.name}`"
                raise ConfigError(f"{msg}. Rename it, or uninstall what adds it")
            chosen[name] = metric
    return chosen


@cache
def labels() -> Mapping[str, MetricLabel]:
    """Label and meaning of every score, of one table or of linked ones, by its name or by the last parts of it.

    Raises:
        ConfigError: an installed metric cannot be used.
    """
    return {**linked_labels(), **_labels([*METRICS.values(), *installed_metrics().values()])}


def _labels(specs: Iterable[MetricSpec]) -> dict[str, MetricLabel]:
    return {name: label for spec in specs for name, label in spec.labels.items()}


def _is_there(need: Need, schema: Schema) -> bool:
    if need == "lightgbm":
        return find_spec("lightgbm") is not None
    return any(column in schema.described for column in schema.protected)
