"""What a fit and a run make; nothing is on disk until `save`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.release import run_folder

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
    statement: Mapping[str, Any]
    validations: Mapping[str, Validation]
    clamped: Mapping[str, int]
    facts: Mapping[str, Any]

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write model, schema and ledger; the folder appears whole or not at all.

        Raises:
            ArtefactError: the folder exists and `overwrite` is not set, or cannot be written.
        """
        with self.ledger.accounting():
            return run_folder.save_fit(self, Path(path), overwrite=overwrite)


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
    statement: Mapping[str, Any]
    validations: Mapping[str, Validation]
    clamped: Mapping[str, int]
    roles: pd.DataFrame
    facts: Mapping[str, Any]
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
        with self.ledger.accounting():
            return run_folder.save_release(self, Path(path), overwrite=overwrite)

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
        with self.ledger.accounting():
            return run_folder.save(self, Path(path), overwrite=overwrite)

    def _repr_html_(self) -> str:
        """First synthetic rows over the report, for notebooks."""
        return f"{self.synthetic.head().to_html(border=0)}{self.report._repr_html_()}"
