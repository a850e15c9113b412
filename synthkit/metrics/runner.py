"""Run every metric on a comparison: each with its own random stream, each failure listed, nothing averaged away."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from synthkit.errors import MetricError, SchemaError, SynthkitError, TableError
from synthkit.io.json_types import JSON
from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.metric import MetricOptions
from synthkit.metrics.metric_registry import metrics_of
from synthkit.metrics.result import Evaluation, Failure, Found, Panels, Score
from synthkit.metrics.utility.user_estimators import user_estimators
from synthkit.runtime.seeds import Seeds

if TYPE_CHECKING:
    import pandas as pd


_Tables = TypeVar("_Tables")
MetricOf = Callable[[_Tables, np.random.Generator], Found]  # a metric of one table or of several
QUICK_UNITS = 2_000  # that are attacked
QUICK_ROWS = 10_000
MEASUREMENT_ERRORS = (SynthkitError, ValueError, ArithmeticError, np.linalg.LinAlgError)


@dataclass(frozen=True)
class Measurement:
    """What one metric yielded, and how long it took."""

    found: Sequence[Score | Failure]
    panels: Panels
    seconds: float

    @classmethod
    def of(cls, name: str, metric: MetricOf[_Tables], comparison: _Tables, rng: np.random.Generator) -> Measurement:
        """Measure; a metric that cannot be computed on these tables is a failure."""
        start = time.perf_counter()
        found: Sequence[Score | Failure]
        try:
            found, panels = metric(comparison, rng)
            found = [_flat_as_failure(each) for each in found]
        except MEASUREMENT_ERRORS as error:
            found, panels = [Failure.of(name, error)], {}
        return cls(found, panels, round(time.perf_counter() - start, 3))


def evaluate(
    comparison: EvaluationData,
    *,
    run: Mapping[str, Any] | None = None,
    seed: int = 0,
    quick: bool = False,
    baselines: Mapping[str, object] | None = None,
    workers: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Evaluation:
    """Measure fidelity, utility and copying of synthetic rows; the result is as confidential as the real rows.

    Args:
        comparison: training, holdout and synthetic rows with their schema.
        run: facts about the run to keep with the scores.
        seed: root of the random streams; every metric has its own, so a failure of one changes no other.
        quick: look at 10,000 rows of each table, attack 2,000 people, use two learners; the run block says so.
        baselines: your own scikit-learn estimators by name, or their import paths: trained on synthetic rows and
            tested on real ones beside the fixed learners, see `synthkit.metrics.utility.user_estimators`.
        workers: metrics measured at a time, each by one core; as many as there are cores if not given.
        progress: called as progress(name, k, n) when k of n metrics are done, with the name of one that is not.

    Raises:
        TableError: a table is empty or lacks a learned column.
        ConfigError: a metric that another distribution adds cannot be used, or a baseline is no estimator that suits.
    """
    _check(comparison)
    options = MetricOptions(quick=quick, baselines=user_estimators(baselines or {}))
    chosen = metrics_of(comparison.schema, options)
    seeds = Seeds(seed)
    if comparison.pool is None:
        comparison = replace(comparison, pool=_paired(comparison, seeds.numpy("pool")))
    whole = _rows(comparison)
    if quick:
        comparison = _sampled(comparison, seeds.numpy("quick"))
    done = all_measured(chosen, comparison, seeds, workers or cores(), progress or (lambda name, k, n: None))
    facts = {**(run or {}), "evaluation_seed": seed, "quick": quick, "rows": whole}
    return assembled(done, {**facts, "measured": _rows(comparison), **_people(comparison)})


def assembled(done: Mapping[str, Measurement], facts: Mapping[str, Any]) -> Evaluation:
    """What was measured as one evaluation, with the facts of the run and the seconds of each metric."""
    scores: list[Score] = []
    failures: list[Failure] = []
    panels: dict[str, Any] = {}
    for each in done.values():
        scores += [one for one in each.found if isinstance(one, Score)]
        failures += [one for one in each.found if isinstance(one, Failure)]
        _merge(panels, each.panels)
    seconds = {name: each.seconds for name, each in done.items()}
    run = {**facts, "seconds": seconds}
    return Evaluation(run=run, scores=tuple(scores), failures=tuple(failures), panels=panels)


def all_measured(
    chosen: Mapping[str, MetricOf[_Tables]],
    comparison: _Tables,
    seeds: Seeds,
    workers: int,
    report: Callable[[str, int, int], None],
) -> dict[str, Measurement]:
    """Every metric measured, in the order of `chosen`."""
    with one_thread(), _without_fit_warnings(), ThreadPoolExecutor(workers, initializer=one_thread) as pool:
        # each metric has its own random stream and they share nothing they change: any order gives the same numbers;
        # the last take longest (models are fitted), and begin first, so that no core waits for them at the end
        waiting = {
            name: pool.submit(Measurement.of, name, chosen[name], comparison, seeds.numpy(name))
            for name in reversed(list(chosen))
        }
        for k, _ in enumerate(as_completed(waiting.values()), start=1):
            report(next((name for name, each in waiting.items() if not each.done()), ""), k, len(chosen))
        return {name: waiting[name].result() for name in chosen}


def one_thread() -> AbstractContextManager[object]:
    """One thread for OpenMP and BLAS while the context lasts.

    Two thread teams on the same cores spin against each other: on a busy machine boosting was 20 times slower with
    two threads than with one, on an idle one it is 1.5 times faster.
    """
    import sklearn.ensemble  # noqa: F401  # its OpenMP must be loaded before it can be limited
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(limits=1)  # type: ignore[no-any-return,unused-ignore]


@contextmanager
def _without_fit_warnings() -> Iterator[None]:
    """Without warnings of fits that did not converge: what one thread ignores, another one shows again."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check(comparison: EvaluationData) -> None:
    tables = [("training", comparison.train), ("holdout", comparison.holdout)]
    tables += [(f"synthetic ({k + 1})", draw) for k, draw in enumerate(comparison.synthetic)]
    tables += [(f"other release ({k + 1})", frame) for k, frame in enumerate(comparison.others)]
    if not comparison.synthetic:
        msg = "a comparison must have at least one synthetic table; however: none is given"
        raise TableError(msg)
    if not comparison.schema.described:
        msg = "a comparison must have a column to compare; however: the schema declares only identifiers"
        raise SchemaError(msg)
    for name, frame in tables:
        absent = [column for column in comparison.schema.described if column not in frame]
        if absent:
            msg = f"the {name} table must have every learned column; however: {', '.join(absent)} not found"
            raise TableError(msg)
        if len(frame) < 2:
            msg = f"the {name} table must have at least two rows; however: {len(frame)}"
            raise TableError(msg)


