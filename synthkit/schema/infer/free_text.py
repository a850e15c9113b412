"""Free text: cells that people wrote, which may name anybody and are never learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthkit.schema.infer.column_names import name_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_TEXTS = 20
_NOTE_WORDS = frozenset(
    (
        *("note", "notes", "comment", "comments", "remark", "remarks", "narrative", "text", "freetext", "message"),
        *("history", "impression", "findings", "summary", "letter", "anamnesis", "story", "feedback", "review"),
    )
)


def free_text_evidence(name: str, texts: Sequence[str], counts: NDArray[np.int64]) -> str:
    """Why texts are prose, in words and numbers, or nothing.

    Labels of a catalogue may be long too; but they repeat, while most of what people write stands once.

    Args:
        name: the column's name.
        texts: the different texts.
        counts: rows that have each, in any order.

    Example:
        >>> texts = [f"seen by the doctor on day {k} and sent home" for k in range(40)]
        >>> free_text_evidence("x", texts, np.ones(40, dtype=int))
        '10.0 words a cell, and 100% of the cells stand once'
        >>> free_text_evidence("x", texts, np.full(40, 25))
        ''
    """
    n, d = int(counts.sum()), len(texts)
    if d < MIN_TEXTS:
        return ""
    length = float(np.mean([len(text.split()) for text in texts]))
    once = float((counts == 1).sum()) / n
    said = bool(_NOTE_WORDS & set(name_words(name)))
    long = (length >= 4.5 and once >= 0.5) or (length >= 8 and once >= 0.2)
    if long or (said and length >= 2 and once >= 0.2) or (said and length >= 4 and d > 50):
        return f"{length:.1f} words a cell, and {once:.0%} of the cells stand once"
    return ""
