"""Rows of units: what is shipped is even and never too many, and what is not is seen."""

from __future__ import annotations

import numpy as np
import pytest

from synthkit.audit.rows_per_unit import audit_kept


@pytest.mark.parametrize(("rows", "most"), [(5, 2), (2, 1), (8, 7)])
def test_ours_are_even(rows, most):
    largest, smallest, checks = audit_kept(rows=rows, most=most)
    assert (largest, smallest) == (most, most)
    assert {check.verdict for check in checks} == {"holds"}


def test_p_values_of_even_rows_are_uniform():
    """Draws of numpy stand in for ours, so that the test is of the audit."""
    rng = np.random.default_rng(8)

    def keep(owner, most):
        del owner
        ranks = np.argsort(rng.random((5, 400)), axis=0).argsort(axis=0)
        return (ranks < most).reshape(-1)

    found = np.array([[c.p_value for c in audit_kept(keep, trials=400)[2]] for _ in range(400)])
    assert np.abs(found.mean(axis=0) - 0.5).max() < 0.06
    assert np.abs((found < 0.1).mean(axis=0) - 0.1).max() < 0.06


def test_last_rows_preferred_are_broken():
    rng = np.random.default_rng(8)

    def keep(owner, most):
        weight = np.repeat([1.0, 1.0, 1.0, 1.0, 1.2], len(owner) // 5)
        score = (-np.log(rng.random(len(owner))) / weight).reshape(5, -1)
        return (score.argsort(axis=0).argsort(axis=0) < most).reshape(-1)

    assert audit_kept(keep)[2][0].verdict == "broken"
