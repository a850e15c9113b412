"""How odd records are to a fitted model, in nats, column by column.

The score of a record is minus its log-probability under the model (`autoregressive`, `independent`), or minus a lower
bound on it from many latent codes (`tvae`). Unlike in `log_prob` a number counts with the width of its cell, and what
has no code pays for that instead of being refused:

- a level or a combination never seen, or missing where nothing was, pays log n, n the training rows, beside the most
  frequent one in its place;
- a number outside all cells pays log n + log R + 2 log(1 + d / R) beside the nearest cell, R how many values lie
  between the lowest and the highest cell, d how many beyond them.

The part of a column: for `autoregressive` how improbable it is given the columns before it, for `tvae` how badly the
codes suggested by the whole record explain it. Columns of a fixed combination share a part; that of a column coded as
a gap is the gap's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import count

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Generator

from synthkit.encoding import TableEncoder
from synthkit.errors import UnsupportedError
from synthkit.models.base import Capability, RowModel
from synthkit.models.registry import models
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.orphans import KeptRows
from synthkit.tables.linked_tables import LinkedTables

SCORE_COLUMN = "(score)"
LATENT_CODE_COLUMN = "(latent code)"  # what a model with latent codes pays for the code itself


def anomaly_score(encoder: TableEncoder, model: RowModel, frame: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """Minus the log-probability of each record, split by coded column; the higher, the odder.

    Args:
        encoder: fitted coding.
        model: the fitted model.
        frame: records in the schema's dtypes.
        generator: of the codes asked, for models that have any.

    Raises:
        UnsupportedError: the model cannot say how improbable a row is.

    **Shape**: frame of n rows -> frame of n rows, a column for each coded one, and `(latent code)` where the model has
    no exact log-probability.
    """
    if not model.can(Capability.NEGATIVE_LOG_PROB):
        able = ", ".join(name for name, kind in models().items() if kind.can(Capability.NEGATIVE_LOG_PROB))
        msg = (
            "anomaly scores need a model that can say how improbable a row is; however: a fitted "
            f"{type(model).__name__} cannot. Use one of {able}"
        )
        raise UnsupportedError(msg)
    coded, extra = encoder.recoding.forward(frame), {}
    for name, codec in encoder.codecs.items():
        members = list(encoder.recoding.columns[name])
        strange, usual = codec.unseen(coded[members])
        rows = max(int(codec.level_counts.sum()), 1)
        extra[name] = np.where(strange, np.log(rows), 0.0)
        for column, value in zip(members, usual, strict=True) if strange.any() else ():
            cells = coded[column].astype(object)
            cells[strange] = value
            coded[column] = cells
        extra[name] += codec.log_width(coded[members], graded=True)
    total, parts = (t.double().cpu().numpy() for t in model.negative_log_prob(encoder.encode_coded(coded), generator))
    owner = encoder.layout.columns
    out = {name: extra[name] + parts[:, [c == name for c in owner]].sum(axis=1) for name in encoder.codecs}
    rest = {} if model.can(Capability.LOG_PROB) else {_free(LATENT_CODE_COLUMN, out): total - parts.sum(axis=1)}
    return pd.DataFrame({**out, **rest})


def scored(parts: pd.DataFrame) -> pd.DataFrame:
    """The parts of each record with its number, from 1, and its score, the oddest first.

    A column of the table that is called `(row)` or `(score)` keeps its name; what is put in front is then `(row) 2`.

    **Shape**: (n, d) -> (n, d + 2).

    Example:
        >>> scored(pd.DataFrame({"age": [1.0, 2.0], "(score)": [0.0, 3.0]})).columns.tolist()
        ['(row)', '(score) 2', 'age', '(score)']
    """
    row, score = (_free(name, list(parts.columns)) for name in ("(row)", SCORE_COLUMN))
    front = pd.DataFrame({row: range(1, len(parts) + 1), score: parts.sum(axis=1)}, index=parts.index)
    whole: pd.DataFrame = pd.concat([front, parts], axis=1).sort_values(by=score, ascending=False, kind="stable")
    return whole


def scored_units(scores: Mapping[str, NDArray[np.float64]], cells: KeptRows, schema: LinkedSchema) -> pd.DataFrame:
    """Each unit of linked tables as `scored` has a record: its number, its score and the part of every table.

    The part of the table of units is what the rows below do not explain.

    Args:
        scores: of units and rows by table, as `LinkedSynthesizer.anomaly_score` has them.
        cells: the tables they are of, and which number each unit has in the table as it came.
        schema: the declared meaning.

    **Shape**: (units, tables + 2).
    """
    units = LinkedTables.of(cells.frames, schema, few=True).units
    many = len(scores[schema.unit])
    below = {name: np.bincount(units[name], weights=scores[name], minlength=many) for name in schema.graph.owners}
    own = scores[schema.unit] - sum(below.values(), np.zeros(many))
    odd = scored(pd.DataFrame({schema.unit: own, **below}))
    number = odd.columns[0]
    odd[number] = cells.rows[schema.unit][odd[number].to_numpy() - 1] + 1
    return odd


def _free(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it where a column has it already."""
    return next(each for k in count(1) if (each := name if k == 1 else f"{name} {k}") not in taken)
