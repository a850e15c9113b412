"""Rare events in one synthetic unit against counting in plain Python."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from synthkit.metrics.linked.attacks.rare_events import rare_event_scores


def events(side):
    """Type and values of every event, as a set by unit."""
    line, owners = side.timeline, list(side.schema.graph.owners)
    found = [set() for _ in range(side.size)]
    for k in range(len(line.unit)):
        values = side.values(owners[line.table[k]])[1][line.row[k]]
        found[line.unit[k]].add((int(line.kind[k]), tuple("" if np.isnan(v) else v for v in values)))
    return found


@pytest.mark.parametrize("copied", [0, 6])
def test_scores_are_the_best_sum_of_one_synthetic_unit(views, copied):
    side = views(copied=copied).sides
    mine, drawn, known = (events(side[name]) for name in ("targets", "synthetic", "reference"))
    people = len(mine) + len(known)
    count = Counter(event for unit in (*mine, *known) for event in unit)
    weight = {event: np.log(people / c) for event, c in count.items() if c <= 2}
    expected = [max(sum(weight.get(e, 0.0) for e in unit & other) for other in drawn) for unit in mine]
    found = rare_event_scores(side["targets"], side["synthetic"], side["reference"])
    np.testing.assert_allclose(found, expected)
    assert (found > 0).any()


def test_rows_scattered_over_units_count_less_than_those_of_one(views):
    """Copies whose rows are dealt out to others keep at most one rare row in one place."""
    here = views(copied=20)
    side, member = here.sides, here.pool.member
    copied = np.flatnonzero(member)[:20]
    whole = rare_event_scores(side["targets"], side["synthetic"], side["reference"])[copied]
    drawn = side["synthetic"].tables
    owner = np.random.default_rng(0).permutation(drawn.owners["visits"])
    labs = np.random.default_rng(1).permutation(drawn.owners["labs"])
    mixed = replace(side["synthetic"], tables=replace(drawn, owners={**drawn.owners, "visits": owner, "labs": labs}))
    apart = rare_event_scores(side["targets"], mixed, side["reference"])[copied]
    assert apart.mean() < 0.8 * whole.mean()


def test_units_without_events_score_nought(views, clinic):
    here = views()
    tables = here.pool.tables
    lonely = np.flatnonzero((tables.counts("visits") == 0) & (tables.counts("labs") == 0))
    side = here.sides
    found = rare_event_scores(side["targets"], side["synthetic"], side["reference"])
    assert not found[lonely].any()
    bare = replace(side["targets"], tables=tables.take(lonely))
    assert not rare_event_scores(bare, bare, bare).any()
