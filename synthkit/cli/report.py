"""`report`: the report of a folder drawn again. Never loads torch."""

from __future__ import annotations

from typing import Annotated

import typer

from synthkit.cli import options as o
from synthkit.cli.console import say
from synthkit.errors import ConfigError


def report(
    folder: o.RunFolder,
    tier: Annotated[
        str, typer.Option("--tier", help="internal (the default) or shareable: without what outsiders should not see.")
    ] = "internal",
    pdf: Annotated[bool, typer.Option("--pdf", help="A PDF beside the page; needs the extra `pdf`.")] = False,
    quiet: o.Quiet = False,
) -> None:
    """Draw report.html and report.json again from evaluation.json and the files beside it; no table is read.

    The shareable edition is written beside them, as shareable.html and shareable.json.

    Example: synthkit report runs/demo --tier shareable --pdf
    """
    from synthkit.release.run_folder import REPORT_FILE, REPORT_JSON_FILE, redraw

    if tier not in ("internal", "shareable"):
        msg = f"`--tier` must be internal or shareable; however: `{tier}`"
        raise ConfigError(msg)
    made = redraw(folder, tier)  # type: ignore[arg-type]
    name = REPORT_FILE if tier == "internal" else f"{tier}.html"
    say(f"{made.save(folder / name)}: drawn again", quiet=quiet)
    if made.document:
        made.save_json((folder / name).with_suffix(".json") if tier != "internal" else folder / REPORT_JSON_FILE)
    if pdf:
        say(f"{made.save_pdf((folder / name).with_suffix('.pdf'))}: drawn", quiet=quiet)
