"""`gate`: what was measured, held against a policy."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthkit.commands import options as o
from synthkit.commands.console import say, warn

if TYPE_CHECKING:
    from synthkit.policy.gate import Gate

SIGNS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "NOT ASSESSED": "–"}
COLOURS = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow", "NOT ASSESSED": "yellow"}


def gate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run or an evaluation.")],
    policy: Annotated[Path, typer.Option("--policy", help="YAML file with limits, an owner and a justification.")],
    json_: Annotated[bool, typer.Option("--json", help="Print gate.json instead of a table.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """Hold what was measured against a policy; exit 0 only if every line passes, else 1.

    Missing evidence never passes. gate.json and a copy of the policy are written into DIR, and the first page of the
    report is drawn with the verdicts.

    Example: synthkit gate runs/demo --policy schemas/policies/internal-research.yaml
    """
    import datetime as dt

    from synthkit import folder as folders
    from synthkit.files import replacing
    from synthkit.policy.evidence import Evidence
    from synthkit.policy.gate import judge
    from synthkit.policy.policy import Policy

    asked = Policy.load(policy)
    known = {
        name: folders.plain_data(folder / file) if (folder / file).exists() else None
        for name, file in (("statement", folders.STATEMENT), ("ledger", folders.LEDGER))
    }
    evidence = Evidence(evaluation=folders.evaluation(folder), today=dt.datetime.now(dt.UTC).date(), **known)
    made = judge(asked, evidence)
    if policy.resolve() != (folder / folders.POLICY).resolve():
        with replacing(folder / folders.POLICY) as temporary:
            shutil.copyfile(policy, temporary)
    with replacing(folder / folders.GATE) as temporary:
        temporary.write_text(made.to_json(), encoding="utf-8")
    folders.save_page(folders.redraw(folder), folder)
    if asked.example:
        warn("this policy is an example: its numbers are illustrative, and nobody has put their name to it")
    if asked.membership is None or (asked.membership.eps_lb_max is None and asked.membership.tpr_at_fpr is None):
        warn("this policy asks nothing of membership")
    if json_:
        typer.echo(made.to_json())
    elif not quiet:
        _show(made)
    raise typer.Exit(0 if made.verdict == "PASS" else 1)


def _show(made: Gate) -> None:
    """Every line with its reason under it, and the verdict on the whole."""
    from rich.console import Console
    from rich.text import Text

    screen = Console(highlight=False, markup=False)
    for line in made.lines:
        word = Text(f"{SIGNS[line.verdict]} {line.verdict}", style=COLOURS[line.verdict])
        screen.print(word, f"{line.item} ({line.clause})")
        screen.print(f"    {line.why}", style="dim", soft_wrap=True)
    say(f"{SIGNS[made.verdict]} {made.verdict}" + (f", valid until {made.valid_until}" if made.valid_until else ""))
