"""`detect`: whether a table, or linked ones, bear a watermark. Never loads torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthkit.cli import options as o
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import say, write_json
from synthkit.pipeline.run_config import CSVOptions, RunConfig

if TYPE_CHECKING:
    from synthkit.watermark import UnitDetection, WatermarkDetection


@config_flags(CSVOptions)
def detect(
    table: o.InputTable,
    key: Annotated[Path, typer.Option("--key", help="The key of the watermark.")],
    alpha: Annotated[
        float, typer.Option("--alpha", help="The table is called ours if p is at most this.", min=0, max=1)
    ] = 1e-6,
    json: o.JSONFile = None,
    *,
    config: RunConfig,
    quiet: o.Quiet = False,
) -> None:
    """Say whether a table was sampled with a key: a p-value, exact whatever the table is; exit 1 if it is not found.

    Rows may lack, columns may lack, both may stand in any order; columns must have their names. With a key of linked
    tables TABLE is a folder, a .duckdb file, or a file of one of them: tables may lack too.

    Example: synthkit detect found.csv --key icu.key.json
    """
    detection, name = _detected(table, key, config)
    found = detection.found(alpha)
    write_json(json, detection.to_dict() | {"key": name, "alpha": alpha, "found": found})
    if not quiet:
        _show(detection, alpha)
    if not found:
        raise typer.Exit(1)


def _detected(table: Path, key: Path, config: RunConfig) -> tuple[WatermarkDetection | UnitDetection, str]:
    """What a key finds, and the key's name; the key says whether it is of one table or of linked ones."""
    from synthkit.pipeline.linked.linked_input import found_tables
    from synthkit.pipeline.load_table import read_raw
    from synthkit.watermark import UnitWatermarkKey, detect_units
    from synthkit.watermark import detect as detect_rows
    from synthkit.watermark.either_key import load_key

    secret = load_key(key)
    if isinstance(secret, UnitWatermarkKey):
        return detect_units(found_tables(table, config), secret), secret.name
    return detect_rows(read_raw(table, config), secret), secret.name


def _show(detection: WatermarkDetection | UnitDetection, alpha: float) -> None:
    """What was looked at, what was counted, and what it means."""
    from synthkit.watermark import UnitDetection

    if isinstance(detection, UnitDetection):
        say(f"{len(detection.tables)} of {len(detection.tables_of_key)} tables are there")
        for name, each in detection.tables.items():
            _show_counts(each, f"{name}: ")
    else:
        _show_counts(detection)
    p = f"p = {detection.p:.3g}" if detection.p > 0 else "p is too small for a computer's numbers (below 1e-300)"
    one, bears = ("tables", "bear") if isinstance(detection, UnitDetection) else ("table", "bears")
    if detection.found(alpha):
        say(f"{p}: the {one} {bears} the watermark of this key")
    else:
        are = "is" if one == "table" else "are"
        say(f"{p}: no watermark of this key is found; that does not show that the {one} {are} not ours")


def _show_counts(detection: WatermarkDetection, about: str = "") -> None:
    say(f"{about}{detection.rows:,} different rows, {detection.columns} of {detection.columns_of_key} columns")
    say(f"{about}{detection.sets} of {detection.sets_of_key} sets of columns are there whole")
    say(f"{about}{detection.heads:,} heads of {detection.coins:,} coins; by chance {detection.coins / 2:,.0f}")
