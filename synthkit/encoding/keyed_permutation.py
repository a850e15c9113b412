"""A permutation of any number of things that a key decides, worked out where it is asked and held nowhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FEISTEL_ROUNDS = 8  # of the Feistel network: four make it hard to tell from chance, the others are cheap
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
MOST_THINGS = 2**62


@dataclass(frozen=True)
class KeyedPermutation:
    r"""A bijection of $\{0, ..., n-1\}$.

    A Feistel network permutes the numbers of an even number of bits, of which there are fewer than $4n$. Where it leads
    outside, it is applied again until it leads inside, which keeps it a bijection and takes four rounds at most in the
    mean.

    Args:
        n: how many things there are, 1 to 2^62.
        key: decides the order; any text.

    Raises:
        ValueError: there is nothing to permute, or too much.

    References:
        Luby, Rackoff: How to construct pseudorandom permutations from pseudorandom functions (1988).
        Black, Rogaway: Ciphers with arbitrary finite domains (2002).

    Example:
        >>> order = KeyedPermutation(5, "a key")
        >>> sorted(order(np.arange(5)).tolist())
        [0, 1, 2, 3, 4]
    """

    n: int
    key: str

    def __post_init__(self) -> None:
        if not 1 <= self.n <= MOST_THINGS:
            msg = f"a permutation is of 1 to 2^62 things; however: {self.n}. Give another number"
            raise ValueError(msg)

    def __call__(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """What stands at each place. **Shape**: (k,) in range(n) -> (k,) in range(n)."""
        out = np.asarray(places, dtype=np.uint64)
        out = self._network(out)
        outside = np.flatnonzero(out >= self.n)
        while len(outside):
            out[outside] = self._network(out[outside])
            outside = outside[out[outside] >= self.n]
        return out.astype(np.int64)

    @cached_property
    def _half_bits(self) -> int:
        return max(1, -(-max(self.n - 1, 1).bit_length() // 2))

    @cached_property
    def _round_keys(self) -> tuple[np.uint64, ...]:
        digests = (hashlib.sha256(f"{self.key}/{k}".encode()).digest() for k in range(FEISTEL_ROUNDS))
        return tuple(np.uint64(int.from_bytes(digest[:8], "big")) for digest in digests)

    def _network(self, x: NDArray[np.uint64]) -> NDArray[np.uint64]:
        bits = np.uint64(self._half_bits)
        low = np.uint64((1 << self._half_bits) - 1)
        left, right = x >> bits, x & low
        for key in self._round_keys:
            left, right = right, left ^ (_mixed(right ^ key) & low)
        return (left << bits) | right


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit of the result follows from every bit; the finalizer of SplitMix64."""
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    return x ^ (x >> np.uint64(31))


def keyed_uniform(codes: NDArray[np.uint64], key: str) -> NDArray[np.float64]:
    """A number in [0, 1) for each code, the same for the same code and key. **Shape**: (n,) -> (n,).

    Example:
        >>> drawn = keyed_uniform(np.array([7, 7, 8], dtype=np.uint64), "a key")
        >>> bool(drawn[0] == drawn[1]), bool(drawn[0] == drawn[2])
        (True, False)
    """
    first, second = (
        np.uint64(int.from_bytes(hashlib.sha256(f"{key}/{k}".encode()).digest()[:8], "big")) for k in range(2)
    )
    return (_mixed(_mixed(codes ^ first) ^ second) >> np.uint64(11)).astype(np.float64) * 2.0**-53
