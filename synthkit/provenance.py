"""Where a run comes from: versions, seeds, machine, seconds; never a digest of the input."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import synthkit
from synthkit.config import RunConfig
from synthkit.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "synthkit-run/1"
PACKAGES = ("numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "torch", "great-expectations")


def facts(
    config: RunConfig, source: str, schema: Schema, draws: Sequence[pd.DataFrame], seconds: Mapping[str, float]
) -> dict[str, Any]:
    """The content of run.json, as plain data."""
    return {
        "format": FORMAT,
        "version": synthkit.__version__,
        "model": config.model,
        "config": json.loads(config.model_dump_json()),
        "seed": config.seed,
        "table": schema.name,
        "source": source,
        "columns": len(schema.columns),
        "draws": len(draws),
        "draw_seeds": [d.attrs.get("synthkit_seed") for d in draws],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command(),
        "seconds": dict(seconds),
        "packages": {"python": platform.python_version(), **packages()},
        "hardware": hardware(),
    }


def command() -> str | None:
    """The command line, without the folders its files lie in; None outside the command."""
    if Path(sys.argv[0]).name != "synthkit":
        return None
    words = ["synthkit", *(Path(w).name if os.sep in w else w for w in sys.argv[1:])]
    return shlex.join(words)


def packages() -> dict[str, str]:
    """Versions of the packages whose arithmetic made the numbers."""
    out = {}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out


def hardware() -> dict[str, Any]:
    """What it ran on."""
    import torch

    cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": cuda,
    }


def plain(text: str) -> Any:
    """JSON text as plain data."""
    return json.loads(text)
