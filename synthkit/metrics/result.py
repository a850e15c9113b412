"""What an evaluation is: a Comparison goes in, Scores with intervals come out, failures are listed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

from synthkit.errors import SynthkitError
from synthkit.io.documents import parse_json

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from synthkit.metrics.attacks.attack_targets import Pool
    from synthkit.metrics.attacks.population_disclosure import Population
    from synthkit.metrics.stats.binning import Binning
    from synthkit.schema import Schema

FORMAT = "synthkit-evaluation/1"
REDRAWN = "high, training rows redrawn"  # part of a loss: its upper end if others had been trained on
PAIRED = 1  # seed of the pairs where a metric is called by itself; `evaluate` draws them from its own
SIBLING_AUDITED = "sibling"  # what a run's facts say under `audited` where another fit than the release was measured


class MetricError(SynthkitError):
    """A metric that cannot be computed on these tables; it becomes a listed failure, and the others go on."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The tables an evaluation looks at; frames in the schema's canonical dtypes.

    Args:
        train: rows the synthesizer was fitted on.
        holdout: rows of the same law it never saw (non-members of the pool and the test role).
        synthetic: one frame a draw; at least one.
        schema: meaning of the columns.
        pool: people with a coin each who are attacked, when the split was ours.
        people: how many units went where, if the split was ours.
        refits: the same for further fits of the same model to the same table, with coins of their own for people who
            were not attacked before. Only attacks look at them.
        others: rows of other releases that were made from the same training rows. Only attackers have them: they take
            all releases together.
        population: how many people of the population share each combination of quasi-identifiers, if that is known.
    """

    train: pd.DataFrame
    holdout: pd.DataFrame
    synthetic: tuple[pd.DataFrame, ...]
    schema: Schema
    pool: Pool | None = None
    population: Population | None = None
    people: Mapping[str, int] | None = None
    refits: tuple[Comparison, ...] = ()
    others: tuple[pd.DataFrame, ...] = ()

    @property
    def fits(self) -> tuple[Comparison, ...]:
        """All fits whose coins are known, the one that is compared first."""
        return (self, *self.refits)

    @cached_property
    def everybody(self) -> Pool:
        """The people who are attacked in any of the fits, in their order; each in one of them.

        Raises:
            MetricError: there are too few of them.
        """
        from synthkit.metrics.attacks.attack_targets import Pool

        return Pool.joined([fit.attacked for fit in self.fits])

    @cached_property
    def attacked(self) -> Pool:
        """The people who are attacked in this fit: those of the split, or pairs of a random member and non-member.

        Raises:
            MetricError: there are too few of them.
        """
        import numpy as np

        from synthkit.metrics.attacks.attack_targets import Pool

        if self.pool is not None:
            return self.pool
        return Pool.of_tables(self.train, self.holdout, self.schema, np.random.default_rng(PAIRED))

    @property
    def seen(self) -> tuple[pd.DataFrame, ...]:
        """Every table an attacker has: all draws, and what was released of the same rows before."""
        return (*self.synthetic, *self.others)

    @cached_property
    def released(self) -> pd.DataFrame:
        """Everything an attacker has as one table: the rows of all draws and of all other releases."""
        import pandas as pd

        return pd.concat(self.seen, ignore_index=True) if len(self.seen) > 1 else self.synthetic[0]

    @cached_property
    def binning(self) -> Binning:
        """Cuts of the learned columns, fitted on the training rows once for all metrics."""
        from synthkit.metrics.stats.binning import Binning

        return Binning.fit(self.train, self.schema)


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
        return is_loss and max(self.high, self.parts.get(REDRAWN, self.high)) < 0


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


class Metric(Protocol):
    """A function from a comparison to scores and the aggregates a page plots."""

    def __call__(
        self, comparison: Comparison, rng: np.random.Generator
    ) -> tuple[Sequence[Score | Failure], dict[str, Any]]:
        """Scores, and parts of the metric that could not be measured; and panels by name."""
        ...


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
    panels: Mapping[str, Any] = field(default_factory=dict)

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


Metrics = Mapping[str, Callable[[Comparison, "np.random.Generator"], tuple[list[Score], dict[str, Any]]]]
