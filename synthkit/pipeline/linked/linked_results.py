"""Results of linked tables: a fit, a run and an evaluation, which write their folder whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.io.atomic_files import replacing_folder
from synthkit.io.json_types import JSONObject
from synthkit.io.provenance_marks import provenance_mark
from synthkit.release import run_folder
from synthkit.tables import table_files
from synthkit.tables.linked_files import write_files

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.metrics.result import Evaluation
    from synthkit.privacy.accounting.ledger import Ledger
    from synthkit.report import Report
    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.linked_validation import LinkedValidation
    from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

Tables = Mapping[str, "pd.DataFrame"]  # frames by the name of their table


@dataclass(frozen=True, kw_only=True)
class LinkedFit:
    """A model learned from all units of linked tables, nothing held out.

    Args:
        synthesizer: the fitted encoder and model.
        schema: the meaning of the tables.
        ledger: what was spent.
        statement: what is promised.
        validations: of the input, by that name.
        facts: version, seeds, packages, seconds: the content of run.json.
    """

    synthesizer: LinkedSynthesizer
    schema: LinkedSchema
    ledger: Ledger
    statement: JSONObject
    validations: Mapping[str, LinkedValidation]
    facts: JSONObject

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write model, schema and ledger; the folder appears whole or not at all.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        with replacing_folder(Path(path), overwrite=overwrite, marks=run_folder.MARKS) as temporary:
            _learned(self, temporary)
        return Path(path)


@dataclass(frozen=True, kw_only=True, repr=False)
class LinkedRun:
    """Synthetic linked tables, the model they were drawn from, and what was measured of both.

    Args:
        draws: frames by table, of each draw.
        synthesizer: the fitted encoder and model.
        schema: the meaning of real and synthetic tables.
        ledger: what was spent.
        statement: what is promised.
        validations: of input and output, by these names.
        roles: roles and coins of the units; INTERNAL.
        evaluation: how good, how risky; INTERNAL.
        report: the page.
        facts: version, seeds, packages, seconds: the content of run.json.
    """

    draws: tuple[Tables, ...]
    synthesizer: LinkedSynthesizer
    schema: LinkedSchema
    ledger: Ledger
    statement: JSONObject
    validations: Mapping[str, LinkedValidation]
    roles: pd.DataFrame
    evaluation: Evaluation
    report: Report
    facts: JSONObject

    @property
    def synthetic(self) -> Tables:
        """Frames of the first draw, by table."""
        return self.draws[0]

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the run folder; it appears whole or not at all.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        with replacing_folder(Path(path), overwrite=overwrite, marks=run_folder.MARKS) as temporary:
            _learned(self, temporary)
            mark = provenance_mark(date=str(self.facts["date"])[:10])
            write_draws(self.draws, temporary, self.schema, mark=mark)
            table_files.write(self.roles, temporary / run_folder.INTERNAL_FOLDER / run_folder.ROLES_FILE)
            _judged(self.evaluation, temporary)
        return Path(path)

    def _repr_html_(self) -> str:
        """First synthetic units over the report, for notebooks."""
        return f"{self.synthetic[self.schema.unit].head().to_html(border=0)}{self.report._repr_html_()}"

    def __repr__(self) -> str:
        tables = ", ".join(f"{name}={len(frame)}" for name, frame in self.synthetic.items())
        model = self.facts["model"]
        return f"LinkedRun(schema={self.schema.name!r}, model={model!r}, draws={len(self.draws)}, {tables})"


@dataclass(frozen=True, kw_only=True)
class LinkedTablesEvaluation:
    """What an evaluation of linked tables made; nothing is on disk until `save`.

    Args:
        evaluation: how good, how risky; INTERNAL.
        report: the page.
        schema: the meaning all tables share.
        validations: of input (the training tables), holdout and output, by these names.
        facts: version, seeds, packages, seconds: the content of run.json.
    """

    evaluation: Evaluation
    report: Report
    schema: LinkedSchema
    validations: Mapping[str, LinkedValidation]
    facts: JSONObject

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the folder; it appears whole or not at all.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        with replacing_folder(Path(path), overwrite=overwrite, marks=run_folder.MARKS) as temporary:
            _told(self, temporary)
            _judged(self.evaluation, temporary)
        return Path(path)


def _told(made: LinkedFit | LinkedRun | LinkedTablesEvaluation, path: Path) -> None:
    """Schema, facts, validations and times."""
    internal = path / run_folder.INTERNAL_FOLDER
    internal.mkdir()
    made.schema.save(path / run_folder.SCHEMA_FILE)
    (path / run_folder.RUN).write_text(json.dumps(made.facts, indent=1), encoding="utf-8")
    for name, validation in made.validations.items():
        (internal / f"validation_{name}.json").write_text(validation.to_json(), encoding="utf-8")
    lines = (f"{name}: {seconds:.2f} s\n" for name, seconds in made.facts["seconds"].items())
    (internal / run_folder.LOG).write_text("".join(lines), encoding="utf-8")


def _learned(made: LinkedFit | LinkedRun, path: Path) -> None:
    _told(made, path)
    made.synthesizer.save(path / run_folder.MODEL)
    (path / run_folder.LEDGER).write_text(made.ledger.to_json(), encoding="utf-8")
    (path / run_folder.STATEMENT).write_text(json.dumps(made.statement, indent=1) + "\n", encoding="utf-8")


def write_draws(draws: Sequence[Tables], path: Path, schema: LinkedSchema, *, mark: Mapping[str, str]) -> None:
    """Write the first draw of a run, and where there are several each of them, into a folder of its own.

    Args:
        draws: frames by table, of each draw.
        path: folder of the run.
        schema: the meaning of the tables.
        mark: what every file says it is.
    """
    places = {path / run_folder.SYNTHETIC_FOLDER: draws[0]}
    if len(draws) > 1:
        places |= {path / run_folder.DRAWS_FOLDER / f"{k + 1:02d}": draw for k, draw in enumerate(draws)}
    for place, draw in places.items():
        place.mkdir(parents=True)
        write_files(draw, place, schema, mark=mark)


def _judged(evaluation: Evaluation, path: Path) -> None:
    """Every score, and the page on them and on what lies in the folder."""
    (path / run_folder.EVALUATION_FILE).write_text(evaluation.to_json(), encoding="utf-8")
    run_folder.save_page(run_folder.redraw(path), path)
