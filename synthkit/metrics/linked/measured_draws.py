"""Several synthetic draws of linked tables measured one by one: means over draws, with intervals that say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synthkit.metrics.result import Failure, Score
from synthkit.metrics.runner import Measurement
from synthkit.metrics.stats.intervals import Z95


def over_draws(measured: Sequence[Measurement]) -> Measurement:
    """One metric of several draws as one: scores are means, panels those of the first draw.

    Args:
        measured: what the metric yielded, one a draw.
    """
    if len(measured) == 1:
        return measured[0]
    found: dict[str, list[Score]] = {}
    failed: dict[str, list[Failure]] = {}
    for each in measured:
        for one in each.found:
            if isinstance(one, Score):
                found.setdefault(one.metric, []).append(one)
            else:
                failed.setdefault(one.metric, []).append(one)
    scores = [mean_of_scores(scores) for scores in found.values()]
    failures = [_said(failures, len(measured)) for failures in failed.values()]
    return Measurement([*scores, *failures], measured[0].panels, round(sum(each.seconds for each in measured), 3))


def mean_of_scores(scores: Sequence[Score]) -> Score:
    """The mean of one score over m draws, each end of its interval by itself.

    reach^2 = mean of the draws' own reaches squared + 1.96^2 B / m, B the variance between draws. The real units are
    the same for all draws, so their share does not shrink with m; that of the synthetic units would, so that the
    interval is not too narrow. Where no draw's interval leaves nought to one, nor does this.

    Example:
        >>> draws = [Score(metric="fidelity.x", value=v, low=v - 3, high=v + 3, goal="low") for v in (4.0, 12.0)]
        >>> mean = mean_of_scores(draws)
        >>> mean.value, mean.low, round(mean.high, 3)
        (8.0, 0.0, 16.394)
    """
    if len(scores) == 1:
        return scores[0]
    values, low, high = (np.array([getattr(s, end) for s in scores], dtype=float) for end in ("value", "low", "high"))
    between = Z95**2 * float(values.var(ddof=1)) / len(values)
    mean = float(values.mean())
    down, up = (float(np.sqrt(np.mean(reach**2) + between)) for reach in (values - low, high - values))
    floor = 0.0 if (low >= 0).all() else -np.inf
    ceiling = 1.0 if (high <= 1).all() else np.inf
    references = [s.reference for s in scores if s.reference is not None]
    names = dict.fromkeys(name for s in scores for name in s.parts)
    return replace(
        scores[0],
        value=mean,
        low=min(mean, max(floor, mean - down)),
        high=max(mean, min(ceiling, mean + up)),
        reference=float(np.mean(references)) if references else None,
        parts={name: float(np.mean([s.parts[name] for s in scores if name in s.parts])) for name in names},
        note=f"{scores[0].note} Mean of {len(scores)} draws.".strip(),
    )


def _said(failures: Sequence[Failure], draws: int) -> Failure:
    """A failure once, with the number of draws it befell if not all."""
    first = failures[0]
    if len(failures) >= draws:
        return first
    return replace(first, reason=f"{first.reason} (in {len(failures)} of {draws} draws)")
