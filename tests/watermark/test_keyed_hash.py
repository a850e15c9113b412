"""Secret coins: SipHash against another implementation and the paper, and their fairness."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from synthkit.watermark.keyed_hash import digest, siphash

WORD = st.text(alphabet=st.characters(min_codepoint=1, max_codepoint=127), min_size=8, max_size=8)


@given(st.lists(WORD, min_size=1, max_size=5), st.text(alphabet="0123456789abcdef", min_size=16, max_size=16))
def test_siphash_is_that_of_pandas(words, key):
    """`pandas.util.hash_array` hashes texts by SipHash-2-4 under a key of 16 bytes, and mixes the result once more."""
    raw = key.encode()
    halves = int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:], "little")
    blocks = [np.array([int.from_bytes(w.encode(), "little")], dtype=np.uint64) for w in words]
    ours = siphash(halves, [*blocks, 8 * len(words) << 56])
    theirs = pd.util.hash_array(np.array(["".join(words)], dtype=object), hash_key=key, categorize=False)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        ours ^= ours >> np.uint64(shift)
        ours *= np.uint64(factor)
    assert (ours ^ (ours >> np.uint64(31))).tolist() == theirs.tolist()


def test_messages_are_hashed_apart():
    """Many at once are many one by one, and what is handed in is left as it was."""
    blocks = [np.arange(50, dtype=np.uint64), np.arange(50, dtype=np.uint64)[::-1].copy()]
    before = [b.copy() for b in blocks]
    many = siphash((1, 2), [*blocks, 16 << 56])
    single = [int(siphash((1, 2), [blocks[0][i : i + 1], blocks[1][i : i + 1], 16 << 56])[0]) for i in range(50)]
    assert many.tolist() == single
    assert all((a == b).all() for a, b in zip(blocks, before, strict=True))
    assert len(set(single)) == 50


def test_coins_of_neighbouring_contents_are_fair_and_unrelated():
    """Single coins, and the exclusive or of the four corners of each square of a grid: what a weak hash betrays."""
    side = 200
    x, y = (a.ravel().astype(np.uint64) for a in np.meshgrid(np.arange(side), np.arange(side)))
    coin = (siphash((3, 4), [x, y, 16 << 56]) & np.uint64(1)).reshape(side, side)
    corners = coin[1:, 1:] ^ coin[1:, :-1] ^ coin[:-1, 1:] ^ coin[:-1, :-1]
    for bits in (coin, corners):
        assert binomtest(int(bits.sum()), bits.size, 0.5).pvalue > 1e-4
    assert chisquare(np.bincount((siphash((3, 4), [x, y, 16 << 56]) >> np.uint64(60)).astype(int))).pvalue > 1e-4


def test_digest_is_keyed_blake2b_of_texts_with_their_lengths():
    said = b"\x02" + bytes(7) + b"ab" + b"\x02" + bytes(7) + "ü".encode()
    raw = hashlib.blake2b(said, key=b"k" * 32, digest_size=8).digest()
    assert digest(b"k" * 32, "ab", "ü") == int.from_bytes(raw, "little")
    assert digest(b"k" * 32, "ab") != digest(b"l" * 32, "ab")


def test_a_lone_surrogate_has_a_digest():
    assert digest(b"k", "\ud800") != digest(b"k", "")
