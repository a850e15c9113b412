"""Factors of what came before: those of the counts that were told, and set right where drawing doubles them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthkit.encoding.slot_counts import MeasuredCounts
from synthkit.encoding.units.step_contexts import ROW_BEFORE, ContextSlot, FlatSteps
from synthkit.models.product_mixture import ProductMixture
from synthkit.models.unit_marginal.config import UnitMarginalConfig
from synthkit.models.unit_marginal.mixture_laws import FlatMixture
from synthkit.models.unit_marginal.tilt_fitting import first_tilts, settle_tilts

JOINT = np.array([[4000, 500, 900], [300, 2500, 1800]], dtype=np.int64)  # own level x what came before, none last


def told(counts: np.ndarray, sigma: float = 0.0) -> MeasuredCounts:
    return MeasuredCounts(scope=(0, 1), counts=counts, sigma=sigma)


def test_first_factors_are_counts_over_those_of_independent_slots() -> None:
    tilt = first_tilts([told(JOINT)])[0].numpy()
    expected = JOINT.sum(axis=1, keepdims=True) * JOINT.sum(axis=0, keepdims=True) / JOINT.sum()
    np.testing.assert_allclose(tilt[:2], np.log((JOINT + 2) / (expected + 2)).T[:2], rtol=1e-5)
    assert (tilt[2] == 0).all()


def test_cells_that_noise_may_have_made_say_little() -> None:
    few = first_tilts([told(np.array([[10, 0, 3], [0, 9, 2]]), sigma=100.0)])[0]
    assert few.abs().max() < 0.1


def test_draws_come_to_what_was_told() -> None:
    """A factor counted twice is halved: the draws double the dependence on purpose."""
    slot = ContextSlot(source=ROW_BEFORE, slot=0, groups=np.arange(2))
    flat = FlatSteps(own=(2,), contexts=(), slots=(0,), memories=((0, slot),))
    tilts = first_tilts([told(JOINT)])
    mixture = FlatMixture(flat, ProductMixture((2,), 3), tilts)
    own, rng = JOINT.sum(axis=1) / JOINT.sum(), np.random.default_rng(0)
    before = rng.choice(3, 20_000, p=JOINT.sum(axis=0) / JOINT.sum())

    def law() -> np.ndarray:
        p = own * np.exp(2 * mixture.tilts[0].numpy())
        return p / p.sum(axis=1, keepdims=True)

    def draw() -> None:
        x = (rng.random(len(before)) > law()[before, 0]).astype(np.int64)
        mixture.note(torch.from_numpy(x[:, None]), torch.from_numpy(before[:, None]))

    wanted = (JOINT / JOINT.sum(axis=0)).T
    assert np.abs(law() - wanted).max() > 0.1
    settle_tilts([mixture], [[told(JOINT)]], draw)
    np.testing.assert_allclose(law(), wanted, atol=0.03)


def test_shares_out_of_range_are_refused() -> None:
    for share in (0.0, 1.0, -0.5):
        with pytest.raises(ValueError, match="root_share"):
            UnitMarginalConfig(root_share=share)
