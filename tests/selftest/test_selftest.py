"""The known answers of `synthkit selftest`: all right, told when wrong, and the same for the same seed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from synthkit.selftest import cases
from synthkit.selftest.answers import Answer, equals_figure, equals_word, interval_covers, lies_within
from synthkit.selftest.cases import SELFTEST_CASES, Case, run_case
from synthkit.selftest.made_up_people import Experiment, jittered, people, shuffled, with_isolated

RNG = np.random.default_rng


@pytest.mark.parametrize("name", SELFTEST_CASES)
def test_every_answer_is_right(name):
    assert [str(answer) for answer in run_case(name, 0) if not answer.holds] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SELFTEST_CASES)
def test_answers_are_right_for_other_people_too(name):
    """One case in a hundred may be wrong by chance."""
    wrong = sum(not all(answer.holds for answer in run_case(name, 1, repetition=k)) for k in range(10))
    assert wrong <= 1


def test_the_same_seed_makes_the_same_people(monkeypatch):
    case = Case(about="", run=lambda rng: (equals_figure("one", float(people(5, rng)["glucose"].sum()), 1),))
    monkeypatch.setattr(cases, "SELFTEST_CASES", {"one": case})
    assert run_case("one", 3) == run_case("one", 3)
    assert len({run_case("one", 3), run_case("one", 3, repetition=1), run_case("one", 4)}) == 3


# The command


def test_one_case_by_name(command):
    done = command("selftest", "--only", "figures")
    assert done.code == 0, done.err
    told = done.out + done.err
    assert "right  figures: closed forms and published numbers" in told
    assert "Every answer is right." in told
    assert "copies" not in told


def test_a_quiet_test_says_nothing_where_all_is_right(command):
    done = command("selftest", "--only", "figures", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize("quiet", [False, True])
def test_a_wrong_answer_is_told_and_exits_with_1(command, monkeypatch, quiet):
    def wrong(rng):
        return equals_figure("two and two", 5, 4), equals_figure("two", 2, 2)

    case = replace(SELFTEST_CASES["figures"], run=wrong)
    monkeypatch.setattr(cases, "SELFTEST_CASES", {**SELFTEST_CASES, "figures": case})
    done = command("selftest", "--only", "figures", *(["--quiet"] if quiet else []))
    told = done.out + done.err
    assert done.code == 1
    assert "1 answers are wrong" in told
    assert "figures, two and two: must be 4, is 5" in told
    assert ("WRONG  figures" in told) is not quiet
    assert "Every answer is right" not in told


def test_a_full_test_repeats_every_case_with_other_people(command, monkeypatch):
    seen = []

    def drawn(rng):
        seen.append(rng.random())
        return (equals_figure("one", 1, 1),)

    monkeypatch.setattr(cases, "SELFTEST_CASES", {"one": replace(SELFTEST_CASES["figures"], run=drawn)})
    assert command("selftest", "--full", "--seed", 5).code == 0
    assert len(seen) == len(set(seen)) == cases.SELFTEST_SEEDS == 10


def test_an_unknown_case_is_refused(refused):
    message = refused("selftest", "--only", "figures", "--only", "nonsense")
    assert message.startswith("`--only` must name a case of figures, copies")
    assert "however: `nonsense`" in message


# Answers


@pytest.mark.parametrize(
    ("answer", "holds"),
    [
        (equals_figure("", 0.30004, 0.3), True),
        (equals_figure("", 0.3001, 0.3), False),
        (equals_figure("", math.nan, 0.3), False),
        (lies_within("", 0.4, 0.4, 0.6), True),
        (lies_within("", 0.61, 0.4, 0.6), False),
        (lies_within("", math.nan, 0.4), False),
        (lies_within("", 1e9, 0.4), True),
        (equals_word("", "PASS", "PASS", "FAIL"), True),
        (equals_word("", "PASS", "FAIL"), False),
        (interval_covers("", 0.1, 0.3, 0.2), True),
        (interval_covers("", 0.1, 0.3, 0.4), False),
    ],
)
def test_an_answer_knows_whether_it_holds(answer, holds):
    assert isinstance(answer, Answer)
    assert bool(answer.holds) is holds


# People


def test_people_are_split_by_coins_nobody_sees_twice():
    here = Experiment.of(RNG(0), units=1_000)
    pool = here.pool
    assert abs(len(pool.member) - 1_000) < 120
    assert abs(pool.member.mean() - 0.5) < 0.08
    rows = [set(map(tuple, frame.to_numpy())) for frame in (here.train, here.holdout, pool.reference)]
    assert not rows[0] & rows[1]
    assert not (rows[0] | rows[1]) & rows[2]
    assert set(map(tuple, here.members().to_numpy())) <= rows[0]
    assert set(map(tuple, pool.frame.to_numpy())) - rows[0] == rows[1]


def test_coins_thrown_again_change_nothing_else():
    here = Experiment.of(RNG(0), units=400)
    again = here.thrown_again(RNG(1))
    assert 0.4 < (again.pool.member == here.pool.member).mean() < 0.6
    assert again.pool.frame is here.pool.frame
    assert again.train is here.train


def test_releases_are_what_they_are_called():
    here, rng = Experiment.of(RNG(0), units=400), RNG(1)
    fresh = people(200, rng)
    some = with_isolated(here, fresh, 0.05)
    members = set(map(tuple, here.members().to_numpy()))
    assert [tuple(row) in members for row in some.to_numpy()] == [True] * 10 + [False] * 190
    mixed = shuffled(fresh, rng)
    for name in fresh:
        assert sorted(mixed[name]) == sorted(fresh[name])
    assert abs(np.corrcoef(fresh["age"], fresh["pressure"])[0, 1]) > 0.3 > abs(mixed["age"].corr(mixed["pressure"]))
    noisy = jittered(fresh, 0.5, rng, ["age"])
    assert (noisy["age"] - fresh["age"]).std() / fresh["age"].std() == pytest.approx(0.5, abs=0.1)
    assert noisy["ward"].equals(fresh["ward"])
