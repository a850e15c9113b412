"""`plan`: what a private fit can be expected to give, before any budget is spent."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.arguments import read_schema
from synthkit.cli.config_flags import flag
from synthkit.cli.console import say, warn, write_json
from synthkit.cli.progress_display import progress_display


def plan(
    schema: o.SchemaFile,
    rows: Annotated[int, typer.Option("--rows", help="Rows of the table, as you declare it; nobody counts them.")],
    epsilon: Annotated[float, typer.Option("--epsilon", help="The privacy budget you think of.")],
    delta: Annotated[Optional[float], flag("delta")] = None,
    max_rows_per_unit: Annotated[Optional[int], flag("max_rows_per_unit")] = None,
    model: Annotated[
        Optional[str], typer.Option("--model", help="A model you think of; what speaks against it is said.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Closed forms only: no imagined rows are fitted, and no seconds spent.")
    ] = False,
    json: o.JSONFile = None,
    quiet: o.Quiet = False,
) -> None:
    """Say what can be expected of a budget before any of it is spent, and without the private table.

    The schema, the number of rows and the budget fix all noise in advance. How far it moves tables of one and of two
    columns follows in closed form; rows made up from the schema are fitted besides, under the same noise. Warnings say
    when the result would be meaningless, and how many rows would be enough.

    Example: synthkit plan --schema icu.yaml --rows 40000 --epsilon 1
    """
    known = read_schema(schema, private=True)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.planning import plan as plan_fit

        outlook = plan_fit(
            known,
            rows=rows,
            epsilon=epsilon,
            delta=delta,
            max_rows_per_unit=max_rows_per_unit,
            model=model,
            simulated=not quick,
            progress=progress,
        )
    write_json(json, outlook.to_dict(), indent=2)
    say(str(outlook), quiet=quiet)
    for warning in outlook.warnings:
        warn(warning)
