"""Scores of numbers and mixtures on their cells: against scipy's normal and logistic laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from synthkit.encoding.layout import Layout, Slot
from synthkit.training.layers.logistic_mixtures import EVEN_SHARE, LOGISTIC_LAWS, NORMAL_LIKE
from synthkit.training.layers.number_scores import NumberScores

SHARES = np.array([0.2, 0.5, 0.3])
WITHIN = np.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]])
WIDTH = 5


def layout(*, missing: bool = False, fine: bool = True) -> Layout:
    """A name, and a number of three coarse levels of which the first two have two cells."""
    share = np.append(SHARES * 0.9, 0.1) if missing else SHARES
    inner = np.vstack([WITHIN, [[0.0, 0.0]]]) if missing else WITHIN.copy()
    inner[2] = 0.0  # a single value: the fine slot does not apply
    with np.errstate(divide="ignore"):
        prior = np.log(inner).astype(np.float32)
    slots = [
        Slot(name="sex", size=2, ordinal=False, missing=False, parent=None, prior=np.zeros(2, np.float32)),
        Slot(
            name="x",
            size=len(share),
            ordinal=True,
            missing=missing,
            parent=None,
            prior=np.log(share).astype(np.float32),
        ),
    ]
    if fine:
        slots.append(Slot(name="x:fine", size=2, ordinal=True, missing=False, parent=1, prior=prior))
    return Layout(tuple(slots), ("sex", "x", "x")[: len(slots)], ("x",))


def scores(**kind: bool) -> NumberScores:
    torch.manual_seed(0)
    return NumberScores(layout(**kind), WIDTH)


@pytest.mark.parametrize("missing", [False, True])
def test_levels_are_told_by_the_normal_scores_of_their_borders(missing):
    score = stats.norm.ppf([0.2, 0.7])
    edges = np.array([-4.5, *score, 4.5])
    found = scores(missing=missing).middles(0)
    np.testing.assert_allclose(found[:3], (edges[:-1] + edges[1:]) / 2, rtol=1e-5)
    assert found[3:].tolist() == [0.0] * missing


def test_level_and_place_together_are_the_score_of_the_value():
    network = scores()
    cat, num = torch.tensor([[0, 1, 1], [0, 0, 0]]), torch.tensor([[0.4], [1.0]])
    sizes = layout().sizes
    coarse = network.levels()[cat[:, 1] + sizes[0]]
    place = network.place(2, cat, num)
    edges = stats.norm.ppf([0.2 + 0.5 * 0.25, 0.7])
    value = np.array([edges[0] + 0.4 * (edges[1] - edges[0]), stats.norm.ppf(0.1)])
    np.testing.assert_allclose(
        (coarse + place).detach(), value[:, None] * network.vectors[0].detach().numpy(), rtol=1e-4
    )
    told = network.tell(torch.zeros(2, 3, WIDTH), cat, num).detach()
    np.testing.assert_allclose(told[:, 2], place.detach(), rtol=1e-5, atol=1e-6)
    assert not told[:, :2].any()
    assert network.place(1, cat, num) is None
    assert not network.levels()[:2].any()


def test_a_value_without_position_lies_in_the_middle_of_its_cell():
    network, cat = scores(), torch.tensor([[0, 1, 0]])
    half = network.place(2, cat, torch.tensor([[0.5]]))
    assert torch.equal(network.place(2, cat, None), half)


def mixture(edges: np.ndarray, weight: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    below = stats.logistic.cdf(edges[:, None], mean, scale) @ weight
    normal = np.diff(stats.norm.cdf(edges))
    return np.log((1 - EVEN_SHARE) * np.diff(below) / normal + EVEN_SHARE)


def settled(network: NumberScores, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(3, LOGISTIC_LAWS))
    network.law.data.zero_()
    network.law_bias.data[:] = torch.from_numpy(raw.ravel()).float()
    weight = np.exp(raw[0]) / np.exp(raw[0]).sum()
    return weight, raw[1], NORMAL_LIKE * np.exp(raw[2])


@pytest.mark.parametrize("seed", range(3))
def test_laws_are_those_of_logistic_mixtures_on_the_cells(seed):
    network = scores(missing=True)
    law = settled(network, seed)
    state = torch.randn(2, WIDTH)
    border = stats.norm.ppf([0.2, 0.7])
    edges = np.array([-4.5, *border, 4.5])
    found = network.log_ratio(1, state, None).detach().numpy()
    np.testing.assert_allclose(found[:, :3], np.tile(mixture(edges, *law), (2, 1)), rtol=2e-3, atol=1e-4)
    assert not found[:, 3].any()
    inner = np.array([border[0], stats.norm.ppf(0.2 + 0.5 * 0.25), border[1]])
    found = network.log_ratio(2, state, torch.tensor([1, 1])).detach().numpy()
    np.testing.assert_allclose(found, np.tile(mixture(inner, *law), (2, 1)), rtol=2e-3, atol=1e-4)


def test_no_cell_is_out_of_reach_and_gradients_stay_finite():
    network = scores()
    network.law_bias.data[:] = torch.tensor([0.0] * LOGISTIC_LAWS + [60.0] * LOGISTIC_LAWS + [-9.0] * LOGISTIC_LAWS)
    ratio = network.log_ratio(1, torch.randn(4, WIDTH), None)
    assert (ratio >= np.log(EVEN_SHARE) - 1e-5).all()
    ratio.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in (network.law, network.law_bias))


def test_a_number_without_fine_slot_has_a_law_and_no_place():
    network = scores(fine=False)
    assert network.log_ratio(1, torch.randn(3, WIDTH), None).shape == (3, 3)
    assert network.place(1, torch.zeros((3, 2), dtype=torch.long), None) is None


@pytest.mark.parametrize("kind", [{}, {"missing": True}, {"fine": False}])
def test_all_slots_together_have_the_ratios_of_each_alone(kind):
    network, slots = scores(**kind), len(layout(**kind).slots)
    network.law.data.normal_()
    states, cat = torch.randn(slots, 6, WIDTH), torch.tensor([[0, 0, 1], [1, 1, 1]])[:, :slots].repeat(3, 1)
    together = network.log_ratios(states, cat)
    assert sorted(together) == sorted(network.number)
    for j, ratio in together.items():
        alone = network.log_ratio(j, states[j], cat[:, 1] if j == 2 else None)
        torch.testing.assert_close(ratio, alone)


def test_a_number_that_is_always_missing_has_no_law():
    """A column without a cell beside one with several, as a rare measurement in few rows."""
    empty = Slot(name="y", size=1, ordinal=True, missing=True, parent=None, prior=np.zeros(1, np.float32))
    whole = layout()
    network = NumberScores(Layout((*whole.slots, empty), (*whole.columns, "y"), ("x", "y")), WIDTH)
    states, cat = torch.randn(4, 7, WIDTH), torch.zeros(7, 4, dtype=torch.long)
    assert sorted(network.log_ratios(states, cat)) == [1, 2]
    assert not network.log_ratio(3, states[3], None).any()
