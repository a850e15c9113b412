"""Sizes of memory as people write them, and how much there is for this process."""

from __future__ import annotations

import os
import re
from pathlib import Path

from synthkit.errors import ConfigError

_UNITS = {"": 1, "B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?I?B?)\s*", re.IGNORECASE)
_GROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory_bytes(text: str) -> int:
    """Bytes of a size such as `8GB`; GB is 2^30 bytes, and GiB the same.

    Raises:
        ConfigError: the text is no size.

    Example:
        >>> memory_bytes("8GB"), memory_bytes("512 MiB"), memory_bytes("1.5g")
        (8589934592, 536870912, 1610612736)
    """
    found = _SIZE.fullmatch(text)
    unit = "" if found is None else found[2].upper().replace("I", "")
    unit = f"{unit}B" if unit in ("K", "M", "G", "T") else unit
    if found is None or unit not in _UNITS:
        msg = f"a size of memory is a number with MB or GB; however: {text!r}. Write it like 8GB"
        raise ConfigError(msg)
    return int(float(found[1]) * _UNITS[unit])


def size_text(size: float) -> str:
    """A size for people.

    Example:
        >>> size_text(8 * 2**30), size_text(300 * 2**20)
        ('8 GB', '300 MB')
    """
    gigabytes = size / 2**30
    return f"{gigabytes:.3g} GB" if gigabytes >= 1 else f"{size / 2**20:.3g} MB"


def memory_there() -> int:
    """Bytes of memory that this process may use: of the machine, or of the container it runs in."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 8 * 2**30
    for path in _GROUP_LIMITS:
        if path.exists() and (limit := path.read_text(encoding="ascii").strip()).isdigit():
            there = min(there, int(limit))
    return there
