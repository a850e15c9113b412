"""What the sections of a report on linked tables are made from: an evaluation, its schema, and what follows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from synthkit.report.context import ReportContext
from synthkit.report.score_rows import score_row

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation, Score
    from synthkit.report.inputs import GateJson, LedgerJson, RunFacts, StatementJson
    from synthkit.report.linked_inputs import LinkedValidationJson
    from synthkit.report.linked_panels import LinkedPanels
    from synthkit.report.records import ScoreRow
    from synthkit.schema.linked import LinkedSchema

SIDES = ("train", "holdout", "synthetic")


@dataclass(frozen=True)
class LinkedContext:
    """Everything a section on linked tables may say something about.

    Args:
        evaluation: the scores, failures and panels.
        schema: what the tables mean.
        ledger: what was charged, in the format `synthkit-ledger/2`; None if it is not known.
        statement: the privacy terms, in the format `synthkit-statement/1`; None if there are none.
        validation: results for `input` and `output`, in the format `synthkit-linked-validation/1`.
        hashes: SHA-256 of files that are released, by name.
        gate: what a policy decided, in the format `synthkit-gate/1`; None if there is no policy.
    """

    evaluation: Evaluation
    schema: LinkedSchema
    ledger: LedgerJson | None = None
    statement: StatementJson | None = None
    validation: Mapping[str, LinkedValidationJson] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    gate: GateJson | None = None

    @cached_property
    def alone(self) -> ReportContext:
        """The same as a section of one table sees it: rows are units there."""
        rows = {side: self.units(side) for side in SIDES if self.units(side)}
        run = {**self.evaluation.run, "rows": rows, "measured": rows, "columns": None}
        return ReportContext(
            replace(self.evaluation, run=run),
            ledger=self.ledger,
            statement=self.statement,
            gate=self.gate,
            hashes=self.hashes,
        )

    @property
    def facts(self) -> RunFacts:
        """Facts of the run, with units in the place of rows."""
        return self.alone.facts

    @cached_property
    def panels(self) -> LinkedPanels:
        """Panels as JSON reads them back: numbers that are not finite are None."""
        panels: LinkedPanels = json.loads(self.evaluation.to_json())["panels"]
        return panels

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables of records, owners before what they own."""
        return self.schema.graph.records

    @property
    def unit(self) -> str:
        """The table whose rows are the people."""
        return self.schema.unit

    @property
    def is_private(self) -> bool:
        """Whether everything that leaves is covered by a privacy budget."""
        return self.alone.is_private

    def rows(self, side: str) -> Mapping[str, int]:
        """Numbers of rows of a side by table; empty where they are not known."""
        return _counts(self.evaluation.run.get("rows"), side)

    @property
    def draws(self) -> list[Mapping[str, int]]:
        """Numbers of synthetic rows by table, of each draw; none where they are not known."""
        rows: Any = self.evaluation.run.get("rows")
        found = rows.get("synthetic") if isinstance(rows, Mapping) else None
        return [found] if isinstance(found, Mapping) else list(found or ())

    def units(self, side: str) -> int:
        """Number of units of a side, 0 where it is not known."""
        return self.rows(side).get(self.unit, 0)

    def looked_at(self, side: str) -> int:
        """Number of units of a side that were measured."""
        return _counts(self.evaluation.run.get("measured"), side).get(self.unit, self.units(side))

    def find(self, metric: str) -> Score | None:
        """The score called `metric`, None if it was not measured."""
        return next((score for score in self.evaluation.scores if score.metric == metric), None)

    def score_rows(self, metrics: Sequence[str], subject: str = "") -> list[ScoreRow]:
        """The scores of these names that were measured, as rows of a table, in this order."""
        found = [self.find(metric) for metric in metrics]
        rows = [score_row(score) for score in found if score is not None]
        return [{**row, "subject": subject} for row in rows] if subject else rows

    def starting(self, start: str) -> list[ScoreRow]:
        """Scores whose names begin so, as rows of a table."""
        return [score_row(score) for score in self.evaluation.scores if score.metric.startswith(start)]


def _counts(rows: object, side: str) -> Mapping[str, int]:
    """Numbers of rows by table; of several draws those of the first."""
    found: Any = rows.get(side) if isinstance(rows, Mapping) else None
    if isinstance(found, Sequence) and found:
        found = found[0]
    return cast("Mapping[str, int]", found) if isinstance(found, Mapping) else {}
