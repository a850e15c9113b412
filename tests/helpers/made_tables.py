"""The made tables of the benchmarks, for tests outside of them."""

from __future__ import annotations

from functools import cache

import pandas as pd

from benchmarks.tables import stand_ins


@cache
def made(name: str, seed: int = 7) -> pd.DataFrame:
    """One of the four made tables."""
    return stand_ins.table(name, seed)


schema = stand_ins.schema
