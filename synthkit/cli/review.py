"""`review`: synthetic and held-out people laid out for clinicians, blind; and what a filled sheet says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import say, show_paths, warn, write_json
from synthkit.errors import ConfigError
from synthkit.pipeline.run_config import CSVOptions, RunConfig


@config_flags(CSVOptions)
def review(
    folder: Annotated[Optional[Path], typer.Argument(metavar="DIR", help="Folder of a run of linked tables.")] = None,
    real: Annotated[
        Optional[Path], typer.Option("--real", help="Folder or DuckDB file of the real tables the run was made from.")
    ] = None,
    people: Annotated[int, typer.Option("--people", help="How many synthetic and how many real people.")] = 20,
    seed: Annotated[
        Optional[int], typer.Option("--seed", min=0, help="Of the choice and the order; fresh if not given.")
    ] = None,
    out: Annotated[
        Optional[Path], typer.Option("--out", "-o", help="Folder to write; it appears whole or not at all.")
    ] = None,
    sheet: Annotated[Optional[Path], typer.Option("--sheet", help="A filled sheet.csv, to be evaluated.")] = None,
    key: Annotated[Optional[Path], typer.Option("--key", help="The key.json of its review.")] = None,
    json: o.JSONFile = None,
    *,
    config: RunConfig,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Lay out synthetic and held-out people in random order, with a score sheet; or evaluate a filled one.

    INTERNAL: half of the people are real. Reviewers get the folder `for_reviewers` alone; who is synthetic stands in
    key.json beside it.

    Example: synthkit review runs/ward --real ward/ --people 20 -o review

    Then: synthkit review --sheet filled.csv --key review/key.json
    """
    if sheet is not None or key is not None:
        if sheet is None or key is None or folder is not None:
            msg = (
                "a filled sheet is evaluated with `--sheet` and `--key` alone; however: one is missing, or DIR is given"
            )
            raise ConfigError(f"{msg}. Give both, and no folder")
        _evaluated(sheet, key, json, quiet=quiet)
        return
    if folder is None or real is None or out is None:
        given = {"DIR": folder, "--real": real, "--out": out}
        lacking = ", ".join(name for name, value in given.items() if value is None)
        msg = f"a review needs DIR, `--real` and `--out`; however: {lacking} not given. Or evaluate one with `--sheet`"
        raise ConfigError(msg)
    _laid_out(folder, real, out, people, seed, config, overwrite=overwrite, quiet=quiet)


def _evaluated(sheet: Path, key: Path, json: Path | None, *, quiet: bool) -> None:
    from synthkit.pipeline.review.filled_sheet import evaluate_sheet

    found = evaluate_sheet(sheet, key)
    write_json(json, found.to_dict())
    for sentence in found.sentences():
        say(sentence, quiet=quiet)


def _laid_out(
    folder: Path,
    real: Path,
    out: Path,
    people: int,
    seed: int | None,
    config: RunConfig,
    *,
    overwrite: bool,
    quiet: bool,
) -> None:
    from synthkit.io.atomic_files import check_folder
    from synthkit.pipeline.linked.linked_input import cell_options
    from synthkit.pipeline.review import blind_review as b
    from synthkit.pipeline.review.reviewed_run import sides_of_run

    check_folder(out, overwrite=overwrite, marks=(b.KEY_FILE,))
    synthetic, held_out = sides_of_run(folder, real, **cell_options(config))
    b.lay_out_review(synthetic, held_out, people=people, seed=seed).save(out, overwrite=overwrite)
    warn("INTERNAL: half of the people in this review are real")
    if not quiet:
        place = out / b.REVIEWERS_FOLDER
        show_paths(
            {
                place / b.PEOPLE_FILE: "the people, in random order (INTERNAL): for the reviewers",
                place / b.SHEET_FILE: "the score sheet to fill in",
                place / b.SHEET_PAGE: "the same to print",
                out / b.KEY_FILE: "who is synthetic: not for the reviewers",
            }
        )
