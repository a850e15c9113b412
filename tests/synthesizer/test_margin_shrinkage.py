"""Shrunk targets: moves against closed forms, bases and variances against simulation, no covariance with chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synthkit.synthesizer import margin_shrinkage
from synthkit.synthesizer.margin_shrinkage import MAX_KAPPA, THRESHOLD, canonical_bases, chance, moves, shrunk

TABLES = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)]


def law(rng: np.random.Generator, shape: tuple[int, ...] = (3, 4, 2)) -> np.ndarray:
    return rng.dirichlet(np.full(int(np.prod(shape)), 3.0)).reshape(shape)


def grids(joint: np.ndarray) -> list[np.ndarray]:
    """Its one- and two-way tables."""
    return [joint.sum(axis=tuple({0, 1, 2} - set(columns))) for columns in TABLES]


def drawn(joint: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.multinomial(n, joint.ravel()).reshape(joint.shape) / n


def test_one_contrast_has_the_weight_of_james_and_stein():
    """By hand: of 5 standard deviations 4.2 are kept, 5 (1 - 4 / 25); nothing is within its chance."""
    assert moves(np.array([5.0, -5.0]), np.ones(2)) == pytest.approx([4.2, -4.2])


def test_what_is_within_its_chance_is_repelled_by_what_is_followed():
    """One contrast of 4 has derivative 1 + 1/4; 2.25 times that over nine others with variance 1 is kappa, 0.3125."""
    contrasts = np.array([4.0, *np.linspace(-2, 2, 9)])
    asked = np.array([3 - 2 * 0.3125, *(-0.3125 * np.linspace(-2, 2, 9))])
    assert moves(contrasts, np.ones(10)) == pytest.approx(asked)


def test_kappa_has_a_largest_value():
    assert moves(np.array([9.0, 9.0, 1.0]), np.ones(3))[2] == pytest.approx(-MAX_KAPPA)


def test_nothing_is_repelled_where_noise_was_added():
    found = moves(np.array([9.0, 1.0, 1.0]), np.ones(3), np.array([True, False, True]))
    assert found[1] == 0
    assert found[2] == pytest.approx(-MAX_KAPPA)


@given(
    arrays(np.float64, 12, elements=st.floats(-50, 50)), arrays(np.float64, 12, elements=st.floats(0, 9)), st.booleans()
)
@settings(max_examples=200, deadline=None)
def test_a_contrast_moves_no_farther_than_to_its_target(contrasts, variance, exact):
    """Nor farther back than kappa times its chance; one without chance cannot be seen and stays."""
    found = moves(contrasts, variance, np.full(12, exact))
    along = np.sign(contrasts) * found
    assert (along <= np.abs(contrasts) + 1e-9).all()
    assert (along >= -MAX_KAPPA * THRESHOLD * np.sqrt(variance) - 1e-9).all()
    assert (found[variance == 0] == 0).all()


def test_moves_are_continuous_at_the_threshold():
    near, far = (moves(np.array([x, 6.0, *np.ones(999)]), np.ones(1001))[0] for x in (2 - 1e-9, 2 + 1e-9))
    assert near == pytest.approx(far, abs=0.02)  # kappa alone jumps, by what one contrast of 1,000 adds to it


def test_at_one_for_one_the_covariance_with_chance_is_nought(monkeypatch):
    """Stein's lemma, simulated: a few contrasts are wrong by five deviations, all have chance.

    Without repulsion the covariance is that of what is followed, far above the error of the simulation.
    """
    rng = np.random.default_rng(0)
    wrong, noise = np.where(np.arange(200) < 12, 5.0, 0.0), rng.normal(size=(4000, 200))
    found = {}
    for repulsion in (0.0, 1.0, 2.25):
        monkeypatch.setattr(margin_shrinkage, "REPULSION", repulsion)
        products = [float(moves(wrong + e, np.ones(200)) @ e) for e in noise]
        found[repulsion] = float(np.mean(products))
        error = float(np.std(products) / np.sqrt(len(products)))
        assert error < 0.4
    assert found[0.0] > 15
    assert abs(found[1.0]) < 2
    assert found[2.25] < -10


def test_bases_are_orthonormal_and_begin_with_the_roots_of_the_margins():
    joint = law(np.random.default_rng(1))
    for k, basis in canonical_bases(grids(joint), TABLES).items():
        p = joint.sum(axis=tuple({0, 1, 2} - {k}))
        assert basis.T @ basis == pytest.approx(np.eye(len(p)), abs=1e-12)
        assert np.abs(basis[:, 0]) == pytest.approx(np.sqrt(p), abs=1e-8)


def test_bases_of_two_columns_are_those_of_correspondence_analysis():
    """Their contrasts turn the table into its singular values, as numpy's decomposition gives them."""
    joint = law(np.random.default_rng(2)).sum(axis=2)
    bases = canonical_bases([joint], [(0, 1)])
    s = joint / np.sqrt(np.outer(joint.sum(axis=1), joint.sum(axis=0)))
    turned = np.abs(bases[0].T @ s @ bases[1])
    values = np.linalg.svd(s, compute_uv=False)
    assert np.diag(turned[:3, :3]) == pytest.approx(values, abs=1e-9)
    assert turned - np.pad(np.diag(values), ((0, 0), (0, 1))) == pytest.approx(np.zeros((3, 4)), abs=1e-7)


