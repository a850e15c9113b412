"""Ours and theirs on the same machine, cores, seeds and rows: cells, their scores, and the table of targets.

What is there from the same machine, versions and settings is not made again, so that a run can be broken off and
continued. Cells of a contestant without a budget; those with one are made by `python -m benchmarks private`.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.contest import ahead, cell_lines, chosen, plan, ratios, table
from benchmarks.flags import parser

TIMING = {"seeds": [0], "threads": 2}  # on a machine that does nothing else


def main(words: Sequence[str] | None = None) -> None:
    """Make the cells that are asked for, and write the pages after each."""
    flags = parser("bench", __doc__)
    chosen.add(flags)
    flags.add_argument("--threads", type=int, default=1, metavar="N", help="of each fit; 1 if not given")
    flags.add_argument("--timing", action="store_true", help="2 threads and seed 0, for times; no scores")
    asked = flags.parse_args(words)
    if asked.timing:
        vars(asked).update(TIMING)
    for cell in chosen.cells(asked, plan.peers(asked.seeds, asked.threads), plan.ours(asked.seeds, asked.threads)):
        if asked.list:
            print(cell_lines.listed(cell))
            continue
        cell_lines.make(cell, again=asked.again, scores=not asked.timing)
        pages()
    if not asked.list:
        print(pages())


def pages() -> str:
    """Write what is recorded so far into the pages, so that they are true whenever a run is broken off."""
    table.write_pages()
    ahead.write_pages()
    return ratios.write_page()
