"""`validate`: a table held against its schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import say
from synthkit.cli.linked_drafts import validate_folder
from synthkit.pipeline.run_config import CSVOptions, ResourceOptions, RunConfig

if TYPE_CHECKING:
    from synthkit.schema.linked.linked_validation import LinkedValidation
    from synthkit.schema.violations import Validation


@config_flags("orphans", "suite", ResourceOptions, CSVOptions)
def validate(
    table: o.InputTable,
    schema: o.SchemaFile,
    json: Annotated[Optional[Path], typer.Option("--json", help="Write the result to this file as well.")] = None,
    *,
    config: RunConfig,
    quiet: o.Quiet = False,
) -> None:
    """Hold a table against its schema and list everything it breaks; exit 1 if it breaks anything.

    Columns, rules, counts and row numbers are named, values never. Linked tables, a folder or a .duckdb file, are held
    against keys and rules across tables too.

    Example: synthkit validate icu.csv --schema icu.yaml --json validation.json
    """
    from synthkit.schema import Schema
    from synthkit.schema.linked.either_schema import load_either

    known = load_either(schema)  # before anything that takes time is loaded
    from synthkit.engine.validate_source import validate_source
    from synthkit.io.atomic_files import replacing
    from synthkit.pipeline.large_source import large_source, workplace
    from synthkit.pipeline.load_table import read_raw, refuse_linked_options
    from synthkit.schema.validation import validate as validate_cells

    result: Validation | LinkedValidation
    if isinstance(known, Schema):
        refuse_linked_options(config)
        large = large_source(table, known, config)
        if large is None:
            result = validate_cells(read_raw(table, config), known, extra=config.suite)
        else:
            with workplace(config) as place:
                result = validate_source(large, place.duck, extra=config.suite)
    else:
        result = validate_folder(table, known, config)
    if json is not None:
        with replacing(json) as temporary:
            temporary.write_text(result.to_json(), encoding="utf-8")
    say(str(result), quiet=quiet and result.success)
    if not result.success:
        raise typer.Exit(1)
