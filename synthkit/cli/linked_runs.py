"""`run`, `fit` and `evaluate` where the schema is one of linked tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from synthkit.cli.console import say, show_paths, warn
from synthkit.cli.progress_display import progress_display
from synthkit.errors import ConfigError

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation, Score
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.linked_validation import LinkedValidation

NOTHING_HELD_OUT = (
    "All rows were fitted and none held out, so nothing can be evaluated: use `synthkit run` for a report."
)
LINKED_HEADLINES = (  # the scores that say most, by the last part of their names
    *("integrity", "unit_c2st", "row_c2st", "fan_out_ks", "length_ks", "gap_ks", "transitions_tv", "lag_one"),
    *("alignment_ks", "gap", "nearer_units"),
)
_One = TypeVar("_One")


def run_linked(
    table: Path, schema: LinkedSchema, out: Path, config: RunConfig, *, resume: bool, overwrite: bool, quiet: bool
) -> None:
    """From real linked tables to synthetic ones, a model and scores in a folder."""
    _ready(table, out, config, resume=resume, overwrite=overwrite)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.linked.synthesize_linked import synthesize_linked
        from synthkit.release.run_folder import contents

        made = synthesize_linked(table, schema, config=config, progress=progress)
        made.save(out, overwrite=overwrite)
    warn_orphans(made.validations["input"])
    if not quiet:
        rows = ", ".join(f"{name} {len(frame):,}" for name, frame in made.synthetic.items())
        people = made.facts["people"]
        say(f"\nsynthetic rows: {rows}; of {people['units']:,} real units {_fitted(people):,} fitted")
        show_linked_scores(made.evaluation)
        show_paths(contents(out))


def _fitted(people: Mapping[str, int]) -> int:
    return people["train"] + people["pool trained on"]


def fit_linked(
    table: Path, schema: LinkedSchema, out: Path, config: RunConfig, *, resume: bool, overwrite: bool, quiet: bool
) -> None:
    """A model of all units, saved."""
    _ready(table, out, config, resume=resume, overwrite=overwrite)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.linked import synthesize_linked as page
        from synthkit.release.run_folder import contents

        made = page.fit_linked(table, schema, config=config, progress=progress)
        made.save(out, overwrite=overwrite)
    warn_orphans(made.validations["input"])
    if not quiet:
        say(NOTHING_HELD_OUT)
        show_paths(contents(out))


def evaluate_linked_folders(
    sides: Mapping[str, Path], schema: LinkedSchema, out: Path, config: RunConfig, *, overwrite: bool, quiet: bool
) -> None:
    """Scores of synthetic linked tables made by any tool, in a folder.

    Args:
        sides: folders by `train`, `holdout` and `synthetic`.
        schema: the meaning they share.
        out: folder to write.
        config: seed, quick, orphans and how CSV files are read.
        overwrite: whether a folder that is there may be replaced.
        quiet: whether nothing but errors is said.
    """
    _ready(sides["train"], out, config, resume=False, overwrite=overwrite)
    with progress_display(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.pipeline.linked.evaluate_linked_tables import evaluate_linked_tables
        from synthkit.release.run_folder import contents

        made = evaluate_linked_tables(**sides, schema=schema, config=config, progress=progress)
        made.save(out, overwrite=overwrite)
    warn_orphans(made.validations["input"])
    if not made.validations["output"].success:
        warn(f"synthetic tables: {made.validations['output']}")
    if not quiet:
        show_linked_scores(made.evaluation)
        show_paths(contents(out))


def only_one(flag: str, given: Sequence[_One]) -> _One:
    """What a flag says that may be repeated for one table, and not for linked ones.

    Raises:
        ConfigError: it is given more than once.
    """
    if len(given) != 1:
        many = f"{len(given)} folders are given" if given[-1] is not None else "it is given"
        most = "name one folder" if given[-1] is not None else "be left out"
        msg = f"`{flag}` must {most} where tables are linked; however: {many}. Evaluate them one after the other"
        raise ConfigError(msg)
    return given[0]


def _ready(table: Path, out: Path, config: RunConfig, *, resume: bool, overwrite: bool) -> None:
    """Refuse what cannot be before anything that takes time is loaded.

    Raises:
        ConfigError: linked tables cannot be asked for it.
        TableError: the tables are no folder.
        ArtefactError: the output is there already.
    """
    from synthkit.io.atomic_files import check_folder
    from synthkit.pipeline.linked.linked_config import refuse_not_of_linked
    from synthkit.release.run_folder import MARKS

    refuse_not_of_linked(config)
    if resume:
        msg = (
            "`--resume` goes on with a training of one table in this version; however: the schema is of linked tables. "
            "Leave it out and begin anew"
        )
        raise ConfigError(msg)
    check_folder(out, overwrite=overwrite, marks=MARKS)


def warn_orphans(validation: LinkedValidation) -> None:
    """Say how many rows and keys were left out, by table."""
    for name, count in validation.orphans.items():
        said = f"{count.rows:,} rows that belong to nobody and {count.keys:,} keys that name no row"
        warn(f"`{name}`: {said} were left out (--orphans drop)")


def show_linked_scores(evaluation: Evaluation) -> None:
    """The scores that say most, each beside what units held out score, and what was not measured."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from synthkit.report.score_rows import score_row

    table = Table("score", box=SIMPLE_HEAD, pad_edge=False)
    for title in ("value", "95 % interval", "real holdout"):
        table.add_column(title, justify="right", no_wrap=True)
    for score in headline_scores(evaluation):
        row = score_row(score)
        table.add_row(row["label"] + _of_what(score), row["text"], row["interval"], row["reference_text"])
    Console(highlight=False, markup=False).print(table)
    for failure in evaluation.failures:
        warn(f"{failure.metric} was not measured: {failure.reason}")


def headline_scores(evaluation: Evaluation) -> list[Score]:
    """The scores that are shown, in the order of `LINKED_HEADLINES`, those of several tables by name."""
    last = {score.metric: score.metric.rpartition(".")[2] for score in evaluation.scores}
    chosen = [score for score in evaluation.scores if last[score.metric] in LINKED_HEADLINES]
    return sorted(chosen, key=lambda score: (LINKED_HEADLINES.index(last[score.metric]), score.metric))


def _of_what(score: Score) -> str:
    """The table or the target that a score is about, if it is not about all."""
    parts = score.metric.split(".")[1:-1]
    return f": {'.'.join(parts)}" if parts else ""
