"""Known events against sets of facts in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from synthkit.metrics.linked.attacks.known_events import event_facts, known_event_scores, known_facts, overlaps


def plain(facts):
    return [set(facts.indices[facts.indptr[k] : facts.indptr[k + 1]].tolist()) for k in range(facts.shape[0])]


def test_facts_are_types_levels_and_months(clinic, side_of):
    tables = clinic(50, 3)
    (facts,) = event_facts([side_of(tables)])
    visits, labs, codes = (tables.frames[name] for name in ("visits", "labs", "codes"))
    starts = visits.set_index("visit")["start"]
    spread = max(visits["start"].max(), labs["at"].max()) - min(visits["start"].min(), labs["at"].min())

    def month(x):
        return np.floor(x) if spread <= 120 else np.floor(x / spread * 120)

    for unit in range(50):
        here = {name: tables.units[name] == unit for name in ("visits", "labs", "codes")}
        expected = {("v", w, month(s)) for w, s in visits.loc[here["visits"], ["ward", "start"]].to_numpy()}
        expected |= {("l", t, month(s)) for t, s in labs.loc[here["labs"], ["test", "at"]].to_numpy()}
        mine = codes.loc[here["codes"]]
        expected |= {("c", c, month(starts[v])) for c, v in mine[["code", "visit"]].to_numpy()}
        assert len(plain(facts)[unit]) == len(expected)


def test_known_facts_are_some_of_those_that_are_true():
    rng = np.random.default_rng(1)
    facts = sparse.csr_matrix((rng.random((30, 40)) < 0.3).astype(np.float32))
    known = known_facts(facts, 5, rng)
    for mine, every in zip(plain(known), plain(facts), strict=True):
        assert mine <= every
        assert len(mine) == min(5, len(every))
    again = known_facts(facts, 5, np.random.default_rng(2))
    assert plain(again) != plain(known)


def test_overlaps_are_those_of_sets():
    rng = np.random.default_rng(1)
    known, facts = (sparse.csr_matrix((rng.random((n, 40)) < 0.2).astype(np.float32)) for n in (25, 60))
    best, mean = overlaps(known, facts)
    for k, mine in enumerate(plain(known)):
        shared = [len(mine & each) / max(1, len(mine)) for each in plain(facts)]
        assert (best[k], mean[k]) == pytest.approx((max(shared), np.mean(shared)), abs=1e-6)


def test_who_was_copied_scores_highest(views):
    side = views(copied=30).sides
    member = views().pool.member
    scores = known_event_scores(side["targets"], side["synthetic"], side["reference"], np.random.default_rng(0))
    copied = np.flatnonzero(member)[:30]
    busy = np.diff(event_facts([side["targets"]])[0].indptr) >= 5
    assert scores[[k for k in copied if busy[k]]].mean() > scores[~member & busy].mean() + 0.3
