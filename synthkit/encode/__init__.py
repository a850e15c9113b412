"""Columns as small integers and residuals, and back; reversible, and fitted from histograms alone."""

from synthkit.encode.encoder import TableEncoder
from synthkit.encode.numeric import Coding, NumericCodec
from synthkit.encode.query import Ask, Histogram, Query
from synthkit.encode.rows import Admissible, Given, Layout, Rows, Slot, Training

__all__ = [
    "Admissible",
    "Ask",
    "Coding",
    "Given",
    "Histogram",
    "Layout",
    "NumericCodec",
    "Query",
    "Rows",
    "Slot",
    "TableEncoder",
    "Training",
]
