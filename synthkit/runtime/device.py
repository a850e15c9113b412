"""Where to compute: CUDA, Apple's MPS or the processor, chosen by itself."""

from __future__ import annotations

import torch

from synthkit.errors import ConfigError


def choose_device(name: str = "auto") -> torch.device:
    """The device to train on.

    Args:
        name: `auto` for the fastest there is, or the name of a device.

    Raises:
        ConfigError: the device asked for is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(best for best in ("cuda", "mps", "cpu") if there[best]))
    if not there.get(name, False):
        names = ", ".join(known for known, here in there.items() if here)
        msg = f"`device` must be one that is here ({names}) or auto; however: `{name}`. Leave it at auto"
        raise ConfigError(msg)
    return torch.device(name)
