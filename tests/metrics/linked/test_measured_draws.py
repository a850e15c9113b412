"""Scores over several draws of linked tables: means of what each draw scores, intervals by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthkit.errors import TableError
from synthkit.metrics.linked import linked_metric_registry
from synthkit.metrics.linked.linked_metric import LinkedMetricSpec
from synthkit.metrics.linked.linked_runner import evaluate_linked
from synthkit.metrics.linked.measured_draws import mean_of_scores, over_draws
from synthkit.metrics.metric import MetricLabel
from synthkit.metrics.result import Failure, Score
from synthkit.metrics.runner import Measurement


def score(value: float, reach: float = 0.1, **more: object) -> Score:
    told = {"metric": "fidelity.x", "goal": "low", "note": "Interval: made up.", **more}
    return Score(value=value, low=value - reach, high=value + reach, **told)


def test_of_one_draw_nothing_changes():
    assert mean_of_scores([score(0.3)]) == score(0.3)
    measured = Measurement([score(0.3)], {"p": [1]}, 0.1)
    assert over_draws([measured]) is measured


def test_an_interval_covers_the_mean_of_all_draws_at_its_level():
    """Real units shift all draws alike, synthetic ones each by itself: simulated a thousand times."""
    rng, hits = np.random.default_rng(1), 0
    for _ in range(1000):
        real, own = rng.normal(0, 0.3), rng.normal(0, 0.2, 4)
        each = [score(5 + real + x, 1.96 * np.hypot(0.3, 0.2)) for x in own]
        mean = mean_of_scores(each)
        hits += mean.low <= 5 <= mean.high
    assert 0.945 <= hits / 1000 <= 0.995


def test_ends_parts_and_references():
    one = score(0.02, 0.02, parts={"a": 1.0, "b": 4.0}, reference=0.1)
    mean = mean_of_scores([one, score(0.3, 0.1, parts={"a": 3.0}, reference=0.3)])
    assert (mean.value, mean.low, mean.reference) == (0.16, 0.0, pytest.approx(0.2))  # never below nought
    assert mean.parts == {"a": 2.0, "b": 4.0}
    assert mean.note == "Interval: made up. Mean of 2 draws."
    below = mean_of_scores([score(0.02), score(0.3)])
    assert below.low < 0  # where one draw's interval is, too


def test_a_failure_says_how_many_draws_it_befell():
    failed = Failure(metric="fidelity.y", reason="too few")
    made = over_draws([Measurement([score(1.0), failed], {"p": [1]}, 1.0), Measurement([score(3.0)], {"p": [2]}, 1.0)])
    assert made.found[0].value == 2.0
    assert made.found[1].reason == "too few (in 1 of 2 draws)"
    assert (made.panels, made.seconds) == ({"p": [1]}, 2.0)
    assert over_draws([Measurement([failed], {}, 1.0)] * 2).found == [failed]


def test_every_draw_is_measured_beside_the_same_real_units(compare, clinic, monkeypatch):
    """Rows of `labs` in each draw, counted without the runner."""

    def rows(comparison, rng):
        many = len(comparison.synthetic.frames["labs"])
        return [score(float(many), 1.0 + rng.random())], {"rows": [many]}

    spec = LinkedMetricSpec(name="fidelity.x", measure=rows, labels={"fidelity.x": MetricLabel("Rows", "Rows.")})
    monkeypatch.setattr(linked_metric_registry, "LINKED_METRICS", {"fidelity.x": spec})
    draws = [clinic(60, seed) for seed in (3, 4, 5)]
    told: list[tuple[int, int]] = []
    data = replace(compare(draws[0]), further=tuple(draws[1:]))
    found = evaluate_linked(data, workers=1, progress=lambda name, k, n: told.append((k, n)))
    many = [len(draw.frames["labs"]) for draw in draws]
    assert found.scores[0].value == pytest.approx(np.mean(many))
    assert found.panels == {"rows": many[:1]}
    assert [each["labs"] for each in found.run["rows"]["synthetic"]] == many
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert [len(d.frames["people"]) for d in (data.sampled(20, np.random.default_rng(1)).further)] == [20, 20]


def test_a_further_draw_of_one_unit_is_refused(compare, clinic):
    with pytest.raises(TableError, match=r"the synthetic \(2\) tables must have at least two units; however: 1"):
        replace(compare(clinic(60, 3)), further=(clinic(60, 4).take(np.array([0])),))
