"""Whether a table was sampled with a key: coins counted, and how probable as many heads are by chance.

In every set of columns that is there whole, a content that stands once in the table has its coin tossed, rows that
repeat another being left out first. Whatever the table is, over a random key the D coins are independent and fair, so
of X heads

    p = P(B >= X), B binomial (D, 1/2)

is an exact p-value: P(p <= a) <= a for every a, over keys drawn after, or without knowledge of, the table.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from synthkit.errors import TableError
from synthkit.watermark.candidate_choice import count_coins
from synthkit.watermark.column_subsets import subsets
from synthkit.watermark.key import WatermarkKey

FORMAT = "synthkit-detection/1"
DETECTION_ALPHA = 1e-6  # a table is called ours below it


@dataclass(frozen=True, kw_only=True)
class WatermarkDetection:
    """What a key finds in a table.

    Args:
        rows: of the table that differ, in the columns of the key.
        columns: of the key that the table has.
        columns_of_key: of the key.
        sets: of columns that the table has whole.
        sets_of_key: of the key.
        coins: that were tossed.
        heads: of these; half of them by chance.
        p: probability of as many heads or more in a table made without the key, 1 where there is no coin.
    """

    rows: int
    columns: int
    columns_of_key: int
    sets: int
    sets_of_key: int
    coins: int
    heads: int
    p: float

    def found(self, alpha: float = DETECTION_ALPHA) -> bool:
        """Whether the table is called ours."""
        return self.p <= alpha

    def to_dict(self) -> dict[str, object]:
        """As plain data."""
        return {"format": FORMAT, **asdict(self)}


def detect(frame: pd.DataFrame, key: WatermarkKey) -> WatermarkDetection:
    """Hold a table against a key.

    Args:
        frame: a table; rows and columns in any order, cells typed or as text. Columns are known by their names.
        key: of the watermark.

    Raises:
        TableError: no column of the table has a name the key knows.

    Example:
        >>> from synthkit.schema import Schema
        >>> schema = Schema(columns={"x": {"kind": "numeric"}, "y": {"kind": "numeric"}})
        >>> detect(pd.DataFrame({"x": [1, 2], "y": [3, 4]}), WatermarkKey.new(schema)).coins
        4
    """
    from scipy.stats import binom

    here = [column.name for column in key.columns if column.name in frame]
    if not here:
        msg = (
            "a table must have columns by the names the key knows; however: it has none of them. "
            f"Rename its columns to {', '.join(column.name for column in key.columns)}"
        )
        raise TableError(msg)
    differing = frame[here].drop_duplicates()
    every = subsets(key)
    coins, heads = (int(each.sum()) for each in count_coins(differing, key, every))
    return WatermarkDetection(
        rows=len(differing),
        columns=len(here),
        columns_of_key=len(key.columns),
        sets=sum(set(one.columns) <= set(here) for one in every),
        sets_of_key=len(every),
        coins=coins,
        heads=heads,
        p=float(binom.sf(heads - 1, coins, 0.5)) if coins else 1.0,
    )
