"""Results of a fit, a run and an evaluation: records that write their folder, whole or not at all, on `save`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.errors import TableError
from synthkit.io.atomic_files import replacing_folder
from synthkit.io.json_types import JSONObject
from synthkit.io.provenance_marks import provenance_mark
from synthkit.release import run_folder
from synthkit.tables import table_files

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.metrics.result import Evaluation
    from synthkit.privacy.accounting.ledger import Ledger
    from synthkit.report import Report
    from synthkit.schema import Schema
    from synthkit.schema.violations import Validation
    from synthkit.synthesizer.synthesizer import Synthesizer


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A model learned from a whole table, nothing held out.

    Args:
        synthesizer: the fitted encoder and model.
        schema: the meaning of the table.
        ledger: what was spent.
        statement: what is promised.
        validations: of the input, by that name; none under a budget, where nothing exact is looked at.
        clamped: number of cells mapped into the declared domain, by column; INTERNAL.
        facts: version, seeds, packages, seconds: the content of run.json.
    """

    synthesizer: Synthesizer
    schema: Schema
    ledger: Ledger
    statement: JSONObject
    validations: Mapping[str, Validation]
    clamped: Mapping[str, int]
    facts: JSONObject

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write model, schema and ledger; the folder appears whole or not at all.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        replaced = replacing_folder(Path(path), overwrite=overwrite, marks=run_folder.MARKS)
        with self.ledger.accounting(), replaced as temporary:
            _fitted(self, temporary)
        return Path(path)


@dataclass(frozen=True, kw_only=True)
class Sibling:
    """The fit that is measured where the release is fitted to all people; INTERNAL.

    Args:
        draws: its synthetic tables.
        synthesizer: its encoder and model.
    """

    draws: tuple[pd.DataFrame, ...]
    synthesizer: Synthesizer


@dataclass(frozen=True, kw_only=True, repr=False)
class Release:
    """What a run may let out: a model and synthetic rows, nothing measured against real rows yet.

    Args:
        draws: the synthetic tables.
        synthesizer: the fitted encoder and model.
        schema: the meaning both tables share.
        ledger: what was spent.
        statement: what is promised.
        validations: of the output, by that name; without a budget of the input too.
        clamped: number of cells mapped into the declared domain, by column; INTERNAL.
        roles: roles and coins of the units; INTERNAL.
        facts: version, seeds, packages, seconds: the content of run.json.
        sibling: what is measured in its place, if it was fitted to all people.
    """

    draws: tuple[pd.DataFrame, ...]
    synthesizer: Synthesizer
    schema: Schema
    ledger: Ledger
    statement: JSONObject
    validations: Mapping[str, Validation]
    clamped: Mapping[str, int]
    roles: pd.DataFrame
    facts: JSONObject
    sibling: Sibling | None = None

    @property
    def audited(self) -> Sibling:
        """What is measured: the release itself, or its sibling."""
        return self.sibling or Sibling(draws=self.draws, synthesizer=self.synthesizer)

    @property
    def synthetic(self) -> pd.DataFrame:
        """The first draw."""
        return self.draws[0]

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the folder without evaluation and report; it appears whole or not at all.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        with self.ledger.accounting(), _keeping(self, Path(path), overwrite=overwrite) as temporary:
            _released(self, temporary)
        return Path(path)

    def __repr__(self) -> str:
        model, rows = self.facts["model"], len(self.synthetic)
        what = type(self).__name__
        return f"{what}(table={self.schema.name!r}, model={model!r}, draws={len(self.draws)}, rows={rows})"


@dataclass(frozen=True, kw_only=True, repr=False)
class Run(Release):
    """A release and what was measured of it.

    Args:
        evaluation: how good, how risky; INTERNAL.
        report: the page.
        refits: roles and coins of further fits that were attacked, one row a unit and fit; None without them; INTERNAL.
    """

    evaluation: Evaluation
    report: Report
    refits: pd.DataFrame | None = None

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the run folder; it appears whole or not at all.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        with self.ledger.accounting(), _keeping(self, Path(path), overwrite=overwrite) as temporary:
            _released(self, temporary)
            _measured(self, temporary)
            if self.refits is not None:
                table_files.write(self.refits, temporary / run_folder.INTERNAL_FOLDER / run_folder.REFITS)
        return Path(path)

    def _repr_html_(self) -> str:
        """First synthetic rows over the report, for notebooks."""
        return f"{self.synthetic.head().to_html(border=0)}{self.report._repr_html_()}"


