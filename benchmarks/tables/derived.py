"""A table that is made of another, written as a file, so that other tools can be measured on the same rows.

Training and holdout rows are those that every cell is fitted on and scored against. Their schema lies in schemas/.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.flags import parser
from benchmarks.tables.derived_tables import DERIVED
from benchmarks.tables.real_tables import parts


def main(words: Sequence[str] | None = None) -> None:
    """Write both parts of the table as Parquet."""
    flags = parser("derived", __doc__)
    flags.add_argument("name", choices=list(DERIVED), help="of the table")
    flags.add_argument("--out", type=Path, default=Path("runs"), help="folder of the two files; runs if not given")
    asked = flags.parse_args(words)
    asked.out.mkdir(parents=True, exist_ok=True)
    for part, frame in zip(("train", "holdout"), parts(asked.name), strict=True):
        path = asked.out / f"{asked.name}-{part}.parquet"
        frame.to_parquet(path, index=False)
        print(f"{path}: {len(frame):,} rows, {len(frame.columns)} columns")
