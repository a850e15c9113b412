"""A fit of linked tables and a draw of them, done alike for ours and for peers; standard library and pandas only.

A job is a JSON file: `tables` (Parquet by table), `schema` (for ours), `graph` (tables, owners first, each with
`table`, `owner`, `kinds` by column, `start` and `until`), `who`, `seed`, `units` (to be drawn), `threads`, `settings`,
`scratch`, `synthetic` (folder the tables go to) and `result`. Peers find rows named by `ROW` and owners by `OWNER`.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from benchmarks.measure.meter import measured

ROW, OWNER = "row number", "owner number"
REFUSED = 3  # exit status of a peer that is not made for such tables

LinkedJob = Mapping[str, Any]
Frames = Mapping[str, pd.DataFrame]


class FittedTables(Protocol):
    """What a fit leaves: units with all their rows on demand, and what there is to tell of it."""

    about: dict[str, Any]

    def sample(self, units: int, seed: int) -> Frames: ...


def work(job: LinkedJob, fit: Callable[[LinkedJob, Frames], FittedTables], packages: Sequence[str]) -> None:
    """Fit, draw as many units as asked, and write what each took."""
    import torch

    torch.set_num_threads(int(job["threads"]))
    tables = {name: pd.read_parquet(path) for name, path in job["tables"].items()}
    with measured() as fitting:
        fitted = fit(job, tables)
    with measured() as drawing:
        drawn = fitted.sample(int(job["units"]), int(job["seed"]) + 1)
    folder = Path(job["synthetic"])
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in drawn.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    result = {
        "fit": fitting,
        "draw": {"units": int(job["units"]), "rows": sum(map(len, drawn.values())), **drawing},
        "about": fitted.about,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in (*packages, "torch", "pandas", "numpy")},
    }
    Path(job["result"]).write_text(json.dumps(result), encoding="utf-8")


def main(fit: Callable[[LinkedJob, Frames], FittedTables], packages: Sequence[str]) -> None:
    """The job named on the command line."""
    work(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), fit, packages)
