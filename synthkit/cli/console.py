"""What people see: progress on stderr, results on stdout, plain lines where nobody has a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import typer

from synthkit.runtime.progress import Progress, Silent

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from synthkit.metrics.result import Evaluation
    from synthkit.release.policy.gate_decision import Gate
    from synthkit.report.inputs import LedgerJson

LINE_EVERY = 10.0  # seconds between plain lines of one stage
HEADLINES = ("fidelity.c2st", "fidelity.rule_violations", "membership.auc", "membership.epsilon_lower_bound")


class Lines:
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
        if now - self._said < LINE_EVERY:
            return
        self._said = now
        since, before = self._first
        left = f", about {(now - since) / (done - before) * (total - done):.0f} s left" if done > before else ""
        told = f", {note}" if note else ""
        typer.echo(f"{self._name}: {done:,} of {total:,}{told}{left}", err=True)

    def say(self, sentence: str) -> None:
        """The sentence, indented under its stage."""
        typer.echo(f"  {sentence}", err=True)


class Terminal:
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
def watching(*, quiet: bool, timeless: bool = False) -> Iterator[Progress]:
    """Progress for the length of a block: none, bars on a terminal, plain lines elsewhere.

    Args:
        quiet: whether nothing is said.
        timeless: whether nothing that follows the clock is said, so that there are no bars either.
    """
    if quiet:
        yield Silent()
    elif timeless or not sys.stderr.isatty():
        yield Lines(timeless=timeless)
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
            yield Terminal(bars)


def say(text: str = "", *, quiet: bool = False) -> None:
    """A line of the result, on stdout."""
    if not quiet:
        typer.echo(text)


def formulas(names: Sequence[str]) -> str:
    """That texts of these columns begin like formulas, in words.

    Example:
        >>> formulas(["rh"])
        'texts of `rh` begin with =, +, -, @ or a tab, which a spreadsheet takes for formulas'
    """
    named = ", ".join(f"`{name}`" for name in names)
    return f"texts of {named} begin with =, +, -, @ or a tab, which a spreadsheet takes for formulas"


def warn(text: str) -> None:
    """A line nobody should miss, on stderr."""
    typer.echo(f"warning: {text}", err=True)


def warn_clamped(clamped: Mapping[str, int]) -> None:
    """Say how many cells were mapped into the declared domain, by column."""
    if clamped:
        each = ", ".join(f"{name} {count:,}" for name, count in clamped.items())
        warn(f"--clamp mapped {sum(clamped.values()):,} cells into the declared domain: {each}")


def selection(rows: int, pool: int) -> str:
    """How calibrated rows came about."""
    return f"calibrated: {rows:,} rows selected from a pool of {pool:,}"


def show_scores(evaluation: Evaluation, ledger: Mapping[str, Any] | None, gate: Gate | None = None) -> None:
    """The headline scores with their intervals and what a real holdout scores, the attacks, and the privacy claim."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from synthkit.report.attack_verdicts import attack_verdicts, overall_verdict, verdict_sentences
    from synthkit.report.inputs import run_facts
    from synthkit.report.labels import seconds
    from synthkit.report.privacy_claim import claim_sentence
    from synthkit.report.row_counts import looked_at, synthetic
    from synthkit.report.score_rows import score_row
    from synthkit.report.sections.attack_risks import ATTACK_TITLES
    from synthkit.report.split_description import describe_split

    facts, rows = run_facts(evaluation.run), evaluation.run["rows"]
    say(f"\n{synthetic(facts)}; {rows['train']:,} real rows fitted, {rows['holdout']:,} held out")
    if sample := looked_at(facts):
        say(f"looked at, for it is a quick evaluation: {sample}")
    for sentence in describe_split(facts):
        say(sentence)
    chosen = evaluation.run.get("calibrated")
    if chosen:
        say(selection(chosen["rows"], chosen["pool"]))
    table = Table("score", box=SIMPLE_HEAD, pad_edge=False)
    for title in ("value", "95 % interval", "real holdout"):
        table.add_column(title, justify="right", no_wrap=True)
    for score in sorted(evaluation.scores, key=lambda s: s.metric):  # likeness, rules, risk, then use
        gap = score.metric.startswith("utility.") and score.metric.endswith(".gap")
        if gap or score.metric in HEADLINES:
            row = score_row(score)
            target = f": {score.metric.removeprefix('utility.').removesuffix('.gap')}" if gap else ""
            table.add_row(row["label"] + target, row["text"], row["interval"], row["reference_text"])
    Console(highlight=False, markup=False).print(table)
    found = attack_verdicts(evaluation, None if gate is None else gate.document())
    say(f"{overall_verdict(found)['words']}.\n")
    for verdict in found:
        say(f"{verdict['title']}: {verdict_sentences(verdict)}\n")
    metrics = {name: took for name, took in evaluation.run["seconds"].items() if "." in name or name in ATTACK_TITLES}
    longest = sorted(metrics.items(), key=lambda each: -each[1])[:3]
    say("Longest to measure: " + ", ".join(f"{name} {seconds(took)}" for name, took in longest))
    for failure in evaluation.failures:
        warn(f"{failure.metric} was not measured: {failure.reason}")
    if ledger is not None:
        say(claim_sentence(cast("LedgerJson", ledger)))


def show_statement(statement: Mapping[str, Any]) -> None:
    """What is promised under a budget, in its three sentences; nothing without one."""
    if statement["privacy_loss"]["privacy_parameters"]["epsilon"] is not None:
        for sentence in statement["sentences"]:
            say(sentence)


def show_paths(contents: Mapping[Path, str]) -> None:
    """Where everything is, one line each saying what it is."""
    width = max(len(str(path)) for path in contents)
    say("")
    for path, what in contents.items():
        say(f"{str(path).ljust(width)}  {what}")
