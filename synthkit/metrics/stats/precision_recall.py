"""Precision and recall of guesses in one number, and anonymity loss above a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LEAST_RECALL = 1e-4  # recall at which a precision is worth nothing


def prc(precision: ArrayLike, recall: ArrayLike, *, least: float = LEAST_RECALL) -> NDArray[np.float64]:
    r"""Precision, discounted the less people it is reached for.

    $P \, (1 - (\log_{10} R / \log_{10} R_{min})^3)$, and 0 for a recall of at most $R_{min}$.

    **Shape**: shares of equal shape -> the same shape.

    Raises:
        ValueError: a share lies outside [0, 1].

    References:
        A Balanced Approach to Measuring Anonymity Loss (Francis & Wagner, 2024).

    Example:
        >>> prc([0.9, 0.9, 0.9], [1, 0.1, 0.01]).round(4).tolist()
        [0.9, 0.8859, 0.7875]
    """
    p, r = np.asarray(precision, dtype=float), np.asarray(recall, dtype=float)
    if not ((p >= 0) & (p <= 1)).all() or not ((r >= 0) & (r <= 1)).all():
        msg = "precision and recall must be shares from 0 to 1; however: at least one is not"
        raise ValueError(msg)
    depth = np.log10(np.maximum(r, least)) / np.log10(least)
    return np.asarray(p * (1 - depth**3))


def best_prc(right: NDArray[np.bool_], sure: NDArray[np.float64]) -> float:
    """Largest `prc` among all ways of guessing only where one is sure enough; 0 if nothing is guessed.

    **Shape**: (n,) whether each guess is right, (n,) how sure it is, -inf where none is made -> one number. Guesses
    that are equally sure are made together.
    """
    order = np.argsort(-sure, kind="stable")
    order = order[sure[order] > -np.inf]
    if not len(order):
        return 0.0
    made = np.arange(1, len(order) + 1)
    last = np.append(np.diff(sure[order]) != 0, True)
    hits = np.cumsum(right[order])[last]
    return float(prc(hits / made[last], made[last] / len(sure)).max())


def anonymity_loss(attack: float, base: float) -> float:
    """How much of the way from `base` to certainty an attack gets, both in `prc`; nothing is left to lose at base 1.

    Raises:
        ValueError: one of both lies outside [0, 1].

    Example:
        >>> anonymity_loss(0.75, 0.5)
        0.5
    """
    if not 0 <= attack <= 1 or not 0 <= base <= 1:
        msg = f"attack and base must lie between 0 and 1; however: {attack} and {base}"
        raise ValueError(msg)
    return 0.0 if base == 1 else (attack - base) / (1 - base)
