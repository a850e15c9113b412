"""A table of as many rows as are wanted: connections drawn with repetition, their bytes, counts and rates jittered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.places import BENCH
from benchmarks.tables.real_tables import data
from synthkit.io.atomic_files import replacing

PART_ROWS = 1_000_000  # rows of a file
FOLDER = BENCH / "large"  # work files, not kept
SOURCE = "kddcup99_10pct/kddcup.parquet"
BYTES = ("src_bytes", "dst_bytes")
COUNTS = {"count": 511, "srv_count": 511, "dst_host_count": 255, "dst_host_srv_count": 255}  # and where each is cut


def jittered(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The rows with other numbers of the same kind: nothing, everything and what is cut off stay what they are.

    Args:
        frame: rows of the table of connections.
        rng: for the jitter.
    """
    out = frame.copy()
    for name in BYTES:
        some = out[name].to_numpy()
        out[name] = np.where(some > 0, np.maximum(np.rint(some * rng.uniform(0.9, 1.1, len(some))), 1), 0).astype(int)
    for name, most in COUNTS.items():
        some = out[name].to_numpy()
        moved = np.clip(some + rng.integers(-3, 4, len(some)), 1, most - 1)
        out[name] = np.where((some > 0) & (some < most), moved, some)
    for name in (name for name in out.columns if name.endswith("_rate")):
        some = out[name].to_numpy()
        moved = np.clip(np.rint(some * 100) + rng.integers(-2, 3, len(some)), 1, 99) / 100
        out[name] = np.where((some > 0) & (some < 1), moved, some)
    return out


def large_table(rows: int, folder: Path | None = None) -> Path:
    """A folder of Parquet files of a million rows each; parts that are there stay.

    Args:
        rows: a multiple of a million, or fewer than that.
        folder: where; among the work files if not given.
    """
    folder = FOLDER / f"{rows}" if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    source: pd.DataFrame | None = None
    for k in range(-(-rows // PART_ROWS)):
        path = folder / f"part-{k:05d}.parquet"
        if path.exists():
            continue
        source = pd.read_parquet(data(SOURCE)) if source is None else source
        rng = np.random.default_rng([2026, k])
        chosen = rng.choice(len(source), min(PART_ROWS, rows - k * PART_ROWS))
        with replacing(path) as temporary:
            jittered(source.iloc[chosen], rng).to_parquet(temporary, index=False, compression="zstd")
    return folder
