"""Which machine made a figure: enough to tell machines apart, nothing that names one."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any


def processor(text: str) -> str:
    """Model of the CPU in /proc/cpuinfo; a made-up name of family, model and flags would be too much.

    Example:
        >>> processor("processor: 0\\nmodel name\\t: AMD EPYC\\ncpu family\\t: 25\\nmodel\\t\\t: 17\\n")
        'AMD EPYC, family 25, model 17'
    """
    facts = dict(
        (part.strip() for part in line.split(":", 1)) for line in reversed(text.splitlines()) if line.count(":") >= 1
    )
    name = facts.get("model name", platform.machine())
    more = [f"{word} {facts[key]}" for word, key in (("family", "cpu family"), ("model", "model")) if key in facts]
    return ", ".join([name, *more])


@cache
def fingerprint() -> dict[str, Any]:
    """CPU, cores, and versions of Python and torch; the environments of the peers have the same two.

    Example:
        >>> sorted(fingerprint())
        ['cores', 'cpu', 'python', 'torch']
    """
    info = Path("/proc/cpuinfo")
    return {
        "cpu": processor(info.read_text(encoding="utf-8")) if info.exists() else platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": version("torch"),
    }
