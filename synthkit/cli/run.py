"""`run`, `demo` and `fit`: from a real table to synthetic rows, a model and a report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.cli import options as o
from synthkit.cli.arguments import config, read_schema, settings
from synthkit.cli.console import say, show_paths, show_scores, show_statement, warn_clamped, watching
from synthkit.cli.gate import show_briefly

if TYPE_CHECKING:
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.release.policy.gate_decision import Gate
    from synthkit.runtime.progress import Progress
    from synthkit.schema import Schema
    from synthkit.synthesizer.checkpoints import Checkpoint

INTERNAL = (
    "What was checked and measured on real rows is INTERNAL and not printed: {out}/internal/log.txt says how it went."
)
NOTHING_HELD_OUT = (
    "All rows were fitted and none held out, so nothing can be evaluated: use `synthkit run` for a report."
)


def run(
    table: o.Table,
    schema: o.SchemaFile,
    out: o.OutFolder,
    model: o.Model = None,
    rows: o.Rows = None,
    draws: o.Draws = None,
    calibrate: o.Calibrate = None,
    watermark: o.Watermark = None,
    seed: o.Seed = None,
    config_file: o.Config = None,
    steps: o.Steps = None,
    max_minutes: o.MaxMinutes = None,
    set_: o.Settings = None,
    device: o.Device = None,
    clamp: o.Clamp = None,
    quick: o.Quick = None,
    fits: o.Fits = None,
    final: o.Final = None,
    release_model: o.ReleaseModel = None,
    suite: o.Suite = None,
    population: o.Population = None,
    delimiter: o.Delimiter = None,
    encoding: o.Encoding = None,
    missing: o.Missing = None,
    epsilon: o.Epsilon = None,
    delta: o.Delta = None,
    public_n: o.PublicN = None,
    unit: o.Unit = None,
    max_rows_per_unit: o.MaxRowsPerUnit = None,
    ledger: o.Ledger = None,
    resume: o.Resume = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """From a real table to synthetic rows, a saved model and a report on how good and how risky they are.

    Part of the rows is held out and never fitted; the report compares with them.

    With --epsilon everything that leaves but what is marked INTERNAL is differentially private; what was spent is kept
    in a ledger beside DIR, and another run on the same table adds to it.

    Example: synthkit run icu.csv --schema icu.yaml --out runs/icu --rows 10000
    """
    asked = config(
        config_file,
        model=model,
        rows=rows,
        draws=draws,
        calibrate=calibrate,
        watermark=watermark,
        seed=seed,
        settings=settings(set_, steps),
        device=device,
        max_minutes=max_minutes,
        clamp=clamp,
        quick=quick,
        fits=fits,
        final=final,
        release_model=release_model,
        suite=suite,
        population=population,
        delimiter=delimiter,
        encoding=encoding,
        missing=missing,
        epsilon=epsilon,
        delta=delta,
        public_n=public_n,
        unit=unit,
        max_rows_per_unit=max_rows_per_unit,
        ledger=ledger,
    )
    _run(table, schema, out, asked, resume=resume, overwrite=overwrite, quiet=quiet)


def demo(
    out: o.OutFolder = Path("runs/demo"),
    model: o.Model = None,
    rows: o.Rows = None,
    draws: o.Draws = None,
    seed: o.Seed = None,
    steps: o.Steps = None,
    quick: o.Quick = None,
    epsilon: o.Epsilon = None,
    delta: o.Delta = None,
    public_n: o.PublicN = None,
    ledger: o.Ledger = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Run on 9,105 real intensive-care patients that come with synthkit (SUPPORT2), judged by an example of a policy.

    The policy is that for research in the same house; nobody has put their name to it, and your own decides on your
    rows: see `synthkit gate`.

    Example: synthkit demo --out runs/demo
    """
    from synthkit.data import DEMO_POLICY, path

    asked = config(
        None,
        model=model,
        rows=rows,
        draws=draws,
        seed=seed,
        settings=settings(None, steps),
        quick=quick,
        epsilon=epsilon,
        delta=delta,
        public_n=public_n,
        ledger=ledger,
    )
    files = path("support2.parquet"), path("support2.yaml")
    _run(*files, out, asked, policy=path(DEMO_POLICY), resume=False, overwrite=overwrite, quiet=quiet)
    if asked.epsilon is not None:
        say(f"An example of a policy to hold it against: synthkit gate {out} --policy {path(DEMO_POLICY)}", quiet=quiet)


