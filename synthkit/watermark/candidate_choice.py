"""Which of several candidate rows is released: the one whose coins fall best, each equally likely over the keys.

c tables of n rows are drawn, and row i of the released table is row i of one of them. A content (what a row says in
a set of columns) that stands once among all candidates has a coin, the lowest bit of a pseudo-random function of it;
a content that stands more often has none. A set in which a share q of all candidates have a coin has weight 2^k, k =
round(-log2(q) / 2) between 0 and 3: so one column of many values, whose sets hold most coins, does not decide alone,
and the mark outlives its loss. Let u_k be the coins of a candidate with weight 2^k, h_k how many of them are heads, and
s = sum 2^k h_k. Its score is

    U = F_u(s - 1) + V f_u(s),

with F_u and f_u the distribution function and the probabilities of the sum of 2^k times a binomial (u_k, 1/2), all
independent, and V uniform on [0, 1]. Of the c candidates for row i the one with the largest U is released.

**What is kept.** Over a random key the coins are independent and fair, whatever the candidates are, for no two of them
belong to the same content; which contents have coins, and of what weight, follows from the candidates alone. So every U
is uniform on [0, 1] (the randomised probability integral transform), all are independent, and each candidate for a row
is released with probability 1/c, whatever it and the others say, and independently of the other rows. So the released
table has the law of a table put together by a die from tables of the model: where the model draws its rows
independently, exactly the model's, not row by row only but as a whole.

**What is not.** For one key the choice follows from the contents. A content in few rows is then more or less likely
by a factor that its coins say; a content frequent enough to stand twice among the candidates has no coin of its own.

References:
    Dathathri et al.: Scalable watermarking for identifying large language model outputs (2024), for choice among
    candidates by pseudo-random functions, and for leaving out what was scored before.
    Aaronson: My AI safety lecture for UT effective altruism (2022), for a keyed choice that keeps the law.
    Fang, Liu et al.: MUSE: model-agnostic tabular watermarking via multi-sample selection (2025), for choosing each
    row of a table among several by a keyed score.

NOTE[DIFF]: none of them; a content is used once, and a row is scored by the null law of its own coins, so that any
number of candidates is fair though some have more coins than others.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.errors import SchemaError
from synthkit.watermark.column_subsets import Subset, subsets
from synthkit.watermark.key import WatermarkKey
from synthkit.watermark.row_tokens import row_contents

WEIGHT_COUNT = 4  # 1, 2, 4 and 8
Counts = NDArray[np.int64]


def choose_candidates(frame: pd.DataFrame, key: WatermarkKey, rng: np.random.Generator) -> NDArray[np.int64]:
    """Which of its candidates each row becomes.

    Args:
        frame: tables of n rows, `key.candidates` of them, one below the other.
        key: of the watermark.
        rng: of ties.

    Raises:
        SchemaError: columns of the key are not there, or the tables have not equally many rows.

    **Shape**: frame of c n rows -> (n,) positions, the i-th one of i, n + i, 2n + i and so on.
    """
    lacking = [column.name for column in key.columns if column.name not in frame]
    if lacking:
        msg = (
            f"a watermark's key must be of the table's schema; however: the table has no {', '.join(lacking)}. "
            "Make a key with `synthkit watermark-key --schema`"
        )
        raise SchemaError(msg)
    if len(frame) % key.candidates:
        msg = f"candidates must be {key.candidates} equally long tables; however: {len(frame)} rows. Draw a multiple"
        raise SchemaError(msg)
    scores = uniforms(*count_coins(frame, key, subsets(key)), rng).reshape(key.candidates, -1)
    n = scores.shape[1]
    return np.asarray(scores.argmax(axis=0) * n + np.arange(n))


def count_coins(frame: pd.DataFrame, key: WatermarkKey, sets: Iterable[Subset]) -> tuple[Counts, Counts]:
    """How many coins each row has among all rows, by their weight, and how many of them are heads.

    Args:
        frame: the rows.
        key: of the watermark.
        sets: of the key, which take as long to draw as coins to toss.

    **Shape**: -> (n, K), (n, K).
    """
    coins, heads = (np.zeros((len(frame), WEIGHT_COUNT), dtype=np.int64) for _ in range(2))
    for _, said in row_contents(frame, key, sets):
        alone = occurs_once(said)
        k = set_weight(alone.sum() / max(len(alone), 1))
        coins[:, k] += alone
        heads[:, k] += alone & (said & np.uint64(1)).astype(bool)
    return coins, heads


def set_weight(share: float) -> int:
    """Exponent of two of a set's weight, by the share of rows that have a coin in it.

    Example:
        >>> [set_weight(share) for share in (1.0, 0.25, 0.01, 0.0)]
        [0, 1, 3, 3]
    """
    return WEIGHT_COUNT - 1 if share <= 0 else min(max(round(-np.log2(share) / 2), 0), WEIGHT_COUNT - 1)


def occurs_once(said: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """True where a content stands a single time.

    **Shape**: (n,) -> (n,).

    Example:
        >>> occurs_once(np.array([3, 5, 3], dtype=np.uint64)).tolist()
        [False, True, False]
    """
    _, where, counts = np.unique(said, return_inverse=True, return_counts=True)
    return np.asarray(counts[where] == 1)


def uniforms(coins: Counts, heads: Counts, rng: np.random.Generator) -> NDArray[np.float64]:
    """Weighted numbers of heads as scores that are uniform on [0, 1] whatever coins a row has.

    Args:
        coins: tossed, by row and weight. **Shape**: (n, K).
        heads: of these. **Shape**: (n, K).
        rng: of what is left to chance.

    **Shape**: -> (n,) in [0, 1].

    Example:
        >>> two, none = np.array([[2, 0], [2, 0]]), np.array([[0, 0], [2, 0]])
        >>> uniforms(two, none, np.random.default_rng(0)).round(2).tolist()
        [0.16, 0.82]
    """
    sums = heads @ (1 << np.arange(heads.shape[1]))
    kinds, which = np.unique(coins, axis=0, return_inverse=True)
    laws = [_law(tuple(kind)) for kind in kinds.tolist()]
    at = np.zeros((len(kinds), max(map(len, laws), default=1) + 1))  # a column of nothing before the sum 0
    for row, law in zip(at, laws, strict=True):
        row[1 : len(law) + 1] = law
    below = at.cumsum(axis=1)
    which = which.ravel()
    return np.asarray(below[which, sums] + rng.random(len(sums)) * at[which, sums + 1])


def _law(coins: tuple[int, ...]) -> NDArray[np.float64]:
    """Probabilities of the weighted number of heads. **Shape**: K numbers of coins -> (sum of 2^k coins, + 1)."""
    law = np.ones(1)
    for k, many in enumerate(coins):
        spread = np.zeros(many * (1 << k) + 1)
        spread[:: 1 << k] = _fair(many)
        law = np.convolve(law, spread)
    return law


@cache
def _fair(coins: int) -> NDArray[np.float64]:
    """Binomial probabilities of heads. **Shape**: -> (coins + 1,)."""
    from scipy.stats import binom

    return np.asarray(binom.pmf(np.arange(coins + 1), coins, 0.5))
