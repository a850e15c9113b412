"""Conditionals of a mixture slot by slot: against sums over all joint levels, with what came before and event slots."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from synthkit.encoding.layout import Given, Layout, Slot
from synthkit.models.row_completion import complete_rows
from synthkit.models.unit_marginal.mixture_conditionals import MixedSlot, MixtureConditionals

COMPONENTS, N = 5, 40_000
RNG = np.random.default_rng(0)


def slot(size: int, parent: int | None = None, prior: np.ndarray | None = None) -> Slot:
    prior = np.full(size, -np.log(size)) if prior is None else prior
    return Slot(name="s", size=size, ordinal=False, missing=False, parent=parent, prior=prior.astype(np.float32))


def law(size: int) -> torch.Tensor:
    return torch.from_numpy(RNG.dirichlet(np.full(size, 0.5), COMPONENTS).T).float()


def whole(own: torch.Tensor) -> MixedSlot:
    return MixedSlot(own, torch.arange(len(own)), len(own))


def weights() -> torch.Tensor:
    return torch.from_numpy(RNG.dirichlet(np.ones(COMPONENTS))).float()


def drawn(net: MixtureConditionals, shares: torch.Tensor, given: dict[int, int] | None = None) -> np.ndarray:
    """Rows drawn slot by slot. **Shape**: (N, D)."""
    d = len(net.layout.slots)
    known = torch.full((N, d), -1)
    for j, level in (given or {}).items():
        known[:, j] = level
    context = shares.log().expand(N, d, -1)
    return complete_rows(net, Given(known, {}), torch.Generator().manual_seed(1), context=context).cat.numpy()


def test_rows_have_the_joint_law_of_the_mixture() -> None:
    """p(x) = sum_k pi_k prod_j P_k,j(x_j), worked out by hand over all levels; and given one slot, the conditional."""
    laws, shares = [law(k) for k in (3, 2, 4)], weights()
    net = MixtureConditionals(
        Layout(tuple(slot(k) for k in (3, 2, 4)), ("a", "b", "c")), dict(enumerate(map(whole, laws))), COMPONENTS
    )
    levels = itertools.product(range(3), range(2), range(4))
    wanted = {x: float((shares * torch.stack([laws[j][x[j]] for j in range(3)]).prod(dim=0)).sum()) for x in levels}
    found = drawn(net, shares)
    for x, p in wanted.items():
        assert (found == x).all(axis=1).mean() == pytest.approx(p, abs=4 * np.sqrt(p / N) + 1e-3)
    some = drawn(net, shares, {1: 1})
    mass = sum(p for x, p in wanted.items() if x[1] == 1)
    for x, p in wanted.items():
        if x[1] == 1:
            assert (some == x).all(axis=1).mean() == pytest.approx(p / mass, abs=4 * np.sqrt(p / N) + 2e-3)


def test_what_came_before_multiplies_the_law_of_a_slot() -> None:
    """p(x) is proportional to the marginal times the factor of each level, for each row its own."""
    own, shares = law(3), weights()
    net = MixtureConditionals(Layout((slot(3),), ("a",)), {0: whole(own)}, COMPONENTS)
    factors = torch.tensor([[0.0, 1.0, -2.0], [0.5, 0.0, 0.0]])
    before = torch.arange(N) % 2
    found = drawn(net.tilted({0: factors[before]}), shares)[:, 0]
    for b in (0, 1):
        p = (own @ shares) * factors[b].exp()
        share = np.bincount(found[before.numpy() == b], minlength=3) / (N / 2)
        np.testing.assert_allclose(share, (p / p.sum()).numpy(), atol=0.015)


def test_an_event_is_told_by_its_kind() -> None:
    """Kinds 0 and 1 are the levels of the series of table 0, kind 2 is table 1, which has none."""
    kind, shares = law(3), weights()
    series = np.full((2, 2), -np.inf)
    series[0] = np.log(0.5)
    layout = Layout((slot(2), slot(2, 0, series)), ("type", "series"))
    mixed = {
        0: MixedSlot(kind, torch.tensor([0, 0, 1]), 2),
        1: MixedSlot(kind, torch.tensor([0, 1, -1]), 2),
    }
    found = drawn(MixtureConditionals(layout, mixed, COMPONENTS), shares)
    p = (kind @ shares).numpy()
    assert (found[:, 0] == 1).mean() == pytest.approx(p[2], abs=0.01)
    assert ((found[:, 0] == 0) & (found[:, 1] == 1)).mean() == pytest.approx(p[1], abs=0.01)
    assert (found[found[:, 0] == 1, 1] == 0).all()


def test_a_slot_the_mixture_has_not_follows_the_law_of_the_coding() -> None:
    prior = np.log(np.array([[0.9, 0.1], [0.2, 0.8]]))
    layout = Layout((slot(2), slot(2, 0, prior)), ("a", "a"))
    found = drawn(MixtureConditionals(layout, {0: whole(law(2))}, COMPONENTS), weights())
    for level, share in ((0, 0.1), (1, 0.8)):
        assert found[found[:, 0] == level, 1].mean() == pytest.approx(share, abs=0.02)
