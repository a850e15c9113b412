"""What a row says in some columns, as 64 secret bits that are the same however the cells are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.schema import number_formats
from synthkit.schema.datetimes import read_datetimes
from synthkit.schema.number_cells import numbers
from synthkit.watermark.column_subsets import Subset
from synthkit.watermark.key import WatermarkKey
from synthkit.watermark.keyed_hash import Words, digest, siphash
from synthkit.watermark.marked_column import MarkedColumn

FINE_DIGITS, COARSE_DIGITS = 6, 2  # significant digits of numbers
MISSING_TOKEN = ""


def row_contents(frame: pd.DataFrame, key: WatermarkKey, sets: Iterable[Subset]) -> Iterator[tuple[Subset, Words]]:
    """For each set whose columns are all there, what every row says in it.

    Two rows have the same 64 bits where they say the same, and, but for a chance of 2^-64, only there. The bits are
    a pseudo-random function of set and content: their lowest is the content's coin.

    Args:
        frame: a table; columns the key does not know are not looked at, and columns may lack.
        key: of the watermark.
        sets: to be read.

    **Shape**: -> pairs of a set and (n,) uint64.
    """
    known = {column.name: column for column in key.columns if column.name in frame}
    read: dict[tuple[str, bool], Words] = {}
    for one in sets:
        if not known.keys() >= set(one.columns):
            continue
        for name in one.columns:
            if (name, one.coarse) not in read:
                read[name, one.coarse] = cell_tokens(frame[name], known[name], key, coarse=one.coarse)
        blocks = [read[name, one.coarse] for name in one.columns]
        yield one, siphash(one.key(key), [*blocks, 8 * len(blocks) << 56])


def cell_tokens(cells: pd.Series, column: MarkedColumn, key: WatermarkKey, *, coarse: bool) -> Words:
    """64 secret bits for every cell, equal where cells mean the same. **Shape**: (n,) -> (n,).

    Args:
        cells: of a column, typed or as text.
        column: how they are read.
        key: of the watermark.
        coarse: whether numbers and moments are rounded.
    """
    codes, texts = canonical_forms(cells, column, coarse=coarse)
    raw = key.raw
    table = np.array([digest(raw, "cell", column.name, text) for text in texts], dtype=np.uint64)
    return np.asarray(table[codes])


def canonical_forms(cells: pd.Series, column: MarkedColumn, *, coarse: bool) -> tuple[NDArray[np.intp], list[str]]:
    """The one form in which each cell is read, as codes into a list of texts; missing cells have the empty text.

    Numbers have 6 significant digits, or 2; moments are whole microseconds, or months; words lose blanks at their ends
    and their case, and a word that is a number, or true or false, is read as a number is.

    **Shape**: (n,) -> codes (n,).

    Example:
        >>> column = MarkedColumn(name="x", kind="number")
        >>> canonical_forms(pd.Series(["5.0", "5", None]), column, coarse=False)[1]
        ['5', '']
    """
    if column.kind == "number":
        x = numbers(cells if column.numerals is None else number_formats.read_numbers(cells, column.numerals))
        distinct, codes = np.unique(x, return_inverse=True)
        digits = COARSE_DIGITS if coarse else FINE_DIGITS
        texts = [MISSING_TOKEN if np.isnan(value) else f"{value + 0.0:.{digits}g}" for value in distinct.tolist()]
    elif column.kind == "moment":
        t = read_datetimes(cells, column.writing).astype("datetime64[M]" if coarse else "datetime64[us]")
        distinct, codes = np.unique(t, return_inverse=True)
        texts = [MISSING_TOKEN if np.isnat(value) else str(value) for value in distinct]
    else:
        codes, found = pd.factorize(cells, use_na_sentinel=True)
        codes = np.where(codes < 0, len(found), codes)
        texts = [*(_word(cell) for cell in found), MISSING_TOKEN]
    return codes, texts


TRUTH_TOKENS: Mapping[str, str] = {"true": "1", "false": "0"}


def _word(cell: object) -> str:
    text = str(cell).strip().casefold()
    if text in TRUTH_TOKENS:
        return TRUTH_TOKENS[text]
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{number + 0.0:.15g}" if np.isfinite(number) else text
