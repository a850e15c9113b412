"""Marginals set right and conditions drawn, against scipy and the laws they are made from."""

import numpy as np
import pytest
import torch
from scipy import stats

from synthkit.models.ctgan.conditional_vector import Conditions
from synthkit.models.marginal_correction import Marginals

SHARES = ([0.7, 0.3], [0.85, 0.1, 0.03, 0.02])
PRIORS = [torch.tensor(s).log() for s in SHARES]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def crooked(n, seed):
    """Scores far from normal and logits far from the shares, each depending on the same hidden cause."""
    z = torch.randn(n, 3, generator=generator(seed))
    scores = torch.stack([z[:, 0].exp() + 3, 0.2 * z[:, 1] ** 3 - z[:, 0]], dim=1)
    logits = torch.cat([z[:, :1], -z[:, :1], z[:, :1] * 2, z[:, 1:3], z[:, :1] - 3], dim=1)
    return scores, logits


def test_a_settled_draw_has_the_known_marginals():
    """Of the draw it was settled on names are exact and scores normal; so they are on a fresh one, but for chance."""
    marginals = Marginals(2, 6)
    scores, logits = crooked(30_000, 0)
    marginals.settle(scores, logits, PRIORS, (None, None))
    for seed, slack in ((0, 1e-4), (1, 0.012)):
        scores, logits = crooked(30_000, seed)
        fixed = marginals.logits(logits)
        for part, share in zip(torch.split(fixed, [2, 4], dim=1), SHARES, strict=True):
            assert torch.softmax(part, dim=1).mean(dim=0).tolist() == pytest.approx(share, abs=slack)
        for z in marginals.scores(scores).T:
            assert stats.kstest(z.numpy(), "norm").statistic < max(slack, 0.002)


def test_order_and_so_dependence_between_columns_is_kept():
    marginals = Marginals(2, 6)
    scores, logits = crooked(5000, 0)
    marginals.settle(scores, logits, PRIORS, (None, None))
    fixed = marginals.scores(scores)
    before, after = (stats.spearmanr(x.numpy()).statistic for x in (scores, fixed))
    assert after == pytest.approx(before, abs=1e-3)
    assert bool((fixed.abs() <= 4).all())


def test_a_score_counts_only_where_its_kind_says_there_is_one():
    """Rows weigh by the probability of kind 0, so it is the scores of rows that have one that come out normal."""
    marginals = Marginals(2, 6)
    scores, logits = crooked(40_000, 2)
    marginals.settle(scores, logits, PRIORS, (0, None))
    present = torch.softmax(marginals.logits(logits)[:, :2], dim=1)[:, 0]
    here = torch.rand(40_000, generator=generator(3)) < present
    fixed = marginals.scores(scores)[:, 0]
    assert stats.kstest(fixed[here].numpy(), "norm").statistic < 0.012
    assert stats.kstest(fixed.numpy(), "norm").statistic > 0.05  # the test would notice


def test_unsettled_marginals_change_nothing():
    marginals = Marginals(2, 6)
    scores, logits = torch.randn(100, 2, generator=generator()), torch.randn(100, 6, generator=generator())
    assert torch.allclose(marginals.scores(scores), scores, atol=1e-4)
    assert torch.equal(marginals.logits(logits), logits)


@pytest.mark.parametrize("name", [0, 1])
def test_a_condition_on_any_name_reads_back(name):
    """Level k of name j stands at the offset of j, and nowhere else."""
    conditions = Conditions(PRIORS, 100)
    for level in range(len(SHARES[name])):
        vector = conditions.vectors(torch.tensor([name]), torch.tensor([level]))[0]
        parts = torch.split(vector, [2, 4])
        assert parts[name].tolist() == np.eye(len(SHARES[name]))[level].tolist()
        assert not bool(parts[1 - name].any())


def test_conditions_of_rows_are_their_own():
    conditions = Conditions(PRIORS, 100)
    cat = torch.tensor([[0, 3], [1, 0], [0, 1]]).repeat(200, 1)
    torch.manual_seed(0)
    vectors, weight = conditions.of(cat)
    assert vectors.sum(dim=1).tolist() == [1.0] * 600
    full = torch.cat([torch.nn.functional.one_hot(cat[:, 0], 2), torch.nn.functional.one_hot(cat[:, 1], 4)], dim=1)
    assert bool((full[vectors > 0] == 1).all())
    assert 200 < int(vectors[:, :2].sum()) < 400  # both names in turn
    assert float(weight.mean()) == pytest.approx(1)


def test_a_share_of_rows_comes_under_a_condition():
    """The others have none and weigh 1; rows are then drawn without one."""
    conditions = Conditions(PRIORS, 100, share=0.25, balance=1.0)
    torch.manual_seed(0)
    vectors, weight = conditions.of(torch.zeros(4000, 2, dtype=torch.long))
    under = vectors.sum(dim=1)
    assert float(under.mean()) == pytest.approx(0.25, abs=0.03)
    assert len(weight[under == 0].unique()) == 1
    assert not bool(conditions.drawn(10, generator(), torch.device("cpu")).any())


def test_weighted_conditions_follow_the_law_of_log_frequencies():
    """Xu et al.: a name is drawn evenly, then a level by the logarithm of how often it occurs."""
    rng, n = np.random.default_rng(0), 60_000
    cat = torch.from_numpy(np.stack([rng.choice(len(s), n, p=s) for s in SHARES], axis=1))
    torch.manual_seed(1)
    vectors, weight = Conditions(PRIORS, 1000, balance=1.0).of(cat)
    found = (vectors * weight[:, None]).mean(dim=0).numpy()
    for part, share in zip(np.split(found, [2]), SHARES, strict=True):
        logs = np.log1p(1000 * np.array(share))
        assert part / part.sum() == pytest.approx(logs / logs.sum(), abs=0.02)


def test_drawn_conditions_follow_the_shares():
    vectors = Conditions(PRIORS, 100).drawn(50_000, generator(), torch.device("cpu"))
    assert vectors.sum(dim=1).unique().tolist() == [1.0]
    counts = vectors.sum(dim=0).numpy()
    assert stats.chisquare(counts, 25_000 * np.concatenate(SHARES)).pvalue > 1e-4


def test_a_table_without_names_has_no_conditions():
    conditions = Conditions([], 100)
    vectors, weight = conditions.of(torch.zeros(5, 0, dtype=torch.long))
    assert vectors.shape == conditions.drawn(5, generator(), torch.device("cpu")).shape == (5, 0)
    assert weight.tolist() == [1.0] * 5
