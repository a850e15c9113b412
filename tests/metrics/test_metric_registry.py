"""The registry: every score has one label at its metric, and other distributions add metrics by entry points."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest
from installed import install

from synthkit.errors import ConfigError
from synthkit.metrics import metric_registry
from synthkit.metrics.linked.linked_metric_registry import LINKED_METRICS
from synthkit.metrics.metric import MetricLabel, MetricOptions, MetricSpec
from synthkit.metrics.metric_registry import METRICS, installed_metrics, labels, metrics_of
from synthkit.metrics.runner import evaluate
from synthkit.report.labels import name
from synthkit.report.view_model import page_data
from synthkit.schema import Schema

MEDIANS = """
from synthkit.errors import MetricError
from synthkit.metrics.linked.linked_metric_registry import LINKED_METRICS
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score


def medians(comparison, rng):
    column = "age"
    real, made = (float(each[column].median()) for each in (comparison.holdout, comparison.synthetic[0]))
    gap = abs(real - made)
    note = "Interval: that of the sign test is left to readers."
    ends = {"value": gap, "low": 0.0, "high": gap + 1}
    return [Score(metric="fidelity.medians", goal="low", reference=0.0, note=note, **ends)], {}


def unlucky(comparison, rng):
    raise MetricError("a metric must be lucky; however: it was not")


MEDIANS = MetricSpec(
    name="fidelity.medians",
    measure=medians,
    labels={"fidelity.medians": MetricLabel("Medians", "How far the medians of age are apart.")},
)
UNLUCKY = MetricSpec(name="fidelity.unlucky", measure=unlucky, labels={})
FUNCTION = medians
GREEDY = MetricSpec(name="fidelity.greedy", measure=medians, labels={"fidelity.tv2": MetricLabel("Mine", "Mine.")})
TARGET = MetricSpec(name="utility.died", measure=medians, labels={})
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Installs a distribution whose entry points name metrics of one module."""
    monkeypatch.syspath_prepend(tmp_path)

    def build(**points):
        named = {key.replace("__", "."): f"made_metrics:{value}" for key, value in points.items()}
        install(tmp_path, "made-metrics", modules={"made_metrics": MEDIANS}, entry_points={"synthkit.metrics": named})
        importlib.invalidate_caches()
        return tmp_path

    labels.cache_clear()
    yield build
    sys.modules.pop("made_metrics", None)
    labels.cache_clear()


def test_scores_are_labelled_once_and_at_their_metric():
    every = [key for spec in (*METRICS.values(), *LINKED_METRICS.values()) for key in spec.labels]
    assert len(every) == len(set(every))
    assert set(labels()) == set(every)
    for spec in (*METRICS.values(), *LINKED_METRICS.values()):
        for label in spec.labels.values():
            assert label.label
            assert label.meaning.endswith(".")


def test_a_metric_of_another_distribution_is_measured_and_labelled_and_changes_no_score_of_ours(
    plugin, compare, law, schema
):
    ours = Schema(columns=schema.columns, targets=schema.targets[:1], rules=schema.rules)
    comparison = compare(law(300, 3), train=law(300, 1), holdout=law(300, 2), schema=ours)
    before = {s.metric: s for s in evaluate(comparison, quick=True).scores}
    plugin(fidelity__medians="MEDIANS", fidelity__unlucky="UNLUCKY")
    found = evaluate(comparison, quick=True)
    real, made = (float(each["age"].median()) for each in (comparison.holdout, comparison.synthetic[0]))
    after = {s.metric: s for s in found.scores}
    assert after.pop("fidelity.medians").value == abs(real - made)
    assert after == before
    assert [f.reason for f in found.failures if f.metric == "fidelity.unlucky"] == [
        "a metric must be lucky; however: it was not"
    ]
    assert list(found.run["seconds"])[-2:] == ["fidelity.medians", "fidelity.unlucky"]
    page = json.dumps(page_data(found, ledger=None, schema=comparison.schema))
    assert '"Medians"' in page
    assert "How far the medians of age are apart." in page
    assert "it was not" in page


def test_a_saved_evaluation_is_labelled_in_a_process_of_its_own(plugin):
    site = plugin(fidelity__medians="MEDIANS")
    code = f"import sys; sys.path.insert(0, {str(site)!r})\nfrom synthkit.report.labels import name\n"
    code += "print(name('fidelity.medians').label, name('fidelity.tv2').label)\nassert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "Medians Two-way tables\n"


def test_a_metric_that_is_not_installed_keeps_its_dotted_name():
    assert name("fidelity.medians") == MetricLabel("fidelity.medians", "")


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"fidelity__tv2": "FUNCTION"}, r"MetricSpec of its own name; however: `fidelity.tv2` is a function"),
        ({"fidelity__other": "MEDIANS"}, r"`fidelity.other` is a metric called `fidelity.medians`"),
        ({"fidelity__columns": "MEDIANS"}, r"made-metrics \(made_metrics:MEDIANS\) offers `fidelity.columns`"),
        ({"fidelity__greedy": "GREEDY"}, r"metric `fidelity.greedy` labels `fidelity.tv2`, which has a label"),
    ],
)
def test_what_cannot_be_added_is_refused(plugin, points, message):
    plugin(**points)
    with pytest.raises(ConfigError, match=message):
        installed_metrics()


def test_a_metric_cannot_take_the_name_of_that_of_a_target(plugin, schema):
    plugin(utility__died="TARGET")
    with pytest.raises(ConfigError, match=r"`utility\.died` is given twice, once by `utility\.died`"):
        metrics_of(schema)


def test_an_evaluation_asks_for_what_is_installed_before_it_measures(plugin, compare, law):
    plugin(fidelity__tv2="FUNCTION")
    with pytest.raises(ConfigError, match="Let it point to a MetricSpec"):
        evaluate(compare(law(100, 3)))


def test_a_spec_stands_in_a_section_and_measures_one_way():
    with pytest.raises(ValueError, match="must begin with one of fidelity"):
        MetricSpec(name="luck", labels={}, measure=lambda comparison, rng: ([], {}))
    with pytest.raises(ValueError, match="either `measure` or `for_schema`"):
        MetricSpec(name="fidelity.luck", labels={})
    assert MetricSpec(name="membership", labels={}, measure=lambda c, r: ([], {})).section == "privacy risk"


def test_quick_leaves_out_what_takes_long(schema, monkeypatch):
    slow = MetricSpec(name="fidelity.slow", labels={}, measure=lambda c, r: ([], {}), in_quick=False)
    monkeypatch.setattr(metric_registry, "METRICS", {"fidelity.slow": slow})
    assert list(metrics_of(schema)) == ["fidelity.slow"]
    assert metrics_of(schema, MetricOptions(quick=True)) == {}
