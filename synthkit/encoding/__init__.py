"""Columns as small integers and residuals, and back; reversible, and fitted from histograms alone."""

from synthkit.encoding.codecs.numeric import NumericCodec
from synthkit.encoding.coding import Coding
from synthkit.encoding.encoder import TableEncoder
from synthkit.encoding.histogram_query import Ask, Histogram, Query
from synthkit.encoding.layout import ConstraintMask, Given, Layout, Rows, Slot

__all__ = [
    "Ask",
    "Coding",
    "ConstraintMask",
    "Given",
    "Histogram",
    "Layout",
    "NumericCodec",
    "Query",
    "Rows",
    "Slot",
    "TableEncoder",
]
