"""The watermark measured: false alarms, power after damage, fidelity, bias of a fixed key, and what refitting leaves.

watermark.json and the tables of docs/provenance.md come of it, in a quarter of an hour on one core. With --only and no
name after it nothing is measured: the page and its picture are made of what was measured before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pandas as pd

from benchmarks.flags import parser
from benchmarks.json_files import read, write
from benchmarks.measure.machine import fingerprint
from benchmarks.pages import rewrite
from benchmarks.places import DOCS, MEASURED
from benchmarks.risk.watermark_curves import picture
from benchmarks.risk.watermark_page import drawn, markdown
from benchmarks.risk.watermark_trials import PARTS, POOL, TABLES, model
from benchmarks.tables.real_tables import parts
from synthkit.metrics.runner import one_thread

START, END = "<!-- watermark -->", "<!-- /watermark -->"
FILE, PAGE = MEASURED / "watermark.json", DOCS / "provenance.md"
PICTURE = PAGE.with_name("watermark.svg")


def measure(wanted: list[str], kept: dict[str, Any]) -> None:
    """The parts that are asked for, each written as soon as it is there."""
    began = time.perf_counter()
    pools = {table: model(table).sample(POOL, seed=2) for table in TABLES}
    pools |= {f"{table} real": pd.concat(parts(table), ignore_index=True) for table in TABLES}
    kept["seconds"]["pools"] = round(time.perf_counter() - began, 1)
    for name in wanted:
        began = time.perf_counter()
        kept[name] = PARTS[name](pools)
        kept["seconds"][name] = round(time.perf_counter() - began, 1)
        write(FILE, kept)
        print(name, kept["seconds"][name], "s", flush=True)


def main(words: Sequence[str] | None = None) -> None:
    """Measure the parts that are asked for, and write the page and its picture."""
    flags = parser("watermark", __doc__)
    flags.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS), help="these parts only")
    asked = flags.parse_args(words)
    kept = read(FILE) if FILE.exists() else {"machine": fingerprint(), "seconds": {}}
    if asked.only:
        with one_thread():
            measure(asked.only, kept)
    rewrite(PAGE, markdown(kept), START, END)
    said = (
        "Share of marked tables that are found at p of at most 1e-6, over rows released, for each damage; and share of "
        "a thousand tables without a mark whose p is at most a level. docs/provenance.md gives the numbers."
    )
    PICTURE.write_text(picture(**drawn(kept), title="Marked tables found, and false alarms", said=said), "utf-8")
