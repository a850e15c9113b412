"""Validity of synthetic rows: declared rules, declared ranges, known levels, patterns of missing cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.fidelity.distributions import both_sides
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats import intervals, paired_difference
from synthkit.metrics.stats.binning import discrete
from synthkit.schema.columns import level_keys
from synthkit.schema.rules import FixedCombination

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.schema.rules import Rule

MAX_MISSING_PATTERNS = 50  # most frequent patterns of missing cells that are told apart


def rules(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Share of synthetic rows that break a declared rule; nought rows must.

    The interval is exact (Clopper-Pearson): no violation in n rows still allows 3.7/n.
    """
    declared = comparison.schema.rules
    if not declared:
        return [], {}
    draws, n = comparison.synthetic, sum(map(len, comparison.synthetic))
    broken = [np.concatenate([_breaks(rule, draw, comparison.train) for draw in draws]) for rule in declared]
    held = [_breaks(rule, comparison.holdout, comparison.train) for rule in declared]
    at = intervals.clopper_pearson(int(np.any(broken, axis=0).sum()), n)
    score = Score(
        metric="fidelity.rule_violations",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=float(np.any(held, axis=0).mean()),
        parts={rule.sentence: float(b.mean()) for rule, b in zip(declared, broken, strict=True)},
        note="Share of rows that break at least one declared rule; the reference is the share of holdout rows. "
        "Exact interval.",
    )
    panel = [
        {"sentence": rule.sentence, "violations": int(b.sum()), "rows": n}
        for rule, b in zip(declared, broken, strict=True)
    ]
    return [score], {"rules": panel}


