"""What may happen to a marked table after its release: rows and columns lost, cells altered, numbers rounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

Damage = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


def taken(frame: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """n different rows at random."""
    return frame.iloc[rng.permutation(len(frame))[:n]].reset_index(drop=True)


def half(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return taken(frame, len(frame) // 2, rng)


def narrower(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Two thirds of the columns."""
    names = list(frame.columns)
    return frame[[names[i] for i in rng.permutation(len(names))[: len(names) - len(names) // 3]]]


def altered(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A tenth of the cells of every column exchanged among each other."""
    out = {}
    for name in frame:
        cells = frame[name].to_numpy(dtype=object, copy=True)
        hit = np.flatnonzero(rng.random(len(cells)) < 0.1)
        cells[hit] = cells[rng.permutation(hit)]
        out[name] = pd.Series(cells)
    return pd.DataFrame(out)


def rounded(frame: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    """Every number to two significant digits."""
    numbers = frame.select_dtypes("number")
    return frame.assign(**{c: numbers[c].map(lambda x: float(f"{x:.2g}"), na_action="ignore") for c in numbers})


DAMAGES: Mapping[str, Damage] = {
    "none": lambda frame, _: frame,
    "half the rows lost": half,
    "a third of the columns lost": narrower,
    "both lost": lambda frame, rng: narrower(half(frame, rng), rng),
    "a tenth of the cells altered": altered,
    "numbers rounded to two digits": rounded,
}
