"""Adult, official split: fit on the training file, score against the official test file.

Run: python benchmarks/adult.py [--seeds 3]
"""

from __future__ import annotations

import argparse

import pandas as pd
from common import data, fit_and_score, line, save, schema


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    train, test = (pd.read_parquet(data("adult") / f"{part}.parquet") for part in ("train", "test"))
    results = []
    for seed in range(seeds):
        results.append(fit_and_score(train, test, schema("adult"), seed=seed))
        print(line(results[-1]), flush=True)
    save("adult", results)


if __name__ == "__main__":
    main()
