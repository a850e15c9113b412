"""`run`, `fit` and `evaluate` where the schema is one of linked tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.cli.console import say, show_paths, warn, warn_copied, warn_orphans
from synthkit.cli.files_beside import checkpoint_beside, with_ledger_beside
from synthkit.cli.progress_display import progress_display
from synthkit.cli.score_summary import show_statement

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation, Score
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.schema.linked import LinkedSchema

NOTHING_HELD_OUT = (
    "All rows were fitted and none held out, so nothing can be evaluated: use `synthkit run` for a report."
)


def run_linked(
    table: Path, schema: LinkedSchema, out: Path, config: RunConfig, *, resume: bool, overwrite: bool, quiet: bool
) -> None:
    """From real linked tables to synthetic ones, a model and scores in a folder."""
    _ready(out, config, overwrite=overwrite)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.linked.synthesize_linked import synthesize_linked
        from synthkit.release.run_folder import contents

        with checkpoint_beside(out, progress, resume=resume, overwrite=overwrite) as checkpoint:
            made = synthesize_linked(table, schema, config=config, checkpoint=checkpoint, progress=progress)
            made.save(out, overwrite=overwrite)
    warn_orphans(made.validations["input"].orphans)
    warn_copied(made.validations["input"].copied)
    if not quiet:
        rows = ", ".join(f"{name} {len(frame):,}" for name, frame in made.synthetic.items())
        people = made.facts["people"]
        held, aside = people["test"] + people["pool held out"], people["reference"]
        split = f"{_fitted(people):,} fitted, {held:,} held out, {aside:,} set aside for disclosure attacks"
        say(f"\nsynthetic rows: {rows}; of {people['units']:,} real units {split}")
        show_linked_scores(made.evaluation)
        show_paths(contents(out))


def _fitted(people: Mapping[str, int]) -> int:
    return people["train"] + people["pool trained on"]


def fit_linked(
    table: Path, schema: LinkedSchema, out: Path, config: RunConfig, *, resume: bool, overwrite: bool, quiet: bool
) -> None:
    """A model of all units, saved; under a budget what the rows were is not told."""
    _ready(out, config, overwrite=overwrite)
    private = config.epsilon is not None
    with progress_display(quiet=quiet, timeless=private) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.linked import synthesize_linked as page
        from synthkit.release.run_folder import contents

        if private:  # its noise is kept nowhere: what is taken up is a charge, not a training
            charged = with_ledger_beside(out, config)
            made = page.fit_linked(table, schema, config=charged, progress=progress, resume=resume)
            made.save(out, overwrite=overwrite)
        else:
            with checkpoint_beside(out, progress, resume=resume, overwrite=overwrite) as checkpoint:
                made = page.fit_linked(table, schema, config=config, checkpoint=checkpoint, progress=progress)
                made.save(out, overwrite=overwrite)
            warn_orphans(made.validations["input"].orphans)
            warn_copied(made.validations["input"].copied)
    if not quiet:
        say(NOTHING_HELD_OUT)
        show_statement(made.statement)
        show_paths(contents(out))


def evaluate_linked_folders(
    real: Mapping[str, Path],
    synthetic: Sequence[Path],
    schema: LinkedSchema,
    out: Path,
    config: RunConfig,
    *,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Scores of synthetic linked tables made by any tool, in a folder.

    Args:
        real: folders by `train` and `holdout`.
        synthetic: folders of synthetic tables, one a draw.
        schema: the meaning they share.
        out: folder to write.
        config: seed, quick, orphans and how CSV files are read.
        overwrite: whether a folder that is there may be replaced.
        quiet: whether nothing but errors is said.
    """
    _ready(out, config, overwrite=overwrite)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.linked.evaluate_linked_tables import evaluate_linked_tables
        from synthkit.release.run_folder import contents

        made = evaluate_linked_tables(**real, synthetic=synthetic, schema=schema, config=config, progress=progress)
        made.save(out, overwrite=overwrite)
    for side, name in (("train", "input"), ("holdout", "holdout")):
        warn_orphans(made.validations[name].orphans, side)
    if not made.validations["output"].success:
        warn(f"synthetic tables: {made.validations['output']}")
    if not quiet:
        show_linked_scores(made.evaluation)
        show_paths(contents(out))


def _ready(out: Path, config: RunConfig, *, overwrite: bool) -> None:
    """Refuse what cannot be before anything that takes time is loaded.

    Raises:
        ConfigError: linked tables cannot be asked for it.
        ArtefactError: the output is there already.
    """
    from synthkit.io.atomic_files import check_folder
    from synthkit.pipeline.linked.linked_config import refuse_not_of_linked
    from synthkit.release.run_folder import MARKS

    refuse_not_of_linked(config)
    check_folder(out, overwrite=overwrite, marks=MARKS)


def show_linked_scores(evaluation: Evaluation) -> None:
    """The scores that say most, each beside what units held out score, and what was not measured."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from synthkit.report.linked_headlines import linked_headlines
    from synthkit.report.score_rows import score_row

    table = Table("score", box=SIMPLE_HEAD, pad_edge=False)
    for title in ("value", "95 % interval", "real holdout"):
        table.add_column(title, justify="right", no_wrap=True)
    for metric in linked_headlines(score.metric for score in evaluation.scores):
        score = evaluation.score(metric)
        row = score_row(score)
        table.add_row(row["label"] + _of_what(score), row["text"], row["interval"], row["reference_text"])
    Console(highlight=False, markup=False).print(table)
    for failure in evaluation.failures:
        warn(f"{failure.metric} was not measured: {failure.reason}")


def _of_what(score: Score) -> str:
    """The table or the target that a score is about, if it is not about all."""
    parts = score.metric.split(".")[1:-1]
    return f": {'.'.join(parts)}" if parts else ""
