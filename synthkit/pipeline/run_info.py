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

from synthkit._version import __version__
from synthkit.io.json_types import JSONDict
from synthkit.pipeline.run_config import RunConfig
from synthkit.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.models.base import TrainingLog
    from synthkit.synthesizer.synthesizer import Synthesizer

FORMAT = "synthkit-run/1"
FILE_OPTIONS = (
    "suite",
    "population",
    "watermark",
    "ledger",
    "work_folder",
)  # of a configuration, named without their folders
PACKAGES = (
    *("numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "torch", "great-expectations"),
    *("opendp", "dp-accounting"),
)


def facts(schema: Schema, source: str, seconds: Mapping[str, float], **more: Any) -> JSONDict:
    """The content of run.json, as plain data.

    Args:
        schema: meaning of the table.
        source: name of the file the rows came from, without its folders.
        seconds: time each stage took.
        more: facts only some runs have.
    """
    return {
        "format": FORMAT,
        "version": __version__,
        "table": schema.name,
        "source": source,
        "columns": len(schema.columns),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command(),
        "seconds": dict(seconds),
        "packages": {"python": platform.python_version(), **packages()},
        "hardware": hardware(),
        **more,
    }


def fitted(config: RunConfig) -> JSONDict:
    """The facts of whatever was fitted: model, seed and all settings; files by their names without folders."""
    asked = json.loads(config.model_dump_json(exclude=None if config.baselines else {"baselines"}))
    return {
        "model": config.model,
        "seed": config.seed,
        "config": {
            **asked,
            **{name: path and path.name for name in FILE_OPTIONS for path in [getattr(config, name)]},
        },
    }


def command() -> str | None:
    """The command line, without folders outside the one it was called in; None outside the command.

    Example:
        >>> import sys
        >>> sys.argv, before = ["bin/synthkit", "run", "/home/ann/icu.csv", "--out=runs/icu"], sys.argv
        >>> command()
        'synthkit run icu.csv --out=runs/icu'
        >>> sys.argv = before
    """
    called = Path(sys.argv[0])
    if called.name != "synthkit" and called.parts[-2:] != ("synthkit", "__main__.py"):
        return None
    return shlex.join(["synthkit", *map(_without_folders, sys.argv[1:])])


def _without_folders(word: str) -> str:
    head, sign, tail = word.partition("=") if word.startswith("-") else ("", "", word)
    path = Path(tail)
    return head + sign + (path.name if path.is_absolute() or ".." in path.parts else tail)


def packages() -> dict[str, str]:
    """Versions of the packages whose arithmetic made the numbers."""
    out = {}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out


def hardware() -> JSONDict:
    """What it ran on; threads and GPU only if torch was used, for an evaluation never loads it."""
    machine = {"machine": platform.machine(), "system": platform.system(), "cores": os.cpu_count()}
    torch = sys.modules.get("torch")
    if torch is None:
        return machine
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {**machine, "threads": torch.get_num_threads(), "gpu": gpu}


def learned(synthesizer: Synthesizer, config: RunConfig, said: Sequence[str]) -> JSONDict:
    """What was asked and what came of it: the model `auto` chose, every setting, the steps, what was said."""
    log = synthesizer.log
    trained = None if log is None or not log.steps else _trained(log)
    return {
        **fitted(config),
        "model": synthesizer.model_name,
        "why": synthesizer.why,
        "settings": synthesizer.settings,
        "trained": trained,
        "notes": list(said),
    }


def _trained(log: TrainingLog) -> JSONDict:
    """Steps made, the step whose weights were kept, and the memory it was estimated to take."""
    memory = None if log.memory is None else round(log.memory / 2**20)
    return {"steps": log.steps, "kept": log.best_step, "seconds": round(log.seconds, 2), "memory_mib": memory}


def raked(draws: tuple[pd.DataFrame, ...]) -> dict[str, int] | None:
    """Of raked draws, how many rows were chosen from how many; None if they are plain."""
    attrs = draws[0].attrs
    return {"rows": len(draws[0]), "pool": attrs["synthkit_pool"]} if attrs["synthkit_calibrated"] else None
