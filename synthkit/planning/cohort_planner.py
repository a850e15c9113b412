"""What a cohort of so many people can be expected to give without a budget, before it is fitted and unread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from synthkit.errors import ConfigError
from synthkit.models.auto import SMALL_TABLE_ROWS, ModelChoice, TableSize, choose_model
from synthkit.models.auto_evidence import CohortFigures, shipped_evidence
from synthkit.models.registry import models
from synthkit.planning.cohort_simulation import SimulatedCohort, simulate_cohort
from synthkit.planning.outlook import NOTHING
from synthkit.planning.simulation import TIE
from synthkit.runtime.progress import Progress, Silent
from synthkit.schema import Schema

FORMAT = "synthkit-cohort-plan/1"
FEWEST_PEOPLE = 20  # fitted, below whom no attack is measured
TOLD_MEMBERSHIP = 0.55  # AUC from which on a warning is due, if chance does not explain it


@dataclass(frozen=True, kw_only=True)
class CohortOutlook:
    """What can be expected of a cohort without a budget.

    Args:
        rows: people, as they were stated.
        columns: columns that are learned.
        model: the one that is looked at.
        settings: of it, other than its defaults.
        why: the reason.
        measured: what `auto`'s choice gave in cohorts of public tables of like size and kind; None of another model.
        simulated: what came of people made up from the schema; None if none were.
        warnings: what is likely to be found, and the remedy.
    """

    rows: int
    columns: int
    model: str
    settings: Mapping[str, Any]
    why: str
    measured: CohortFigures | None
    simulated: SimulatedCohort | None
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        plain = asdict(self)
        if self.simulated is not None:
            plain["simulated"]["membership"] = self.simulated.membership._asdict()
        return {"format": FORMAT, **plain}

    def __str__(self) -> str:
        lines = [f"{self.rows:,} people of {self.columns} columns, without a budget", NOTHING, ""]
        if self.measured is not None:
            own = self.measured
            lines.append(
                f"In cohorts like it that were measured: membership AUC {own.membership:.2f}, likeness "
                f"{own.likeness:+.3f} beside real rows, told apart at {own.told_apart:.2f}."
            )
        if self.simulated is not None:
            auc = self.simulated.membership
            lines.append(
                f"By simulation, {self.rows:,} people of this schema: membership AUC {auc.value:.2f} "
                f"({auc.low:.2f} to {auc.high:.2f}), likeness {self.simulated.likeness:+.3f} beside real rows."
            )
        return "\n".join([*lines, "", f"Model: {self.why}"])


def plan_cohort(
    schema: Schema,
    *,
    rows: int,
    model: str | None = None,
    simulated: bool = True,
    progress: Progress | None = None,
) -> CohortOutlook:
    """What a cohort can be expected to give without a budget; no table is read.

    Args:
        schema: meaning of the columns.
        rows: how many people are fitted, from 20 to 2,000, as somebody declares it.
        model: one that is thought of; the choice of `auto` if not given.
        simulated: whether people are made up, fitted and attacked, which takes some seconds.
        progress: who is told how far things are.

    Raises:
        ConfigError: the number of people or the model cannot be meant.

    Example:
        >>> schema = Schema(columns={"age": {"kind": "numeric"}, "ill": {"kind": "boolean"}})
        >>> plan_cohort(schema, rows=200, simulated=False).model
        'autoregressive'
    """
    if not FEWEST_PEOPLE <= rows < SMALL_TABLE_ROWS:
        msg = (
            f"without a budget, rows must be from {FEWEST_PEOPLE} to below {SMALL_TABLE_ROWS:,}, of which cohorts were "
            f"measured; however: {rows:,}. Give epsilon to ask what a budget can give"
        )
        raise ConfigError(msg)
    if model is not None and model not in models():
        msg = f"`model` must be one of {', '.join(sorted(models()))}; however: `{model}` is not"
        raise ConfigError(msg)
    progress = progress or Silent()
    progress.stage("fit people made up from the schema" if simulated else "")
    size = _size(schema, rows)
    choice = choose_model(size) if model is None else ModelChoice(model=model, why=f"{model}: as asked for")
    made = simulate_cohort(schema, rows, choice.model, choice.settings, tie=TIE) if simulated else None
    progress.stage("")
    return CohortOutlook(
        rows=rows,
        columns=size.columns,
        model=choice.model,
        settings=choice.settings,
        why=choice.why,
        measured=_measured(size, choice) if model is None else None,
        simulated=made,
        warnings=_warnings(rows, made),
    )


def _size(schema: Schema, rows: int) -> TableSize:
    kinds = [schema.columns[name].kind for name in schema.learned]
    numeric = sum(kind in ("numeric", "datetime") for kind in kinds)
    return TableSize(rows=rows, columns=len(kinds), numeric=numeric, device="cpu")


def _measured(size: TableSize, choice: ModelChoice) -> CohortFigures | None:
    """What was measured of the candidate that was chosen; None of a choice that no cohort was asked about."""
    evidence = shipped_evidence()
    for name, figures in evidence.expected(size.rows or 0.0, size.share).items():
        candidate = evidence.candidates[name]
        if (candidate.model, dict(candidate.settings)) == (choice.model, dict(choice.settings)):
            return figures
    return None


def _warnings(rows: int, made: SimulatedCohort | None) -> tuple[str, ...]:
    if made is None or made.membership.value < TOLD_MEMBERSHIP or made.membership.low <= 0.5:
        return ()
    return (
        f"of {rows:,} people an attacker is likely to tell who was fitted (AUC {made.membership.value:.2f} by "
        "simulation): the verdict on membership may well be that it fails. Fit more people, or set a budget and accept "
        "what it costs",
    )
