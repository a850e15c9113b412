"""Record matching on arrays of codes: uniques, replicated uniques and disclosive groups; no table and no schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.attacks.value_combinations import times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

EXPECTED_ONE_WAY = (50, 0.9)  # records, and share of them with one level of the secret
EXPECTED_TWO_WAY = (4, 0.8)  # records of a key's level and a secret's level, and share of all with the key's level


def unique(keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Who has keys nobody else has. **Shape**: (n,) -> (n,)."""
    return np.asarray(times(keys, keys) == 1)


def replicated_unique(keys: NDArray[np.int64], synthetic: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Who has keys nobody else has, and that exactly one synthetic row has. **Shape**: (n,), (s,) -> (n,).

    References:
        Privacy Risk from Synthetic Data: Practical Proposals (Raab, 2024): RepU.

    Example:
        >>> replicated_unique(np.array([0, 0, 1, 2]), np.array([0, 1, 2, 2])).tolist()
        [False, False, True, False]
    """
    return np.asarray(unique(keys) & (times(keys, synthetic) == 1))


def unique_match(keys: NDArray[np.int64], synthetic: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Who has values nobody else has, and that some synthetic row has. **Shape**: (n,), (s,) -> (n,)."""
    return np.asarray(unique(keys) & (times(keys, synthetic) > 0))


def disclosed(
    keys: NDArray[np.int64],
    secret: NDArray[np.int64],
    synthetic_keys: NDArray[np.int64],
    synthetic_secret: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Of whom all synthetic rows with their keys say the same secret, and it is theirs.

    **Shape**: (n,), (n,) of people and (s,), (s,) of synthetic rows -> (n,).

    With the people themselves in place of the synthetic rows: whose secret their own group gives away (Dorig).

    References:
        Privacy Risk from Synthetic Data: Practical Proposals (Raab, 2024): DiSCO.

    Example:
        >>> keys, secret = np.array([0, 0, 1, 2]), np.array([5, 6, 5, 5])
        >>> disclosed(keys, secret, np.array([0, 0, 1, 1]), np.array([5, 5, 5, 6])).tolist()
        [True, False, False, False]
    """
    size = int(max(keys.max(initial=-1), synthetic_keys.max(initial=-1))) + 1
    low, high = np.full(size, np.iinfo(np.int64).max), np.full(size, -1)
    np.minimum.at(low, synthetic_keys, synthetic_secret)
    np.maximum.at(high, synthetic_keys, synthetic_secret)
    return np.asarray((low[keys] == high[keys]) & (secret == high[keys]))


@dataclass(frozen=True, kw_only=True)
class ExpectedMatches:
    """Which disclosures somebody who knows the subject would expect anyway.

    Args:
        one_way: at least 50 records are disclosed, and more than 90 % of them have one and the same secret.
        two_way: keys of which a level goes with one secret for more than 80 % of all who have that level, with more
            than 4 disclosed records of both.
        records: disclosed records to which one of both applies.
    """

    one_way: bool
    two_way: tuple[str, ...]
    records: int


def expected_anyway(
    hits: NDArray[np.bool_], secret: NDArray[np.int64], columns: Mapping[str, NDArray[np.int64]]
) -> ExpectedMatches:
    """Look for one-way and two-way relations behind the disclosed records. **Shape**: all (n,); columns by key's name.

    NOTE[DIFF]: Raab proposes such checks and their thresholds; which records are the denominators is our choice.
    """
    counts = np.bincount(secret[hits], minlength=1)
    most = int(counts.argmax())
    one_way = bool(hits.sum() >= EXPECTED_ONE_WAY[0] and counts[most] > EXPECTED_ONE_WAY[1] * hits.sum())
    found = hits & (secret == most) if one_way else np.zeros(len(hits), dtype=bool)
    levels, names = int(secret.max(initial=0)) + 1, []
    for name, column in columns.items():
        both = column * levels + secret
        often = (times(both, both[hits]) > EXPECTED_TWO_WAY[0]) & (
            times(both, both) > EXPECTED_TWO_WAY[1] * times(column, column)
        )
        if (often & hits).any():
            names.append(name)
            found |= often & hits
    return ExpectedMatches(one_way=one_way, two_way=tuple(names), records=int(found.sum()))


def linked(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    left_of: NDArray[np.int64],
    right_of: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """For whom one synthetic row is near by both halves of the columns.

    Rows with the same values in a half are one point of it, so that ties take nobody's place.

    **Shape**: (n, k) and (n, k) points that are near, (s,) and (s,) points of each synthetic row -> (n,).

    References:
        A Unified Framework for Quantifying Privacy Risk in Synthetic Data (Giomi, Boenisch, Wehmeyer & Tasnádi, 2023).

    Example:
        >>> rows = np.arange(3)
        >>> linked(np.array([[0, 1], [2, 1]]), np.array([[1, 2], [0, 0]]), rows, rows).tolist()
        [True, False]
    """
    size = int(max(right.max(initial=-1), right_of.max(initial=-1))) + 1
    pairs = left[:, :, None] * size + right[:, None, :]
    return np.asarray(np.isin(pairs.reshape(len(left), -1), left_of * size + right_of).any(axis=1))
