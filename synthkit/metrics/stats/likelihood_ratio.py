"""Likelihood ratio of two tables over cells of counts, cross-fitted: how well cells tell one from the other.

By the lemma of Neyman and Pearson no function of the cell tells two laws apart better than their likelihood ratio. Here
it is estimated on all folds but one, judged on that one, and all is computed from counts: rows in one cell score alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRIOR_ROWS = 4.0  # rows that a cell's prior share weighs: a cell with few rows of its own says little


@dataclass(frozen=True)
class CellAuc:
    """AUC of cross-fitted likelihood ratios, for each of p families of cells.

    **Shape**: auc (p,), above and below (p, folds, cells).

    Args:
        auc: mean over folds of the AUC inside the fold.
        above: share of the right table's rows in the fold that a left row of the cell outranks, ties half.
        below: share of the left table's rows in the fold that outrank a right row of the cell, ties half.
    """

    auc: NDArray[np.float64]
    above: NDArray[np.float64]
    below: NDArray[np.float64]


def left_shares(
    left: NDArray[np.float64], right: NDArray[np.float64], prior: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Share of left rows in each cell, by the rows of all other folds, shrunk to a prior share.

    (l + k q) / (l + r + k) for l left and r right rows of the cell in the other folds, the right ones scaled to as many
    as the left ones, q the prior share (1/2 if not given) and k = 4. It grows with the likelihood ratio.

    **Shape**: counts (p, folds, cells), prior alike -> (p, folds, cells) in (0, 1).

    Example:
        >>> found = left_shares(np.array([[[4.0, 0.0], [0.0, 4.0]]]), np.array([[[2.0, 2.0], [2.0, 2.0]]]))
        >>> found[0, 1].round(3).tolist()
        [0.6, 0.333]
    """
    ours, theirs = (side.sum(axis=-2, keepdims=True) - side for side in (left, right))
    theirs = theirs * (ours.sum(axis=-1, keepdims=True) / theirs.sum(axis=-1, keepdims=True))
    shares = (ours + PRIOR_ROWS * (0.5 if prior is None else prior)) / (ours + theirs + PRIOR_ROWS)
    return np.asarray(shares)


def together(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of left rows in a cell of two columns if these told independently of each other: odds are multiplied.

    **Shape**: (p, folds, a) and (p, folds, b) -> (p, folds, a b).

    Example:
        >>> together(np.array([[[0.75]]]), np.array([[[0.5, 0.25]]])).round(3).tolist()
        [[[0.75, 0.5]]]
    """
    yes = first[..., :, None] * second[..., None, :]
    no = (1 - first)[..., :, None] * (1 - second)[..., None, :]
    return np.asarray((yes / (yes + no)).reshape(*first.shape[:-1], -1))


def cell_auc(left: NDArray[np.float64], right: NDArray[np.float64], scores: NDArray[np.float64]) -> CellAuc:
    """How well scores of cells rank left rows above right ones, inside each fold.

    **Shape**: counts and scores (p, folds, cells), each fold with a row on either side.

    Example:
        >>> left, right = np.array([[[3.0, 1.0]]]), np.array([[[1.0, 3.0]]])
        >>> cell_auc(left, right, np.array([[[1.0, 0.0]]])).auc.tolist()
        [0.75]
    """
    order = np.argsort(scores, axis=-1)
    ranked = np.take_along_axis(scores, order, axis=-1)
    first, last = _ties(ranked)
    midranks = []
    for side in (left, right):
        below = np.cumsum(np.take_along_axis(side, order, axis=-1), axis=-1)
        start = np.concatenate([np.zeros_like(below[..., :1]), below], axis=-1)
        middle = (np.take_along_axis(start, first, axis=-1) + np.take_along_axis(start, last + 1, axis=-1)) / 2
        placed = np.empty_like(middle)
        np.put_along_axis(placed, order, middle, axis=-1)
        midranks.append(placed / side.sum(axis=-1, keepdims=True))
    above, below = midranks[1], 1 - midranks[0]
    auc = ((left * above).sum(axis=-1) / left.sum(axis=-1)).mean(axis=-1)
    return CellAuc(auc, above, below)


def variance(
    left: NDArray[np.float64], right: NDArray[np.float64], above: NDArray[np.float64], below: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Variance of a mean over folds of an AUC, or of a difference of AUCs of the same rows, by DeLong.

    1/F² sum over folds of var(above) / n_left + var(below) / n_right, over the rows of either side.

    **Shape**: counts and contributions (p, folds, cells) -> (p,); a side of a fold has two rows or more.

    References:
        Comparing the Areas under Two or More Correlated ROC Curves (DeLong, DeLong & Clarke-Pearson, 1988).
    """
    total = np.zeros(left.shape[:-2])
    for side, each in ((left, above), (right, below)):
        n = side.sum(axis=-1)
        mean = (side * each).sum(axis=-1) / n
        squares = (side * (each - mean[..., None]) ** 2).sum(axis=-1)
        total = total + (squares / (n - 1) / n).sum(axis=-1)
    return np.asarray(total / left.shape[-2] ** 2)


def _ties(ranked: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Of each of some sorted scores the first and the last place of those equal to it."""
    at = np.broadcast_to(np.arange(ranked.shape[-1]), ranked.shape)
    differs = ranked[..., 1:] != ranked[..., :-1]
    edge = np.ones_like(differs[..., :1])
    first = np.maximum.accumulate(np.where(np.concatenate([edge, differs], axis=-1), at, 0), axis=-1)
    ends = np.where(np.concatenate([differs, edge], axis=-1), at, ranked.shape[-1])
    last = np.minimum.accumulate(ends[..., ::-1], axis=-1)[..., ::-1]
    return first, last
