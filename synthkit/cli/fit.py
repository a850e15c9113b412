"""`fit`: a model of all rows of a table, without a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.cli import options as o
from synthkit.cli.arguments import read_either_schema
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import say, show_paths, warn_clamped
from synthkit.cli.files_beside import checkpoint_beside, with_ledger_beside, with_work_beside
from synthkit.cli.linked_runs import NOTHING_HELD_OUT, fit_linked
from synthkit.cli.progress_display import progress_display
from synthkit.cli.score_summary import show_statement
from synthkit.pipeline.run_config import (
    CSVOptions,
    ModelOptions,
    PrivacyOptions,
    ResourceOptions,
    RunConfig,
    ValidationOptions,
)

if TYPE_CHECKING:
    from synthkit.pipeline.results import Fit
    from synthkit.schema import Schema


@config_flags(ModelOptions, "orphans", ValidationOptions, ResourceOptions, CSVOptions, PrivacyOptions, file=True)
def fit(
    table: o.InputTable,
    schema: o.SchemaFile,
    out: o.OutFolder,
    config: RunConfig,
    resume: o.Resume = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Learn all rows of a table and save the model; nothing is held out, so nothing can be evaluated.

    Example: synthkit fit icu.csv --schema icu.yaml --model autoregressive --out models/icu
    """
    private = config.epsilon is not None
    known = read_either_schema(schema, config.unit, private=private)
    from synthkit.io.atomic_files import check_folder
    from synthkit.release.run_folder import MARKS, contents
    from synthkit.schema import Schema

    if not isinstance(known, Schema):
        fit_linked(table, known, out, config, resume=resume, overwrite=overwrite, quiet=quiet)
        return
    check_folder(out, overwrite=overwrite, marks=MARKS)
    made = _fit_and_save(table, known, out, config, resume=resume, overwrite=overwrite, quiet=quiet)
    if not private:
        warn_clamped(made.clamped)
    if not quiet:
        say(NOTHING_HELD_OUT)
        show_statement(made.statement)
        show_paths(contents(out))


def _fit_and_save(
    table: Path, schema: Schema, out: Path, config: RunConfig, *, resume: bool, overwrite: bool, quiet: bool
) -> Fit:
    private = config.epsilon is not None
    with progress_display(quiet=quiet, timeless=private) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.synthesize import fit

        if private:  # its noise is kept nowhere: what is taken up is a charge, not a training
            made = fit(table, schema, config=with_ledger_beside(out, config), progress=progress, resume=resume)
            made.save(out, overwrite=overwrite)
        else:
            with checkpoint_beside(out, progress, resume=resume, overwrite=overwrite) as checkpoint:
                made = fit(
                    table, schema, config=with_work_beside(out, config), checkpoint=checkpoint, progress=progress
                )
                made.save(out, overwrite=overwrite)
    return made
