"""Generator, critic, relaxed draws and the losses between them, against closed forms."""

import numpy as np
import pytest
import torch
from scipy.special import log_expit, softmax

from synthkit.models.ctgan.config import CTGANConfig
from synthkit.models.ctgan.generator import Discriminator, Generator, relaxed, steepness
from synthkit.models.ctgan.trainer import critic_loss

PRIORS = (torch.tensor([0.2, 0.8]).log(), torch.tensor([0.5, 0.3, 0.2]).log())


def linear(pack=1, modes=0):
    """A critic that is linear where every hidden unit stays positive: D(x) = v (W x + 100) + c."""
    torch.manual_seed(0)
    critic = Discriminator(2, 5, pack=pack, width=7, layers=1, modes=modes, dropout=0.0)
    with torch.no_grad():
        critic.within[0].bias.fill_(100.0)
    return critic


def slope(critic):
    """Its gradient by scores and names; the condition behind them is not counted. **Shape**: (pack, 7)."""
    w = (critic.leave.weight @ critic.within[0].weight).detach().numpy()
    return w.reshape(critic.pack, 12)[:, :7]


def pairs(n=6):
    generator = torch.Generator().manual_seed(1)
    real, drawn = torch.randn(2, n, 7, generator=generator)
    return real, drawn, torch.zeros(n, 5)


@pytest.mark.parametrize("pack", [1, 3])
def test_steepness_of_a_linear_critic_is_the_square_of_its_weights(pack):
    critic = linear(pack)
    real, _, condition = pairs()
    found = steepness(critic, real, condition).detach().numpy()
    assert found.shape == (6 // pack,)
    assert found == pytest.approx(np.full(6 // pack, (slope(critic) ** 2).sum()), rel=1e-4)


def test_a_critic_judges_packs():
    """Each pack gets one verdict, and only its own rows move it."""
    critic = Discriminator(2, 5, pack=3, width=16, layers=2, modes=4, dropout=0.0)
    rows, _, condition = pairs(9)
    before = critic(rows, condition)
    rows[4] += 1.0
    moved = (critic(rows, condition) != before).tolist()
    assert before.shape == (3,)
    assert moved == [False, True, False]


def test_the_wasserstein_loss_of_a_linear_critic():
    """D(x') - D(x) + g (|w| - 1)^2, whatever the point between them."""
    critic, weight = linear(), torch.tensor([0.5, 1.5, 1.0, 1.0, 0.0, 2.0])
    real, drawn, condition = pairs()
    config = CTGANConfig(loss="wgan-gp", penalty=10.0)
    w = slope(critic)[0]
    expected = weight.numpy() * ((drawn - real).numpy() @ w) + 10 * (np.linalg.norm(w) - 1) ** 2
    found = critic_loss(critic, real, drawn, condition, weight, config).detach().numpy()
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_the_logistic_loss_and_its_penalty():
    critic, weight = linear(), torch.tensor([0.5, 1.5, 1.0, 1.0, 0.0, 2.0])
    with torch.no_grad():  # keep the verdicts near 0
        critic.leave.bias.sub_(critic(torch.zeros(1, 7), torch.zeros(1, 5)))
    real, drawn, condition = pairs()
    of_real, of_drawn = (critic(x, condition).detach().numpy() for x in (real, drawn))
    plain = weight.numpy() * (-log_expit(of_real) - log_expit(-of_drawn))
    penalty = weight.numpy() * 3 * 4 * (slope(critic) ** 2).sum()  # g every / 2, of real and drawn alike
    config = CTGANConfig(loss="logistic", penalty=3.0)
    for often, expected in ((4, plain + penalty), (0, plain), (1, plain + penalty / 4)):
        found = critic_loss(critic, real, drawn, condition, weight, config, often).detach().numpy()
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_relaxed_draws_are_nearly_one_hot_laws_that_follow_the_logits():
    generator = torch.Generator().manual_seed(2)
    logits = torch.tensor([[0.0, 1.0, 2.0, 0.5, -1.0]]).expand(20_000, -1)
    drawn = relaxed(logits, (2, 3), torch.rand(20_000, 5, generator=generator))
    assert bool(((drawn >= 0) & (drawn <= 1)).all())
    for part, law in ((drawn[:, :2], [0.0, 1.0]), (drawn[:, 2:], [2.0, 0.5, -1.0])):
        assert torch.allclose(part.sum(dim=1), torch.ones(20_000), atol=1e-5)
        assert float(part.max(dim=1).values.median()) > 0.99
        share = np.bincount(part.argmax(dim=1).numpy(), minlength=len(law)) / 20_000
        assert share == pytest.approx(softmax(law), abs=0.015)  # four standard errors


def test_relaxed_draws_survive_noise_at_the_ends():
    drawn = relaxed(torch.zeros(2, 5), (2, 3), torch.tensor([[0.0] * 5, [1.0] * 5]))
    assert bool(torch.isfinite(drawn).all())


def test_gradients_reach_every_parameter_of_both_networks():
    torch.manual_seed(3)
    generator = Generator(2, PRIORS, noise=4, width=16, blocks=2)
    critic = Discriminator(2, 5, pack=2, width=16, layers=2, modes=4, dropout=0.1)
    condition = torch.eye(5)[torch.arange(8) % 5]
    scores, logits = generator(torch.randn(8, 4), condition)
    rows = torch.cat([scores, relaxed(logits, generator.sizes, torch.rand(8, 5))], dim=1)
    torch.autograd.backward(critic(rows, condition).sum() + steepness(critic, rows, condition).sum())
    for name, parameter in [*generator.named_parameters(), *critic.named_parameters()]:
        if name != "leave.bias" or parameter.shape != (1,):
            assert parameter.grad is not None, name
            assert float(parameter.grad.abs().sum()) > 0, name


def test_a_generator_starts_at_the_shares_of_the_table():
    generator = Generator(2, PRIORS, noise=4, width=16, blocks=0)
    with torch.no_grad():
        generator.leave.weight.zero_()
    scores, logits = generator(torch.randn(3, 4), torch.zeros(3, 5))
    assert not bool(scores.any())
    assert torch.softmax(logits[0, :2], dim=0).tolist() == pytest.approx([0.2, 0.8])
    assert torch.softmax(logits[0, 2:], dim=0).tolist() == pytest.approx([0.5, 0.3, 0.2])
    assert [(s.start, s.stop) for s in generator.slices()] == [(0, 2), (2, 5)]
