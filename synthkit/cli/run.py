"""`run`: from a real table to synthetic rows, a model and a report."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.cli import options as o
from synthkit.cli.arguments import read_either_schema
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import say, show_paths, warn_clamped
from synthkit.cli.files_beside import checkpoint_beside, with_ledger_beside, with_work_beside
from synthkit.cli.gate import show_briefly
from synthkit.cli.linked_runs import run_linked
from synthkit.cli.progress_display import progress_display
from synthkit.cli.score_summary import show_scores, show_statement
from synthkit.pipeline.run_config import RunConfig

if TYPE_CHECKING:
    from synthkit.pipeline.linked.linked_results import LinkedRelease
    from synthkit.pipeline.results import Release
    from synthkit.release.policy.gate_decision import Gate
    from synthkit.runtime.progress import Progress
    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema

INSPECTED = (
    "What was checked and measured on real rows is INTERNAL and not printed: {out}/internal/log.txt says how it went."
)


@config_flags(RunConfig, file=True)
def run(
    table: o.InputTable,
    schema: o.SchemaFile,
    out: o.OutFolder,
    config: RunConfig,
    resume: o.Resume = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """From a real table to synthetic rows, a saved model and a report on how good and how risky they are.

    Part of the rows is held out and never fitted; the report compares with them.

    With --epsilon everything that leaves but what is marked INTERNAL is differentially private; what was spent is kept
    in a ledger beside DIR, and another run on the same table adds to it.

    With a schema of linked tables TABLE is a folder with a file a table, or a .duckdb file: people are held out and
    drawn, each with all that belongs to them; with --epsilon they are protected with all of it, within the bounds on
    rows that the schema declares.

    Example: synthkit run icu.csv --schema icu.yaml --out runs/icu --rows 10000

    Example: synthkit run hospital --schema hospital.yaml --out runs/hospital --units 5000
    """
    run_and_save(table, schema, out, config, resume=resume, overwrite=overwrite, quiet=quiet)


def run_and_save(
    table: Path,
    schema: Path,
    out: Path,
    config: RunConfig,
    *,
    policy: Path | None = None,
    resume: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Run, write the folder, and say what was found; with a policy, what it says of the run too."""
    from synthkit.schema import Schema

    known = read_either_schema(schema, config.unit, private=config.epsilon is not None)
    if config.epsilon is not None:
        _run_privately(table, known, out, config, resume=resume, overwrite=overwrite, quiet=quiet)
        return
    if not isinstance(known, Schema):
        run_linked(table, known, out, config, resume=resume, overwrite=overwrite, quiet=quiet)
        return
    from synthkit.io.atomic_files import check_folder
    from synthkit.release.run_folder import MARKS, contents

    check_folder(out, overwrite=overwrite, marks=MARKS)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.synthesize import synthesize

        with checkpoint_beside(out, progress, resume=resume, overwrite=overwrite) as checkpoint:
            made = synthesize(
                table, known, config=with_work_beside(out, config), checkpoint=checkpoint, progress=progress
            )
            made.save(out, overwrite=overwrite)
    warn_clamped(made.clamped)
    gate = None if policy is None else _judged(out, policy)
    if not quiet:
        show_scores(made.evaluation, made.ledger.to_dict(), gate)
        if gate is not None:
            show_briefly(gate)
        show_paths(contents(out))


def _judged(out: Path, policy: Path) -> Gate:
    """What a policy says of a run that was saved."""
    from synthkit.release.gate_run_folder import apply_policy

    return apply_policy(out, policy)[1]


def _run_privately(
    table: Path,
    schema: Schema | LinkedSchema,
    out: Path,
    config: RunConfig,
    *,
    resume: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Under a budget what was charged is saved and told first; only then anything is compared with real rows.

    A run that was stopped in between goes on there if it is resumed: what it had to release is whole.
    """
    from synthkit.pipeline.linked.linked_config import refuse_not_of_linked
    from synthkit.release.run_folder import unmeasured
    from synthkit.schema import Schema

    if not isinstance(schema, Schema):
        refuse_not_of_linked(config)
    if not (resume and unmeasured(out)):
        _release(table, schema, out, config, resume=resume, overwrite=overwrite, quiet=quiet)
    _inspect(table, schema, config, out, quiet=quiet)


def _release(
    table: Path,
    schema: Schema | LinkedSchema,
    out: Path,
    config: RunConfig,
    *,
    resume: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Fit and draw, save what may leave, and say what is promised; copies of the table end with this function."""
    from synthkit.io.atomic_files import check_folder
    from synthkit.release.run_folder import MARKS, contents
    from synthkit.report.split_description import describe_role_shares

    check_folder(out, overwrite=overwrite, marks=MARKS)
    with progress_display(quiet=quiet, timeless=True) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.synthesize import public_shares

        made = _made(table, schema, with_ledger_beside(out, config), progress, resume=resume)
        made.save(out, overwrite=overwrite)
    if not quiet:
        show_statement(made.statement)
        say(describe_role_shares(asdict(public_shares(config)), final=config.final))
        show_paths(contents(out))


def _made(
    table: Path, schema: Schema | LinkedSchema, config: RunConfig, progress: Progress, *, resume: bool
) -> Release | LinkedRelease:
    """What may leave, of one table or of linked ones."""
    from synthkit.schema import Schema

    if isinstance(schema, Schema):
        from synthkit.pipeline.synthesize import release

        return release(table, schema, config=config, progress=progress, resume=resume)
    from synthkit.pipeline.linked.private_linked_run import release_linked

    return release_linked(table, schema, config=config, progress=progress, resume=resume)


def _inspect(table: Path, schema: Schema | LinkedSchema, config: RunConfig, out: Path, *, quiet: bool) -> None:
    """The INTERNAL look at what was saved; whatever it finds, the same words are said."""
    from synthkit.pipeline.internal_evaluation import inspect
    from synthkit.pipeline.linked.internal_linked_evaluation import inspect_linked
    from synthkit.schema import Schema

    with progress_display(quiet=quiet, timeless=True) as progress:
        progress.stage("compare with real rows (INTERNAL)")
        try:
            if isinstance(schema, Schema):
                inspect(table, schema, config, out)
            else:
                inspect_linked(table, schema, config, out)
        except KeyboardInterrupt as error:
            msg = f"stopped; what may leave is whole in {out}, its comparison with real rows is not"
            raise KeyboardInterrupt(msg) from error
        progress.stage("")
    say(f"\n{INSPECTED.format(out=out)}", quiet=quiet)
