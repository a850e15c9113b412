"""How much columns of a frame say about each other, in counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.columns import Column, Datetime, Discrete, Identifier
from synthkit.schema.number_cells import numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DEPENDENCE_BINS = 5  # into which numbers are cut
_MAX_DEPENDENCE_LEVELS = 50


def code_column(values: pd.Series, column: Column) -> NDArray[np.int64] | None:
    """Cells as few small integers: levels as they are, numbers in fifths, missing cells as one more.

    **Shape**: (n,) -> (n,); None for keys, moments, and columns of too many levels or one.

    Example:
        >>> from synthkit.schema.columns import Numeric
        >>> code_column(pd.Series([1.0, 2, 3, 4, 5]), Numeric()).tolist()
        [0, 1, 2, 3, 4]
    """
    if isinstance(column, Identifier | Datetime):
        return None
    if isinstance(column, Discrete):
        codes, levels = pd.factorize(values, use_na_sentinel=False)
        return codes.astype(np.int64) if 2 <= len(levels) <= _MAX_DEPENDENCE_LEVELS else None
    x = numbers(values)
    known = x[np.isfinite(x)]
    if not len(known):
        return None
    cuts = np.unique(np.quantile(known, np.arange(1, _DEPENDENCE_BINS) / _DEPENDENCE_BINS))
    cells = np.where(np.isfinite(x), np.searchsorted(cuts, x, side="left"), _DEPENDENCE_BINS)
    return cells.astype(np.int64) if len(np.unique(cells)) > 1 else None


def cramers_v(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    r"""Cramér's V of two coded columns, corrected for chance; 0 to 1.

    $V^2 = \max(0, \phi^2 - (r-1)(k-1)/(n-1)) / \min(r', k')$ with $r' = r - 1 - (r-1)^2/(n-1)$ and $k'$ alike.

    References:
        A bias-correction for Cramér's V and Tschuprow's T (Bergsma, 2013).

    Example:
        >>> cramers_v(np.tile([0, 1], 50), np.tile([0, 1], 50))
        1.0
        >>> cramers_v(np.tile([0, 1], 50), np.repeat([0, 1], 50))
        0.0
    """
    n, r, k = len(a), int(a.max()) + 1, int(b.max()) + 1
    joint = np.bincount(a * k + b, minlength=r * k).reshape(r, k).astype(float)
    joint = joint[joint.sum(axis=1) > 0][:, joint.sum(axis=0) > 0]
    r, k = joint.shape
    expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True) / n
    phi = float(((joint - expected) ** 2 / expected).sum()) / n
    over = max(0.0, phi - (r - 1) * (k - 1) / max(n - 1, 1))
    least = min(r - 1 - (r - 1) ** 2 / max(n - 1, 1), k - 1 - (k - 1) ** 2 / max(n - 1, 1))
    return float(np.sqrt(over / least)) if least > 0 else 0.0


def dependence_shares(
    frame: pd.DataFrame, columns: Mapping[str, Column], names: list[str], most: int = 40
) -> dict[str, float]:
    """For some columns, the share of the others that say something about them: Cramér's V of a tenth or more.

    Args:
        frame: the rows.
        columns: their kinds.
        names: the columns that are asked about.
        most: other columns that are looked at.
    """
    cells: dict[str, NDArray[np.int64]] = {}
    for name, column in columns.items():
        if len(cells) < most or name in names:
            found = code_column(frame[name], column)
            if found is not None:
                cells[name] = found
    out = {}
    for name in names:
        others = [other for other in cells if other != name]
        strong = [name in cells and cramers_v(cells[name], cells[other]) >= 0.1 for other in others]
        out[name] = float(np.mean(strong)) if strong else 0.0
    return out
