"""`init` and `validate` where TABLE is a folder of linked tables or a DuckDB file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.cli.console import say, warn
from synthkit.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.pipeline.run_config import RunConfig
    from synthkit.schema.infer.direct_identifiers import Suspicion
    from synthkit.schema.infer.linked.linked_draft import LinkedDraft
    from synthkit.schema.infer.questions import DraftQuestion
    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.linked_validation import LinkedValidation

DRAFT_QUESTIONS = (
    "names",
    "free text",
    "date order",
    "sum",
    "one-hot",
    "misfits",
)  # that linked tables answer no better


def is_folder_of_tables(path: Path) -> bool:
    """Whether a path holds several tables: a folder or a DuckDB file."""
    from synthkit.tables.duckdb_files import is_duckdb

    return path.is_dir() or is_duckdb(path)


def validate_folder(table: Path, schema: LinkedSchema, config: RunConfig) -> LinkedValidation:
    """What linked tables break of their schema.

    Raises:
        ConfigError: a suite is given, which is of one table.
        TableError: a table cannot be read.
        SchemaError: tables are not declared, or declared and absent.
    """
    from synthkit.pipeline.linked.linked_config import refuse_not_of_linked
    from synthkit.pipeline.linked.linked_input import read_folder
    from synthkit.schema.linked.validate_linked import validate_linked

    refuse_not_of_linked(config)
    return validate_linked(read_folder(table, schema, config).frames, schema, orphans=config.orphans)


def init_linked(
    table: Path,
    out: Path,
    unit: str | None,
    declared_by: str | None,
    config: RunConfig,
    *,
    overwrite: bool,
    quiet: bool,
) -> None:
    """A schema of linked tables drafted and drawn: what was seen stands in it, what only people know is asked.

    Args:
        table: a folder with a file a table, or a DuckDB file.
        out: schema file to write; the drawing lies beside it.
        unit: the table whose rows are people, if somebody knows it.
        declared_by: refused: the lines of such a draft are declared one by one.
        config: how CSV files are read.
        overwrite: whether files that are there may be replaced.
        quiet: whether nothing but warnings is said.

    Raises:
        ConfigError: somebody is to answer for all lines at once, or the schema file has the name of a drawing.
        ArtefactError: a file is there already.
        TableError: a table cannot be read.
        SchemaError: a table cannot be drafted.
    """
    from synthkit.io.atomic_files import check_file, replacing

    drawing = out.with_suffix(".svg")
    _refuse(out, drawing, declared_by)
    for file in (out, drawing):
        check_file(file, overwrite=overwrite)
    from synthkit.schema.infer.linked.linked_draft import draft_linked
    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.table_drawing import draw_tables
    from synthkit.schema.table import is_plain

    frames = _as_drafted(table, config)
    stem = table.resolve().name.partition(".")[0]
    draft = draft_linked(frames, name=stem if is_plain(stem) else "tables", unit=unit)
    drawn = draw_tables(draft.schema, {name: len(frame) for name, frame in frames.items()})
    for file, text in ((out, draft.text), (drawing, drawn)):
        with replacing(file) as temporary:
            temporary.write_text(text, encoding="utf-8")
    schema = LinkedSchema.loads(draft.text, str(out))
    _warn(schema, frames, guessed=unit is None)
    _warn_of_lines(draft, [name for name, frame in frames.items() if not len(frame)])
    orphans = _orphans(schema, frames)
    say(
        f"{out}: {len(schema.tables)} tables with {sum(len(t.columns) for t in schema.tables.values())} columns "
        f"drafted, {schema.unit} as people; {drawing}: how they are linked. Check every line, then: "
        f"synthkit run {table} --schema {out} --out runs/{out.stem}{orphans}",
        quiet=quiet,
    )


def _warn_of_lines(draft: LinkedDraft, rowless: Sequence[str]) -> None:
    """Lines that no row speaks for, or rows speak against: a unit that few belong to, and what some rows break."""
    for name in rowless:
        warn(f"`{name}`: {' '.join(draft.comments.get(f'tables.{name}', ()))}")
    if draft.likeliest != draft.schema.unit:
        warn(
            f"`{draft.schema.unit}` is taken for the table whose rows are people, for --unit names it; however: by "
            f"their keys the rows of the tables belong to `{draft.likeliest}`. If that holds the people, name it with "
            "--unit"
        )
    for exception in draft.exceptions:
        warn(exception)


def _orphans(schema: LinkedSchema, frames: Mapping[str, pd.DataFrame]) -> str:
    """The option without which rows of nobody are refused, if there are any; how many it leaves out is said."""
    from synthkit.schema.linked.row_keys import SPELLED_ALIKE
    from synthkit.schema.linked.validate_linked import typed_columns

    counts = typed_columns(frames, schema, "drop").orphans
    lost = [f"{n.rows:,} of {len(frames[name]):,} rows of `{name}`" for name, n in counts.items() if n.rows]
    emptied = [f"{n.keys:,} keys of `{name}`" for name, n in counts.items() if n.keys]
    done = [f"leaves out {', '.join(lost)}"] * bool(lost) + [f"empties {', '.join(emptied)}"] * bool(emptied)
    alike = sum(n.alike for n in counts.values())
    if done:
        spelled = f"; {alike:,} {SPELLED_ALIKE}" if alike else ""
        warn(f"some keys name no row: mend them, or `--orphans drop` {' and '.join(done)}{spelled}")
    return " --orphans drop" if done else ""


def _refuse(out: Path, drawing: Path, declared_by: str | None) -> None:
    if declared_by is not None:
        msg = (
            "a draft of linked tables is declared line by line; however: --declared-by is given. Leave it out, and "
            "write `declared_by` into the tables once every line is checked"
        )
        raise ConfigError(msg)
    if drawing == out:
        msg = f"the schema and its drawing are two files; however: {out.name} is the name of both. Name a .yaml file"
        raise ConfigError(msg)


def _as_drafted(table: Path, config: RunConfig) -> dict[str, pd.DataFrame]:
    """Cells of each table, those of delimited text with the types that they seem to have."""
    from synthkit.tables import table_files
    from synthkit.tables.duckdb_files import is_duckdb
    from synthkit.tables.linked_files import read_linked, table_paths

    if is_duckdb(table):
        return dict(read_linked(table).frames)
    return {
        name: table_files.read(
            path, delimiter=config.delimiter, encoding=config.encoding, missing=config.missing, empty=True
        ).frame()
        for name, path in table_paths(table).items()
    }


def _warn(schema: LinkedSchema, frames: Mapping[str, pd.DataFrame], *, guessed: bool) -> None:
    """What may identify people, and what only people know, by table."""
    from synthkit.schema.columns import Identifier
    from synthkit.schema.infer.direct_identifiers import find_direct_identifiers
    from synthkit.schema.infer.linked.catalogues import says_catalogue

    if guessed:
        warn(
            f"`{schema.unit}` is taken for the table whose rows are people: most tables are reached from it. If it is "
            "not, name that table with --unit"
        )
    suspected: list[tuple[str, Suspicion, bool]] = []
    asked: list[str] = []
    for name, table in schema.tables.items():
        if not len(frames[name]):  # the draft's comment is said instead
            continue
        if not table.columns:
            unsure = f"`{name}`: question: is it public? It is small, and no column looks like people or dates: it"
            copied = "is taken for a public catalogue, which is copied as it is: check that it is public"
            warn(f"{f'`{name}`' if says_catalogue(name) else unsure} {copied}")
            continue
        keys = {*table.key, *(column for link in table.links for column in link.columns)}
        suspected += [
            (name, each, isinstance(table.columns[each.column], Identifier))
            for each in find_direct_identifiers(frames[name], table.columns)
            if each.column not in keys
        ]
        asked += [f"`{name}`: question: {each}" for each in _questions(name, frames[name]) if each.column not in keys]
    for line in (*_suspected(suspected), *asked):
        warn(line)


def _suspected(found: Sequence[tuple[str, Suspicion, bool]]) -> Iterator[str]:
    """What may identify people, one line for all columns of a category; dates first, for nearly every table has some.

    Args:
        found: table, suspicion, and whether the column is drafted as an identifier.
    """
    kinds: dict[tuple[bool, str, str, bool], list[tuple[str, Suspicion]]] = {}
    for table, each, done in found:
        remedy = "" if done else each.remedy
        kinds.setdefault((each.category != "date", each.category, remedy, done), []).append((table, each))
    from synthkit.schema.infer.direct_identifiers import SAFE_HARBOR_CATEGORIES

    for (_, category, remedy, done), places in sorted(kinds.items(), key=lambda kind: kind[0][0]):
        told = "drafted as identifier, so it is never learned" if done else f"If so, {remedy}"
        if len(places) == 1:
            ((table, each),) = places
            yield f"`{table}.{each.column}`: {each.sentence}{'; ' if done else '. '}{told}"
            continue
        dates = category == "date"
        named = ", ".join(f"`{t}.{e.column}`" + ("" if dates else f" ({e.evidence})") for t, e in places)
        said = told.replace("it is", "they are") if done else told
        yield f"HIPAA Safe Harbor {SAFE_HARBOR_CATEGORIES[category]}: {named}{'; ' if done else '. '}{said}"


def _questions(name: str, frame: pd.DataFrame) -> tuple[DraftQuestion, ...]:
    """What a draft of the table alone would ask, but for whose rows they are, which the links answer."""
    from synthkit.schema.infer.draft import examine

    return tuple(each for each in examine(frame, name=name).questions if each.about in DRAFT_QUESTIONS)
