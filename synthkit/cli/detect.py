"""`watermark-key` and `detect`: a key that marks rows, and whether a table bears its mark. Never loads torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.arguments import config
from synthkit.cli.console import say

if TYPE_CHECKING:
    from synthkit.watermark import WatermarkDetection


def watermark_key(
    schema: o.SchemaFile,
    out: Annotated[Path, typer.Option("--out", help="File to write; only you may read it, and it is never replaced.")],
    candidates: Annotated[
        int, typer.Option("--candidates", help="Rows drawn for each released one: more mark more strongly, and slower.")
    ] = 4,
    quiet: o.Quiet = False,
) -> None:
    """Make the key of a watermark: 32 bytes of the operating system, and the names and kinds of a schema's columns.

    Whoever has the key can find the mark, and can make it: keep it as you keep a password.

    Example: synthkit watermark-key --schema icu.yaml --out icu.key.json
    """
    from synthkit.schema import Schema

    known = Schema.load(schema)  # before anything that takes time is loaded
    from synthkit.watermark import WatermarkKey

    key = WatermarkKey.new(known, candidates=candidates)
    key.save(out)
    say(f"{out}: key {key.name} for {len(key.columns)} columns", quiet=quiet)


def detect(
    table: o.Table,
    key: Annotated[Path, typer.Option("--key", help="The key of the watermark.")],
    alpha: Annotated[
        float, typer.Option("--alpha", help="The table is called ours if p is at most this.", min=0, max=1)
    ] = 1e-6,
    json: Annotated[Optional[Path], typer.Option("--json", help="Write the figures to this file as well.")] = None,
    delimiter: o.Delimiter = None,
    encoding: o.Encoding = None,
    missing: o.Missing = None,
    quiet: o.Quiet = False,
) -> None:
    """Say whether a table was sampled with a key: a p-value, exact whatever the table is; exit 1 if it is not found.

    Rows may lack, columns may lack, both may stand in any order; columns must have their names.

    Example: synthkit detect found.csv --key icu.key.json
    """
    from synthkit.pipeline.load_table import read_raw
    from synthkit.watermark import WatermarkKey
    from synthkit.watermark import detect as held

    secret = WatermarkKey.load(key)
    found = held(read_raw(table, config(None, delimiter=delimiter, encoding=encoding, missing=missing)), secret)
    if json is not None:
        from json import dumps

        from synthkit.io.atomic_files import replacing

        with replacing(json) as temporary:
            told = {"key": secret.name, "alpha": alpha, "found": found.found(alpha)}
            temporary.write_text(dumps(found.to_dict() | told, indent=1) + "\n", encoding="utf-8")
    if not quiet:
        _show(found, alpha)
    if not found.found(alpha):
        raise typer.Exit(1)


def _show(found: WatermarkDetection, alpha: float) -> None:
    """What was looked at, what was counted, and what it means."""
    say(f"{found.rows:,} different rows, {found.columns} of {found.columns_of_key} columns")
    say(f"{found.sets} of {found.sets_of_key} sets of columns are there whole")
    say(f"{found.heads:,} heads of {found.coins:,} coins; by chance {found.coins / 2:,.0f}")
    p = f"p = {found.p:.3g}" if found.p > 0 else "p is too small for a computer's numbers (below 1e-300)"
    if found.found(alpha):
        say(f"{p}: the table bears the watermark of this key")
    else:
        say(f"{p}: no watermark of this key is found; that does not show that the table is not ours")
