"""Progress of a command on stderr: bars on a terminal, plain lines elsewhere, nothing if nobody is to be told."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from synthkit.runtime.progress import Progress, Silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

SECONDS_BETWEEN_LINES = 10.0  # of one stage


class ProgressLines:
    """Progress as plain lines, for logs: one a stage, and one every ten seconds inside it.

    Args:
        timeless: whether nothing that follows the clock is said: under a budget a stage has ten lines, however long it
            takes, for times follow the rows.
    """

    def __init__(self, *, timeless: bool = False) -> None:
        self._timeless = timeless
        self._name, self._said = "", 0.0
        self._first: tuple[float, int] | None = None
        self._tenth = 0

    def stage(self, name: str) -> None:
        """A line with the name of the stage."""
        self._name, self._said, self._first, self._tenth = name, time.monotonic(), None, 0
        if name:
            typer.echo(f"{name} ...", err=True)

    def advance(self, done: int, total: int, note: str = "") -> None:
        """A line if the last one is ten seconds old, or by the tenth of the stage."""
        if self._timeless:
            before, self._tenth = self._tenth, 10 * done // total
            if self._tenth > before:
                typer.echo(f"{self._name}: {done:,} of {total:,}", err=True)
            return
        now = time.monotonic()
        self._first = self._first or (now, done)  # what came before, and steps of a training taken up, tell no pace
        if now - self._said < SECONDS_BETWEEN_LINES:
            return
        self._said = now
        since, before = self._first
        left = f", about {(now - since) / (done - before) * (total - done):.0f} s left" if done > before else ""
        noted = f", {note}" if note else ""
        typer.echo(f"{self._name}: {done:,} of {total:,}{noted}{left}", err=True)

    def say(self, sentence: str) -> None:
        """The sentence, indented under its stage."""
        typer.echo(f"  {sentence}", err=True)


class ProgressBars:
    """Progress as bars that stay on the screen, one a stage.

    Args:
        bars: the running display.
    """

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def stage(self, name: str) -> None:
        """The bar before is full; a new one begins, of unknown length until it advances."""
        if self._task is not None:
            task = self._bars.tasks[-1]
            self._bars.update(self._task, total=task.total or 1, completed=task.total or 1, note="")
            self._bars.stop_task(self._task)
        self._task = self._bars.add_task(name, total=None, note="") if name else None

    def advance(self, done: int, total: int, note: str = "") -> None:
        """Move the bar; what is left of the time stands beside it."""
        if self._task is None:
            return
        if self._bars.tasks[-1].total is None:  # the pace is taken from here on
            self._bars.reset(self._task, total=total, completed=done)
        self._bars.update(self._task, completed=done, total=total, note=note)

    def say(self, sentence: str) -> None:
        """The sentence, above the bars."""
        self._bars.console.print(f"  {sentence}", markup=False, highlight=False)


@contextmanager
def progress_display(*, quiet: bool, timeless: bool = False) -> Iterator[Progress]:
    """Progress for the length of a block: none, bars on a terminal, plain lines elsewhere.

    Args:
        quiet: whether nothing is said.
        timeless: whether nothing that follows the clock is said, so that there are no bars either.
    """
    if quiet:
        yield Silent()
    elif timeless or not sys.stderr.isatty():
        yield ProgressLines(timeless=timeless)
    else:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        columns = (
            SpinnerColumn(finished_text="·"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        )
        with Bars(*columns, console=Console(stderr=True)) as bars:
            yield ProgressBars(bars)
