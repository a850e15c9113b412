"""`register`: what left of which table, and what it cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthkit.cli import options as o
from synthkit.cli.console import say

if TYPE_CHECKING:
    from synthkit.release.bundle.release_register import Entry


def register(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Register of releases; `releases.json`.")],
    begin: Annotated[bool, typer.Option("--begin", help="Begin it, empty: nothing of these tables has left.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """List the releases of each table, whether their rows were drawn from the same model, and what they cost together.

    Example: synthkit register runs/releases.json
    """
    from synthkit.errors import ArtefactError
    from synthkit.io.atomic_files import check_file
    from synthkit.release.bundle.release_register import Register, open_register, write_register

    if begin:
        with open_register(file) as made:
            check_file(file, overwrite=False)
            write_register(made)
        say(f"{file}: begun; nothing has left", quiet=quiet)
        return
    found = Register.read(file)
    if found is None:
        msg = f"{file} must be a register of releases; however: there is no such file. Begin one with --begin"
        raise ArtefactError(msg)
    for table in dict.fromkeys(each.table for each in found.entries):
        _show(table, found.of(table))
    say(f"{file}: {len(found.entries)} entries", quiet=quiet)


def _show(table: str, entries: tuple[Entry, ...]) -> None:
    """A line a release, and what all of one table come to."""
    from synthkit.release.bundle.release_register import total_spent

    models = [each.model for each in entries]
    for k, each in enumerate(entries):
        first = models.index(each.model) if each.model is not None else k
        drawn = f"drawn from the model of release {first + 1}" if first < k else "drawn from a model of its own"
        drawn = "its model is not known" if each.model is None else drawn
        cost = "no bound" if each.epsilon is None else f"epsilon {each.epsilon:.4g}, delta {each.delta or 0:.2g}"
        whom = each.recipient or "nobody named"
        typer.echo(f"{table} {k + 1}: {each.date}, {whom}, {each.state}, {cost}, {drawn}, {each.bundle[:16]}")
    spent = total_spent(entries)
    typer.echo(f"{table}: {spent.number} releases, together epsilon {spent.epsilon:.4g} at delta {spent.delta:.2g}")
