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

from collections.abc import Collection
from itertools import count

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Generator

from synthkit.encoding import NumericCodec, TableEncoder
from synthkit.encoding.codecs.categorical import CombinationCodec
from synthkit.encoding.codecs.datetime_steps import ATOM, StepsCodec
from synthkit.encoding.codecs.numeric import UNSEEN
from synthkit.encoding.constraints import Codec
from synthkit.errors import UnsupportedError
from synthkit.models.base import Capability, RowModel
from synthkit.models.registry import MODELS
from synthkit.schema.columns import Level, level_index, level_keys

SCORE = "(score)"
REST = "(latent code)"  # what a model with latent codes pays for the code itself

Floats = NDArray[np.float64]


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
        able = ", ".join(name for name, kind in MODELS.items() if kind.can(Capability.NEGATIVE_LOG_PROB))
        msg = (
            "anomaly scores need a model that can say how improbable a row is; however: a fitted "
            f"{type(model).__name__} cannot. Use one of {able}"
        )
        raise UnsupportedError(msg)
    coded, extra = encoder.recoding.forward(frame), {}
    for name, codec in encoder.codecs.items():
        members = list(encoder.recoding.columns[name])
        strange, usual = _strange(codec, coded[members])
        extra[name] = np.where(strange, np.log(_rows(codec)), 0.0)
        for column, value in zip(members, usual, strict=True) if strange.any() else ():
            cells = coded[column].astype(object)
            cells[strange] = value
            coded[column] = cells
        if isinstance(codec, NumericCodec):
            extra[name] += _spread(codec, codec.read(coded[name]))
    total, parts = (t.double().cpu().numpy() for t in model.negative_log_prob(encoder.encode_coded(coded), generator))
    owner = encoder.layout.columns
    out = {name: extra[name] + parts[:, [c == name for c in owner]].sum(axis=1) for name in encoder.codecs}
    rest = {} if model.can(Capability.LOG_PROB) else {_free(REST, out): total - parts.sum(axis=1)}
    return pd.DataFrame({**out, **rest})


def scored(parts: pd.DataFrame) -> pd.DataFrame:
    """The parts of each record with its number, from 1, and its score, the oddest first.

    A column of the table that is called `(row)` or `(score)` keeps its name; what is put in front is then `(row) 2`.

    **Shape**: (n, d) -> (n, d + 2).

    Example:
        >>> scored(pd.DataFrame({"age": [1.0, 2.0], "(score)": [0.0, 3.0]})).columns.tolist()
        ['(row)', '(score) 2', 'age', '(score)']
    """
    row, score = (_free(name, list(parts.columns)) for name in ("(row)", SCORE))
    front = pd.DataFrame({row: range(1, len(parts) + 1), score: parts.sum(axis=1)}, index=parts.index)
    whole: pd.DataFrame = pd.concat([front, parts], axis=1).sort_values(by=score, ascending=False, kind="stable")
    return whole


def _free(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it where a column has it already."""
    return next(each for k in count(1) if (each := name if k == 1 else f"{name} {k}") not in taken)


def _strange(codec: Codec, cells: pd.DataFrame) -> tuple[NDArray[np.bool_], tuple[Level | None, ...]]:
    """Rows whose cells have no code, and the most frequent cells. **Shape**: frame of n rows -> (n,), one a column."""
    if isinstance(codec, CombinationCodec):
        known = np.ones(cells.shape, dtype=bool)
        usual = codec.combinations[int(codec.counts.argmax())]
        return np.asarray(~codec.matching(cells, known, present=False).any(axis=1)), usual
    absent = cells.iloc[:, 0].isna().to_numpy()
    if isinstance(codec, NumericCodec):
        value = codec.low[codec.mass.argmax()].item() if len(codec.low) else None
        return absent if codec.missing is None else np.zeros(len(cells), dtype=bool), (value,)
    learned = level_index((*codec.levels, *(level for level, _ in codec.rare)))
    foreign = learned.get_indexer(level_keys(cells.iloc[:, 0])) < 0
    level = codec.levels[int(codec.counts.argmax())] if codec.levels else None
    strange: NDArray[np.bool_] = np.where(absent, codec.missing is None, foreign)
    return strange, (level,)


def _rows(codec: Codec) -> int:
    """Training rows the codec was fitted to, at least one."""
    counts = codec.mass if isinstance(codec, NumericCodec) else codec.counts
    absent = 0 if isinstance(codec, CombinationCodec) else codec.missing or 0
    return max(int(counts.sum()) + absent, 1)


def _spread(codec: NumericCodec, x: Floats) -> Floats:
    """Log of how many values share the cell, or what a value outside all cells pays. **Shape**: (n,) -> (n,)."""
    inside = codec.log_steps(x)
    if not len(codec.low):
        return inside
    step = 1.0 if codec.decimals is None else 10.0**-codec.decimals
    here = codec.low > ATOM if isinstance(codec, StepsCodec) and (codec.low > ATOM).any() else slice(None)
    low, high = float(codec.low[here].min()), float(codec.high[here].max())
    reach = max(high - low, step)
    beyond = np.maximum(np.maximum(low - x, x - high), 0.0)
    outside = np.log(_rows(codec)) + np.log(reach / step) + 2 * np.log1p(beyond / reach)
    return np.where(inside == UNSEEN, outside, inside)
