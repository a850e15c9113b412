"""The entrance: a table is read, held against its schema, and refused or typed before anything looks at it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.engine.parquet_source import is_several_files, read_parts
from synthkit.errors import ConfigError
from synthkit.pipeline.run_config import LinkedOptions, RunConfig
from synthkit.schema import Schema
from synthkit.schema.clamp import clamp_typed
from synthkit.schema.columns import Identifier
from synthkit.schema.domain_mapping import map_into_domain
from synthkit.schema.public_domain import declared_domain
from synthkit.schema.typed_columns import TypedColumns
from synthkit.schema.unit_keys import unit_codes
from synthkit.schema.validation import read_suite, validate, validate_typed
from synthkit.schema.violations import Validation
from synthkit.tables.csv_lines import LEFT_OUT_LINES
from synthkit.tables.storage import storages
from synthkit.tables.table_files import CellOptions, is_text, read_cells
from synthkit.tables.typed_table import TypedTable

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.metrics.attacks.population import Population


UNREADABLE_LINES, ROWS_WITHOUT_UNIT = (
    "(lines that are no rows)",
    "(rows without a unit)",
)  # what is counted beside cells of columns


def read_raw(table: pd.DataFrame | str | Path, config: RunConfig) -> pd.DataFrame:
    """The cells as they stand, read as the configuration says; no schema has typed them.

    Raises:
        TableError: the file cannot be read as a table.
    """
    return _cells(table, config)


def _cells(table: pd.DataFrame | str | Path, config: RunConfig) -> pd.DataFrame:
    """The cells of a file, or of all files of a folder or a pattern of Parquet."""
    if not isinstance(table, str | Path) or not is_several_files(table):
        return read_cells(table, **_reading(config))
    return read_parts(table, alone=config.epsilon is not None)


def _reading(config: RunConfig) -> CellOptions:
    """How files are read; under a budget each line by itself."""
    return CellOptions(
        delimiter=config.delimiter,
        encoding=config.encoding,
        missing=config.missing,
        alone=config.epsilon is not None,
    )


def load_table(table: pd.DataFrame | str | Path, schema: Schema, config: RunConfig) -> TypedTable:
    """Read a table, type it and hold it against its schema; `config.clamp` maps cells into the domain before that.

    Raises:
        TableError: the file cannot be read as a table.
        SchemaError: the table breaks its schema; every violation is listed.
    """
    raw = _cells(table, config)
    stored = {} if _is_text(table) else storages(raw, schema)
    typed, changed = TypedColumns.of(raw, schema), dict[str, int]()
    if config.clamp:
        typed, changed = clamp_typed(typed, schema)
    validation = validate_typed(typed, schema, extra=config.suite)
    validation.raise_if_failed()
    return TypedTable(frame=typed.frame, storages=stored, validation=validation, clamped=changed)


def _is_text(table: pd.DataFrame | str | Path) -> bool:
    return isinstance(table, str | Path) and not is_several_files(table) and is_text(table)


def load_mapped_table(table: pd.DataFrame | str | Path, public: Schema, config: RunConfig) -> TypedTable:
    """Read a table and map every cell into the public domain by itself, refusing none, and holding it against nothing.

    Rows without a unit are dropped. Samples get the schema's own dtypes: those of the table would tell of its cells.

    Raises:
        TableError: the file cannot be read as a table.
        SchemaError: columns are missing or unknown.
    """
    raw = _cells(table, config)
    found = map_into_domain(raw, public)
    owned = unit_codes(found.frame, public)[0] >= 0
    left_out = {UNREADABLE_LINES: int(raw.attrs.get(LEFT_OUT_LINES, 0)), ROWS_WITHOUT_UNIT: int((~owned).sum())}
    counts = {**found.counts, **{what: count for what, count in left_out.items() if count}}
    return TypedTable(frame=found.frame[owned].reset_index(drop=True), clamped=counts)


def find_violations(table: pd.DataFrame | str | Path, public: Schema, config: RunConfig) -> Validation:
    """What the cells of a table are not, and which rules its rows break once each cell is mapped; INTERNAL.

    Raises:
        TableError: the file cannot be read as a table.
        SchemaError: columns are missing or unknown.
        ConfigError: the suite of the user's own is none.
    """
    found = map_into_domain(read_raw(table, config), public)
    checked = validate(found.frame, _with_keys(public), extra=config.suite)
    return replace(checked, violations=(*found.faults, *checked.violations))


def _with_keys(public: Schema) -> Schema:
    """The schema of a frame whose unit column holds keys."""
    if public.unit is None:
        return public
    unit = Identifier(nullable=public.columns[public.unit].nullable)
    return public.model_copy(update={"columns": {**public.columns, public.unit: unit}})


def population(schema: Schema, config: RunConfig) -> Population | None:
    """Counts of the population by quasi-identifiers, None if the run names no file of them.

    Raises:
        TableError: the file cannot be read, or lacks a column or a count.
        SchemaError: the schema declares no quasi-identifiers, or a cell cannot be typed.
    """
    if config.population is None:
        return None
    from synthkit.metrics.attacks.population import Population

    return Population.of(read_raw(config.population, config), schema)


def refuse_early(config: RunConfig, schema: Schema) -> None:
    """What is declared, and files beside the table, are looked at before any work is done and a ledger is begun.

    Raises:
        ConfigError: the suite is none, a baseline is no estimator that suits a target, or an option is one of linked
            tables.
        TableError: the population cannot be read, or lacks a column or a count.
        SchemaError: there is a population, but no quasi-identifiers are declared; under a budget a line is not public.
    """
    refuse_linked_options(config)
    if config.epsilon is not None:
        declared_domain(schema)
    population(schema, config)
    if config.suite is not None:
        read_suite(config.suite)
    check_baselines(schema, config)


def refuse_linked_options(config: RunConfig) -> None:
    """What only linked tables can be asked.

    Raises:
        ConfigError: it is asked of one.
    """
    asked = [name for name in LinkedOptions.model_fields if getattr(config, name) not in (None, "refuse")]
    if asked:
        remedy = "Say `rows`" if asked == ["units"] else "Leave it out"
        msg = f"`{asked[0]}` is of linked tables; however: the schema is of one table. {remedy}"
        raise ConfigError(msg)


def check_baselines(schema: Schema, config: RunConfig) -> None:
    """Import the baselines of the user before any work is done; nothing is imported if there are none.

    Raises:
        ConfigError: a baseline is no estimator that suits a target.
    """
    if config.baselines:
        from synthkit.metrics.utility.user_estimators import check_suits, user_estimators

        check_suits(user_estimators(config.baselines), schema.targets)


def name_of(table: pd.DataFrame | str | Path) -> str:
    """What to call the table's origin: the file's name without its folders."""
    return Path(table).name if isinstance(table, str | Path) else "a frame"
