"""What an encoder may ask about real rows: histograms, never rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

QueryKind = Literal["rows", "bounds", "spikes", "cells", "levels", "counts"]  # what is asked under a budget


@dataclass(frozen=True, kw_only=True)
class Query:
    """A histogram over one or more coded columns.

    Args:
        columns: names of coded columns (gaps already taken, see `encoding.constraints`).
        share: weight of this query among those asked together, when answers have to be paid for.
    """

    columns: tuple[str, ...]
    share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """An answer: the distinct combinations that occur, missing included, and how many rows have each.

    **Shape**: `cells` has m rows and one column a queried column; `counts` (m,).
    """

    cells: pd.DataFrame
    counts: NDArray[np.int64]


Ask = Callable[[Sequence[Query]], list[Histogram]]
