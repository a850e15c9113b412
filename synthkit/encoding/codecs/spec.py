"""A line of the registry of codecs: which columns a codec is for, and how it is fitted to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synthkit.encoding.codecs.codec import Codec
from synthkit.encoding.coded_columns import CodedColumn
from synthkit.encoding.coding import Coding
from synthkit.encoding.histogram_query import Histogram, QueryKind
from synthkit.encoding.noisy_answers import NoisyAnswers


@dataclass(frozen=True, kw_only=True)
class PrivateFit:
    """How a codec is fitted under a budget.

    Args:
        queries: what it asks of a column, in order, from what is public alone; the flag says whether the number of rows
            at each declared level is asked too, for models that do not count levels by themselves.
        fit: the codec, from the answers.
    """

    queries: Callable[[CodedColumn, bool], Sequence[QueryKind]]
    fit: Callable[[CodedColumn, NoisyAnswers, Coding], Codec]


@dataclass(frozen=True, kw_only=True)
class CodecSpec:
    """A line of the registry: a codec, the columns it codes, and how it is fitted.

    Args:
        codec: the class, which reads itself back from a saved model.
        handles: whether it can code a column.
        fit: the codec, from an exact histogram of the column.
        private: the same under a budget; None refuses a budget.
    """

    codec: type[Codec]
    handles: Callable[[CodedColumn], bool]
    fit: Callable[[CodedColumn, Histogram, Coding], Codec]
    private: PrivateFit | None = None
