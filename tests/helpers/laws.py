"""Whether counts follow a law."""

from __future__ import annotations

import numpy as np
from scipy.stats import chisquare

ORDINARY = 1e-4  # counts stranger than one in so many are taken for another law
FEW = 5.0  # cells expected less often are taken together: the chi-square law holds only for what is often enough


def agrees(counts: np.ndarray, probabilities: np.ndarray) -> bool:
    """Whether counts are one of the 99.99 % most ordinary under a law; what cannot happen must not."""
    counts, law = np.ravel(counts).astype(float), np.ravel(probabilities).astype(float)
    assert counts[law <= 0].sum() == 0
    expected = counts.sum() * law / law.sum()
    order = np.argsort(expected)
    expected, counts = expected[order], counts[order]
    together = max(int((np.cumsum(expected) < FEW).sum()) + 1, int((expected < FEW).sum()))
    seen = np.concatenate([[counts[:together].sum()], counts[together:]])
    awaited = np.concatenate([[expected[:together].sum()], expected[together:]])
    return len(seen) == 1 or bool(chisquare(seen, awaited).pvalue > ORDINARY)
