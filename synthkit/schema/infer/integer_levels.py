"""Orders written as whole numbers: grades, stages and scores, whose numbers are levels and no quantities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthkit.schema.infer.column_names import name_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_ORDERED_LEVELS = 13  # levels of the longest scale, that of coma from 3 to 15
_MIN_ROWS_PER_ORDERED_LEVEL = 5
_ORDER_WORDS = frozenset(
    (
        *("grade", "stage", "score", "ecog", "nyha", "asa", "killip", "class", "pclass", "level", "severity", "rating"),
        *("scale", "likert", "quality", "satisfaction", "apgar", "gleason", "toxicity", "performance", "degree"),
        *("tier", "quartile", "quintile", "decile", "frailty", "hlth", "genhlth", "pain", "gcs", "zubrod", "karnofsky"),
        *("education", "income", "risk"),
    )
)
_UNORDERED_WORDS = frozenset(
    ("id", "code", "type", "date", "days", "count", "num", "number", "name", "time", "years", "loss")
)


def ordinal(name: str, distinct: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[int, ...] | None:
    """The levels, lowest first, of whole numbers without gaps that are an order by their name; None if they are none.

    Three to thirteen numbers, one step apart, from 3 or less, with five rows a level on average.

    Args:
        name: the column's name.
        distinct: the different numbers, ascending. **Shape**: (d,).
        counts: rows that have each. **Shape**: (d,).

    Example:
        >>> ordinal("tumour_grade", np.array([1.0, 2.0, 3.0]), np.array([9, 9, 9]))
        (1, 2, 3)
        >>> ordinal("visits", np.array([1.0, 2.0, 3.0]), np.array([9, 9, 9])) is None
        True
    """
    d = len(distinct)
    if not says_order(name) or not 3 <= d <= MAX_ORDERED_LEVELS or int(counts.sum()) < _MIN_ROWS_PER_ORDERED_LEVEL * d:
        return None
    steps = np.diff(distinct)
    tens = bool((steps == 10).all()) and distinct[0] in (0.0, 10.0)
    if not (tens or (bool((steps == 1).all()) and -3 <= distinct[0] <= 3)):
        return None
    return tuple(int(x) for x in distinct)


def ordinal_texts(name: str, texts: Sequence[str], rows: int) -> tuple[str, ...] | None:
    """The same of whole numbers that a table holds as text.

    Args:
        name: the column's name.
        texts: the different texts.
        rows: how many cells there are.

    Example:
        >>> ordinal_texts("stage", ["2", "1", "3"], 90)
        ('1', '2', '3')
    """
    if not all(text.lstrip("-").isdecimal() and len(text) < 4 for text in texts):
        return None
    inorder = sorted(texts, key=int)
    numbers = np.array([int(text) for text in inorder], dtype=float)
    held = ordinal(name, numbers, np.full(len(texts), rows // max(len(texts), 1)))
    return None if held is None or len(set(numbers)) < len(texts) else tuple(inorder)


def says_order(name: str) -> bool:
    """Whether the name is that of a scale: `ph.ecog`, `tumour_grade`, `NYHA class`."""
    parts = name_words(name)
    return bool(_ORDER_WORDS & set(parts)) and not _UNORDERED_WORDS & set(parts)
