"""The known answers: right on this installation, and wrong where something is broken."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from synthkit.cli import app
from synthkit.selftest import cases
from synthkit.selftest.answers import Answer, covers, equal, said, within
from synthkit.selftest.cases import CASES, Case, run


@pytest.mark.parametrize("name", CASES)
def test_every_answer_is_right(name):
    wrong = [str(answer) for answer in run(name, 0) if not answer.holds]
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_answers_are_right_for_ten_sets_of_people(name):
    """Chance is allowed two sets."""
    wrong = sum(any(not answer.holds for answer in run(name, 1, repetition=k)) for k in range(10))
    assert wrong <= 2


def test_the_same_seed_makes_the_same_people():
    assert run("copies", 3) == run("copies", 3)
    assert run("fresh", 3) != run("fresh", 3, repetition=1)


def test_the_command_says_what_was_right():
    result = CliRunner().invoke(app, ["selftest", "--only", "figures"])
    assert result.exit_code == 0
    assert "right  figures: closed forms and published numbers" in result.output


def test_a_wrong_answer_is_an_exit_code(monkeypatch):
    def broken(rng: np.random.Generator) -> tuple[Answer, ...]:
        return (equal("share", 0.2, 0.3), equal("share", 0.3, 0.3))

    monkeypatch.setattr(cases, "CASES", {"broken": Case(about="nothing", run=broken)})
    result = CliRunner().invoke(app, ["selftest"])
    assert result.exit_code == 1
    assert "WRONG  broken: nothing, 1 of 2" in result.output
    assert "share: must be 0.3, is 0.2" in result.output


def test_an_unknown_case_is_refused():
    result = CliRunner().invoke(app, ["selftest", "--only", "nope"])
    assert result.exit_code == 2
    assert "`--only` must name a case of figures" in result.output


def test_answers_hold_or_do_not():
    assert within("x", 1.0, 0.0, 1.0).holds
    assert not within("x", 1.1, 0.0, 1.0).holds
    assert not within("x", float("nan"), 0.0).holds
    assert said("x", "FAIL", "PASS", "FAIL").holds
    assert not said("x", "FAIL", "PASS").holds
    assert covers("x", -0.1, 0.1, 0.0).holds
    assert not covers("x", 0.1, 0.2, 0.0).holds
