"""`selftest`: whether this installation finds what leaks, and only that, on tables of which the answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.console import say
from synthkit.cli.progress_display import progress_display
from synthkit.errors import ConfigError

if TYPE_CHECKING:
    from synthkit.selftest.answers import Answer


def selftest(
    only: Annotated[
        Optional[list[str]],
        typer.Option("--only", metavar="NAME", help="One case by its name; may be repeated; all if not given."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Every case with ten sets of people instead of one.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same people.")] = 0,
    quiet: o.Quiet = False,
) -> None:
    """Put tables of which it is known what they leak before the evaluation; exit 1 if an answer is wrong.

    Copies must be caught, other people of the same law must not, one copied row in twenty must be found where
    distances find nothing; closed forms and published numbers must come out. No table of yours is read: the people
    are made up. A right installation gives a wrong answer about once in a hundred cases, by chance: another seed tells.

    Example: synthkit selftest
    """
    with progress_display(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.selftest.cases import SELFTEST_CASES, SELFTEST_SEEDS, run_case

        unknown = [name for name in only or () if name not in SELFTEST_CASES]
        if unknown:
            msg = (
                f"`--only` must name a case of {', '.join(SELFTEST_CASES)}; however: `{unknown[0]}`. Choose one of them"
            )
            raise ConfigError(msg)
        chosen = [
            (name, k)
            for name in SELFTEST_CASES
            if not only or name in only
            for k in range(SELFTEST_SEEDS if full else 1)
        ]
        progress.stage("selftest")
        answers = {}
        for k, (name, repetition) in enumerate(chosen):
            progress.advance(k, len(chosen), name)
            answers[name, repetition] = run_case(name, seed, repetition=repetition)
        progress.advance(len(chosen), len(chosen))
        progress.stage("")
    wrong = [f"{name}, {a}" for (name, _), each in answers.items() for a in each if not a.holds]
    if not quiet:
        for (name, _), each in answers.items():
            _show(SELFTEST_CASES[name].about, name, each)
    if wrong:
        say(f"{len(wrong)} answers are wrong:")
        for line in wrong:
            say(f"  {line}")
        raise typer.Exit(1)
    say("Every answer is right.", quiet=quiet)


def _show(about: str, name: str, answers: Sequence[Answer]) -> None:
    """A line a case: whether all its answers are right, and how many."""
    right = sum(answer.holds for answer in answers)
    say(f"{'right' if right == len(answers) else 'WRONG':<6} {name}: {about}, {right} of {len(answers)}")
