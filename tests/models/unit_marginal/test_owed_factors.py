"""What is owed: of rows drawn alike, whose numbers are known, the next is of a table in proportion to what is left."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch

from synthkit.models.unit_marginal.mixture_laws import owed_factors

USUAL = torch.tensor([0.5, 0.3, 0.2])


@pytest.mark.parametrize("owed", [(2, 1, 1), (1, 3, 0), (0, 0, 4), (4, 2, 1)])
def test_the_law_of_the_next_row_is_that_of_all_orders_of_what_is_left(owed):
    rows = [t for t, many in enumerate(owed) for _ in range(many)]
    first = np.bincount([order[0] for order in permutations(rows)], minlength=3)
    open_tables = np.array(owed) > 0
    law = np.where(open_tables, USUAL.numpy() * owed_factors(np.array([owed]), USUAL)[0].numpy(), 0)
    np.testing.assert_allclose(law / law.sum(), first / first.sum(), atol=1e-12)


def test_nothing_is_likelier_where_what_is_left_is_as_usual():
    np.testing.assert_allclose(owed_factors(np.array([[5, 3, 2]]), USUAL), 1.0, atol=1e-6)


def test_tables_that_never_came_have_a_factor_that_is_a_number():
    assert torch.isfinite(owed_factors(np.array([[5, 3, 0], [0, 0, 0]]), torch.tensor([1.0, 0.0, 0.0]))).all()
