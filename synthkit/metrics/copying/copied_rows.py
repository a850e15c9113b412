"""Copying diagnostics of rows: exact matches, distance to closest record, verbatim values; no evidence of privacy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.errors import MetricError
from synthkit.metrics.fidelity.distributions import unit_codes
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.binning import numbers
from synthkit.metrics.stats.distances import DistanceSpace
from synthkit.schema.columns import Code, Discrete, Identifier, level_keys
from synthkit.schema.unit_keys import unit_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.schema import Schema

MAX_QUERY_ROWS, MAX_NEIGHBOUR_ROWS = (
    5_000,
    20_000,
)  # rows that ask for a neighbour; rows a side among which it is sought
NNDR_CENTILE = 5
NO_EVIDENCE = "A diagnostic, not evidence of privacy: tables that pass can still give members away."


def matches(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Share of synthetic rows equal to a training row in every learned column.

    The reference is the share of holdout rows equal to a training row: what the law of the data does by itself.
    """
    known = np.unique(_hashes(comparison.train, comparison.schema))
    hits = [np.isin(_hashes(draw, comparison.schema), known) for draw in comparison.synthetic]
    at = intervals.wilson(int(sum(h.sum() for h in hits)), sum(map(len, hits)))
    score = Score(
        metric="copying.identical_matches",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="none",
        reference=float(np.isin(_hashes(comparison.holdout, comparison.schema), known).mean()),
        note=f"Share of rows equal to a training row in all learned columns; the reference is the share of holdout "
        f"rows equal to one. Wilson interval. {NO_EVIDENCE}",
    )
    panel = {"identical": {"synthetic": at.value, "low": at.low, "high": at.high, "holdout": score.reference}}
    return [score], {"copying": panel}


