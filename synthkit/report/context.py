"""What the sections of a report are made from: an evaluation, what lies beside it, and what follows from both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from synthkit.report import privacy_claim
from synthkit.report.attack_verdicts import AttackVerdict, attack_verdicts
from synthkit.report.inputs import run_facts
from synthkit.report.score_rows import score_row

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation, Score
    from synthkit.report.inputs import GateJson, LedgerJson, RunFacts, StatementJson, ValidationJson
    from synthkit.report.panel_types import Panels
    from synthkit.report.records import ScoreRow
    from synthkit.schema import Schema


@dataclass(frozen=True)
class ReportContext:
    """Everything a section may say something about.

    Args:
        evaluation: the scores, failures and panels.
        ledger: what was charged, in the format `synthkit-ledger/2`; None if it is not known.
        schema: meaning of the columns; None if it is not at hand.
        validation: results for `input` and `output`, as saved beside the run.
        statement: the privacy terms, in the format `synthkit-statement/1`; None if there are none.
        gate: what a policy decided, in the format `synthkit-gate/1`; None if there is no policy.
        hashes: SHA-256 of files that are released, by name.
    """

    evaluation: Evaluation
    ledger: LedgerJson | None = None
    schema: Schema | None = None
    validation: Mapping[str, ValidationJson] | None = None
    statement: StatementJson | None = None
    gate: GateJson | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def facts(self) -> RunFacts:
        """Facts of the run; columns are counted by the schema if the run does not say."""
        facts = run_facts(self.evaluation.run)
        facts.setdefault("columns", None if self.schema is None else len(self.schema.columns))
        return facts

    @cached_property
    def panels(self) -> Panels:
        """Panels as JSON reads them back: numbers that are not finite are None."""
        panels: Panels = json.loads(self.evaluation.to_json())["panels"]
        return panels

    @cached_property
    def attacked(self) -> Sequence[AttackVerdict]:
        """A verdict on each kind of attack."""
        return attack_verdicts(self.evaluation, self.gate)

    @property
    def privacy_sentences(self) -> list[str]:
        """The sentences of a statement with a privacy budget; none of any other."""
        return privacy_claim.sentences(self.statement)

    @property
    def epsilon(self) -> float | None:
        """The bound that the ledger proves; None for none."""
        return privacy_claim.epsilon(self.ledger)

    @property
    def is_private(self) -> bool:
        """Whether everything that leaves is covered by a privacy budget."""
        return bool(self.privacy_sentences) and self.statement is not None and bool(self.statement["end_to_end_dp"])

    def score_rows(self, room: str) -> list[ScoreRow]:
        """Scores whose metrics begin with the name of a room, as rows of a table."""
        return [score_row(score) for score in self.evaluation.scores if score.metric.startswith(f"{room}.")]

    def find(self, metric: str) -> Score | None:
        """The score called `metric`, None if it was not measured."""
        return next((score for score in self.evaluation.scores if score.metric == metric), None)

    def failed(self, start: str) -> bool:
        """Whether a metric whose name begins so could not be measured."""
        return any(failure.metric.startswith(start) for failure in self.evaluation.failures)
