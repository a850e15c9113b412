"""`init`: a schema drafted from a table, with the questions that only people can answer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import formulas, say, warn
from synthkit.cli.linked_drafts import init_linked, is_folder_of_tables
from synthkit.pipeline.run_config import CSVOptions, RunConfig

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.schema.infer.draft import Draft
    from synthkit.schema.infer.questions import DraftQuestion


@config_flags(CSVOptions)
def init(
    table: o.InputTable,
    out: Annotated[Path, typer.Option("--out", "-o", help="Schema file to write.")] = Path("schema.yaml"),
    unit: Annotated[
        Optional[str],
        typer.Option(
            "--unit", help="Column that names the person whose privacy is protected; of linked tables a table."
        ),
    ] = None,
    declared_by: Annotated[
        Optional[str],
        typer.Option(
            "--declared-by",
            metavar='"NAME: reason"',
            help="Who answers for every line of the draft being public knowledge, for use under a privacy budget.",
        ),
    ] = None,
    *,
    config: RunConfig,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Draft a schema from a table or from linked ones, to be checked by somebody who knows the data.

    Every line that came from looking at the data is marked; columns that may identify people are named as warnings.
    What only people know is asked: on a terminal, or else the safe choice is made and said.

    Of a folder with a file a table, or a .duckdb file, keys, links, order and rules across tables are drafted, each
    with the share of rows it holds in and the share it would hold in by chance, and drawn beside it; --unit names the
    table whose rows are people.

    Example: synthkit init icu.csv -o icu.yaml --unit patient_id

    Example: synthkit init hospital -o hospital.yaml --unit patients
    """
    if is_folder_of_tables(table):
        init_linked(table, out, unit, declared_by, config, overwrite=overwrite, quiet=quiet)
        return
    from synthkit.io.atomic_files import check_file, replacing
    from synthkit.schema.columns import Identifier
    from synthkit.schema.infer.direct_identifiers import find_direct_identifiers
    from synthkit.schema.spreadsheet_formulas import declared_formulas
    from synthkit.schema.table import Schema, is_plain
    from synthkit.tables import table_files

    check_file(out, overwrite=overwrite)
    source = table_files.read(table, delimiter=config.delimiter, encoding=config.encoding, missing=config.missing)
    read = source.frame()
    stem = table.name.partition(".")[0]
    draft = _answered_draft(read, stem if is_plain(stem) else "table", unit, declared_by, quiet=quiet)
    with replacing(out) as temporary:
        temporary.write_text(draft.text, encoding="utf-8")
    drafted = Schema.loads(draft.text, str(out))
    columns = drafted.columns
    if begun := declared_formulas(drafted):
        warn(f"{formulas(begun)}: say --spreadsheet-safe where CSV is written")
    for suspicion in find_direct_identifiers(read, columns):
        done = isinstance(columns[suspicion.column], Identifier)
        known = f"{suspicion.sentence}; drafted as identifier, so it is never learned"
        warn(f"`{suspicion.column}`: {known if done else suspicion}")
    say(
        f"{out}: {len(columns)} columns drafted. Check every line, then: synthkit run {table} --schema {out} "
        f"--out runs/{out.stem}",
        quiet=quiet,
    )


def _answered_draft(read: pd.DataFrame, name: str, unit: str | None, declared_by: str | None, *, quiet: bool) -> Draft:
    """The draft with its questions answered: by whoever sits at the terminal, or else by the safe choice."""
    from synthkit.schema.infer.draft import examine

    draft = examine(read, name=name, unit=unit, declared_by=declared_by)
    answered = not quiet and _on_terminal()
    learned = []
    for question in draft.questions if answered else ():
        if question.about == "unit":
            unit = question.column if _confirmed(question) else unit
        elif question.about in ("key", "sum", "names") and question.column != unit and not _confirmed(question):
            learned.append(question.column)
    if not answered and draft.owner is not None:
        unit = draft.owner.column
        seen = f"`{unit}` is taken for the unit, whose rows stay together: {draft.owner.evidence}"
        warn(f"{seen}. If it names no person, delete the line `unit` of the draft")
    if learned or unit is not None:
        draft = examine(read, name=name, unit=unit, declared_by=declared_by, learned=learned)
    for question in draft.questions:
        if not answered or question.about == "misfits":  # which nobody answers by yes or no
            warn(f"question: {question}")
    return draft


def _on_terminal() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _confirmed(question: DraftQuestion) -> bool:
    return typer.confirm(f"{question.asks} {question.evidence}.", default=True, err=True)
