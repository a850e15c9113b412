"""Comparisons are drafted of all pairs at once as a plain look at each pair would draft them."""

from itertools import combinations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.schema import Numeric
from synthkit.schema.infer import relations as module
from synthkit.schema.infer.relations import comparisons


def plainly(frame):
    """Pairs one of which is never greater, by a look at each pair of columns; then those that others imply go."""
    held = []
    for a, b in combinations(frame, 2):
        x, y = frame[a], frame[b]
        if np.isinf(x).any() or np.isinf(y).any() or not x.notna().any() or not y.notna().any():
            continue
        overlap = min(x.max(), y.max()) - max(x.min(), y.min())
        if not (overlap > 0 and overlap >= 0.5 * min(x.max() - x.min(), y.max() - y.min())):
            continue
        away = (y - x).dropna()
        if len(away) < 50 or not away.any():
            continue
        held += [(a, b)] if (away >= 0).all() else [(b, a)] if (away <= 0).all() else []
    return {(a, c) for a, c in held if not any((a, b) in held and (b, c) in held for b in frame)}


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 120), st.integers(1, 7), st.sampled_from([1, 250, 10**6]))
def test_all_pairs_at_once_are_each_pair_by_itself(seed, rows, columns, at_once):
    rng = np.random.default_rng(seed)
    base, cells = rng.integers(0, 50, rows), {}
    for k in range(columns):
        x = (base + rng.integers(-3, 20, rows) * rng.integers(0, 2) + rng.integers(0, 2) * 4).astype(float)
        if rows and rng.random() < 0.4:
            x[rng.random(rows) < 0.3] = np.nan
        if rows and rng.random() < 0.1:
            x[0] = np.inf
        cells[f"bp_{k}"] = x
    frame = pd.DataFrame(cells)
    before, module._MAX_CONTINGENCY_CELLS = module._MAX_CONTINGENCY_CELLS, at_once
    try:
        found = comparisons(frame, {name: Numeric() for name in frame})
    finally:
        module._MAX_CONTINGENCY_CELLS = before
    assert {(rule.left, rule.right) for rule in found} == plainly(frame)
    assert len(found) == len(plainly(frame))
