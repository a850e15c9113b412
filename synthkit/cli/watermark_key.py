"""`watermark-key`: a key that marks rows. Never loads torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthkit.cli import options as o
from synthkit.cli.console import say


def watermark_key(
    schema: o.SchemaFile,
    out: Annotated[Path, typer.Option("--out", help="File to write; only you may read it, and it is never replaced.")],
    candidates: Annotated[
        int,
        typer.Option(
            "--candidates",
            help="Rows, or of linked tables people, drawn for each released one: more mark more strongly, and slower.",
        ),
    ] = 4,
    quiet: o.Quiet = False,
) -> None:
    """Make the key of a watermark: 32 bytes of the operating system, and the names and kinds of a schema's columns.

    Of linked tables people are chosen, each with all that belongs to them.

    Whoever has the key can find the mark, and can make it: keep it as you keep a password.

    Example: synthkit watermark-key --schema icu.yaml --out icu.key.json
    """
    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.either_schema import load_either

    known = load_either(schema)  # before anything that takes time is loaded
    from synthkit.watermark import UnitWatermarkKey, WatermarkKey

    if isinstance(known, LinkedSchema):
        of_units = UnitWatermarkKey.new(known, candidates=candidates)
        of_units.save(out)
        columns = sum(map(len, of_units.tables.values()))
        say(f"{out}: key {of_units.name} for {columns} columns of {len(of_units.tables)} tables", quiet=quiet)
        return
    key = WatermarkKey.new(known, candidates=candidates)
    key.save(out)
    say(f"{out}: key {key.name} for {len(key.columns)} columns", quiet=quiet)
