"""A fit and its samples, done the same way for ours and for peers; standard library and pandas only.

A job is a JSON file: `table` (Parquet of the training rows), `kinds` and public `domain` (by column), `who`, `seed`,
`rows`, `threads`, `settings`, `scratch` (folder for work files), `synthetic` (where the sample goes) and `result`
(where figures go).
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from benchmarks.measure.meter import measured

MANY, MINUTE = 100_000, 60.0  # rows drawn to measure speed, or as many as a minute gives

Job = Mapping[str, Any]


class Fitted(Protocol):
    """What a fit leaves: rows on demand, and what there is to tell of it."""

    about: dict[str, Any]

    def sample(self, rows: int, seed: int) -> pd.DataFrame: ...


def many(rows: int, wall: float) -> int:
    """How many rows to draw to measure speed, after `rows` took `wall` seconds.

    Example:
        >>> many(10_000, 1.0), many(10_000, 60.0), many(200_000, 5.0)
        (100000, 10000, 200000)
    """
    return max(rows, min(MANY, int(MINUTE * rows / max(wall, 1e-9))))


@contextmanager
def torch_threads(many: int) -> Iterator[None]:
    """So many threads for torch while the context lasts: a process that goes on has those it had."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(many)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def work(job: Job, fit: Callable[[Job, pd.DataFrame], Fitted], packages: Sequence[str]) -> None:
    """Fit, sample as many rows as asked, sample more to measure speed, and write what it took."""
    with torch_threads(int(job["threads"])):
        result = _worked(job, fit)
    result["versions"] = {name: version(name) for name in (*packages, "torch", "pandas", "numpy")}
    Path(job["result"]).write_text(json.dumps(result), encoding="utf-8")


def _worked(job: Job, fit: Callable[[Job, pd.DataFrame], Fitted]) -> dict[str, Any]:
    table = pd.read_parquet(job["table"])
    with measured() as fitting:
        fitted = fit(job, table)
    with measured() as first:
        synthetic = fitted.sample(int(job["rows"]), int(job["seed"]) + 1)
    synthetic.to_parquet(job["synthetic"], index=False)
    lots = many(len(synthetic), first["wall"])
    with measured() as sampling:
        fitted.sample(lots, int(job["seed"]) + 2)
    return {
        "fit": fitting,
        "first_sample": {"rows": len(synthetic), **first},
        "sample": {"rows": lots, **sampling},
        "about": fitted.about,
        "python": platform.python_version(),
        "device": str(job["settings"].get("device", "cpu")),
    }


def main(fit: Callable[[Job, pd.DataFrame], Fitted], packages: Sequence[str]) -> None:
    """The job named on the command line."""
    work(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), fit, packages)
