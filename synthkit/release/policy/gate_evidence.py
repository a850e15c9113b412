"""What a run folder holds that a policy can be held against, and how each figure is found in it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from synthkit.metrics.result import SIBLING_AUDITED
from synthkit.report import privacy_claim

if TYPE_CHECKING:
    from synthkit.metrics.attacks.effect_size import Effect
    from synthkit.metrics.result import Evaluation, Score
    from synthkit.report.inputs import LedgerJson, StatementJson

FIGURE_DIGITS = 4  # behind the point: finer differences decide nothing, and would tell of single people


class FoundFigure(NamedTuple):
    """A figure, or why there is none.

    Args:
        measured: the figure itself.
        low: lower end of its 95 % interval.
        high: upper end.
        about: which member of a family it is, the worst one.
        lacking: why it was not assessed; empty if it was.
        doubt: why it cannot pass though it does not fail; empty if nothing speaks against it.
        detected: of an attack, whether chance alone would hardly show as much; None of all else.
    """

    measured: float | None = None
    low: float | None = None
    high: float | None = None
    about: str = ""
    lacking: str = ""
    doubt: str = ""
    detected: bool | None = None

    @classmethod
    def of_attack(cls, effect: Effect) -> FoundFigure:
        """What attacks reach as a figure."""
        if effect.lacking:
            return cls(lacking=without_figures(effect.lacking))
        at = effect.value, effect.low, effect.high
        return cls(*at, about=effect.about, doubt=effect.doubt, detected=effect.detected)

    def rounded_outward(self) -> FoundFigure:
        """The same to four digits behind the point, the interval no narrower: what is decided on can be shown whole.

        Example:
            >>> FoundFigure(0.123456, 0.1, 0.15001).rounded_outward()[:3]
            (0.1235, 0.1, 0.1501)
        """
        return self._replace(
            measured=_rounded(self.measured, round),
            low=_rounded(self.low, math.floor),
            high=_rounded(self.high, math.ceil),
        )


def without_figures(reason: str) -> str:
    """What must hold, without what came: a gate leaves with its release, and numbers of real people must not.

    Example:
        >>> without_figures("risks need 20 people; however: there are 13. Bring more people")
        'risks need 20 people'
    """
    return reason.partition("; however")[0]


def _rounded(x: float | None, way: Callable[[float], int]) -> float | None:
    """To a multiple of 10^-FIGURE_DIGITS; what is one already, but for the last bits of a float, stays."""
    return x if x is None or not math.isfinite(x) else way(round(x * 10**FIGURE_DIGITS, 6)) / 10**FIGURE_DIGITS


@dataclass(frozen=True, kw_only=True)
class GateEvidence:
    """Everything a gate looks at.

    Args:
        evaluation: scores, panels, failures and facts.
        statement: what is promised, `synthkit-statement/1`; None if it is not there.
        ledger: what was charged; None if it is not there.
        releases: `number` and `epsilon` (infinite for no bound) of all releases of the table, this one among them; None
            if there is no register of them.
        today: the day of the decision.
    """

    evaluation: Evaluation
    statement: StatementJson | None = None
    ledger: LedgerJson | None = None
    releases: Mapping[str, float] | None = None
    today: dt.date

    def score(self, metric: str) -> Score | None:
        """The score of that name, None if it was not measured."""
        return next((s for s in self.evaluation.scores if s.metric == metric), None)

    def among(self, start: str, *ends: str) -> list[Score]:
        """Scores whose names begin so, and end in one of the endings if there are any."""
        return [s for s in self.evaluation.scores if s.metric.startswith(start) and s.metric.endswith(ends or ("",))]

    def failed(self, *starts: str) -> list[str]:
        """Reasons of the measurements that failed, by the beginnings of their names, without figures of real rows."""
        return [
            f"{f.metric}: {without_figures(f.reason)}" for f in self.evaluation.failures if f.metric.startswith(starts)
        ]

    @property
    def epsilon(self) -> float | None:
        """What was spent according to the ledger; None for no bound."""
        return privacy_claim.epsilon(self.ledger)

    @property
    def made(self) -> dt.date | None:
        """The day of the evaluation."""
        said = self.evaluation.run.get("date")
        try:
            return None if said is None else dt.date.fromisoformat(str(said)[:10])
        except ValueError:
            return None

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the linked tables that were measured; none where it was one table."""
        said = self.evaluation.run.get("tables")
        return tuple(map(str, said)) if isinstance(said, Mapping) else ()

    @property
    def of_sibling(self) -> bool:
        """Whether a sibling of what is released was measured: it was fitted to all people afterwards."""
        return self.evaluation.run.get("audited") == SIBLING_AUDITED

    @property
    def draws(self) -> int:
        """Synthetic tables that were measured."""
        drawn = (self.evaluation.run.get("rows") or {}).get("synthetic")
        return len(drawn) if isinstance(drawn, list | tuple) else 1

    @property
    def controls(self) -> int:
        """People not in the data, beside whom disclosures were measured."""
        panel = self.evaluation.panels.get("membership") or {}
        smaller = [c["measured"] for c in panel.get("checks") or [] if c["name"] == "enough people"]
        return int(smaller[0]) if smaller else 0


def worst_figure(scores: Iterable[Score], label: str, failures: list[str]) -> FoundFigure:
    """The score with the largest upper end; not assessed if a member of the family failed or none is there."""
    found = list(scores)
    if failures:
        return FoundFigure(lacking=f"{label} could not be measured: {failures[0]}")
    if not found:
        return FoundFigure(lacking=f"{label} was not measured")
    most = max(found, key=lambda s: (s.high, s.value))
    return figure_of(most, about=most.metric)


def figure_of(score: Score | None, *, about: str = "", label: str = "", doubt: str = "") -> FoundFigure:
    """A score as a figure; a figure that is not a number was not assessed."""
    if score is None:
        return FoundFigure(lacking=f"{label} was not measured")
    if not math.isfinite(score.value):
        return FoundFigure(lacking=f"{score.metric} is not a number")
    return FoundFigure(score.value, score.low, score.high, about=about or score.metric, doubt=doubt)
