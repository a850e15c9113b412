"""`shipped`: files that come with synthkit, listed or printed. Never loads torch."""

from __future__ import annotations

from typing import Annotated

import typer

from synthkit.cli.console import say


def shipped(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The file to print; all are listed if not given.")
    ] = None,
) -> None:
    """Example schemas and policies, and JSON Schemas for editors: where they lie, or what is in one.

    Example: synthkit shipped partner-release > ours.yaml
    """
    from synthkit.data import shipped_files as files

    if name is not None:
        typer.echo(files.find(name).read_text(encoding="utf-8"), nl=False)
        return
    for what, known in (
        ("schemas of public tables", files.schemas()),
        ("schemas of linked tables", files.linked_schemas()),
        ("policies that are examples", files.policies()),
        ("JSON Schemas of formats", files.formats()),
    ):
        say(f"{what}:")
        for each, path in known.items():
            typer.echo(f"  {each:<24} {path}")
