"""Runs of equal events and nearest units: copies are seen, fresh units are not."""

from __future__ import annotations

import numpy as np
import pytest

from synthkit.errors import MetricError
from synthkit.metrics.linked import shared_runs
from synthkit.metrics.linked.nearest_units import nearest_units

RNG = np.random.default_rng


def runs(side):
    """Runs of five events of each unit, by loops."""
    line, owners = side.timeline, list(side.schema.graph.owners)
    found = []
    for unit in range(side.size):
        at = np.flatnonzero(line.unit == unit)
        events = []
        for k in at:
            values = side.values(owners[line.table[k]])[1][line.row[k]]
            gap = line.time[k] - line.time[k - 1] if k > at[0] and line.clock[k] == line.clock[k - 1] else None
            events.append(((line.kind[k], *map(str, values)), gap))
        found.append({(events[j][0], *((e[0], e[1]) for e in events[j + 1 : j + 5])) for j in range(len(events) - 4)})
    return found


def few_values(damaged, seed):
    """Labs of which many are alike, so that runs are shared by chance."""
    return damaged("labs", lambda f: f.assign(value=1.0, at=f.groupby("id").cumcount() * 10.0, test="x"), seed=seed)


def test_shared_runs_are_those_of_loops(compare, damaged):
    c = compare(few_values(damaged, 3), train=few_values(damaged, 1), holdout=few_values(damaged, 2))
    (score,), _ = shared_runs.shared_runs(c, RNG(0))
    known = set().union(*runs(c.known))
    assert score.value == np.mean([bool(r & known) for r in runs(c.drawn)])
    assert score.reference == np.mean([bool(r & known) for r in runs(c.real)])
    assert 0 < score.value < 1
    assert score.parts["units with five events, synthetic"] == np.mean([bool(r) for r in runs(c.drawn)])


def test_copied_histories_are_seen(compare, clinic):
    train = clinic(150, 1)
    (copied,), _ = shared_runs.shared_runs(compare(train.take(np.arange(100)), train=train), RNG(0))
    (fresh,), _ = shared_runs.shared_runs(compare(clinic(130, 3), train=train), RNG(0))
    assert copied.value == copied.parts["units with five events, synthetic"] > 0.6
    assert fresh.high < copied.low
    assert copied.reference < 0.05
    assert copied.goal == "none"  # fewer shared runs than real people have are no merit


def test_no_event_at_all_is_no_score(compare, clinic):
    tables = clinic(130, 3)
    none = tables.take(np.flatnonzero((tables.counts("labs") == 0) & (tables.counts("visits") == 0)))
    assert shared_runs.shared_runs(compare(none, train=none, holdout=none), RNG(0)) == ([], {})


def test_copied_units_are_nearer_to_training_units(compare, clinic):
    train, holdout = clinic(150, 1), clinic(150, 2)
    (copied,), _ = nearest_units(compare(train.take(np.arange(120)), train=train, holdout=holdout), RNG(0))
    (fresh,), _ = nearest_units(compare(clinic(130, 3), train=train, holdout=holdout), RNG(0))
    assert copied.value > 0.9
    assert copied.reference == pytest.approx(0.5, abs=0.17)
    assert fresh.low < 0.5 < fresh.high


def test_few_units_have_no_nearest(compare, clinic):
    with pytest.raises(MetricError, match="needs 20 units a side; however: the smaller side has 12"):
        nearest_units(compare(clinic(130, 3), holdout=clinic(12, 2)), RNG(0))