@pytest.mark.parametrize("sigma", [0.0, 30.0])
def test_the_variance_of_contrasts_is_that_of_many_samples(sigma):
    """Multinomial samples with Gaussian noise in their counts, 20,000 of them: within 6 % of the closed form."""
    rng, rows = np.random.default_rng(3), 500
    joint = law(rng).sum(axis=2)
    bases = canonical_bases([joint], [(0, 1)])
    root = np.sqrt(np.outer(joint.sum(axis=1), joint.sum(axis=0)))
    counts = rng.multinomial(rows, joint.ravel(), 20_000) + rng.normal(0, sigma, (20_000, 12))
    z = (counts / rows).reshape(-1, 3, 4) / root
    contrasts = np.einsum("ia,nij,jb->nab", bases[0], z, bases[1])
    margins = [joint.sum(axis=1), joint.sum(axis=0)]
    found = chance(joint, margins, [bases[0], bases[1]], rows=rows, sigma=sigma)
    assert found == pytest.approx(contrasts.var(axis=0), rel=0.06, abs=1e-6)


@given(st.integers(0, 10**6), st.integers(1, 3000), st.sampled_from([0.0, 5.0]))
@settings(max_examples=60, deadline=None)
def test_targets_are_shares(seed, n, sigma):
    """Of any pool, cells and levels without rows among them."""
    rng = np.random.default_rng(seed)
    pool, asked = (grids(drawn(law(rng), n, rng)) for _ in range(2))
    for share in shrunk(pool, asked, TABLES, rows=n, sigma=[sigma] * 6):
        assert np.isfinite(share).all()
        assert (share >= 0).all()
        assert share.sum() == pytest.approx(1)


def test_targets_known_well_are_followed():
    """A hundred million rows leave no chance: the targets are the tables measured."""
    rng = np.random.default_rng(4)
    pool, asked = grids(law(rng)), grids(law(rng))
    for share, wanted in zip(shrunk(pool, asked, TABLES, rows=1e8, sigma=[0.0] * 6), asked, strict=True):
        assert share == pytest.approx(wanted, abs=2e-3)


def test_noise_makes_targets_count_for_less():
    rng = np.random.default_rng(5)
    pool, asked = grids(law(rng)), grids(law(rng))
    apart = []
    for sigma in (0.0, 100.0, 10_000.0):
        found = shrunk(pool, asked, TABLES, rows=3000, sigma=[sigma] * 6)
        apart.append(sum(np.abs(a - b).sum() for a, b in zip(found, pool, strict=True)))
    assert apart[0] > 1.2 * apart[1] > 0
    assert apart[2] == 0


def test_of_a_right_model_the_targets_do_not_follow_the_sample():
    """Over 200 samples of the law that the pool has too, the move has no covariance with the sample's deviation."""
    rng = np.random.default_rng(6)
    joint, rows = law(rng), 2000
    truth, along = grids(joint), []
    for _ in range(200):
        sample = grids(drawn(joint, rows, rng))
        moved = shrunk(truth, sample, TABLES, rows=rows, sigma=[0.0] * 6)
        parts = [((m - t) * (s - t)).sum() for m, t, s in zip(moved, truth, sample, strict=True)]
        size = [((s - t) ** 2).sum() for t, s in zip(truth, sample, strict=True)]
        along.append(sum(parts) / sum(size))
    assert np.mean(along) < 0.05


def test_a_wrong_model_is_corrected():
    """The pool takes two columns for independent: most of its error goes, of new samples of 40,000 rows each."""
    rng = np.random.default_rng(7)
    joint = law(rng)
    apart = joint.sum(axis=(1, 2))[:, None, None] * joint.sum(axis=0)[None]
    truth, pool = grids(joint), grids(apart)
    before = sum(np.abs(a - b).sum() for a, b in zip(pool, truth, strict=True))
    after = [
        sum(np.abs(a - b).sum() for a, b in zip(found, truth, strict=True))
        for found in (
            shrunk(pool, grids(drawn(joint, 40_000, rng)), TABLES, rows=40_000, sigma=[0.0] * 6) for _ in range(20)
        )
    ]
    assert np.mean(after) < 0.5 * before


def test_columns_without_pairs_are_shrunk_by_themselves():
    rng = np.random.default_rng(8)
    pool, asked = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4))
    alone = shrunk([pool], [asked], [(0,)], rows=1e8, sigma=[0.0])[0]
    assert alone == pytest.approx(asked, abs=1e-3)
