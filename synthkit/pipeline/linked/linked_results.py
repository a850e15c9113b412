"""Results of linked tables: a fit, a run and an evaluation, which write their folder whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
        validations: of the input, by that name; none under a budget, where nothing exact is looked at.
        facts: version, seeds, packages, seconds: the content of run.json.
        changed: under a budget, cells mapped into the public domain and rows left out, by table; INTERNAL.
    """

    synthesizer: LinkedSynthesizer
    schema: LinkedSchema
    ledger: Ledger
    statement: JSONObject
    validations: Mapping[str, LinkedValidation]
    facts: JSONObject
    changed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write model, schema and ledger; the folder appears whole or not at all.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        replaced = replacing_folder(Path(path), overwrite=overwrite, marks=run_folder.MARKS)
        with self.ledger.accounting(), replaced as temporary:
            _learned(self, temporary)
        return Path(path)


@dataclass(frozen=True, kw_only=True, repr=False)
class LinkedRelease:
    """What a run may let out: synthetic linked tables and the model they were drawn from, nothing measured yet.

    Args:
        draws: frames by table, of each draw.
        synthesizer: the fitted encoder and model.
        schema: the meaning of real and synthetic tables.
        ledger: what was spent.
        statement: what is promised.
        validations: of the output, by that name; without a budget of the input too.
        roles: roles and coins of the units; INTERNAL.
        facts: version, seeds, packages, seconds: the content of run.json.
        changed: under a budget, cells mapped into the public domain and rows left out, by table; INTERNAL.
    """

    draws: tuple[Tables, ...]
    synthesizer: LinkedSynthesizer
    schema: LinkedSchema
    ledger: Ledger
    statement: JSONObject
    validations: Mapping[str, LinkedValidation]
    roles: pd.DataFrame
    facts: JSONObject
    changed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def synthetic(self) -> Tables:
        """Frames of the first draw, by table."""
        return self.draws[0]

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the folder without evaluation and report; it appears whole or not at all.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        replaced = replacing_folder(Path(path), overwrite=overwrite, marks=run_folder.MARKS)
        with self.ledger.accounting(), replaced as temporary:
            _released(self, temporary)
        return Path(path)

    def __repr__(self) -> str:
        tables = ", ".join(f"{name}={len(frame)}" for name, frame in self.synthetic.items())
        said = f"schema={self.schema.name!r}, model={self.facts['model']!r}, draws={len(self.draws)}"
        return f"{type(self).__name__}({said}, {tables})"


@dataclass(frozen=True, kw_only=True, repr=False)
class LinkedRun(LinkedRelease):
    """Synthetic linked tables, the model they were drawn from, and what was measured of both.

    Args:
        evaluation: how good, how risky; INTERNAL.
        report: the page.
    """

    evaluation: Evaluation
    report: Report

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the run folder; it appears whole or not at all.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        replaced = replacing_folder(Path(path), overwrite=overwrite, marks=run_folder.MARKS)
        with self.ledger.accounting(), replaced as temporary:
            _released(self, temporary)
            _judged(self.evaluation, temporary)
        return Path(path)

    def _repr_html_(self) -> str:
        """First synthetic units over the report, for notebooks."""
        return f"{self.synthetic[self.schema.unit].head().to_html(border=0)}{self.report._repr_html_()}"


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


def _told(made: LinkedFit | LinkedRelease | LinkedTablesEvaluation, path: Path) -> None:
    """Schema, facts, validations and times."""
    internal = path / run_folder.INTERNAL_FOLDER
    internal.mkdir()
    made.schema.save(path / run_folder.SCHEMA_FILE)
    private = _private(made)
    facts = {k: v for k, v in made.facts.items() if not (private and k == "seconds")}  # times follow the rows
    (path / run_folder.RUN).write_text(json.dumps(facts, indent=1), encoding="utf-8")
    for name, validation in made.validations.items():
        (internal / f"validation_{name}.json").write_text(validation.to_json(), encoding="utf-8")
    if private:  # whatever was changed: which files there are must not tell
        changed = {name: dict(found) for name, found in getattr(made, "changed", {}).items()}
        (internal / run_folder.CLAMPED).write_text(json.dumps(changed, indent=1), encoding="utf-8")
    lines = (f"{name}: {seconds:.2f} s\n" for name, seconds in made.facts["seconds"].items())
    (internal / run_folder.LOG).write_text("".join(lines), encoding="utf-8")


def _private(made: LinkedFit | LinkedRelease | LinkedTablesEvaluation) -> bool:
    """Whether all that leaves is covered by a budget."""
    return not isinstance(made, LinkedTablesEvaluation) and bool(made.statement["end_to_end_dp"])


def _learned(made: LinkedFit | LinkedRelease, path: Path) -> None:
    _told(made, path)
    made.synthesizer.save(path / run_folder.MODEL)
    (path / run_folder.LEDGER).write_text(made.ledger.to_json(), encoding="utf-8")
    (path / run_folder.STATEMENT).write_text(json.dumps(made.statement, indent=1) + "\n", encoding="utf-8")


def _released(made: LinkedRelease, path: Path) -> None:
    _learned(made, path)
    write_draws(made.draws, path, made.schema, mark=provenance_mark(date=str(made.facts["date"])[:10]))
    table_files.write(made.roles, path / run_folder.INTERNAL_FOLDER / run_folder.ROLES_FILE)


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
