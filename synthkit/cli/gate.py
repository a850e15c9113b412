"""`gate`: what was measured, held against a policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from synthkit.cli import options as o
from synthkit.cli.console import say, warn

if TYPE_CHECKING:
    from synthkit.release.policy.gate_decision import Gate, Line

VERDICT_SIGNS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "NOT ASSESSED": "–"}
VERDICT_COLOURS = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow", "NOT ASSESSED": "yellow"}


def gate(
    folder: o.RunFolder,
    policy: Annotated[
        str,
        typer.Option(
            "--policy",
            metavar="FILE|NAME",
            help="YAML file with limits, an owner and a justification; or an example of ours by its name: "
            "internal-research, partner-release or public-release.",
        ),
    ],
    register: o.Register = None,
    json: Annotated[bool, typer.Option("--json", help="Print gate.json instead of a table.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """Hold what was measured against a policy; exit 0 only if every line passes, else 1.

    Missing evidence never passes. gate.json and a copy of the policy are written into DIR, and the first page of the
    report is drawn with the verdicts.

    Example: synthkit gate runs/demo --policy partner-release
    """
    from synthkit.data import shipped_files
    from synthkit.release.gate_run_folder import apply_policy

    limits, made = apply_policy(folder, shipped_files.policy(policy), register=register)
    if limits.example:
        warn("this policy is an example: its numbers are illustrative, and nobody has put their name to it")
    if limits.membership is None or (limits.membership.eps_lb_max is None and limits.membership.tpr_at_fpr is None):
        warn("this policy asks nothing of membership")
    if json:
        typer.echo(made.to_json())
    elif not quiet:
        _show(made)
    raise typer.Exit(0 if made.verdict == "PASS" else 1)


def _show(made: Gate) -> None:
    """Every line with its reason under it, and the verdict on the whole."""
    _show_lines(made.lines)
    say(
        f"{VERDICT_SIGNS[made.verdict]} {made.verdict}"
        + (f", valid until {made.valid_until}" if made.valid_until else "")
    )


def show_briefly(made: Gate) -> None:
    """The verdict on the whole in words, every line that does not pass with its reason, and how many pass."""
    from synthkit.report.sections.decision import VERDICT_WORDS

    passing = sum(line.verdict == "PASS" for line in made.lines)
    say(f"Held against policy {made.policy['id']} ({made.policy['owner']}): {VERDICT_WORDS[made.verdict]}.")
    _show_lines([line for line in made.lines if line.verdict != "PASS"])
    say(f"{VERDICT_SIGNS['PASS']} {passing} of {len(made.lines)} lines pass.")
    if passing < len(made.lines):
        say("A line that is not met says what these rows are not shown to be good for; nothing went wrong.")


def _show_lines(lines: Sequence[Line]) -> None:
    from rich.console import Console
    from rich.text import Text

    screen = Console(highlight=False, markup=False)
    for line in lines:
        word = Text(f"{VERDICT_SIGNS[line.verdict]} {line.verdict}", style=VERDICT_COLOURS[line.verdict])
        screen.print(word, f"{line.item} ({line.clause})")
        screen.print(f"    {line.why}", style="dim", soft_wrap=True)
