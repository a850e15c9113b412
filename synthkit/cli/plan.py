"""`plan`: what a private fit can be expected to give, before any budget is spent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.arguments import read_schema
from synthkit.cli.console import say, warn, watching


def plan(
    schema: o.SchemaFile,
    rows: Annotated[int, typer.Option("--rows", help="Rows of the table, as you declare it; nobody counts them.")],
    epsilon: Annotated[float, typer.Option("--epsilon", help="The privacy budget you think of.")],
    delta: Annotated[
        Optional[float],
        typer.Option("--delta", help="Its probability of failure; follows from the number of persons if not given."),
    ] = None,
    max_rows_per_unit: o.MaxRowsPerUnit = None,
    model: Annotated[
        Optional[str], typer.Option("--model", help="A model you think of; what speaks against it is said.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Closed forms only: no imagined rows are fitted, and no seconds spent.")
    ] = False,
    json: Annotated[Optional[Path], typer.Option("--json", help="Write the figures to this file as well.")] = None,
    quiet: o.Quiet = False,
) -> None:
    """Say what can be expected of a budget before any of it is spent, and without the private table.

    The schema, the number of rows and the budget fix all noise in advance. How far it moves tables of one and of two
    columns follows in closed form; rows made up from the schema are fitted besides, under the same noise. Warnings say
    when the result would be meaningless, and how many rows would be enough.

    Example: synthkit plan --schema icu.yaml --rows 40000 --epsilon 1
    """
    known = read_schema(schema, private=True)
    with watching(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.planning import plan as look

        outlook = look(
            known,
            rows=rows,
            epsilon=epsilon,
            delta=delta,
            max_rows_per_unit=max_rows_per_unit,
            model=model,
            simulated=not quick,
            progress=progress,
        )
    if json is not None:
        from json import dumps

        from synthkit.io.atomic_files import replacing

        with replacing(json) as temporary:
            temporary.write_text(dumps(outlook.to_dict(), indent=2) + "\n", encoding="utf-8")
    say(str(outlook), quiet=quiet)
    for warning in outlook.warnings:
        warn(warning)
