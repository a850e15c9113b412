"""`detect`: whether a table bears a watermark. Never loads torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthkit.cli import options as o
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import say, write_json
from synthkit.pipeline.run_config import CSVOptions, RunConfig

if TYPE_CHECKING:
    from synthkit.watermark import WatermarkDetection


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

    Rows may lack, columns may lack, both may stand in any order; columns must have their names.

    Example: synthkit detect found.csv --key icu.key.json
    """
    from synthkit.pipeline.load_table import read_raw
    from synthkit.watermark import WatermarkKey
    from synthkit.watermark import detect as detect_key

    secret = WatermarkKey.load(key)
    detection = detect_key(read_raw(table, config), secret)
    found = detection.found(alpha)
    write_json(json, detection.to_dict() | {"key": secret.name, "alpha": alpha, "found": found})
    if not quiet:
        _show(detection, alpha)
    if not found:
        raise typer.Exit(1)


def _show(detection: WatermarkDetection, alpha: float) -> None:
    """What was looked at, what was counted, and what it means."""
    say(f"{detection.rows:,} different rows, {detection.columns} of {detection.columns_of_key} columns")
    say(f"{detection.sets} of {detection.sets_of_key} sets of columns are there whole")
    say(f"{detection.heads:,} heads of {detection.coins:,} coins; by chance {detection.coins / 2:,.0f}")
    p = f"p = {detection.p:.3g}" if detection.p > 0 else "p is too small for a computer's numbers (below 1e-300)"
    if detection.found(alpha):
        say(f"{p}: the table bears the watermark of this key")
    else:
        say(f"{p}: no watermark of this key is found; that does not show that the table is not ours")
