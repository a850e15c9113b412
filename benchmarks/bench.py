"""Ours and theirs on the same machine, cores, seeds and rows.

Run: python benchmarks/bench.py [--peers] [--seeds 0 1 2] [--threads 1] [--again]
"""

from __future__ import annotations

import argparse
from typing import Any

import plan
from cells import run


def line(content: dict[str, Any]) -> str:
    """A cell in one line."""
    head = f"{content['table']} {content['who']} seed {content['seed']}"
    if not content["finished"]:
        return f"{head}: not finished (return code {content['return_code']})"
    fit, sample = content["fit"], content["sample"]
    rate = sample["rows"] / max(sample["cpu"], 1e-9)
    return (
        f"{head}: fit {fit['cpu']:.0f} CPU s ({fit['wall']:.0f} s, others {fit['others']:.2f}), "
        f"{rate:,.0f} rows/CPU s, {sample['peak_mib']} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", action="store_true", help="the peers' cells only")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="make cells again that are there")
    asked = parser.parse_args()
    for cell in plan.peers(asked.seeds, asked.threads):
        if asked.again or not cell.done():
            print(line(run(cell)), flush=True)


if __name__ == "__main__":
    main()
