"""`epsilon`: what a ledger has cost, counted again from its charges. Never loads torch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthkit.cli import options as o
from synthkit.cli.console import say, warn, write_json

if TYPE_CHECKING:
    from synthkit.privacy.accounting.composed_plan import ComposedPlan
    from synthkit.privacy.accounting.verify_ledger import LedgerVerification


def epsilon(
    ledger: Annotated[
        Path, typer.Argument(metavar="LEDGER", help="The ledger.json of a run, or the ledger of a table.")
    ],
    json: o.JSONFile = None,
    quiet: o.Quiet = False,
) -> None:
    """Count again what a ledger has cost, from its charges alone; exit 1 if it says otherwise itself.

    Printed are its plans, each with its mechanisms, epsilon and delta; the total, and what it means: formally, for an
    attacker, and what it does not cover. No table is read and nothing is spent.

    A ledger says what was charged. Whether anything went past it is said by the statement.json of the run.

    Example: synthkit epsilon runs/icu/ledger.json
    """
    from synthkit.privacy.accounting.verify_ledger import LedgerVerification

    found = LedgerVerification.of(ledger)
    write_json(json, found.to_dict())
    if not quiet:
        _show(found)
    for fault in found.faults:
        warn(fault)
    if found.faults:
        raise typer.Exit(1)


def _show(found: LedgerVerification) -> None:
    """Whom it protects, plan by plan what it cost, the total, and what that means."""
    archive = found.archive
    bound = archive.budget.max_rows_per_unit if archive.budget else None
    say(f"one {archive.unit or 'row'} more or less{f', at most {bound} rows of each' if bound else ''}")
    for number, part in enumerate(archive.parts, 1):
        say(f"\nplan {number}: epsilon {_number(part.epsilon())} at delta {part.delta:g}")
        _show_part(part)
    spent, delta = archive.spent()
    cap = f", of {archive.budget.epsilon:g} and {archive.budget.delta:g}" if archive.budget else ""
    say(f"\ntotal: epsilon {_number(spent)}, delta {delta:g}{cap}\n")
    for sentence in found.sentences:
        say(sentence)


def _show_part(part: ComposedPlan) -> None:
    """Its charges, equal mechanisms counted; how they were composed; what a reserve in it paid for."""
    from synthkit.privacy.accounting import accountant
    from synthkit.privacy.accounting.events import parameters

    counted: Counter[tuple[str, str, str]] = Counter()
    for charge in part.charges:
        numbers = ", ".join(f"{name} {value:.6g}" for name, value in parameters(charge.spent).items())
        counted[charge.spent.kind, numbers, charge.what] += charge.times
    for (kind, numbers, what), times in counted.items():
        say(f"  {times:,} x {kind}{f' ({numbers})' if numbers else ''}: {what}")
    if part.inside:
        steps = sum(charge.times for charge in part.inside)
        say(f"  of its reserve {steps:,} steps were drawn, at no further cost")
    say(f"  by {accountant.method(part.charges)}")


def _number(value: float) -> str:
    from math import isinf

    return "infinite" if isinf(value) else f"{value:.6g}"
