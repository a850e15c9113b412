"""Faults and load in figures: wrong inputs, kills, full disks, and memory over many runs.

Run: OMP_NUM_THREADS=1 python benchmarks/faults.py [--inputs N] [--kills N] [--disks N] [--runs N] [--minutes M]

What is measured is said in docs/reliability.md; the result is kept in faults.json beside this file.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import corpus
import fuzz


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--inputs", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--minutes", type=float, default=60.0)
    asked.add_argument("--only", nargs="*")
    asked.add_argument("--corpus", type=Path)
    said = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = said.corpus or Path(folder)
        if not (place / "policy.yaml").exists():
            place.mkdir(exist_ok=True)
            corpus.build(place)
        kinds = corpus.kinds(place)
        if said.only:
            kinds = {name: kind for name, kind in kinds.items() if any(each in name for each in said.only)}
        found = fuzz.run(
            kinds, place, inputs=said.inputs, seed=said.seed, say=print, until=time.monotonic() + 60 * said.minutes
        )
    print(
        sum(found.inputs.values()), "inputs", sum(found.refused.values()), "refused", found.told, "told", found.slowest
    )
    for name, examples in sorted(found.faults.items()):
        print(len(examples), name, examples[:2])


if __name__ == "__main__":
    main()
