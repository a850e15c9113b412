"""Noise from the operating system: ChaCha20 streams under keys that are used once and forgotten; there is no seed."""

from __future__ import annotations

import math
import os

import numpy as np
import torch
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from numpy.typing import NDArray
from torch import Tensor

from synthkit.errors import ConfigError

CHACHA_KEY_BYTES, CHACHA_NONCE_BYTES = 32, 16  # bytes; the key is fresh for each stream, so the nonce may be zero


def stream(size: int) -> bytearray:
    """Fresh random bytes: the ChaCha20 stream under a new key of the operating system.

    Nothing is kept between calls: no state can be stored, seeded, or shared by forked processes.

    **Shape**: `size` bytes.

    Args:
        size: how many, at least 0 and below 2**38.

    References:
        ChaCha, a variant of Salsa20 (Bernstein, 2008); ChaCha20 and Poly1305 for IETF protocols (RFC 8439, 2018).

    Example:
        >>> len(stream(8)), stream(8) == stream(8)
        (8, False)
    """
    out = bytearray(size)
    cipher = Cipher(algorithms.ChaCha20(os.urandom(CHACHA_KEY_BYTES), bytes(CHACHA_NONCE_BYTES)), mode=None)
    cipher.encryptor().update_into(bytes(size), out)
    return out


def words(n: int) -> NDArray[np.uint64]:
    """Independent uniform integers from 0 to 2**64 - 1. **Shape**: (n,)."""
    return np.frombuffer(stream(8 * n), np.uint64)


def bernoulli(n: int, q: float) -> NDArray[np.bool_]:
    """Independent coins that say yes with probability floor(q 2**64) / 2**64: q, or less by under 2**-64.

    **Shape**: (n,).

    Args:
        n: how many.
        q: probability, in [0, 1].

    Raises:
        ConfigError: q is no probability.
    """
    if not 0 <= q <= 1:
        msg = f"a probability must lie in [0, 1]; however: {q} came. Give the share of units that take part"
        raise ConfigError(msg)
    below = math.floor(math.ldexp(q, 64))
    return np.ones(n, bool) if below == 1 << 64 else words(n) < np.uint64(below)


def order(n: int) -> NDArray[np.int64]:
    """A random order of n things, each as likely as any other (but for ties of probability under n**2 / 2**65).

    **Shape**: (n,), a permutation of 0 to n - 1.
    """
    return np.argsort(words(n), kind="stable")


def gaussian(shape: tuple[int, ...], scale: float, *, device: str | torch.device = "cpu") -> Tensor:
    """Independent Gaussian noise, for sums of clipped gradients: sqrt(-2 ln u) times cos and sin of 2 pi v.

    u has 53 random bits, so that the tail reaches 8.6 `scale`; v has 32. It is float32 arithmetic, no exact sampler:
    counts take `accounting.events.DiscreteGaussian` instead.

    **Shape**: `shape`, float32.

    Args:
        shape: shape of the tensor.
        scale: standard deviation, positive.
        device: where the tensor is wanted; it is drawn on the processor.

    Raises:
        ConfigError: the scale is not positive and finite.

    References:
        A note on the generation of random normal deviates (Box, Muller, 1958).
    """
    if not 0 < scale < math.inf:
        msg = f"the scale of noise must be positive and finite; however: {scale} came. Take it from the calibration"
        raise ConfigError(msg)
    n = math.prod(shape)
    half = (n + 1) // 2
    high, low = (np.frombuffer(stream(size * half), kind) for size, kind in ((8, np.int64), (4, np.int32)))
    radius = torch.from_numpy(high).bitwise_and_((1 << 53) - 1).to(torch.float64).add_(0.5).mul_(2.0**-53)
    radius = radius.log_().mul_(-2).sqrt_().mul_(scale).to(torch.float32)
    angle = torch.from_numpy(low).to(torch.float32).mul_(math.pi * 2.0**-31)
    noise = torch.cat([angle.cos().mul_(radius), angle.sin_().mul_(radius)])[:n]
    return noise.view(shape).to(device)