def _paired(comparison: EvaluationData, rng: np.random.Generator) -> AttackTargets | None:
    """People to be attacked where somebody else split the table; none if there are too few."""
    try:
        return AttackTargets.of_tables(comparison.train, comparison.holdout, comparison.schema, rng)
    except MetricError:
        return None


def _sampled(comparison: EvaluationData, rng: np.random.Generator) -> EvaluationData:
    """At most 10,000 rows a table, whole rows at random."""

    def thin(frame: pd.DataFrame) -> pd.DataFrame:
        if len(frame) <= QUICK_ROWS:
            return frame
        return frame.iloc[np.sort(rng.choice(len(frame), QUICK_ROWS, replace=False))]

    return replace(
        comparison,
        train=thin(comparison.train),
        holdout=thin(comparison.holdout),
        synthetic=tuple(map(thin, comparison.synthetic)),
        others=tuple(map(thin, comparison.others)),
        pool=None if comparison.pool is None else comparison.pool.sampled(QUICK_UNITS, rng),
        refits=tuple(_sampled(fit, rng) for fit in comparison.refits),
    )


def _rows(comparison: EvaluationData) -> dict[str, JSON]:
    """Numbers of rows by table, of every draw."""
    rows: dict[str, JSON] = {
        "train": len(comparison.train),
        "holdout": len(comparison.holdout),
        "synthetic": [len(draw) for draw in comparison.synthetic],
    }
    if comparison.others:
        rows["others"] = [len(frame) for frame in comparison.others]
    return rows


def _people(comparison: EvaluationData) -> dict[str, JSON]:
    """How many units went where and how many are attacked in each fit, if the split was ours."""
    if comparison.people is None:
        return {}
    attacked = [len(fit.attacked.member) for fit in comparison.fits]
    return {"people": {**comparison.people, "attacked": attacked}}


def _flat_as_failure(found: Score | Failure) -> Score | Failure:
    """A score whose interval has no width is no measurement: it would be read as certain."""
    if isinstance(found, Failure) or not found.is_sure:
        return found
    reason = f"its interval, from {found.low:.4g} to {found.high:.4g}, has no width: nothing was there to be measured"
    return Failure(metric=found.metric, reason=reason)


def _merge(panels: dict[str, Any], drawn: Panels) -> None:
    """Metrics may share a panel: lists are joined, mappings merged."""
    for name, panel in drawn.items():
        old = panels.get(name)
        if isinstance(old, list):
            panels[name] = [*old, *panel]
        elif isinstance(old, dict):
            panels[name] = {**old, **panel}
        else:
            panels[name] = panel
