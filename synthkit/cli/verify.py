"""`verify`: whether a signed file is what it says, without the real rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.console import say

if TYPE_CHECKING:
    from synthkit.release.bundle.finding import Outcome

OUTCOME_SIGNS: Mapping[Outcome, str] = {"holds": "✓", "unvouched": "?", "broken": "✗"}
OUTCOME_CODES: Mapping[Outcome, int] = {"holds": 0, "unvouched": 3, "broken": 1}


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A zip that `synthkit release` wrote.")],
    public_key: Annotated[
        Optional[Path], typer.Option("--public-key", help="The custodian's public key, had by another way.")
    ] = None,
    on: Annotated[
        Optional[dt.datetime],
        typer.Option("--on", formats=["%Y-%m-%d"], help="Day for which it is asked; today in UTC if not given."),
    ] = None,
    cells: Annotated[
        Optional[int],
        typer.Option("--cells", min=1, help="Most cells that are read; time and memory grow alike. [10,000,000]"),
    ] = None,
    revocations: Annotated[
        Optional[Path], typer.Option("--revocations", help="Notices of `synthkit withdraw`, had from the custodian.")
    ] = None,
    sql: Annotated[
        bool, typer.Option("--sql", help="Print keys and rules of the schema as SQL, and what was checked as comments.")
    ] = False,
    quiet: o.Quiet = False,
) -> None:
    """Check a bundle without the real rows: bytes, digests, signature, epsilon, every row, every number, the verdict.

    Exit 0 if it holds and the signer is the one whose key you gave; 3 if it holds, but nothing here vouches for the
    signer or the page; 1 if it does not hold. The last line says which.

    Example: synthkit verify bundle.zip --public-key custodian.pub
    """
    from synthkit.release.bundle.opened_bundle import MAX_CELLS
    from synthkit.release.bundle.verification import conclusion, outcome
    from synthkit.release.bundle.verification import sql as query
    from synthkit.release.bundle.verification import verify as verify_bundle
    from synthkit.schema.rules_sql import comment

    day = None if on is None else on.date()
    found = verify_bundle(bundle, public_key, on=day, revocations=revocations, cells=cells or MAX_CELLS)
    lines = [(each.holds, f"{OUTCOME_SIGNS[each.outcome]} {each.name}: {each.words}") for each in found]
    for holds, line in [*lines, (outcome(found) == "holds", conclusion(found))]:
        say(f"-- {comment(line)}" if sql else line, quiet=quiet and holds)
    if sql and found[0].holds:
        typer.echo(query(bundle), nl=False)
    raise typer.Exit(OUTCOME_CODES[outcome(found)])