def distances(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Share of synthetic rows closer to train than to holdout (DCR share), and the 5th centile of nearest over second.

    Train and holdout are cut to equal numbers of rows and ties count half, so that 0.5 is expected at any holdout
    size. A binomial interval would be too narrow, because many synthetic rows share a neighbour; with v_u the rows
    whose neighbour belongs to unit u and fair coins for membership, the variance of the share is sum v_u² / 4n².

    References:
        Holdout-Based Empirical Assessment of Mixed-Type Synthetic Data (Platzer & Reutterer, 2021);
        The DCR Delusion: Measuring the Privacy Risk of Synthetic Data (Yao, Krčo, Ganev & de Montjoye, 2025).
    """
    size = min(len(comparison.train), len(comparison.holdout), MAX_NEIGHBOUR_ROWS)
    if size < 10:
        msg = f"distances need at least 10 rows of train and of holdout; however: {size}"
        raise MetricError(msg)
    train, holdout = (_sample(frame, size, rng) for frame in (comparison.train, comparison.holdout))
    space = DistanceSpace.fit(pd.concat([train, holdout], ignore_index=True), comparison.schema)
    queries = _sample(pd.concat(comparison.synthetic, ignore_index=True), MAX_QUERY_ROWS, rng)
    at = [space.coordinates(frame) for frame in (queries, train, holdout)]
    (near_t, who_t), (near_h, who_h) = (space.nearest(at[0], points, 2) for points in at[1:])
    share = dcr_share(near_t[:, 0], near_h[:, 0], _votes(train, who_t, comparison), _votes(holdout, who_h, comparison))
    real = space.coordinates(_sample(comparison.holdout, MAX_QUERY_ROWS, rng))
    crowd = _nndr(near_t, space.nearest(real, at[1], 2)[0], rng)
    scores = [
        Score(
            metric="copying.dcr_share",
            value=share.value,
            low=share.low,
            high=share.high,
            goal="none",
            reference=0.5,
            note=f"Share of {len(queries)} synthetic rows closer to a training row than to any holdout row, "
            f"{size} rows each, ties half; 0.5 if none were copied. Interval: fair coins for the units. {NO_EVIDENCE}",
        ),
        crowd,
    ]
    named = {"dcr_share": scores[0], "nndr_5th_centile": scores[1]}
    panel = {
        key: {"synthetic": s.value, "low": s.low, "high": s.high, "holdout": s.reference} for key, s in named.items()
    }
    return scores, {"copying": {**panel, "rows": size, "note": NO_EVIDENCE}}


def verbatim(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Share of synthetic cells that repeat a value only one training unit has, in columns that could name somebody.

    Looked at are identifiers, the unit column, codes, and columns of levels or whole numbers of which nearly every
    row has its own. Reproducing such a value from the law of the data is possible: the reference says how often
    holdout cells do.
    """
    schema = comparison.schema
    names = [n for n in schema.columns if n in comparison.train and _names_people(comparison.train[n], n, schema)]
    names = [n for n in names if all(n in draw for draw in comparison.synthetic) and n in comparison.holdout]
    if not names:
        return [], {}
    parts, hits, cells, real = {}, 0, 0, []
    for name in names:
        rare = _rare(comparison.train, name, schema.unit)
        cell = np.concatenate([_among(draw[name], rare, unit=name == schema.unit) for draw in comparison.synthetic])
        parts[name] = float(cell.mean()) if len(cell) else 0.0
        hits, cells = hits + int(cell.sum()), cells + len(cell)
        real.append(_among(comparison.holdout[name], rare, unit=name == schema.unit))
    at = intervals.wilson(hits, cells)
    held = np.concatenate(real)
    score = Score(
        metric="copying.verbatim_values",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="none",
        reference=float(held.mean()) if len(held) else None,
        parts=parts,
        note=f"Share of cells of {', '.join(names)} that repeat a value of exactly one training unit; the reference is "
        f"that of holdout cells. Wilson interval. {NO_EVIDENCE}",
    )
    panel = [{"column": name, "synthetic": share} for name, share in parts.items()]
    return [score], {"copying": {"verbatim": panel}}


def dcr_share(
    to_train: NDArray[np.float32],
    to_holdout: NDArray[np.float32],
    train_units: NDArray[np.intp],
    holdout_units: NDArray[np.intp],
) -> intervals.Interval:
    """Share of rows closer to train, ties half, with the interval of fair coins on the units that are closest.

    **Shape**: distances (q,), (q,) and unit codes of the neighbours (q,), (q,) -> value, low, high.
    """
    vote = np.where(to_train < to_holdout, 1.0, np.where(to_train > to_holdout, 0.0, 0.5))
    votes = [np.bincount(train_units, weights=vote), np.bincount(holdout_units, weights=1 - vote)]
    se = np.sqrt(sum((v**2).sum() for v in votes)) / (2 * len(vote))
    return intervals.normal_interval(float(vote.mean()), float(se), floor=0.0, ceiling=1.0)


def _nndr(near: NDArray[np.float32], near_real: NDArray[np.float32], rng: np.random.Generator) -> Score:
    """5th centile of nearest over second nearest, of synthetic rows and (reference) of holdout rows."""
    ratio = _ratio(near)
    weights = intervals.bootstrap_weights(np.arange(len(ratio)), 200, rng)
    replicates = np.array([np.percentile(np.repeat(ratio, w), NNDR_CENTILE) for w in weights])
    at = intervals.percentile_interval(float(np.percentile(ratio, NNDR_CENTILE)), replicates)
    at = intervals.widened_if_flat(at, len(ratio), floor=0.0, ceiling=1.0)
    return Score(
        metric="copying.nndr_5th_centile",
        value=at.value,
        low=at.low,
        high=at.high,
        goal="none",
        reference=float(np.percentile(_ratio(near_real), NNDR_CENTILE)),
        note="Distance to the nearest over the second nearest training row, 5th centile; the reference is that of "
        f"holdout rows. Bootstrap interval. {NO_EVIDENCE}",
    )


def _votes(frame: pd.DataFrame, who: NDArray[np.int64], comparison: EvaluationData) -> NDArray[np.intp]:
    units = unit_codes(frame, comparison.schema.unit)
    return np.asarray(who[:, 0] if units is None else units[who[:, 0]])


def _ratio(near: NDArray[np.float32]) -> NDArray[np.float64]:
    """Nearest over second nearest; 1 where both distances are nought (a crowd, not a copy of one row)."""
    first, second = near[:, 0].astype(float), near[:, 1].astype(float)
    return np.where(second > 0, first / np.where(second > 0, second, 1), 1.0)


def _sample(frame: pd.DataFrame, size: int, rng: np.random.Generator) -> pd.DataFrame:
    return frame if len(frame) <= size else frame.iloc[np.sort(rng.choice(len(frame), size, replace=False))]


def _hashes(frame: pd.DataFrame, schema: Schema) -> NDArray[np.uint64]:
    """One 64-bit number a row, equal for equal rows whatever the dtypes of the frames."""
    columns = {}
    for k, name in enumerate(schema.described):
        is_level = isinstance(schema.columns[name], Discrete)
        columns[str(k)] = level_keys(frame[name]).astype(str) if is_level else numbers(frame[name]) + 0.0
    return np.asarray(pd.util.hash_pandas_object(pd.DataFrame(columns), index=False).to_numpy())


def _names_people(values: pd.Series, name: str, schema: Schema) -> bool:
    column = schema.columns[name]
    if name == schema.unit or isinstance(column, Identifier | Code):
        return True
    if not isinstance(column, Discrete) and getattr(column, "decimals", None) != 0:
        return False
    present = values.dropna()
    return len(present) >= 20 and present.nunique() > 0.9 * len(present)


def _rare(train: pd.DataFrame, name: str, unit: str | None) -> pd.Index:
    """Values that exactly one unit of the training rows has."""
    keys = _keys(train[name], unit=name == unit)
    owner = pd.Series(np.arange(len(train)) if unit is None else pd.factorize(train[unit])[0])
    owners: pd.Series = owner.groupby(pd.Series(np.asarray(keys, dtype=object))).nunique()
    rare: pd.Index = owners[owners == 1].index.astype(object)
    return rare


def _among(values: pd.Series, rare: pd.Index, *, unit: bool = False) -> NDArray[np.bool_]:
    return np.asarray(_keys(values.dropna(), unit=unit).isin(rare))


def _keys(values: pd.Series, *, unit: bool) -> pd.Index:
    """What cells are compared by: those of the unit by the person they name. **Shape**: (n,) -> (n,)."""
    return pd.Index(unit_keys(values), dtype=object) if unit else level_keys(values)


MATCHES_SPEC = MetricSpec(
    name="copying.matches",
    measure=matches,
    labels={
        "copying.identical_matches": MetricLabel(
            "Identical rows", "Share of synthetic rows equal to a training row.", "share"
        ),
    },
)
DISTANCES_SPEC = MetricSpec(
    name="copying.distances",
    measure=distances,
    labels={
        "copying.dcr_share": MetricLabel(
            "Nearer to training (DCR share)",
            "Share of synthetic rows closer to a training row than to a holdout row; 0.5 if nothing is copied.",
        ),
        "copying.nndr_5th_centile": MetricLabel(
            "Nearest over second nearest (5th centile)", "Small if some rows sit on top of one training row."
        ),
    },
)
VERBATIM_SPEC = MetricSpec(
    name="copying.verbatim",
    measure=verbatim,
    labels={
        "copying.verbatim_values": MetricLabel(
            "Values of one person", "Share of cells that repeat a value only one training unit has.", "share"
        ),
    },
)