def fit(
    table: o.Table,
    schema: o.SchemaFile,
    out: o.OutFolder,
    model: o.Model = None,
    seed: o.Seed = None,
    config_file: o.Config = None,
    steps: o.Steps = None,
    max_minutes: o.MaxMinutes = None,
    set_: o.Settings = None,
    device: o.Device = None,
    clamp: o.Clamp = None,
    suite: o.Suite = None,
    delimiter: o.Delimiter = None,
    encoding: o.Encoding = None,
    missing: o.Missing = None,
    epsilon: o.Epsilon = None,
    delta: o.Delta = None,
    public_n: o.PublicN = None,
    unit: o.Unit = None,
    max_rows_per_unit: o.MaxRowsPerUnit = None,
    ledger: o.Ledger = None,
    resume: o.Resume = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Learn all rows of a table and save the model; nothing is held out, so nothing can be evaluated.

    Example: synthkit fit icu.csv --schema icu.yaml --model autoregressive --out models/icu
    """
    asked = config(
        config_file,
        model=model,
        seed=seed,
        settings=settings(set_, steps),
        device=device,
        max_minutes=max_minutes,
        clamp=clamp,
        suite=suite,
        delimiter=delimiter,
        encoding=encoding,
        missing=missing,
        epsilon=epsilon,
        delta=delta,
        public_n=public_n,
        unit=unit,
        max_rows_per_unit=max_rows_per_unit,
        ledger=ledger,
    )
    private = asked.epsilon is not None
    known = read_schema(schema, asked.unit, private=private)
    from synthkit.io.atomic_files import check_folder
    from synthkit.release.run_folder import MARKS, contents

    check_folder(out, overwrite=overwrite, marks=MARKS)
    with watching(quiet=quiet, timeless=private) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.synthesize import fit as learn

        if private:  # its noise is kept nowhere: what is taken up is a charge, not a training
            made = learn(table, known, config=_with_ledger(asked, out), progress=progress, resume=resume)
            made.save(out, overwrite=overwrite)
        else:
            with _kept(out, progress, resume=resume, overwrite=overwrite) as checkpoint:
                made = learn(table, known, config=asked, checkpoint=checkpoint, progress=progress)
                made.save(out, overwrite=overwrite)
    if not private:
        warn_clamped(made.clamped)
    if not quiet:
        say(NOTHING_HELD_OUT)
        show_statement(made.statement)
        show_paths(contents(out))


def _run(
    table: Path,
    schema: Path,
    out: Path,
    asked: RunConfig,
    *,
    policy: Path | None = None,
    resume: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    known = read_schema(schema, asked.unit, private=asked.epsilon is not None)
    from synthkit.io.atomic_files import check_folder
    from synthkit.release.run_folder import MARKS, contents

    if asked.epsilon is not None:
        _spend(table, known, out, asked, resume=resume, overwrite=overwrite, quiet=quiet)
        return
    check_folder(out, overwrite=overwrite, marks=MARKS)
    with watching(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.synthesize import synthesize

        with _kept(out, progress, resume=resume, overwrite=overwrite) as checkpoint:
            made = synthesize(table, known, config=asked, checkpoint=checkpoint, progress=progress)
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
    from synthkit.release.gate_run_folder import hold

    return hold(out, policy)[1]


def _spend(
    table: Path, schema: Schema, out: Path, asked: RunConfig, *, resume: bool, overwrite: bool, quiet: bool
) -> None:
    """Under a budget what was charged is saved and told first; only then anything is compared with real rows.

    A run that was stopped in between goes on there if it is resumed: what it had to release is whole.
    """
    from synthkit.io.atomic_files import check_folder
    from synthkit.release.run_folder import MARKS, contents, unmeasured
    from synthkit.report.sections.people import drew

    if not (resume and unmeasured(out)):
        check_folder(out, overwrite=overwrite, marks=MARKS)
        with watching(quiet=quiet, timeless=True) as progress:
            progress.stage("load libraries")
            from synthkit.pipeline.synthesize import public_shares, release

            made = release(table, schema, config=_with_ledger(asked, out), progress=progress, resume=resume)
            made.save(out, overwrite=overwrite)
        if not quiet:
            show_statement(made.statement)
            say(drew(asdict(public_shares(asked)), final=asked.final))
            show_paths(contents(out))
        del made  # its copies of the table make room
    _inspect(table, schema, asked, out, quiet=quiet)


def _inspect(table: Path, schema: Schema, asked: RunConfig, out: Path, *, quiet: bool) -> None:
    """The INTERNAL look at what was saved; whatever it finds, the same words are said."""
    from synthkit.pipeline.internal_evaluation import inspect

    with watching(quiet=quiet, timeless=True) as progress:
        progress.stage("compare with real rows (INTERNAL)")
        try:
            inspect(table, schema, asked, out)
        except KeyboardInterrupt as error:
            msg = f"stopped; what may leave is whole in {out}, its comparison with real rows is not"
            raise KeyboardInterrupt(msg) from error
        progress.stage("")
    say(f"\n{INTERNAL.format(out=out)}", quiet=quiet)


def _with_ledger(asked: RunConfig, out: Path) -> RunConfig:
    """Under a budget, the ledger beside the output unless another file was named: it outlives a run that is killed."""
    if asked.epsilon is None or asked.ledger is not None:
        return asked
    return asked.model_copy(update={"ledger": out.with_name(f"{out.name}.ledger.json")})


@contextmanager
def _kept(out: Path, progress: Progress, *, resume: bool, overwrite: bool) -> Iterator[Checkpoint]:
    """The checkpoint beside an output, gone when the block ends well; after Ctrl-C the way back is told."""
    from synthkit.synthesizer.checkpoints import Checkpoint

    checkpoint = Checkpoint.beside(out, resume=resume, replace=overwrite)
    if resume and not checkpoint.taken_up:
        progress.say(f"no training is kept in {checkpoint.folder}: it begins at the beginning")
    try:
        yield checkpoint
    except KeyboardInterrupt as error:
        if checkpoint.exists:
            msg = f"stopped; the training is kept in {checkpoint.folder}, and --resume goes on with it"
            raise KeyboardInterrupt(msg) from error
        raise
    checkpoint.remove()
