"""`sample`, `impute` and `score` with a saved model of linked tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.cli.console import formulas, say, warn, warn_orphans
from synthkit.cli.drawn_table import warn_of_formulas
from synthkit.cli.progress_display import progress_display
from synthkit.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.pipeline.run_config import RunConfig
    from synthkit.schema.linked import LinkedSchema

PARQUET_ENDING = ".parquet"
TEXT_STARTS = (".csv", ".tsv")  # how endings of delimited text begin


@dataclass(frozen=True)
class LinkedPlace:
    """Where linked tables are written.

    Args:
        path: a folder, or a DuckDB file.
        ending: of the files of a folder; Parquet if not given.
        overwrite: whether what is there may be replaced.
        spreadsheet_safe: whether texts that spreadsheets take for formulas are escaped in delimited text.
    """

    path: Path
    ending: str | None
    overwrite: bool
    spreadsheet_safe: bool = False

    def check(self) -> None:
        """Refuse the place before any work is done for it.

        Raises:
            ArtefactError: something is there that may not be replaced.
            ConfigError: an ending that no table has, one where there are no files, a place for one table, or a safety
                that only delimited text needs.
        """
        from synthkit.io.atomic_files import check_file, check_folder
        from synthkit.tables.duckdb_files import is_duckdb
        from synthkit.tables.linked_files import TABLE_ENDINGS, TABLES_MARK

        if self.spreadsheet_safe and not self.is_text:
            msg = f"--spreadsheet-safe is for CSV; however: {self.path.name} will hold none. Say --ending .csv"
            raise ConfigError(f"{msg}, or leave it away")
        if is_duckdb(self.path):
            if self.ending is not None:
                msg = f"`--ending` is of files in a folder; however: {self.path.name} is one file. Leave it out"
                raise ConfigError(msg)
            check_file(self.path, overwrite=self.overwrite)
            return
        if self.path.suffix and any(self.path.name.endswith(end) for end in TABLE_ENDINGS):
            msg = f"linked tables are written to a folder or a .duckdb file; however: {self.path.name} is one table's"
            raise ConfigError(f"{msg}. Name a folder, and the format with --ending")
        if self.ending not in (None, *TABLE_ENDINGS):
            msg = f"`--ending` must be one of {', '.join(TABLE_ENDINGS)}; however: {self.ending}"
            raise ConfigError(f"{msg}. Leave it out for Parquet")
        check_folder(self.path, overwrite=self.overwrite, marks=(TABLES_MARK,))

    @property
    def is_text(self) -> bool:
        """Whether delimited text is written."""
        from synthkit.tables.duckdb_files import is_duckdb

        return not is_duckdb(self.path) and (self.ending or "").startswith(TEXT_STARTS)

    def write(self, frames: Mapping[str, pd.DataFrame], schema: LinkedSchema, *, partly: bool = False) -> None:
        """Write tables that a synthesizer made; `partly` if real cells are among them."""
        from synthkit.io.provenance_marks import provenance_mark
        from synthkit.schema.spreadsheet_formulas import formulas_in_cells
        from synthkit.tables.linked_files import write_as_stored

        mark = provenance_mark("partially synthetic") if partly else provenance_mark()
        ending = self.ending or PARQUET_ENDING
        told = {"spreadsheet_safe": self.spreadsheet_safe, "overwrite": self.overwrite}
        write_as_stored(frames, self.path, schema, ending=ending, mark=mark, **told)
        if self.is_text and not self.spreadsheet_safe:
            begun = [f"{name}.{column}" for name, frame in frames.items() for column in formulas_in_cells(frame)]
            if begun:
                warn(f"{self.path.name}: {formulas(begun)}; say --spreadsheet-safe if somebody may open it in one")


def refuse_of_one_table(**asked: object) -> None:
    """Refuse flags that are of one table.

    Raises:
        ConfigError: one is given.
    """
    remedies = {"rows": "Say --units"}
    for name, value in asked.items():
        if value is not None and value is not False:
            remedy = remedies.get(name, "Leave it out")
            msg = f"`--{name.replace('_', '-')}` is of one table; however: the model is of linked tables. {remedy}"
            raise ConfigError(msg)


def refuse_of_linked(**asked: object) -> None:
    """Refuse flags that are of linked tables.

    Raises:
        ConfigError: one is given.
    """
    remedies = {"units": "Say --rows", "ending": "The name of the file says its format"}
    for name, value in asked.items():
        if value is not None:
            msg = f"`--{name}` is of linked tables; however: the model is of one table. {remedies[name]}"
            raise ConfigError(msg)


def sample_linked(
    model: Path, place: LinkedPlace, units: int | None, given: Sequence[str | Path], config: RunConfig, *, quiet: bool
) -> None:
    """New units from a saved model, each with all that belongs to it.

    Args:
        model: its folder.
        place: where the tables go.
        units: how many; as many as are given if not said.
        given: at most one: a file of units, or a folder with what has happened to them so far.
        config: seed, device and key of a watermark.
        quiet: whether nothing but errors is said.

    Raises:
        ConfigError: the number of units is not said, or more than one thing is given.
    """
    place.check()
    if len(given) > 1:
        msg = f"units are given by one file or one folder; however: {len(given)} are named. Put them into one folder"
        raise ConfigError(msg)
    if not given and units is None:
        msg = "the number of people must be said; however: there is no --units. For example: --units 1000"
        raise ConfigError(msg)
    from synthkit.watermark import UnitWatermarkKey

    key = None if config.watermark is None else UnitWatermarkKey.load(config.watermark)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load")
        from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
        from synthkit.synthesizer.model_files import lawful

        synthesizer = LinkedSynthesizer.load(model, device=config.device)
        schema = synthesizer.schema
        key = key and key.of(schema)
        known = _known(Path(given[0]), schema) if given else None
        count = len(known[schema.unit]) if known is not None and units is None else units
        progress.stage("sample")
        with lawful(model):
            drawn = synthesizer.sample(count or 0, seed=config.seed, given=known, watermark=key)
        progress.stage("write")
        place.write(drawn, schema, partly=known is not None)
        progress.stage("")
    say(f"{place.path}: {_sizes(drawn)}", quiet=quiet)
    if key is not None:
        say(f"watermarked: each of them is one of {key.candidates}, chosen by key {key.name}", quiet=quiet)


def _known(path: Path, schema: LinkedSchema) -> dict[str, Any]:
    """Frames of what is known of units, by table; of a file of units keys are made fresh.

    Raises:
        ConfigError: there is nothing, `COLUMN=VALUE` is written where a file is meant, or the units are not among it.
    """
    from synthkit.schema.columns import Identifier
    from synthkit.tables.linked_files import table_paths
    from synthkit.tables.table_files import read_cells

    if path.is_dir():
        found = {name: read_cells(file, empty=True) for name, file in table_paths(path).items()}
        if schema.unit not in found:
            msg = f"a folder that is given must hold the people; however: {path} has no table `{schema.unit}`. Add it"
            raise ConfigError(msg)
        return found
    if path.is_file():
        cells, columns = read_cells(path), schema.tables[schema.unit].columns
        fresh = [name for name in cells.columns if isinstance(columns.get(name), Identifier)]
        return {schema.unit: cells.drop(columns=fresh)}
    msg = (
        f"`--given` must name a file of `{schema.unit}`, or a folder of tables; however: {path.name} is not there. "
        "Write what is known of each person into a row"
    )
    raise ConfigError(msg)


def _sizes(frames: Mapping[str, pd.DataFrame]) -> str:
    return ", ".join(f"{name} {len(frame):,}" for name, frame in frames.items())


def impute_linked(model: Path, tables: Path, place: LinkedPlace, config: RunConfig, *, quiet: bool) -> None:
    """Missing cells of linked tables filled from a saved model."""
    place.check()
    with progress_display(quiet=quiet) as progress:
        progress.stage("load")
        from synthkit.pipeline.linked.linked_input import kept_cells
        from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
        from synthkit.synthesizer.model_files import lawful

        synthesizer = LinkedSynthesizer.load(model, device=config.device)
        schema = synthesizer.schema
        cells = kept_cells(tables, schema, config)
        before = cells.frames
        progress.stage("impute")
        with lawful(model):
            after = synthesizer.impute(before, seed=config.seed)
        progress.stage("write")
        place.write(after, schema, partly=True)
        progress.stage("")
    warn_orphans(cells.counts)
    filled = _missing_cells(before, schema) - _missing_cells(after, schema)
    say(f"{place.path}: {_sizes(after)}; {filled:,} cells filled", quiet=quiet)


def _missing_cells(frames: Mapping[str, pd.DataFrame], schema: LinkedSchema) -> int:
    """Missing cells of values; keys and moments are never filled."""
    values = {name: list(table.payload) for name, table in schema.tables.items() if table.payload}
    return sum(int(frames[name][columns].isna().sum().sum()) for name, columns in values.items())


def score_linked(
    model: Path, tables: Path, out: Path, config: RunConfig, *, spreadsheet_safe: bool, quiet: bool
) -> None:
    """How odd a saved model holds each unit to be, and which tables make it so."""
    with progress_display(quiet=quiet) as progress:
        progress.stage("load")
        from synthkit.pipeline.linked.linked_input import kept_cells
        from synthkit.synthesizer.anomaly import scored_units
        from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
        from synthkit.synthesizer.model_files import lawful
        from synthkit.tables import table_files

        synthesizer = LinkedSynthesizer.load(model, device=config.device)
        cells = kept_cells(tables, synthesizer.schema, config)
        progress.stage("score")
        with lawful(model):
            scores = scored_units(synthesizer.anomaly_score(cells.frames), cells, synthesizer.schema)
        progress.stage("write")
        table_files.write(scores, out, spreadsheet_safe=spreadsheet_safe)
        progress.stage("")
    warn_orphans(cells.counts)
    warn_of_formulas(scores, out, spreadsheet_safe=spreadsheet_safe)
    say(f"{out}: {len(scores):,} people, the oddest first (INTERNAL)", quiet=quiet)
