"""Which of several candidate units is released, with all its rows: the one whose coins fall best.

Coins are those of rows (see `candidate_choice`): a content that stands once among all rows of a table has one, which
belongs to the unit of that row. In table t and weight class k a unit has u coins, h of them heads;

    z_tk = quantile of the normal law at F_u(h - 1) + V f_u(h),

F_u and f_u the distribution function and the probabilities of a binomial (u, 1/2), V uniform on [0, 1]. With s_tk sets
of columns in class k of table t and a_tk = s_tk where the unit has coins there, else 0,

    Z = sum_t (sum_k sqrt(a_tk) z_tk / sqrt(sum_k a_tk)) / sqrt(T),

over the T tables in which the unit has coins. Of the c candidates the one with the largest Z is released. So every
table has the same say, however many rows it has: the mark outlives the loss of a table.

**What is kept.** Over a random key all coins are independent and fair, for no two belong to the same content, and u, a
and T follow from the candidates alone. So every z_tk is standard normal, all are independent, and so is every Z: each
candidate for a unit is released with probability 1/c, whatever it and the others say, independently of other units.

References:
    Stouffer et al.: The American soldier (1949), for sums of normal scores. As for rows: see `candidate_choice`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synthkit.errors import SchemaError
from synthkit.watermark.candidate_choice import WEIGHT_COUNT, occurs_once, set_weight
from synthkit.watermark.column_subsets import subsets
from synthkit.watermark.row_tokens import row_contents

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.watermark.key import WatermarkKey
    from synthkit.watermark.unit_key import UnitWatermarkKey

Scores = NDArray[np.float64]
SURE = 1 - 1e-16  # a probability of one has no quantile


def choose_units(
    frames: Mapping[str, pd.DataFrame],
    units: Mapping[str, NDArray[np.intp]],
    total: int,
    key: UnitWatermarkKey,
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Which of its candidates each unit becomes.

    Args:
        frames: by table, the rows of all candidates; n units were drawn c times, c = `key.candidates`.
        units: by table, the candidate each row belongs to, 0 to c n - 1; the i-th unit of the k-th draw is k n + i.
        total: candidates in all, c n.
        key: of the watermark.
        rng: of ties, and of units without coins.

    Raises:
        SchemaError: tables or columns of the key are not there, or the draws have not equally many units.

    **Shape**: -> (n,) draws, 0 to c - 1.
    """
    lacking = [
        f"{table}.{column.name}"
        for table, columns in key.tables.items()
        for column in columns
        if table not in frames or column.name not in frames[table]
    ]
    if lacking:
        msg = f"a watermark's key must be of the tables' schema; however: there is no {', '.join(lacking)}"
        raise SchemaError(f"{msg}. Make a key with `synthkit watermark-key --schema`")
    if total % key.candidates:
        msg = f"candidates must be {key.candidates} draws of equally many units; however: {total} units"
        raise SchemaError(f"{msg}. Draw a multiple")
    found, tables = np.zeros(total), np.zeros(total)
    for table in key.tables:
        z, told = _of_table(frames[table], units[table], total, key.of_table(table), rng)
        found += z
        tables += told
    scores = np.where(tables > 0, found / np.sqrt(np.maximum(tables, 1)), rng.standard_normal(total))
    return np.asarray(scores.reshape(key.candidates, -1).argmax(axis=0))


def _of_table(
    frame: pd.DataFrame, units: NDArray[np.intp], total: int, key: WatermarkKey, rng: np.random.Generator
) -> tuple[Scores, NDArray[np.bool_]]:
    """Normal scores of units by their rows in a table, 0 without coins, and which have any. **Shape**: (c n,) each."""
    coins, heads, sets = unit_coins(frame, units, total, key)
    weights = np.sqrt(sets * (coins > 0))
    size = np.sqrt((weights**2).sum(axis=1))
    told = size > 0
    whole = (weights * normal_scores(coins, heads, rng)).sum(axis=1) / np.where(told, size, 1.0)
    return np.where(told, whole, 0.0), told


def unit_coins(
    frame: pd.DataFrame, units: NDArray[np.intp], total: int, key: WatermarkKey
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """How many coins the rows of each unit have in a table, by weight class, and heads; and sets of columns by class.

    Args:
        frame: rows of all candidates.
        units: of each row. **Shape**: (rows,).
        total: number of units.
        key: of the table.

    **Shape**: -> (total, K), (total, K), (K,).
    """
    coins, heads = (np.zeros((total, WEIGHT_COUNT), dtype=np.int64) for _ in range(2))
    sets = np.zeros(WEIGHT_COUNT, dtype=np.int64)
    for _, said in row_contents(frame, key, subsets(key)):
        alone = occurs_once(said)
        if not alone.any():
            continue
        k = set_weight(float(alone.mean()))
        sets[k] += 1
        coins[:, k] += np.bincount(units[alone], minlength=total)
        heads[:, k] += np.bincount(units[alone & (said & np.uint64(1)).astype(bool)], minlength=total)
    return coins, heads, sets


def normal_scores(coins: NDArray[np.int64], heads: NDArray[np.int64], rng: np.random.Generator) -> Scores:
    """Numbers of heads as scores that are standard normal whatever the numbers of coins. **Shape**: any, kept.

    Args:
        coins: tossed.
        heads: of these.
        rng: of what is left to chance.

    Example:
        >>> two = np.array([2, 2])
        >>> normal_scores(two, np.array([0, 2]), np.random.default_rng(0)).round(1).tolist()
        [-1.0, 0.9]
    """
    from scipy.special import ndtri
    from scipy.stats import binom

    below, here = binom.cdf(heads - 1, coins, 0.5), binom.pmf(heads, coins, 0.5)
    return np.asarray(ndtri(np.clip(below + rng.random(coins.shape) * here, 1 - SURE, SURE)))