@dataclass(frozen=True, kw_only=True)
class TableEvaluation:
    """What an evaluation of tables made; nothing is on disk until `save`.

    Args:
        evaluation: how good, how risky; INTERNAL.
        report: the page.
        schema: the meaning all tables share.
        validations: of input and output, by these names.
        clamped: number of cells of the real tables mapped into the declared domain, by column; INTERNAL.
        facts: version, seeds, packages, seconds: the content of run.json.
    """

    evaluation: Evaluation
    report: Report
    schema: Schema
    validations: Mapping[str, Validation]
    clamped: Mapping[str, int]
    facts: JSONObject

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the folder; it appears whole or not at all.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        with replacing_folder(Path(path), overwrite=overwrite, marks=run_folder.MARKS) as temporary:
            _common(self, temporary)
            _measured(self, temporary)
        return Path(path)


@contextmanager
def _keeping(made: Release, path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A folder for all of a run; where its rows cannot be written, what was learned in minutes is kept without them.

    Raises:
        TableError: rows cannot be written; the folder holds the model.
    """
    try:
        with replacing_folder(path, overwrite=overwrite, marks=run_folder.MARKS) as temporary:
            yield temporary
    except TableError as error:
        with replacing_folder(path, overwrite=overwrite, marks=run_folder.MARKS) as temporary:
            _fitted(made, temporary)
        msg = f"{error}. The model is kept in {path}, without rows: `synthkit sample {path}` draws them"
        raise TableError(msg) from error


def _common(made: Release | Fit | TableEvaluation, path: Path) -> None:
    internal = path / run_folder.INTERNAL_FOLDER
    internal.mkdir()
    made.schema.save(path / run_folder.SCHEMA_FILE)
    private = getattr(made, "statement", {}).get("end_to_end_dp", False)
    facts = {k: v for k, v in made.facts.items() if not (private and k == "seconds")}  # times follow the rows
    (path / run_folder.RUN).write_text(json.dumps(facts, indent=1), encoding="utf-8")
    for name, validation in made.validations.items():
        (internal / f"validation_{name}.json").write_text(validation.to_json(), encoding="utf-8")
    if made.clamped or private:  # which files there are must not tell whether there were any
        (internal / run_folder.CLAMPED).write_text(json.dumps(dict(made.clamped), indent=1), encoding="utf-8")
    (internal / run_folder.LOG).write_text(
        "".join(f"{name}: {s:.2f} s\n" for name, s in made.facts["seconds"].items()), encoding="utf-8"
    )


def _fitted(made: Release | Fit, path: Path) -> None:
    _common(made, path)
    made.synthesizer.save(path / run_folder.MODEL)
    (path / run_folder.LEDGER).write_text(made.ledger.to_json(), encoding="utf-8")
    (path / run_folder.STATEMENT).write_text(json.dumps(made.statement, indent=1) + "\n", encoding="utf-8")


def _released(made: Release, path: Path) -> None:
    _fitted(made, path)
    said = provenance_mark(date=str(made.facts["date"])[:10])
    table_files.write(made.synthetic, path / run_folder.SYNTHETIC, mark=said)
    if len(made.draws) > 1:
        (path / run_folder.DRAWS_FOLDER).mkdir()
        for k, draw in enumerate(made.draws):
            table_files.write(draw, path / run_folder.DRAWS_FOLDER / f"{k + 1:02d}.parquet", mark=said)
    table_files.write(made.roles, path / run_folder.INTERNAL_FOLDER / run_folder.ROLES_FILE)
    if made.sibling is not None:
        (path / run_folder.INTERNAL_FOLDER / run_folder.SIBLING).mkdir()
        for k, draw in enumerate(made.sibling.draws):
            table_files.write(
                draw, path / run_folder.INTERNAL_FOLDER / run_folder.SIBLING / f"{k + 1:02d}.parquet", mark=said
            )
        made.sibling.synthesizer.save(path / run_folder.INTERNAL_FOLDER / run_folder.SIBLING / run_folder.MODEL)


def _measured(made: Run | TableEvaluation, path: Path) -> None:
    (path / run_folder.EVALUATION_FILE).write_text(made.evaluation.to_json(), encoding="utf-8")
    run_folder.save_page(run_folder.redraw(path), path)
