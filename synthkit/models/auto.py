"""Which model, and of which size, for a table of so many rows and columns: thresholds, and evidence of cohorts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synthkit.models.auto_evidence import AutoEvidence, BudgetedFit, CohortFigures, shipped_evidence

AUTO = "auto"
SMALL_TABLE_ROWS = 2_000  # rows below which cohorts were measured, and a firmer hand is worth having
WIDE_TABLE_COLUMNS = 150  # columns above which the network's width is what costs memory and time
LARGE_EPSILON, LARGE_UNITS = 3.0, 50_000  # budget and declared number of people from which networks are candidates too
WORSE_LIKENESS = 0.01  # three-way similarity that may be given up for less membership
WORSE_TOLD_APART = 0.03  # AUC of telling drawn rows from real ones, the same
WORSE_LOSS = 0.01  # loss of prediction, the same


@dataclass(frozen=True, kw_only=True)
class TableSize:
    """What is known before anything is learned; nothing here looks at a value.

    Args:
        rows: training rows; None under a budget, which is not spent on that.
        columns: columns to learn.
        numeric: how many of them are numbers or dates.
        device: where it will run: `cpu`, `cuda` or `mps`.
        epsilon: of the budget; None without one.
        units: persons, or rows where each is protected by itself, as somebody declared them; None if nobody did.
    """

    rows: float | None
    columns: int
    numeric: int
    device: str
    epsilon: float | None = None
    units: float | None = None

    @property
    def share(self) -> float:
        """Of numbers and dates among the columns, from 0 to 1."""
        return self.numeric / max(self.columns, 1)


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """A model, its size, and the reason.

    Args:
        model: its name.
        settings: what is set other than its defaults.
        why: one line.
    """

    model: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    why: str


def choose_model(task: TableSize, evidence: AutoEvidence | None = None) -> ModelChoice:
    """The model and its size for a table.

    Args:
        task: what is known of it.
        evidence: what models were worth elsewhere; what comes with the package if not given.

    Example:
        >>> choose_model(TableSize(rows=30_000, columns=15, numeric=6, device="cpu")).why
        'autoregressive: the most faithful model for 30,000 rows of 15 columns, in its usual size'
        >>> choose_model(TableSize(rows=300, columns=30, numeric=30, device="cpu")).model
        'diffusion'
    """
    evidence = evidence or shipped_evidence()
    if task.rows is None:
        return _under_a_budget(task, evidence)
    table = f"{task.rows:,.0f} rows of {task.columns} columns"
    if task.columns > WIDE_TABLE_COLUMNS:
        why = f"half its usual width, for {table} are wide"
        return ModelChoice(model="autoregressive", settings={"width": 64, "hidden": 32}, why=f"autoregressive: {why}")
    if task.rows < SMALL_TABLE_ROWS:
        return _of_few_rows(task, table, evidence)
    return ModelChoice(
        model="autoregressive", why=f"autoregressive: the most faithful model for {table}, in its usual size"
    )


def shortfalls(found: Mapping[str, CohortFigures | BudgetedFit]) -> dict[str, float]:
    """How far each falls short of the best of all, 0 or more: 0 is best in everything, 1 as much as may be given up.

    max((L* - L) / .01, (A - A*) / .03, (G - G*) / .01), with three-way likeness L, the AUC A of telling rows apart, the
    loss of prediction G, and the best of all of each. Rounded, so that the last bit of a float decides nothing.

    Example:
        >>> shortfalls({"a": CohortFigures(0.0, 0.60, 0.5, 0.0, 1.0), "b": CohortFigures(0.0, 0.66, 0.5, 0.0, 1.0)})
        {'a': 0.0, 'b': 2.0}
    """
    likeness = max(each.likeness for each in found.values())
    told_apart = min(each.told_apart for each in found.values())
    loss = min(each.loss for each in found.values())
    return {
        name: round(
            max(
                (likeness - each.likeness) / WORSE_LIKENESS,
                (each.told_apart - told_apart) / WORSE_TOLD_APART,
                (each.loss - loss) / WORSE_LOSS,
            ),
            9,
        )
        for name, each in found.items()
    }


def safest(expected: Mapping[str, CohortFigures]) -> str:
    """Of the candidates that are nearly as good as the best in every figure of fidelity, the one that tells least.

    Looked at are those that fall short by 1 at most (`shortfalls`); where nobody does, the one that falls short least.

    Example:
        >>> faithful, quiet = (CohortFigures(0.0, 0.7, auc, 0.0, 1.0) for auc in (0.7, 0.6))
        >>> safest({"faithful": faithful, "quiet": quiet})
        'quiet'
    """
    short = shortfalls(expected)
    most = max(1.0, min(short.values()))
    return min((name for name in expected if short[name] <= most), key=lambda name: expected[name].membership)


def _of_few_rows(task: TableSize, table: str, evidence: AutoEvidence) -> ModelChoice:
    """The choice by evidence, and what every other candidate would have cost."""
    expected = evidence.expected(task.rows or 0.0, task.share)
    name = safest(expected)
    chosen, own = evidence.candidates[name], expected[name]
    others = "; ".join(
        f"{evidence.candidates[other].title} {_figures(each)}, {each.seconds / own.seconds:.1f} times the seconds"
        for other, each in expected.items()
        if other != name
    )
    size = f"{chosen.words}, " if chosen.words else ""
    why = f"{size}for {table} like cohorts measured: {_figures(own)}. Instead: {others}"
    return ModelChoice(model=chosen.model, settings=chosen.settings, why=f"{chosen.model}: {why}")


def _figures(each: CohortFigures) -> str:
    return f"told apart at {each.told_apart:.2f}, membership {each.membership:.2f}"


def _under_a_budget(task: TableSize, evidence: AutoEvidence) -> ModelChoice:
    """Tables of counts; of many people under a larger budget, what fell short least on the most similar large table."""
    large = (task.epsilon or 0.0) >= LARGE_EPSILON and (task.units or 0.0) >= LARGE_UNITS
    fits = evidence.nearest_private(task.share, LARGE_UNITS) if large else ()
    if fits:
        short = shortfalls({fit.model: fit for fit in fits})
        model = min(short, key=lambda name: short[name])
        told = "; ".join(
            f"{fit.model} {fit.likeness:.3f}, told apart at {fit.told_apart:.2f}, loss {fit.loss:.3f}, "
            f"{fit.seconds:,.0f} s"
            for fit in fits
        )
        where = f"{fits[0].rows:,} rows of {fits[0].table} at epsilon {fits[0].epsilon:g}"
        return ModelChoice(model=model, why=f"{model}: fell short least on {where}. Three-way likeness {told}")
    why = "marginal: under a budget, tables of counts need noise once each"
    fits = evidence.nearest_private(task.share)
    if fits:
        told = "; ".join(f"{fit.model} {fit.likeness:.3f} in {fit.seconds:,.0f} s" for fit in fits)
        why = f"{why}. Three-way likeness at epsilon {fits[0].epsilon:g} on {fits[0].table}: {told}"
    return ModelChoice(model="marginal", why=why)
