"""What models were worth in small cohorts of public tables, and what of it holds for a table of another size."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

SHIPPED = "auto_evidence.json"  # beside this file; `python -m benchmarks cohorts` writes it
BASE = "autoregressive"  # measured in every cohort: others are told by how far they are from it
REACH_OF_SHARE = 0.2  # of numbers among the columns, by which tables may differ and still tell of each other
REACH_OF_ROWS = 1.0  # doublings of the number of rows, the same


@dataclass(frozen=True)
class CohortFigures:
    """What a fit of a small cohort gave; all means over fits.

    Args:
        likeness: three-way similarity of as many drawn rows to people held out, less that of the people fitted; 0 is
            as good as real rows, above is better.
        told_apart: AUC of a classifier that tells drawn rows from people held out; .5 is best.
        membership: AUC of an attacker who tells people fitted from people held out; .5 is best.
        loss: of prediction, from learning from drawn rows and not from the people fitted.
        seconds: CPU seconds of the fit.
    """

    likeness: float
    told_apart: float
    membership: float
    loss: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model in a size that `auto` may choose for few rows.

    Args:
        model: its name.
        settings: other than its defaults.
        words: how the size is told, empty for the usual one.
    """

    model: str
    settings: Mapping[str, Any]
    words: str = ""

    @property
    def title(self) -> str:
        """Model and size."""
        return f"{self.model} {self.words}".rstrip()


@dataclass(frozen=True, kw_only=True)
class MeasuredCohort:
    """People of a public table, and what every candidate made of them.

    Args:
        table: name of the table.
        numeric: share of numbers and dates among its columns.
        rows: people fitted.
        figures: by candidate; those that were measured.
    """

    table: str
    numeric: float
    rows: int
    figures: Mapping[str, CohortFigures]

    def weight(self, rows: float, numeric: float) -> float:
        """How much it tells of a table of so many rows and such a share of numbers: 1 of its own kind, less of others.

        exp(-(share - share')^2 / 2 r^2 - (log2 rows / rows')^2 / 2), r = .2.
        """
        share = (numeric - self.numeric) / REACH_OF_SHARE
        doublings = math.log2(max(rows, 1) / self.rows) / REACH_OF_ROWS
        return math.exp(-(share**2 + doublings**2) / 2)


@dataclass(frozen=True, kw_only=True)
class BudgetedFit:
    """A fit under a privacy budget of a public table.

    Args:
        table: name of the table.
        numeric: share of numbers and dates among its columns.
        rows: rows fitted.
        epsilon: of the budget.
        model: name of the model.
        likeness: three-way similarity to people held out, from 0 to 1.
        told_apart: AUC of a classifier that tells drawn rows from people held out; .5 is best.
        loss: of prediction, from learning from drawn rows and not from the people fitted; the largest of its targets.
        seconds: CPU seconds of the fit.
    """

    table: str
    numeric: float
    rows: int
    epsilon: float
    model: str
    likeness: float
    told_apart: float
    loss: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class AutoEvidence:
    """Everything `auto` knows of models: candidates, what they were worth in cohorts, and fits under a budget."""

    candidates: Mapping[str, Candidate]
    cohorts: Sequence[MeasuredCohort]
    private: Sequence[BudgetedFit] = ()

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> AutoEvidence:
        """From what a JSON file holds."""
        return cls(
            candidates={name: Candidate(**told) for name, told in plain["candidates"].items()},
            cohorts=tuple(
                MeasuredCohort(**{**told, "figures": {k: CohortFigures(**v) for k, v in told["figures"].items()}})
                for told in plain["cohorts"]
            ),
            private=tuple(BudgetedFit(**told) for told in plain["private"]),
        )

    def expected(self, rows: float, numeric: float) -> dict[str, CohortFigures]:
        """What each candidate can be expected to give for so many rows and such a share of numbers.

        That of `autoregressive` is the mean over cohorts by their weights; others are as far from it as they were in
        the cohorts where both were measured (Nadaraya-Watson, of differences in pairs). One that was not, in any cohort
        whose share of numbers is at most .2 away, is left out: what numbers are worth to it says nothing of names.

        References:
            E. A. Nadaraya: On estimating regression (1964); G. S. Watson: Smooth regression analysis (1964).

        Example:
            >>> sorted(shipped_evidence().expected(300, 1.0)) == sorted(shipped_evidence().candidates)
            True
        """
        weights = [cohort.weight(rows, numeric) for cohort in self.cohorts]
        base = _mean([astuple(cohort.figures[BASE]) for cohort in self.cohorts], weights)
        found = {}
        for name in self.candidates:
            both = [
                (weight, cohort.figures[name], cohort.figures[BASE])
                for cohort, weight in zip(self.cohorts, weights, strict=True)
                if name in cohort.figures
            ]
            measured = [cohort for cohort in self.cohorts if name in cohort.figures]
            if not any(abs(cohort.numeric - numeric) <= REACH_OF_SHARE for cohort in measured) and name != BASE:
                continue
            apart = [[x - y for x, y in zip(astuple(own), astuple(other), strict=True)] for _, own, other in both]
            off = _mean(apart, [weight for weight, _, _ in both])
            found[name] = CohortFigures(*(x + y for x, y in zip(base, off, strict=True)))
        return found

    def nearest_private(self, numeric: float, rows: float = 0) -> tuple[BudgetedFit, ...]:
        """Fits under a budget of the one table whose share of numbers is nearest, of those with so many rows."""
        enough = [fit for fit in self.private if fit.rows >= rows]
        if not enough:
            return ()
        table = min(enough, key=lambda fit: abs(fit.numeric - numeric)).table
        return tuple(fit for fit in enough if fit.table == table)


def _mean(values: Sequence[Sequence[float]], weights: Sequence[float]) -> list[float]:
    total = sum(weights)
    return [sum(w * x for w, x in zip(weights, each, strict=True)) / total for each in zip(*values, strict=True)]


@cache
def shipped_evidence() -> AutoEvidence:
    """What comes with the package."""
    text = (files("synthkit.models") / SHIPPED).read_text(encoding="utf-8")
    return AutoEvidence.of(json.loads(text))
