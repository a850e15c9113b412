"""Progress on a log and on a terminal: the pace is that of the steps, whatever came before them."""

from __future__ import annotations

import time

import pytest

from synthkit.cli.progress_display import ProgressBars, ProgressLines, progress_display
from synthkit.runtime.progress import Clock, Silent


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_the_time_left_is_that_of_the_steps(clock, capsys):
    """A hundred seconds of reading, then steps of two seconds; a training taken up begins at its step."""
    lines = ProgressLines()
    lines.stage("fit")
    for done in range(501, 510):
        clock[0] = 100.0 + 2 * (done - 501)
        lines.advance(done, 1000, "loss 3.000")
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "fit ...",
        "fit: 501 of 1,000, loss 3.000",
        "fit: 506 of 1,000, loss 3.000, about 988 s left",
    ]


def test_a_stage_begins_its_own_count(clock, capsys):
    lines = ProgressLines()
    lines.stage("fit")
    lines.advance(1, 2)
    lines.stage("evaluate")
    clock[0] = 50.0
    lines.advance(3, 4)
    clock[0] = 70.0
    lines.advance(4, 4)
    assert capsys.readouterr().err.splitlines()[-2:] == ["evaluate: 3 of 4", "evaluate: 4 of 4, about 0 s left"]


def test_sentences_are_lines_of_their_own(capsys):
    lines = ProgressLines()
    lines.stage("fit")
    lines.say("about 75 steps fit into 0.5 minutes")
    assert capsys.readouterr().err.splitlines() == ["fit ...", "  about 75 steps fit into 0.5 minutes"]


def test_a_bar_takes_its_pace_from_the_first_step_it_is_told():
    from io import StringIO

    from rich.console import Console
    from rich.progress import Progress

    now = [0.0]
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    with Progress(console=console, get_time=lambda: now[0], auto_refresh=False) as bars:
        shown = ProgressBars(bars)
        shown.advance(1, 2)  # no stage yet: nothing to move
        shown.say("hello [bold]")
        shown.stage("fit")
        now[0] = 100.0
        for done in (500, 501, 502):
            shown.advance(done, 1000, f"loss {done}")
            now[0] += 2.0
        (task,) = bars.tasks
        assert task.time_remaining == pytest.approx(2 * 498, abs=1)
        shown.stage("")
        assert task.finished
    assert "hello [bold]" in screen.getvalue()


def test_a_clock_remembers_what_was_said_and_passes_it_on(capsys):
    clock = Clock(ProgressLines())
    clock.say("one")
    clock.say("two")
    assert clock.said == ["one", "two"]
    assert capsys.readouterr().err.splitlines() == ["  one", "  two"]


def test_quiet_is_silent(capsys):
    with progress_display(quiet=True) as progress:
        assert isinstance(progress, Silent)
        progress.stage("fit")
        progress.advance(1, 2)
        progress.say("nothing")
    assert capsys.readouterr() == ("", "")


def test_progress_under_a_budget_does_not_follow_the_clock(capsys):
    """The same lines however long the steps take: one by the tenth, without a pace or a loss."""
    told = []
    for wait in (0.0, 1e9):
        lines = ProgressLines(timeless=True)
        lines.stage("fit")
        for step in range(1, 41):
            lines._said -= wait  # as if so many seconds had gone by
            lines.advance(step, 40, "loss 0.123")
        told.append(capsys.readouterr().err)
    assert told[0] == told[1]
    assert told[0].splitlines() == ["fit ...", *(f"fit: {4 * k} of 40" for k in range(1, 11))]
