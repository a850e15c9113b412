"""Noise of the operating system: known answers of the cipher, right laws, nothing to seed, nothing kept."""

from __future__ import annotations

import inspect
import multiprocessing
import os

import numpy as np
import pytest
import torch
from scipy import stats

from synthkit.errors import ConfigError
from synthkit.privacy.mechanisms import bounds, quantiles, rng, sparse_histogram, unit_sampling
from synthkit.privacy.mechanisms import noise as mechanisms

FLAKE = 1e-6  # how often a right generator may fail a test


def test_the_stream_is_chacha20(monkeypatch):
    """RFC 8439, appendix A.1, first vector: the key stream under a key of zeros."""
    monkeypatch.setattr(os, "urandom", bytes)
    assert rng.stream(16).hex() == "76b8e0ada0f13d90405d6ae55386bd28"
    assert len(rng.stream(0)) == 0


def test_each_stream_has_a_key_of_its_own_with_256_bits(monkeypatch):
    asked = []
    real = os.urandom
    monkeypatch.setattr(os, "urandom", lambda size: asked.append(size) or real(size))
    rng.words(3)
    rng.gaussian((4,), 1.0)
    assert asked == [32] * 3


def test_global_seeds_change_nothing():
    draws = []
    for _ in range(2):
        np.random.seed(0)  # noqa: NPY002
        torch.manual_seed(0)
        draws.append((rng.words(4).tolist(), rng.gaussian((4,), 1.0).tolist()))
    assert draws[0][0] != draws[1][0]
    assert draws[0][1] != draws[1][1]


@pytest.mark.parametrize("room", [rng, unit_sampling, mechanisms, sparse_histogram, bounds, quantiles])
def test_nobody_can_pass_a_seed_or_a_generator(room):
    """No parameter of any function or record of these files can carry one."""
    for name, thing in inspect.getmembers(room, lambda x: inspect.isfunction(x) or inspect.isclass(x)):
        if thing.__module__ != room.__name__:
            continue
        functions = [thing] if inspect.isfunction(thing) else [f for _, f in inspect.getmembers(thing, callable)]
        for function in functions:
            try:
                parameters = inspect.signature(function).parameters.values()
            except ValueError:
                continue
            for parameter in parameters:
                said = f"{parameter.name} {parameter.annotation}".lower()
                assert not any(word in said for word in ("seed", "generator", "rng", "key")), (name, parameter)


def test_nothing_is_kept_between_draws():
    before = {name: repr(value) for name, value in vars(rng).items() if not name.startswith("__")}
    rng.gaussian((5,), 1.0)
    assert {name: repr(value) for name, value in vars(rng).items() if not name.startswith("__")} == before


def told(queue):
    queue.put(rng.words(2).tolist())


def test_forked_processes_draw_different_noise():
    """A generator with a state would give both children the same."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    children = [context.Process(target=told, args=(queue,)) for _ in range(2)]
    for child in children:
        child.start()
    first, second = queue.get(timeout=500), queue.get(timeout=500)
    for child in children:
        child.join()
    assert first != second


@pytest.mark.parametrize("scale", [1.0, 0.02])
def test_gaussian_noise_has_its_law_and_not_one_a_fiftieth_wider(scale):
    noise = rng.gaussian((400, 1001), scale).numpy().ravel().astype(float)
    assert stats.kstest(noise / scale, "norm").pvalue > FLAKE
    squares = np.square(noise / scale).sum()
    assert FLAKE < stats.chi2.sf(squares, len(noise)) < 1 - FLAKE
    assert stats.chi2.sf(squares * 1.02**2, len(noise)) < FLAKE


def test_the_two_halves_of_gaussian_noise_are_independent():
    """They share radius and angle; neither they nor their squares may show it."""
    first, second = rng.gaussian((2, 200_000), 1.0).numpy()
    assert stats.pearsonr(first, second).pvalue > FLAKE
    assert stats.pearsonr(first**2, second**2).pvalue > FLAKE


def test_the_tail_is_not_cut():
    """Of 4 million, about 253 lie beyond 4: none of the next ones may be absent."""
    noise = rng.gaussian((4_000_000,), 1.0).abs()
    for beyond in (3.0, 4.0, 4.5):
        found = int((noise > beyond).sum())
        assert stats.binomtest(found, len(noise), 2 * stats.norm.sf(beyond)).pvalue > FLAKE


def test_the_smallest_and_largest_bits_give_finite_noise(monkeypatch):
    for byte in (b"\x00", b"\xff", b"\x80"):
        monkeypatch.setattr(rng, "stream", lambda size, byte=byte: bytearray(byte * size))
        noise = rng.gaussian((6,), 1.0)
        assert bool(noise.isfinite().all())
        assert float(noise.abs().max()) < 9


@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (3, 5)])
def test_any_shape_comes_back_as_float32(shape):
    noise = rng.gaussian(shape, 2.0)
    assert noise.shape == shape
    assert noise.dtype == torch.float32


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_no_noise_is_refused(scale):
    with pytest.raises(ConfigError, match=f"must be positive and finite; however: {scale} came"):
        rng.gaussian((3,), scale)


def test_coins_have_their_probability():
    for q in (0.003, 0.5, 0.9):
        hits = int(rng.bernoulli(300_000, q).sum())
        assert stats.binomtest(hits, 300_000, q).pvalue > FLAKE
    assert not rng.bernoulli(1000, 0.0).any()
    assert rng.bernoulli(1000, 1.0).all()


def test_a_coin_compares_with_the_exact_fraction(monkeypatch):
    """q 2^64 is a whole number for every double of 2^-11 or more: the border word itself says no."""
    q = 0.1
    border = int(q * 2**64)
    monkeypatch.setattr(rng, "words", lambda n: np.array([border - 1, border], np.uint64))
    assert rng.bernoulli(2, q).tolist() == [True, False]


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(q):
    with pytest.raises(ConfigError, match=r"must lie in \[0, 1\]; however"):
        rng.bernoulli(3, q)


def test_all_orders_are_as_likely():
    seen = [tuple(rng.order(3).tolist()) for _ in range(6000)]
    counts = [seen.count(order) for order in set(seen)]
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > FLAKE
