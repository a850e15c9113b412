"""Ours and theirs under the same budgets, delta 1e-5: cells and their scores, made as the command `bench` makes them.

AIM and MST take codes: they get our private bins and decoder for nothing, and their whole epsilon for tables. What is
there from the same machine, versions and settings is not made again. Who has a budget is named after it: marginal@1.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.contest import ahead, budgets, cell_lines, chosen, private_plan
from benchmarks.flags import parser


def main(words: Sequence[str] | None = None) -> None:
    """Make the cells that are asked for, then write the pages."""
    flags = parser("private", __doc__)
    chosen.add(flags)
    asked = flags.parse_args(words)
    for cell in chosen.cells(asked, private_plan.peers(asked.seeds), private_plan.ours(asked.seeds)):
        if asked.list:
            print(cell_lines.listed(cell))
        else:
            cell_lines.make(cell, again=asked.again)
    if not asked.list:
        budgets.write_pages()
        ahead.write_pages()