def ranges(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Share of synthetic rows with a cell its column does not admit, or missing where that is not allowed."""
    names = comparison.schema.described
    outside = {name: [_outside(comparison, name, draw) for draw in comparison.synthetic] for name in names}
    rows = np.any([np.concatenate(draws) for draws in outside.values()], axis=0)
    at = intervals.clopper_pearson(int(rows.sum()), len(rows))
    held = np.any([_outside(comparison, name, comparison.holdout) for name in names], axis=0)
    score = Score(
        metric="fidelity.range_violations",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=float(held.mean()),
        parts={name: float(np.concatenate(draws).mean()) for name, draws in outside.items()},
        note="Share of rows with a cell outside the declared range, decimals, levels or pattern, or missing where "
        "that is not allowed; the reference is the share of holdout rows. Exact interval.",
    )
    return [score], {}


def levels(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Levels the training rows never had, and levels of theirs that no synthetic row has."""
    names = discrete(comparison.schema)
    if not names:
        return [], {}
    like = both_sides(comparison, rng)[0].other
    shown = tuple(n for n in names if comparison.holdout[n].notna().any())
    coverage = [_coverage(comparison, shown, like)] if shown else []
    return [_novel(comparison, names), *coverage], {}


def missingness(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Total variation of which cells of a row are missing together, and shares of missing cells by column."""
    names = comparison.schema.described
    sides = both_sides(comparison, rng)[0]
    frames = {"train": comparison.train, "holdout": comparison.holdout, "other": sides.other}
    absent = {key: frame[list(names)].isna().to_numpy() for key, frame in frames.items()}
    draws = [draw[list(names)].isna().to_numpy() for draw in comparison.synthetic]
    patterns = _patterns(absent["train"])
    real = _pattern_codes(absent["holdout"], patterns)
    cells = len(patterns) + 1
    differences = [paired_difference.tv(_pattern_codes(draw, patterns), real, cells) for draw in draws]
    at = paired_difference.over_draws(
        differences, [sides.units(d) for d in sides.draws], sides.units(comparison.holdout)
    )
    synthetic = np.mean([draw.mean(axis=0) for draw in draws], axis=0)
    shares = {key: table.mean(axis=0) for key, table in absent.items()}
    score = Score(
        metric="fidelity.missingness",
        value=at.value,
        low=max(0.0, at.low),
        high=min(1.0, at.high),
        goal="low",
        reference=paired_difference.tv(_pattern_codes(absent["other"], patterns), real, cells).value,
        parts={name: float(abs(synthetic[k] - shares["holdout"][k])) for k, name in enumerate(names)},
        note=f"Total variation of the patterns of missing cells against the holdout, the {MAX_MISSING_PATTERNS} "
        "most frequent "
        "of the training rows and all others; parts are differences of the share missing. "
        "The reference is as many training rows against the holdout. Interval: first-order influence of the rows.",
    )
    panel = [
        {
            "column": name,
            "train": float(shares["train"][k]),
            "holdout": float(shares["holdout"][k]),
            "synthetic": float(synthetic[k]),
        }
        for k, name in enumerate(names)
        if max(shares["train"][k], shares["holdout"][k], synthetic[k]) > 0
    ]
    return [score], {"missingness": panel}


def _breaks(rule: Rule, frame: pd.DataFrame, train: pd.DataFrame) -> NDArray[np.bool_]:
    if isinstance(rule, FixedCombination) and rule.combinations is None:
        return np.asarray(~rule.keys(frame).isin(rule.keys(train).unique()))
    return ~rule.holds(frame)


def _outside(comparison: EvaluationData, name: str, frame: pd.DataFrame) -> NDArray[np.bool_]:
    column = comparison.schema.columns[name]
    wrong = ~column.admits(frame[name])
    return wrong if column.nullable else wrong | frame[name].isna().to_numpy()


def _novel(comparison: EvaluationData, names: tuple[str, ...]) -> Score:
    known = {name: level_keys(comparison.train[name]).unique() for name in names}

    def strange(frame: pd.DataFrame, name: str) -> NDArray[np.bool_]:
        return np.asarray(~level_keys(frame[name]).isin(known[name])) & frame[name].notna().to_numpy()

    by_name = {name: np.concatenate([strange(d, name) for d in comparison.synthetic]) for name in names}
    rows = np.any(list(by_name.values()), axis=0)
    at = intervals.clopper_pearson(int(rows.sum()), len(rows))
    held = np.any([strange(comparison.holdout, name) for name in names], axis=0)
    return Score(
        metric="fidelity.novel_levels",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="low",
        reference=float(held.mean()),
        parts={name: float(b.mean()) for name, b in by_name.items()},
        note="Share of rows with a level that no training row has; the reference is the share of holdout rows. "
        "Levels that are declared but were not observed count too. Exact interval.",
    )


def _coverage(comparison: EvaluationData, names: tuple[str, ...], like: pd.DataFrame) -> Score:
    """Mean share of the holdout's levels that a draw shows; the variance is that of a redraw of its rows.

    A level met c times is missed by a redraw of the same size with probability about exp(-c).
    """

    def covered(frame: pd.DataFrame, name: str) -> tuple[float, float]:
        wanted = level_keys(comparison.holdout[name].dropna()).unique()
        counts = pd.Series(level_keys(frame[name].dropna())).value_counts().reindex(wanted, fill_value=0).to_numpy()
        missed = np.exp(-counts[counts > 0].astype(float))
        return float((counts > 0).mean()), float((missed * (1 - missed)).sum() / len(wanted) ** 2)

    found = np.array([[covered(draw, name) for name in names] for draw in comparison.synthetic])
    by_name = found[:, :, 0].mean(axis=0)
    variance = float(found[:, :, 1].sum()) / (len(names) * len(found)) ** 2
    at = intervals.normal_interval(float(by_name.mean()), float(np.sqrt(variance)), floor=0.0, ceiling=1.0)
    at = intervals.widened_if_flat(at, min(map(len, comparison.synthetic)), floor=0.0, ceiling=1.0)
    return Score(
        metric="fidelity.coverage",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="high",
        reference=float(np.mean([covered(like, name)[0] for name in names])),
        parts={name: float(by_name[k]) for k, name in enumerate(names)},
        note="Mean share of the holdout's levels that occur in the synthetic rows; the reference is as many training "
        "rows. Interval: what a redraw of the synthetic rows would change.",
    )


def _patterns(absent: NDArray[np.bool_]) -> dict[bytes, int]:
    rows, counts = np.unique(np.packbits(absent, axis=1), axis=0, return_counts=True)
    order = sorted(range(len(rows)), key=lambda k: (-counts[k], rows[k].tobytes()))[:MAX_MISSING_PATTERNS]
    return {rows[k].tobytes(): i for i, k in enumerate(order)}


def _pattern_codes(absent: NDArray[np.bool_], patterns: dict[bytes, int]) -> NDArray[np.intp]:
    rows, inverse = np.unique(np.packbits(absent, axis=1), axis=0, return_inverse=True)
    table = np.array([patterns.get(row.tobytes(), len(patterns)) for row in rows], dtype=np.intp)
    return table[inverse.reshape(-1)]


MISSINGNESS_SPEC = MetricSpec(
    name="fidelity.missingness",
    measure=missingness,
    labels={
        "fidelity.missingness": MetricLabel(
            "Missing cells", "How differently cells are missing in real and synthetic rows."
        ),
    },
)
RULES_SPEC = MetricSpec(
    name="fidelity.rules",
    measure=rules,
    labels={
        "fidelity.rule_violations": MetricLabel(
            "Rule violations", "Share of synthetic rows that break a declared rule.", "share"
        ),
    },
)
RANGES_SPEC = MetricSpec(
    name="fidelity.ranges",
    measure=ranges,
    labels={
        "fidelity.range_violations": MetricLabel(
            "Range violations", "Share of synthetic rows with a cell the schema forbids.", "share"
        ),
    },
)
LEVELS_SPEC = MetricSpec(
    name="fidelity.levels",
    measure=levels,
    labels={
        "fidelity.novel_levels": MetricLabel(
            "Novel levels", "Share of synthetic rows with a level no training row has.", "share"
        ),
        "fidelity.coverage": MetricLabel(
            "Coverage of levels", "Share of the levels of real rows that synthetic rows show.", "share"
        ),
    },
)
