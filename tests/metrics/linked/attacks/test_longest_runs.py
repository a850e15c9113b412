"""Longest common runs against a search in plain Python."""

from __future__ import annotations

import itertools

import numpy as np

from synthkit.metrics.linked.attacks.longest_runs import LONGEST_RUN, longest_common_runs, longest_run_scores


def events(side):
    """Type, values and gap of every event, by unit and clock."""
    line, owners = side.timeline, list(side.schema.graph.owners)
    found = [{} for _ in range(side.size)]
    for k in range(len(line.unit)):
        values = side.values(owners[line.table[k]])[1][line.row[k]]
        what = (int(line.kind[k]), tuple("" if np.isnan(v) else v for v in values))
        mine = found[line.unit[k]].setdefault(int(line.clock[k]), [])
        mine.append((what, float(line.time[k])))
    return found


def runs(rows, length):
    for start in range(len(rows) - length + 1):
        part = rows[start : start + length]
        yield (part[0][0], *((b[0], b[1] - a[1]) for a, b in itertools.pairwise(part)))


def longest(mine, others):
    best = 0
    for length in range(1, LONGEST_RUN + 1):
        seen = {run for unit in others for rows in unit.values() for run in runs(rows, length)}
        if any(run in seen for rows in mine.values() for run in runs(rows, length)):
            best = length
    return best


def test_runs_are_those_of_a_search(views):
    side = views(copied=5).sides
    found = longest_common_runs(side["targets"], [side["synthetic"], side["reference"]])
    mine = events(side["targets"])
    for others, lengths in zip(("synthetic", "reference"), found, strict=True):
        theirs = events(side[others])
        assert lengths.tolist()[:25] == [longest(unit, theirs) for unit in mine[:25]]


def test_a_copied_unit_shares_all_its_events(views):
    made = views(copied=5)
    side, member = made.sides, made.pool.member
    found, _ = longest_common_runs(side["targets"], [side["synthetic"], side["reference"]])
    for unit in np.flatnonzero(member)[:5]:
        most = max((len(rows) for rows in events(side["targets"])[unit].values()), default=0)
        assert found[unit] == min(most, LONGEST_RUN)
    scores = longest_run_scores(side["targets"], side["synthetic"], side["reference"], np.random.default_rng(0))
    copied = np.flatnonzero(member)[:5]
    assert scores[copied].mean() > scores[~member].mean() + 1
