"""Flags of the commands that make cells, and the cells that are asked for by them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import TypeVar

from benchmarks.measure.cells import Cell

Kind = TypeVar("Kind", bound=Cell)


def add(parser: argparse.ArgumentParser) -> None:
    """Flags that say which cells are meant, and what is done with them."""
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--peers", action="store_true", help="the peers' cells only")
    whose.add_argument("--ours", action="store_true", help="our cells only")
    parser.add_argument("--only", nargs="+", metavar="WHO", help="these contestants only, such as marginal@1")
    parser.add_argument("--tables", nargs="+", metavar="NAME", help="these tables only")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="0 1 2 if not given")
    parser.add_argument("--again", action="store_true", help="make cells again that are there")
    parser.add_argument("--list", action="store_true", help="say what is known of each cell, and make none")


def cells(asked: argparse.Namespace, peers: Iterable[Kind], ours: Iterable[Kind]) -> Iterator[Kind]:
    """Those asked for, in order."""
    for cell in [*([] if asked.ours else peers), *([] if asked.peers else ours)]:
        if (asked.only and cell.who.name not in asked.only) or (asked.tables and cell.table not in asked.tables):
            continue
        yield cell
