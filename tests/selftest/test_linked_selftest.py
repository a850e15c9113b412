"""Linked people of the selftest are copied as they are said to be, and answers are wrong where the truth is another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from linked_twins import PATIENT_TWINS

from synthkit.metrics.linked.attacks import longest_runs
from synthkit.selftest import linked_leaks
from synthkit.selftest.linked_leaks import linked_canary, linked_copies
from synthkit.selftest.linked_people import (
    FEWEST_ROWS,
    MOST_ROWS_EACH,
    LinkedExperiment,
    linked_people,
    under_others,
)

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def here():
    return LinkedExperiment.of(RNG(0), patients=200, copied=10, fresh=50)


def rows_of(tables, name, units):
    """Cells of the rows of each unit, without keys."""
    frame = tables.frames[name].drop(columns="patient")
    return [tuple(map(tuple, frame[tables.units[name] == unit].to_numpy())) for unit in units]


def test_people_are_valid_and_have_as_many_rows_as_is_said():
    tables = linked_people(300, RNG(1))
    assert tables.validation is None or tables.validation.ok
    for name in ("visits", "labs"):
        many = np.bincount(tables.units[name], minlength=300)
        assert many.min() >= FEWEST_ROWS
        assert many.max() <= MOST_ROWS_EACH


def test_labs_depend_on_the_patient_and_costs_on_nothing():
    tables = linked_people(3_000, RNG(2))
    for name, column, low, high in (("labs", "value", 0.7, 0.9), ("visits", "cost", -0.06, 0.06)):
        values = tables.frames[name][column].groupby(tables.units[name])
        first, second = values.nth(0).to_numpy(), values.nth(1).to_numpy()
        assert low < np.corrcoef(first, second)[0, 1] < high


def test_members_are_copied_whole_by_their_rows_or_not_at_all(here):
    pool, released = here.split.pool, here.released
    units = np.arange(len(released.frames["patients"]))
    drawn = {name: set(rows_of(released, name, units)) for name in ("patients", "visits", "labs")}
    for who, own, below in ((here.whole, True, True), (here.rows, False, True), (here.neither, False, False)):
        assert pool.member[who].all()
        assert all((rows in drawn["patients"]) is own for rows in rows_of(pool.tables, "patients", who))
        for name in ("visits", "labs"):
            assert all((rows in drawn[name]) is below for rows in rows_of(pool.tables, name, who))
    assert not pool.member[here.outside].any()
    assert len(here.whole) + len(here.rows) + len(here.neither) + len(here.outside) == len(pool.member)


def test_a_release_of_fresh_people_copies_nobody():
    none = LinkedExperiment.of(RNG(0), patients=200, copied=0, fresh=50)
    assert len(none.whole) == len(none.rows) == 0
    assert len(none.released.frames["patients"]) == 50
    assert len(none.comparison().synthetic.frames["patients"]) == 50


def test_rows_under_others_are_the_same():
    tables = linked_people(20, RNG(3))
    moved = under_others(tables, RNG(4))
    units = range(20)
    assert rows_of(moved, "labs", units) == rows_of(tables, "labs", units)
    assert set(rows_of(moved, "patients", units)).isdisjoint(rows_of(tables, "patients", units))


def wrong(answers):
    return {answer.what for answer in answers if not answer.holds}


def test_answers_are_wrong_where_nobody_is_copied(monkeypatch):
    """The same people, of whom it is said that some are copied."""
    made = LinkedExperiment.of

    def uncopied(rng, **sizes):
        return replace(made(rng, **sizes), released=linked_people(200, rng))

    monkeypatch.setattr(LinkedExperiment, "of", uncopied)
    missed = wrong(linked_copies(RNG(0)))
    assert {
        "copied whole, all events in one run",
        "copied by rows, known events found",
        "copied whole, AUC by profiles",
        "copied by rows, AUC by rare events",
        "people copied, of those trained on",
        "isolated and found again, members",
        "halves linked, excess, lower end",
        "verdict",
        "excess of a secret in another table",
    } <= missed


def test_a_run_that_is_cut_short_is_a_wrong_answer(monkeypatch):
    monkeypatch.setattr(longest_runs, "LONGEST_RUN", 2)
    assert "copied whole, all events in one run" in wrong(linked_copies(RNG(0)))


@pytest.mark.parametrize("twin", ["rows are clipped", "fan-out not clipped", "bound of the data"])
def test_the_canary_catches_what_lets_all_its_rows_through(twin):
    assert wrong(linked_canary(RNG(0), PATIENT_TWINS[twin]))


def test_a_clip_of_rows_lets_the_canary_through(monkeypatch):
    by_rows = linked_leaks.StackedCounts.clipped

    def clipped(self, tables):
        return by_rows(self, [replace(table, owner=np.arange(len(table.owner))) for table in tables])

    monkeypatch.setattr(linked_leaks.StackedCounts, "clipped", clipped)
    assert {
        "counts of a fit that the canary moves, in shares of the charge",
        "what is left of the canary, in clips",
    } <= (wrong(linked_canary(RNG(0))))
