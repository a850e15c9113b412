"""Noise that two copies of a process would share is found: seeds, stored states, generators of libraries."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from synthkit.audit.noise_freshness import audit_freshness
from synthkit.errors import UnsupportedError
from synthkit.privacy.accounting.events import DiscreteGaussian, DiscreteLaplace, ReportNoisyMax, SparseHistogram
from synthkit.privacy.mechanisms.bounds import LogBounds
from synthkit.privacy.mechanisms.noise import add_noise, choose
from synthkit.privacy.mechanisms.quantiles import Quantiles
from synthkit.privacy.mechanisms.rng import bernoulli, gaussian, order
from synthkit.privacy.mechanisms.sparse_histogram import tell_levels
from synthkit.privacy.mechanisms.unit_sampling import PoissonSampling, kept

ZEROS = np.zeros(64, np.int64)
NAMES = [str(k) for k in range(64)]
CHOICE = ReportNoisyMax(sensitivity=1.0, scale=1.0, picks=40)
OURS = {
    "gradients": lambda: gaussian((8,), 1.0).tolist(),
    "coins": lambda: bernoulli(200, 0.5).tolist(),
    "orders": lambda: order(50).tolist(),
    "batches": lambda: [mask.tolist() for mask in PoissonSampling(rate=0.5, steps=1).masks(200)],
    "rows of a unit": lambda: kept(np.arange(200) // 2, 1).tolist(),
    "discrete normal": lambda: list(add_noise(ZEROS, DiscreteGaussian(sigma=9.0)).values),
    "discrete Laplace": lambda: list(add_noise(ZEROS, DiscreteLaplace(scale=9.0)).values),
    "choices": lambda: list(choose(np.zeros(64), CHOICE).values),
    "levels": lambda: list(tell_levels(NAMES, ZEROS + 9, SparseHistogram(sigma=9.0, threshold=9)).counts),
    "bounds": lambda: [LogBounds(noise=DiscreteLaplace(scale=9.0)).draw(np.zeros(0)).high for _ in range(30)],
    "quantiles": lambda: list(Quantiles(low=0, high=1, parts=64, epsilon=0.1).draw(np.zeros(0)).values),
}
held = np.random.default_rng(int.from_bytes(os.urandom(16)))
TWINS = {
    "seeded": lambda: list(np.random.default_rng(7).normal(size=8)),
    "torch's generator": lambda: torch.randn(8).tolist(),
    "numpy's generator": lambda: np.random.normal(size=8).tolist(),  # noqa: NPY002
    "a held generator keyed by the system": lambda: held.normal(size=8).tolist(),
}


@pytest.mark.parametrize("what", OURS)
def test_our_noise_does_not_repeat(what):
    OURS[what]()  # what is built once is built before the fork
    assert audit_freshness(what, lambda: repr(OURS[what]())).verdict == "holds"


@pytest.mark.parametrize("what", TWINS)
def test_noise_of_a_seed_or_a_stored_state_is_broken(what):
    assert audit_freshness(what, lambda: repr(TWINS[what]())).verdict == "broken"


def test_a_child_that_fails_is_no_answer():
    with pytest.raises(UnsupportedError, match="each child must draw within 60 s; however: one did not"):
        audit_freshness("x", lambda: os._exit(1))


def test_a_system_without_fork_is_refused(monkeypatch):
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    with pytest.raises(UnsupportedError, match="must be able to fork a process; however: this one is not"):
        audit_freshness("x", str)
