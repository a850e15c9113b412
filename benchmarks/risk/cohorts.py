"""Cohorts of 50 to 1,600 people: fidelity against membership, epsilon 8 against no budget; cohorts.json and its page.

People are drawn from support2, adult and breast_cancer; as many rows are drawn as people were fitted, and held against
people whom no fit saw. Cells that are there are not measured again. From the figures come the page
docs/explanation/small_cohorts.md with its picture, and the evidence that `auto` chooses by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.flags import parser
from benchmarks.json_files import read, write
from benchmarks.measure.machine import fingerprint
from benchmarks.pages import rewrite
from benchmarks.places import DOCS, MEASURED, ROOT
from benchmarks.risk.cohort_cells import CONTESTANTS, SIZES, TABLES, Cohort, SmallFit, measured
from benchmarks.risk.cohort_evidence import evidence
from benchmarks.risk.cohort_page import answer, points, tables
from benchmarks.risk.cohort_picture import picture
from synthkit.metrics.runner import one_thread
from synthkit.models.auto_evidence import SHIPPED, AutoEvidence

FILE, PAGE = MEASURED / "cohorts.json", DOCS / "explanation" / "small_cohorts.md"
PICTURE = PAGE.with_suffix(".svg")
EVIDENCE = ROOT / "synthkit" / "models" / SHIPPED
ANSWER, TABLE = ("<!-- answer -->", "<!-- /answer -->"), ("<!-- cohorts -->", "<!-- /cohorts -->")
TITLE = "Small cohorts: fidelity against membership"
SAID = (
    "For each table three panels. Likeness to people held out against the AUC of an attacker, a mark for each model "
    "and number of people; that AUC over the number of people; that likeness over the number of people. Dashed lines "
    "are what real rows that nobody learned from reach."
)
MOST = {"breast_cancer": 284}  # people of a table that can be fitted, where the sizes go beyond


def planned(
    tables: Sequence[str], sizes: Sequence[int], seeds: Sequence[int], who: Sequence[str] | None
) -> Iterator[tuple[str, int, int, SmallFit]]:
    """Table, people, seed and contestant of every cell; a table that ends before a size is measured at its end."""
    for seed in seeds:
        for n in sizes:
            for table in tables:
                many = min(n, MOST.get(table, n))
                if many < n and n != min(size for size in SIZES if size >= many):
                    continue
                for contestant in CONTESTANTS:
                    if who is None or contestant.name in who:
                        yield table, many, seed, contestant


def key(cell: Mapping[str, Any]) -> tuple[str, int, int, str]:
    """What a cell is kept under."""
    return cell["table"], cell["n"], cell["seed"], cell["who"]


def main(words: Sequence[str] | None = None) -> None:
    """Measure the cells that are not there, and write figures, page, picture and evidence."""
    flags = parser("cohorts", __doc__)
    flags.add_argument("--tables", nargs="+", default=list(TABLES), metavar="NAME", help=" ".join(TABLES))
    flags.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), metavar="N", help="people fitted")
    flags.add_argument("--seeds", nargs="+", type=int, default=[0, 1], metavar="K")
    flags.add_argument("--only", nargs="+", metavar="WHO", help="these contestants only")
    flags.add_argument("--page", action="store_true", help="write what is there, measure nothing")
    asked = flags.parse_args(words)
    kept = read(FILE) if FILE.exists() else {"machine": fingerprint(), "cells": []}
    there = {key(cell) for cell in kept["cells"]}
    for table, n, seed, who in () if asked.page else planned(asked.tables, asked.sizes, asked.seeds, asked.only):
        if (table, n, seed, who.name) in there:
            continue
        with one_thread():
            cell = measured(Cohort.of(table, n, seed), who, seed)
        kept["cells"].append(cell)
        write(FILE, kept)
        print(*key(cell), *(f"{cell[name]:.3f}" for name in ("similarity", "floor", "c2st", "auc", "cpu")), flush=True)
    written(kept)


def written(kept: Mapping[str, Any]) -> None:
    """Put what is recorded into the package, the page and the picture."""
    plain = evidence(kept["cells"])
    write(EVIDENCE, plain)
    known = AutoEvidence.of(plain)
    rewrite(PAGE, answer(kept, known), *ANSWER)
    rewrite(PAGE, tables(kept, known), *TABLE)
    PICTURE.write_text(picture(points(kept, known), title=TITLE, said=SAID), encoding="utf-8")
