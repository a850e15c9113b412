"""Secret coins: from a key and words, 64 bits that nobody without the key tells from chance.

References:
    Aumasson, Bernstein: SipHash: a fast short-input PRF (2012), for words of numbers, many at once.
    Aumasson, Neves, Wilcox-O'Hearn, Winnerlein: BLAKE2: simpler, smaller, fast as MD5 (2013), for texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
SIPHASH_CONSTANTS = (
    0x736F6D6570736575,
    0x646F72616E646F6D,
    0x6C7967656E657261,
    0x7465646279746573,
)  # "somepseudorandomly..."
SIPHASH_ROUNDS, SIPHASH_FINAL_ROUNDS = 2, 4  # rounds for each block, and at the end


def digest(secret: bytes, *texts: str) -> int:
    """64 bits of keyed BLAKE2b over texts, each told from the next by its length.

    Args:
        secret: up to 64 bytes.
        texts: what the bits are of.

    Example:
        >>> digest(b"key", "ab", "c") == digest(b"key", "a", "bc")
        False
    """
    said = hashlib.blake2b(key=secret, digest_size=8)
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        said.update(len(raw).to_bytes(8, "little") + raw)
    return int.from_bytes(said.digest(), "little")


def siphash(key: tuple[int, int], blocks: Sequence[Words | int]) -> Words:
    """SipHash-2-4 of many messages at once, given as their 64-bit blocks, the last one with the length in it.

    Args:
        key: two 64-bit halves.
        blocks: one array, or one number for all messages, a block. **Shape**: each (n,).

    **Shape**: -> (n,) uint64.

    Example:
        >>> found = siphash((0x0706050403020100, 0x0F0E0D0C0B0A0908), [np.array([0x0706050403020100], "u8"),
        ...                                                             0x0F0E0D0C0B0A0908])
        >>> hex(found[0])  # appendix A of the paper
        '0xa129ca6149be45e5'
    """
    shape = np.broadcast_shapes(*(np.shape(block) for block in blocks))
    state = tuple(np.full(shape, key[i % 2] ^ first, dtype=np.uint64) for i, first in enumerate(SIPHASH_CONSTANTS))
    for block in blocks:
        word = np.asarray(block, dtype=np.uint64)
        state[3][:] ^= word
        _rounds(state, SIPHASH_ROUNDS)
        state[0][:] ^= word
    state[2][:] ^= np.uint64(0xFF)
    _rounds(state, SIPHASH_FINAL_ROUNDS)
    return np.asarray(state[0] ^ state[1] ^ state[2] ^ state[3])


def _rounds(state: tuple[Words, ...], times: int) -> None:
    """The permutation of the paper, in place: two half rounds on pairs of words, twice."""
    a, b, c, d = state
    for _ in range(times):
        _half(a, b, 13)
        _turn(a, 32)
        _half(c, d, 16)
        _half(a, d, 21)
        _half(c, b, 17)
        _turn(c, 32)


def _half(x: Words, y: Words, bits: int) -> None:
    x += y
    _turn(y, bits)
    y ^= x


def _turn(x: Words, bits: int) -> None:
    high = x << np.uint64(bits)
    x >>= np.uint64(64 - bits)
    x |= high
