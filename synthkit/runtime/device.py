"""Where to compute: CUDA, Apple's MPS or the processor, chosen by itself."""

from __future__ import annotations

import torch

from synthkit.errors import ConfigError


def choose_device(wish: str = "auto") -> torch.device:
    """The device to train on.

    Args:
        wish: `auto` for the fastest there is, or the name of a device.

    Raises:
        ConfigError: the device asked for is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wish == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if not there.get(wish, False):
        names = ", ".join(name for name, here in there.items() if here)
        msg = f"`device` must be one that is here ({names}) or auto; however: `{wish}`. Leave it at auto"
        raise ConfigError(msg)
    return torch.device(wish)
