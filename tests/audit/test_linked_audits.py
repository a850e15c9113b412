"""Audits of linked tables: everything is heard, odds and mu are those of their laws, and the tables are as told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linked_twins import PATIENT_TWINS, PLAN_TWINS

from synthkit.audit import AUDITS
from synthkit.audit.linked_fits import all_kinds, audited_fit, shipped_access, shipped_model
from synthkit.audit.linked_patients import LARGE_BUDGET, Moved, share_moved
from synthkit.audit.linked_plan import (
    HEAVY_SHARE,
    MANY_PATIENTS,
    PLAN_BUDGET,
    drawn_odds,
    log_odds_weights,
    moved_cells,
    mu_estimated,
    plan,
)
from synthkit.audit.overheard_answers import DRAWN_IN, HeardAnswer, Listener, listening
from synthkit.audit.tiny_hospital import (
    TINY_BOUNDS,
    TINY_HOSPITAL,
    below,
    tiny_hospital,
    tiny_orphans,
    tiny_patient,
)
from synthkit.privacy.access.bounded_units import mapped_units, most_rows
from synthkit.privacy.accounting.events import DiscreteGaussian, ReportNoisyMax, StackedGaussian
from synthkit.privacy.mechanisms import stacked_counts
from synthkit.privacy.mechanisms.noise import add_noise
from synthkit.privacy.mechanisms.stacked_counts import CountedRows, StackedCounts

COUNTS, CHOICE = DiscreteGaussian(sigma=5.0), ReportNoisyMax(sensitivity=2.0, scale=1.0)
STACK = StackedGaussian(noise_multiplier=2.0)


def answer(exact, spent=COUNTS, norm=1.0):
    counted = np.asarray(exact)
    return HeardAnswer(stage="", exact=counted, spent=spent, norm=norm, told=np.zeros(counted.shape, np.int64))


@pytest.fixture(scope="module")
def fits():
    table = below([tiny_hospital(MANY_PATIENTS, heavy=HEAVY_SHARE), tiny_orphans(5)])
    without = audited_fit(shipped_access, table, LARGE_BUDGET, all_kinds())
    more = below([tiny_patient("x", 4, 8, level=2), table])
    return without, audited_fit(shipped_access, more, LARGE_BUDGET, all_kinds(), before=without.ear)


# What is heard


def test_every_answer_that_is_charged_is_heard(fits):
    """One place that draws and is not listened to would show here."""
    for fit in fits:
        assert fit.drawn == pytest.approx(fit.charged(), rel=1e-12)
        assert 0.99 * fit.reserve < fit.charged() <= fit.reserve


def test_every_answer_to_the_shipped_model_is_heard_and_charged():
    fit = audited_fit(shipped_access, tiny_hospital(12, heavy=0.25), PLAN_BUDGET, shipped_model())
    assert fit.drawn == pytest.approx(fit.charged(), rel=1e-12)
    assert {answer.stage for answer in fit.answers} == set(shipped_model())
    assert 0.99 * fit.reserve < fit.charged() <= fit.reserve


def test_the_second_fit_is_given_the_answers_of_the_first(fits):
    without, joined = fits
    assert [each.told.tolist() for each in without.answers] == [each.told.tolist() for each in joined.answers]
    assert any(not np.array_equal(a.exact, b.exact) for a, b in zip(*(fit.answers for fit in fits), strict=True))


def test_what_draws_is_as_before_once_nobody_listens():
    before = [getattr(module, name) for module, name in DRAWN_IN]

    def fails():
        with listening(Listener()):
            assert stacked_counts.add_noise is not add_noise
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert [getattr(module, name) for module, name in DRAWN_IN] == before


def test_a_question_that_was_not_asked_before_gets_a_draw_of_its_own():
    rows = [CountedRows(owner=np.array([0]), cell=np.array([1]), size=3)]
    ears = [Listener()]
    ears.append(Listener(before=ears[0]))
    for ear, tables in zip(ears, (rows, [*rows, *rows]), strict=True):
        with listening(ear):
            told = StackedCounts(norm=1.0, noise_multiplier=1e-6).told(tables)
    assert np.concatenate(told).round(1).tolist() == [0.0, 0.7, 0.0] * 2
    assert ears[1].heard[0].public != ears[0].heard[0].public


# What is moved


@pytest.mark.parametrize(
    ("old", "new", "share"),
    [
        (answer([3, 4]), answer([3, 5]), 1.0),
        (answer([3, 4]), answer([4, 3]), 2.0),
        (answer([0, 0], STACK, 5.0), answer([3, -4], STACK, 5.0), 1.0),
        (answer([0.0, 9.0], CHOICE), answer([1.0, 6.0], CHOICE), 1.5),
        (answer([1]), answer([1, 2]), 0.0),
    ],
)
def test_a_move_is_measured_as_it_is_charged(old, new, share):
    assert share_moved(old, new) == share


def test_other_cells_noise_or_clips_are_public_numbers_that_differ(fits):
    without = fits[0]

    def other(**changed):
        first = without.answers[0]
        kept = {name: getattr(first, name) for name in ("stage", "exact", "spent", "norm", "told")}
        ear = Listener(heard=[HeardAnswer(**kept | changed), *without.answers[1:]])
        return Moved.of(without, type(without)(ear=ear, charges=without.charges, reserve=without.reserve))

    assert other() == Moved(0.0, 0.0, 0)
    assert other(norm=2.0).public == other(spent=COUNTS).public == other(exact=np.zeros(99)).public == 1
    fewer = type(without)(ear=Listener(heard=without.answers[:-2]), charges=without.charges, reserve=without.reserve)
    assert Moved.of(without, fewer).public == 2


# The fault that is planted is the one that is found


@pytest.mark.parametrize(
    ("twin", "found"),
    [
        ("rows are clipped", "counts a patient moves"),
        ("one table uncharged", "noise drawn, of that charged"),
        ("bound of the data", "clips, noise and sizes a patient moves"),
        ("fan-out not clipped", "counts a patient moves"),
        ("orphans given to somebody", "what rows of nobody move"),
        ("half the noise", "noise drawn, of that charged"),
    ],
)
def test_a_fault_is_found_where_it_shows(twin, found):
    results = {result.what: result for result in AUDITS["linked-patients"].experiment(PATIENT_TWINS[twin], 2)}
    assert results[found].verdict == "broken", results[found]


def test_a_patient_who_shows_as_many_rows_as_the_bounds_allow_reaches_every_clip(fits):
    """Else the audit of the plan would be no worst case."""
    moved = [share_moved(*pair) for pair in zip(*(fit.answers for fit in fits), strict=True)]
    stacks = [m for m, each in zip(moved, fits[0].answers, strict=True) if isinstance(each.spent, StackedGaussian)]
    assert len(stacks) == 5
    assert min(stacks) > 0.9


# Odds and mu


def test_odds_are_normal_about_half_of_mu_squared():
    """Counts moved by 3 and 4 under noise of 10: mu = 1 / 2, odds have means -1 / 8 and 1 / 8 and variance 1 / 4."""
    spent = DiscreteGaussian(sigma=10.0)
    odds = drawn_odds(answer([5, 0, 7], spent), answer([8, 0, 11], spent), 20_000)
    assert odds[0].mean() == pytest.approx(0, abs=0.02)
    assert odds[1].mean() == pytest.approx(1 / 4, abs=0.02)
    assert odds.var(axis=1) == pytest.approx(1 / 4, rel=0.05)
    assert mu_estimated(odds)[0] == pytest.approx(1 / 2, abs=5 * mu_estimated(odds)[1])
    known = mu_estimated(odds, exact=1 / 4)
    assert known[0] == pytest.approx(1 / 2, abs=5 * known[1])
    assert known[1] < mu_estimated(odds)[1] / 5


def test_weights_are_those_of_the_exact_log_odds():
    """|x - a|^2 - |x - b|^2 over twice the variance, in two cells that move among four."""
    old, new = answer([1, 5, 2, 0]), answer([1, 8, 2, 4])
    x, a, b = np.array([6.0, 3.0]), np.array([5, 0]), np.array([8, 4])
    right = (np.square(x - a) - np.square(x - b)).sum() / (2 * 25)
    middle = (a + b) / 2
    assert moved_cells(old, new).tolist() == [3, 4]
    assert (x - middle) @ log_odds_weights(old, new) == pytest.approx(right)


def test_stacked_counts_are_drawn_with_the_noise_of_their_clip():
    old, new = (answer([0, moved], STACK, norm=64.0) for moved in (0, 64))
    mu, error = mu_estimated(drawn_odds(old, new, 20_000))
    assert mu == pytest.approx(1 / 2, abs=5 * error)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.05, 4.0), st.floats(0.1, 100.0), st.integers(0, 2**31))
def test_mu_does_not_depend_on_the_scale_of_odds(mu, scale, seed):
    odds = np.random.default_rng(seed).normal([[0.0], [mu]], 1.0, (2, 4000))
    found, error = mu_estimated(scale * odds - scale)
    assert found == pytest.approx(mu, abs=6 * error)


def test_standard_errors_are_those_of_repeated_draws():
    rng = np.random.default_rng(5)
    draws = [rng.normal([[0.0], [2.0]], 1.0, (2, 500)) for _ in range(1000)]
    for exact in (None, 2.0):
        found = np.array([mu_estimated(each, exact) for each in draws])
        assert found[:, 0].std() == pytest.approx(found[:, 1].mean(), rel=0.1)


def test_counts_that_nobody_moves_tell_nothing():
    odds = drawn_odds(answer([5, 7]), answer([5, 7]), 100)
    assert mu_estimated(odds) == (0.0, math.sqrt(2 / 100))


def test_the_plan_is_told_by_its_parts_and_as_a_whole():
    *parts, whole, exact = plan(shipped_access, 200)
    assert len(parts) == 2
    assert exact.claimed == whole.claimed
    assert whole.claimed == pytest.approx(math.hypot(*(part.claimed for part in parts)))
    assert 0.2 < whole.claimed < 0.26
    reserve = audited_fit(shipped_access, tiny_hospital(12, heavy=0.25), PLAN_BUDGET, shipped_model()).reserve
    share = whole.claimed**2 / 2 / reserve
    assert whole.what == f"whole plan at epsilon 1, {share:.0%} of its rho normal noise"
    assert 0.895 < share < 0.945


def test_what_is_not_charged_is_not_claimed():
    """The claim is read off the ledger, and the noise off what was drawn."""
    assert plan(PLAN_TWINS["no table charged"], 100)[-1].claimed < 0.8 * plan(shipped_access, 100)[-1].claimed


# The hospital


def test_patients_have_the_rows_they_are_said_to_have():
    tables = mapped_units(below([tiny_hospital(10, heavy=0.2), tiny_orphans(4)]), TINY_HOSPITAL).tables
    rows = {name: sorted(np.bincount(tables.units[name]).tolist()) for name in TINY_BOUNDS}
    assert rows == {"patients": [1] * 10, "visits": [1] * 8 + [4] * 2, "labs": [1] * 8 + [8] * 2}
    assert most_rows(TINY_HOSPITAL) == TINY_BOUNDS


def test_rows_of_a_patient_say_the_same():
    made = tiny_patient("x", 3, 7, level=1)
    assert made["visits"][["admitted", "ward"]].drop_duplicates().shape == (1, 2)
    assert made["labs"][["taken", "test"]].drop_duplicates().shape == (1, 2)
    assert len(tiny_patient("x", 0, 7)["labs"]) == 0
