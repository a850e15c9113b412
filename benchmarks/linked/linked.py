"""Linked tables, ours and theirs: cells and their scores, the table of targets, and a million rows.

A cell is a contestant, a set of linked tables and a seed: fitted and drawn in a process of its own with a limit of CPU
time, or published by others. Cells and scores that are there from the same machine, versions and settings are not made
again. Every call writes the table of targets into the page, and prints it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.contest import chosen
from benchmarks.contest.cell_lines import listed
from benchmarks.flags import parser
from benchmarks.linked.linked_cells import LinkedCell, run_linked
from benchmarks.linked.linked_load import LOAD_ROWS, LOAD_STEPS, measure_load, run_load
from benchmarks.linked.linked_page import write_linked_page
from benchmarks.linked.linked_plan import linked_ours, linked_peers
from benchmarks.linked.linked_scoring import is_scored, score_linked
from benchmarks.linked.linked_sources import SOURCES

SHOWN = (
    "fidelity.unit_c2st",
    "fidelity.transitions_tv",
    "fidelity.gap_ks",
    "fidelity.lag_one",
    "fidelity.sdmetrics.quality",
)


def main(words: Sequence[str] | None = None) -> None:
    """Make the cells that are asked for, score them, and write the page after each."""
    flags = parser("linked", __doc__)
    chosen.add(flags)
    flags.add_argument("--threads", type=int, default=1, metavar="N", help="of each fit; 1 if not given")
    flags.add_argument("--units", type=int, metavar="N", help="train on so few units: a trial, in no table")
    flags.add_argument("--no-scores", action="store_true", help="make cells alone; a later call scores them")
    flags.add_argument("--score-again", action="store_true", help="score tables again that are scored")
    flags.add_argument("--page", action="store_true", help="make nothing: write and print what is recorded")
    flags.add_argument("--load", action="store_true", help="a million rows instead: CPU minutes of fit and draw")
    flags.add_argument(
        "--load-rows", type=int, default=LOAD_ROWS, metavar="N", help="of another load, which is not kept"
    )
    flags.add_argument(
        "--load-steps", type=int, default=LOAD_STEPS, metavar="N", help="steps of the load that are made"
    )
    flags.add_argument("--load-here", action="store_true", help="the load in this process, printed as JSON")
    asked = flags.parse_args(words)
    if asked.load_here:
        print(json.dumps(measure_load(asked.load_rows, asked.load_steps, asked.threads)))
        return
    if asked.load:
        print(json.dumps(run_load(asked.load_rows, asked.load_steps, asked.threads), indent=1))
    elif not asked.page:
        of = (asked.seeds, asked.threads, asked.units)
        for cell in chosen.cells(asked, linked_peers(*of), linked_ours(*of)):
            if asked.list:
                print(listed(cell))
                continue
            make(cell, again=asked.again, scores=not asked.no_scores, score_again=asked.score_again)
            write_linked_page()
    if not asked.list:
        print(write_linked_page())


def make(cell: LinkedCell, *, again: bool = False, scores: bool = True, score_again: bool = False) -> None:
    """Make a cell and its scores, unless they are there, and print what came of it.

    Args:
        cell: which.
        again: make it even if it is there.
        scores: whether its tables are scored.
        score_again: score them even if they are.
    """
    if again or not cell.done():
        print(told(run_linked(cell)), flush=True)
    if scores and cell.synthetic.exists() and (score_again or not is_scored(cell)):
        print(told_scores(score_linked(cell)), flush=True)


def told(content: dict[str, Any]) -> str:
    """A cell in one line."""
    head = f"{content['table']} {content['who']} seed {content['seed']}"
    if not content["finished"]:
        return f"{head}: not finished (return code {content['return_code']}, {content['whole']['cpu']:.0f} CPU s)"
    if content.get("published"):
        return f"{head}: as published"
    fit, draw, whole = content["fit"], content["draw"], content["whole"]
    return (
        f"{head}: fit {fit['cpu']:.0f} CPU s ({fit['wall']:.0f} s, others {fit['others']:.2f}), draw {draw['cpu']:.0f} "
        f"CPU s of {draw['rows']:,} rows, whole process {whole['cpu']:.0f} CPU s, {whole['peak_mib']} MiB"
    )


def told_scores(content: dict[str, Any]) -> str:
    """Scores of a cell in one line."""
    if "broken_keys" in content:
        return f"  keys cannot be resolved: {content['broken_keys']}"
    scores = content["scores"]
    parts = [f"{name.removeprefix('fidelity.')} {scores[name]['value']:.4f}" for name in SHOWN if name in scores]
    judged = "" if SOURCES[content["table"]].judged else ", too few units to be judged"
    wrong = sum(content["broken"].values()) + sum(content.get("violations", {}).values())
    return f"  {', '.join([*parts, f'{wrong} rows broken'])}{judged}"
