"""The way back from noise, told by an oracle: a law of two names and a score whose denoiser is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from synthkit.encoding.layout import ForbiddenCombination, Layout, Slot
from synthkit.models.diffusion.loss import DiffusionLoss
from synthkit.models.diffusion.noise_schedule import Scales, Schedule
from synthkit.models.diffusion.sampler import ReverseSampler, SamplerConfig
from synthkit.models.normal_scores import KnownScores, MixedRows, NormalScores

JOINT = torch.tensor([[0.35, 0.05], [0.05, 0.25], [0.25, 0.05]])  # c in three levels, d in two
MEANS, SPREAD = torch.tensor([-1.0, 0.2, 1.5]), 0.4  # x given c is N(mean of c, SPREAD^2)
SCHEDULE = Schedule(lowest=0.005, highest=40.0)


def logs(p):
    return np.log(np.asarray(p, dtype=np.float32))


def layout(clauses=()):
    slots = (
        Slot(name="c", size=3, ordinal=False, missing=False, parent=None, prior=logs(JOINT.sum(1))),
        Slot(name="d", size=2, ordinal=False, missing=False, parent=None, prior=logs(JOINT.sum(0))),
        Slot(name="x", size=40, ordinal=True, missing=False, parent=None, prior=logs([1 / 40] * 40)),
    )
    return Layout(slots, ("c", "d", "x"), ("x",), clauses)


class Oracle(nn.Module):
    """What a perfect network would say: the state is every log-probability, then F of the score."""

    sizes, scores = (3, 2), 1

    def __init__(self):
        super().__init__()
        self.register_buffer("offsets", torch.tensor([0, 3]))

    def tables(self):
        eye = torch.eye(5, 6)
        return torch.eye(5), [eye[:3], eye[3:]], [torch.zeros(3), torch.zeros(2)]

    def seen(self, cat, shown, table):
        return sum(table[cat[:, k] + self.offsets[k]] * shown[:, k : k + 1] for k in (0, 1))

    def state(self, seen, scores, held, time):
        sigma = torch.where(held[:, 0], 0.0, SCHEDULE.sigma(time))[:, None]
        x = torch.where(held, scores, scores * (1 + sigma**2).sqrt())
        fits = lambda part: torch.where(part.sum(1, keepdim=True) > 0, part, torch.ones_like(part))  # noqa: E731
        weight = JOINT[None] * fits(seen[:, :3])[:, :, None] * fits(seen[:, 3:])[:, None, :]
        total = SPREAD**2 + sigma**2
        likely = torch.exp(-((x - MEANS) ** 2) / (2 * total) + ((x - MEANS) ** 2 / (2 * total)).min(1, True).values)
        weight = weight * likely[:, :, None]
        weight = weight / weight.sum((1, 2), keepdim=True)
        clean = MEANS + SPREAD**2 / total * (x - MEANS)
        told = (weight.sum(2) * clean).sum(1, keepdim=True)
        scales = Scales.at(SCHEDULE.sigma(time)[:, None])
        return torch.cat(
            [weight.sum(2).log(), weight.sum(1).log(), (told - scales.skip * x) / scales.out], dim=1
        ).clamp(min=-60)

    def score(self, state, scores, time):
        return state[:, 5:]


def walked(n, way, *, cat=(None, None), x=None, allowed=None, clauses=(), seed=0):
    """Rows of the oracle's law with some cells known."""
    mixture = NormalScores(layout(clauses))
    module = DiffusionLoss(mixture, Oracle(), SCHEDULE, weights=torch.ones(2), numeric=1.0, hints=0.0)
    levels = torch.tensor([[0 if v is None else v for v in cat]]).expand(n, -1)
    values = MixedRows(levels, torch.full((n, 1), x or 0.0), torch.ones(n, 1, dtype=torch.bool))
    told = torch.tensor([[v is not None for v in cat]]).expand(n, -1)
    known = KnownScores(values, told, torch.full((n, 1), x is not None), allowed or {})
    return ReverseSampler(module, known, torch.Generator().manual_seed(seed)).walk(way)


def counts(mixed):
    return np.bincount((mixed.cat[:, 0] * 2 + mixed.cat[:, 1]).numpy(), minlength=6)


WAYS = [SamplerConfig(steps=60), SamplerConfig(steps=30, heun=True), SamplerConfig(steps=60, heun=True, churn=0.05)]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_rows_follow_the_joint_law(way):
    n = 8000
    mixed = walked(n, way)
    expected = JOINT.ravel().numpy() * n
    assert stats.chisquare(counts(mixed), expected).pvalue > 1e-3
    assert stats.chisquare(counts(mixed), np.roll(expected, 1)).pvalue < 1e-6, "the test would notice"
    for c in range(3):
        x = mixed.num[mixed.cat[:, 0] == c, 0].numpy()
        assert stats.kstest(x, "norm", args=(float(MEANS[c]), SPREAD)).pvalue > 1e-4


def test_names_alone_are_exact_with_a_step_a_name():
    """One after the other, each drawn with a look at the other; shown in one step they know nothing of each other."""
    likely = torch.exp(-((0.6 - MEANS) ** 2) / (2 * SPREAD**2)).double()[:, None] * JOINT.double()
    expected = (likely / likely.sum()).numpy()
    often = expected[1:]  # the first level is too rare at this score
    in_turn, at_once = (counts(walked(8000, SamplerConfig(steps=k), x=0.6)).reshape(3, 2)[1:] for k in (2, 1))
    assert stats.chisquare(in_turn, often / often.sum() * in_turn.sum(), axis=None).pvalue > 1e-3
    assert stats.chi2_contingency(often / often.sum() * 8000).pvalue < 1e-6
    assert stats.chi2_contingency(at_once).pvalue > 1e-3


def test_known_cells_stay_and_the_rest_follows():
    n, way = 6000, SamplerConfig(steps=40, heun=True)
    given_c = walked(n, way, cat=(1, None))
    assert bool((given_c.cat[:, 0] == 1).all())
    share = float((given_c.cat[:, 1] == 1).float().mean())
    assert share == pytest.approx(0.25 / 0.3, abs=0.02)
    assert stats.kstest(given_c.num[:, 0].numpy(), "norm", args=(0.2, SPREAD)).pvalue > 1e-4
    given_x = walked(n, way, x=0.75)
    assert bool((given_x.num == 0.75).all())
    weight = torch.exp(-((0.75 - MEANS) ** 2) / (2 * SPREAD**2))[:, None] * JOINT
    expected = (weight / weight.sum()).ravel().numpy()
    assert np.abs(counts(given_x) / n - expected).max() < 0.02


def test_admissible_levels_are_kept():
    n = 3000
    allowed = {0: torch.tensor([[True, False, True]]).expand(n, -1)}
    mixed = walked(n, SamplerConfig(steps=20), allowed=allowed)
    assert set(mixed.cat[:, 0].tolist()) == {0, 2}


def test_rules_between_names_are_kept():
    forbidden = ForbiddenCombination(((0, np.array([True, False, False])), (1, np.array([True, False]))))
    mixed = walked(3000, SamplerConfig(steps=20), clauses=(forbidden,))
    assert not bool(((mixed.cat[:, 0] == 0) & (mixed.cat[:, 1] == 0)).any())
    assert set(counts(mixed).nonzero()[0].tolist()) == {1, 2, 3, 4, 5}
