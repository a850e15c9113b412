"""`plan`: what a fit can be expected to give, before any budget is spent or a table is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.arguments import means_by_table, read_either_schema
from synthkit.cli.config_flags import flag
from synthkit.cli.console import say, warn, write_json
from synthkit.cli.progress_display import progress_display
from synthkit.errors import ConfigError
from synthkit.pipeline.run_config import RunConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synthkit.planning import CohortOutlook, LinkedOutlook, Outlook
    from synthkit.runtime.progress import Progress
    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema


def plan(
    schema: o.SchemaFile,
    rows: Annotated[
        int,
        typer.Option(
            "--rows",
            "--units",
            help="Rows of the table, or units of linked tables, as you declare it; nobody counts them.",
        ),
    ],
    epsilon: Annotated[
        Optional[float],
        typer.Option(
            "--epsilon", help="The privacy budget you think of; without one: what fewer than 2,000 people can give."
        ),
    ] = None,
    delta: Annotated[Optional[float], flag("delta")] = None,
    max_rows_per_unit: Annotated[Optional[int], flag("max_rows_per_unit")] = None,
    rows_per_unit: Annotated[
        Optional[list[str]],
        typer.Option(
            "--rows-per-unit",
            metavar="TABLE=MEAN",
            help="Of linked tables: rows of a table that a unit has in the mean, if you know it; may be repeated.",
        ),
    ] = None,
    model: Annotated[
        Optional[str], typer.Option("--model", help="A model you think of; what speaks against it is said.")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Closed forms only: no imagined rows are fitted. Linked tables have no other figures."
        ),
    ] = False,
    json: o.JSONFile = None,
    quiet: o.Quiet = False,
) -> None:
    """Say what can be expected of a budget before any of it is spent, and without the private table.

    The schema, the number of rows and the budget fix all noise in advance. How far it moves tables of one and of two
    columns follows in closed form; rows made up from the schema are fitted besides, under the same noise. Warnings say
    when the result would be meaningless, and how many rows would be enough.

    With a schema of linked tables --rows says how many units there are: people, each with all rows that belong to it.
    Told are the bounds on their rows, what each part of the budget buys, and the noise on the tables of counts.

    Without --epsilon it says what a cohort of fewer than 2,000 people can give without a budget: how like real rows the
    drawn ones will be, and how well an attacker will tell who was fitted, by cohorts of public tables and by people
    made up from the schema.

    Example: synthkit plan --schema icu.yaml --rows 40000 --epsilon 1

    Example: synthkit plan --schema icu.yaml --rows 300

    Example: synthkit plan --schema hospital.yaml --units 15000 --epsilon 3 --rows-per-unit labs=25
    """
    known = read_either_schema(schema, private=epsilon is not None)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.schema.table import Schema as OneTable

        means = means_by_table(rows_per_unit)
        outlook: CohortOutlook | Outlook | LinkedOutlook
        if isinstance(known, OneTable):
            _refuse_means(means)
            asked = {"rows": rows, "model": model, "simulated": not quick, "progress": progress}
            outlook = _of_one_table(known, epsilon, delta, max_rows_per_unit, asked)
        else:
            outlook = _of_linked(known, rows, epsilon, delta, max_rows_per_unit, means, model, progress)
    write_json(json, outlook.to_dict(), indent=2)
    say(str(outlook), quiet=quiet)
    for warning in outlook.warnings:
        warn(warning)


def _of_one_table(
    schema: Schema, epsilon: float | None, delta: float | None, max_rows_per_unit: int | None, asked: Mapping[str, Any]
) -> CohortOutlook | Outlook:
    """What a budget can give, or, without one, a cohort.

    Raises:
        ConfigError: there are terms of a budget and no epsilon.
    """
    from synthkit.planning import plan as plan_fit
    from synthkit.planning import plan_cohort

    if epsilon is not None:
        return plan_fit(schema, epsilon=epsilon, delta=delta, max_rows_per_unit=max_rows_per_unit, **asked)
    if delta is not None or max_rows_per_unit is not None:
        msg = (
            "`--delta` and `--max-rows-per-unit` are terms of a budget; however: there is no `--epsilon`. Give it, or "
            "leave them out"
        )
        raise ConfigError(msg)
    return plan_cohort(schema, **asked)


def _of_linked(
    schema: LinkedSchema,
    units: int,
    epsilon: float | None,
    delta: float | None,
    max_rows_per_unit: int | None,
    means: Mapping[str, float],
    model: str | None,
    progress: Progress,
) -> LinkedOutlook:
    """What a budget can give for linked tables.

    Raises:
        ConfigError: there is no epsilon, or a bound that is not one of linked tables.
    """
    from synthkit.pipeline.linked.linked_config import refuse_not_of_linked
    from synthkit.planning import plan_linked

    if epsilon is None:
        msg = "a plan of linked tables needs a budget; however: `--epsilon` is not given. Give it"
        raise ConfigError(msg)
    if max_rows_per_unit is not None:
        refuse_not_of_linked(RunConfig.of(epsilon=epsilon, public_n=units, max_rows_per_unit=max_rows_per_unit))
    return plan_linked(
        schema, units=units, epsilon=epsilon, delta=delta, rows_per_unit=means, model=model, progress=progress
    )


def _refuse_means(means: Mapping[str, float]) -> None:
    """Refuse rows of tables that a schema of one table has not.

    Raises:
        ConfigError: some are stated.
    """
    if means:
        msg = (
            "`--rows-per-unit` is about linked tables; however: the schema is of one table. Leave it out, and give "
            "--max-rows-per-unit where persons have several rows"
        )
        raise ConfigError(msg)
