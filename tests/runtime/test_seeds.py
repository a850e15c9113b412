"""Seeds: streams are told by root and name, independent of each other, and no global generator moves."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from synthkit.runtime.seeds import Seeds, system_generator

ROOTS = st.integers(0, 2**63 - 1)


@given(ROOTS, st.text(st.characters(codec="utf-8"), max_size=20))
def test_a_stream_is_named_by_a_hash_of_root_and_name(root, name):
    """The first 63 bits of SHA-256, so that it is the same on every machine and in every version of numpy."""
    seed = Seeds(root).of(name)
    assert 0 <= seed < 2**63
    assert f"{seed:063b}" == f"{int(hashlib.sha256(f'{root}/{name}'.encode()).hexdigest(), 16):0256b}"[:63]


def test_the_streams_of_one_root_never_change():
    """A saved seed keeps its meaning: worked out once with sha256sum."""
    assert Seeds(7).of("sample") == int(hashlib.sha256(b"7/sample").hexdigest()[:16], 16) >> 1


@given(ROOTS)
def test_same_root_same_stream_other_name_other_stream(root):
    one, two, other = (Seeds(root).numpy(n).random(4).tolist() for n in ("a", "a", "b"))
    assert one == two
    assert one != other
    t, u, v = (torch.rand(4, generator=Seeds(root).torch(n)).tolist() for n in ("a", "a", "b"))
    assert t == u
    assert t != v


def test_first_draws_of_many_streams_are_uniform():
    """Neighbouring roots and names do not start alike (Kolmogorov-Smirnov)."""
    by_root = [Seeds(k).numpy("x").random() for k in range(2000)]
    by_name = [Seeds(1).numpy(f"x{k}").random() for k in range(2000)]
    assert kstest(by_root, "uniform").pvalue > 1e-3
    assert kstest(by_name, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(by_root[1:], by_root[:-1])[0, 1]) < 0.1


def test_a_root_that_is_not_given_is_drawn_and_kept():
    one, two = Seeds(), Seeds()
    assert one.root != two.root
    assert 0 <= one.root < 2**31
    assert one.of("a") == Seeds(one.root).of("a")
    with pytest.raises(AttributeError):
        one.root = 3


def test_global_generators_stay_where_they_are():
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # noqa: NPY002
    Seeds(1).numpy("a").random(3)
    torch.rand(3, generator=Seeds(1).torch("a"))
    system_generator().random(3)
    assert random.getstate() == before[0]
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[2])


def test_the_systems_generator_cannot_be_repeated():
    assert system_generator().random(4).tolist() != system_generator().random(4).tolist()
