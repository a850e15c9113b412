"""One root seed becomes named, independent generators; noise and coins are never derived from it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Seeds:
    """Named generators grown from one root seed: the same root and name give the same stream.

    Args:
        root: a non-negative integer below 2**63; drawn from the operating system if not given.

    Example:
        >>> seeds = Seeds(7)
        >>> bool((seeds.numpy("sample").random(3) == Seeds(7).numpy("sample").random(3)).all())
        True
        >>> bool((seeds.numpy("sample").random(3) == seeds.numpy("train").random(3)).any())
        False
    """

    root: int = field(default_factory=lambda: secrets.randbits(31))

    def of(self, name: str) -> int:
        """63-bit seed of the stream `name`: the first bytes of SHA-256(root, name)."""
        digest = hashlib.sha256(f"{self.root}/{name}".encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1

    def numpy(self, name: str) -> np.random.Generator:
        """A numpy generator for the stream `name`."""
        return np.random.default_rng(self.of(name))

    def torch(self, name: str, device: str = "cpu") -> torch.Generator:
        """A torch generator for the stream `name`, on `device`."""
        import torch

        return torch.Generator(device=device).manual_seed(self.of(name))


def system_generator() -> np.random.Generator:
    """Fresh generator keyed by the operating system, for coins and roles; its state is never stored."""
    return np.random.default_rng(secrets.randbits(256))
