"""Which of several candidate rows is released: the one whose coins fall best, each equally likely over the keys.

c tables of n rows are drawn, and row i of the released table is row i of one of them. A content (what a row says in
a set of columns) that stands once among all candidates has a coin, the lowest bit of a pseudo-random function of it;
a content that stands more often has none. Let u be the number of coins of a candidate and s how many are heads. Its
score is

    U = F_u(s - 1) + V f_u(s),

with F_u and f_u the distribution function and the probabilities of the binomial law (u, 1/2) and V uniform on [0, 1].
Of the c candidates for row i the one with the largest U is released.

**What is kept.** Over a random key the coins are independent and fair, whatever the candidates are, for no two of them
belong to the same content. So every U is uniform on [0, 1] (the randomised probability integral transform), all are
independent, and each candidate for a row is released with probability 1/c, whatever it and the others say, and
independently of the other rows. So the released table has the law of a table put together by a die from tables of
the model: where the model draws its rows independently, exactly the model's, not row by row only but as a whole.

**What is not.** For one key the choice follows from the contents. A content in few rows is then more or less likely
by a factor that its coins say; a content frequent enough to stand twice among the candidates has no coin of its own.

References:
    Dathathri et al.: Scalable watermarking for identifying large language model outputs (2024), for choice among
    candidates by pseudo-random functions, and for leaving out what was scored before.
    Aaronson: My AI safety lecture for UT effective altruism (2022), for a keyed choice that keeps the law.
    Fang, Liu et al.: MUSE: model-agnostic tabular watermarking via multi-sample selection (2025), for choosing each
    row of a table among several by a keyed score.

NOTE[DIFF]: none of them; a content is used once, and a row is scored by the null law of its own number of coins, so
that any number of candidates is fair though some have more coins than others.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.errors import SchemaError
from synthkit.watermark.contents import contents
from synthkit.watermark.key import Key
from synthkit.watermark.subsets import subsets


def choose(frame: pd.DataFrame, key: Key, rng: np.random.Generator) -> NDArray[np.int64]:
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
    scores = uniforms(*tossed(frame, key), rng).reshape(key.candidates, -1)
    n = scores.shape[1]
    return np.asarray(scores.argmax(axis=0) * n + np.arange(n))


def tossed(frame: pd.DataFrame, key: Key) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many coins each row has among all rows, and how many of them are heads. **Shape**: -> (n,), (n,)."""
    coins, heads = np.zeros(len(frame), dtype=np.int64), np.zeros(len(frame), dtype=np.int64)
    for _, said in contents(frame, key, subsets(key)):
        alone = once(said)
        coins += alone
        heads += alone & (said & np.uint64(1)).astype(bool)
    return coins, heads


def once(said: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """True where a content stands a single time.

    **Shape**: (n,) -> (n,).

    Example:
        >>> once(np.array([3, 5, 3], dtype=np.uint64)).tolist()
        [False, True, False]
    """
    _, where, counts = np.unique(said, return_inverse=True, return_counts=True)
    return np.asarray(counts[where] == 1)


def uniforms(coins: NDArray[np.int64], heads: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Numbers of heads as scores that are uniform on [0, 1] whatever the number of coins is.

    Args:
        coins: tossed, a row. **Shape**: (n,).
        heads: of these. **Shape**: (n,).
        rng: of what is left to chance.

    **Shape**: -> (n,) in [0, 1].

    Example:
        >>> uniforms(np.array([2, 2]), np.array([0, 2]), np.random.default_rng(0)).round(2).tolist()
        [0.16, 0.82]
    """
    from scipy.stats import binom

    return np.asarray(binom.cdf(heads - 1, coins, 0.5) + rng.random(len(coins)) * binom.pmf(heads, coins, 0.5))
