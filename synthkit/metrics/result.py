"""Results of an evaluation: scores with intervals, and metrics that failed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from synthkit.errors import SynthkitError
from synthkit.io.documents import parse_json

if TYPE_CHECKING:
    import pandas as pd

Panels = Mapping[str, Any]  # aggregates by name, as JSON can hold them
Scored = tuple[Sequence["Score"], Panels]  # what a metric yields
Found = tuple[Sequence["Score | Failure"], Panels]  # the same where parts of the metric may have failed

FORMAT = "synthkit-evaluation/1"
REDRAWN_HIGH = "high, training rows redrawn"  # part of a loss: its upper end if others had been trained on
SIBLING_AUDITED = "sibling"  # what a run's facts say under `audited` where another fit than the release was measured


@dataclass(frozen=True, kw_only=True)
class Score:
    """One measured number, with its interval and what a real holdout scores on the same scale.

    Args:
        metric: dotted name, room first: `fidelity.tv2`, `utility.income.tstr`.
        value: the measurement.
        low: lower end of its 95 % interval.
        high: upper end.
        goal: which direction is better, or `none` for a diagnostic.
        reference: what real rows that were not trained on score, if that can be measured.
        parts: values of the pieces (columns, pairs, learners) the score is made of.
        note: one sentence on how to read it, or on its limits.
    """

    metric: str
    value: float
    low: float
    high: float
    goal: Literal["high", "low", "none"]
    reference: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            interval = f"{self.value} in [{self.low}, {self.high}]"
            msg = f"{self.metric}: the interval must contain the value; however: {interval}"
            raise ValueError(msg)

    @property
    def is_sure(self) -> bool:
        """Whether its interval has no width: nothing that was counted or resampled made any difference."""
        return self.low == self.high

    @property
    def beats_real(self) -> bool:
        """Whether a loss of prediction is below nought beyond its interval, and beyond what other training rows give.

        Rows cannot teach more of real people than the rows they were learned from: then what real rows reach was not
        reached, the reference is weak, and there is no gain.
        """
        is_loss = self.metric.startswith("utility.") and self.metric.endswith(".gap")
        return is_loss and max(self.high, self.parts.get(REDRAWN_HIGH, self.high)) < 0


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A metric that could not run, and why."""

    metric: str
    reason: str

    @classmethod
    def of(cls, metric: str, error: Exception) -> Failure:
        """A failure by an error: in its words if it is one of ours; what numpy or pandas say may hold cells."""
        sort = type(error).__name__
        ours = isinstance(error, SynthkitError)
        return cls(metric=metric, reason=str(error) if ours else f"its arithmetic has no answer on these rows ({sort})")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Everything measured in one evaluation: the content of evaluation.json.

    Args:
        run: facts about the run (model, rows, seeds, versions) as plain data.
        scores: every number.
        failures: metrics that could not run.
        panels: plotted aggregates by name, so that a report can be redrawn without any table.
    """

    run: Mapping[str, Any]
    scores: tuple[Score, ...]
    failures: tuple[Failure, ...] = ()
    panels: Panels = field(default_factory=dict)

    def score(self, metric: str) -> Score:
        """The score called `metric`; KeyError if it was not measured."""
        for score in self.scores:
            if score.metric == metric:
                return score
        raise KeyError(metric)

    def frame(self, prefix: str = "") -> pd.DataFrame:
        """Scores whose names begin with `prefix` as a table: value, low, high, reference and goal by metric.

        **Shape**: one row a score; of none, no row.

        Examples:
            >>> score = Score(metric="fidelity.tv2", value=0.98, low=0.97, high=0.99, goal="high")
            >>> Evaluation(run={}, scores=(score,)).frame("fidelity").loc["fidelity.tv2", "value"]
            np.float64(0.98)
        """
        import pandas as pd

        columns = ["value", "low", "high", "reference", "goal"]
        chosen = [score for score in self.scores if score.metric.startswith(prefix)]
        return pd.DataFrame(
            [[getattr(score, name) for name in columns] for score in chosen],
            columns=columns,
            index=pd.Index([score.metric for score in chosen], name="metric"),
        )

    def to_json(self) -> str:
        """JSON text in the format `synthkit-evaluation/1`; numbers that are not finite become null."""
        return json.dumps(
            _plain({"format": FORMAT, **asdict(self)}), indent=1, sort_keys=False, allow_nan=False, ensure_ascii=False
        )

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """Read what `to_json` wrote."""
        data = parse_json(text, "an evaluation")
        if data.get("format") != FORMAT:
            msg = f"an evaluation must have format {FORMAT}; however: {data.get('format')!r}"
            raise ValueError(msg)
        return cls(
            run=data["run"],
            scores=tuple(
                Score(
                    **{
                        **s,
                        "low": _edge(s["low"], -math.inf),
                        "high": _edge(s["high"], math.inf),
                        "value": _edge(s["value"], math.nan),
                    }
                )
                for s in data["scores"]
            ),
            failures=tuple(Failure(**f) for f in data["failures"]),
            panels=data["panels"],
        )


def _edge(x: float | None, otherwise: float) -> float:
    return otherwise if x is None else x


def _plain(x: Any) -> Any:
    if isinstance(x, Mapping):
        return {str(k): _plain(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [_plain(v) for v in x]
    if hasattr(x, "item") and not isinstance(x, str | bytes):
        return _plain(x.item() if getattr(x, "ndim", 0) == 0 else x.tolist())
    if isinstance(x, float) and not math.isfinite(x):
        return None
    return x
