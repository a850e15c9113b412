"""People of the made clinic who are attacked: half of them copied into the synthetic tables, or none."""

from __future__ import annotations

import numpy as np
import pytest

from synthkit.metrics.linked.attacks.unit_targets import UnitTargets
from synthkit.metrics.linked.attacks.unit_views import UnitViews
from synthkit.tables.stacked_tables import stacked


@pytest.fixture
def pool(clinic):
    """So many people with a coin each, and a reference of 80."""

    def build(units=120, seed=0):
        rng = np.random.default_rng(seed)
        member, isolated = (rng.permutation(units) < units // 2 for _ in range(2))
        return UnitTargets(tables=clinic(units, 11), reference=clinic(80, 12), member=member, isolated=isolated)

    return build


@pytest.fixture
def views(pool, clinic):
    """What attackers see of them where so many members are copied into 100 fresh synthetic people."""

    def build(copied=0, units=120):
        people, released = pool(units), clinic(100, 13)
        if copied:
            members = people.tables.take(np.flatnonzero(people.member)[:copied])
            released = stacked([released, members])
        return UnitViews(pool=people, released=released, seed=0)

    return build
