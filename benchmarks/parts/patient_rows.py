"""One table of patients with several encounters under a budget: tables of two columns by what is protected and counted.

Diabetes 130 (67 % of the patients), `marginal`, epsilon 3, delta 1e-5: all encounters of a patient up to 10, one of
each, and encounters protected each by itself. Needs diabetes130 (benchmarks/README.md says where from).
patient_rows.json and the table of docs/models.md come of it, in a few minutes. With --page nothing is measured.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.flags import parser
from benchmarks.json_files import read, write
from benchmarks.measure.machine import fingerprint
from benchmarks.measure.scoring import completed
from benchmarks.pages import rewrite
from benchmarks.places import DOCS, MEASURED
from benchmarks.tables.real_tables import parts, schema
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.fidelity import distributions
from synthkit.metrics.result import Score
from synthkit.metrics.runner import one_thread
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.synthesizer.synthesizer import Synthesizer

START, END = "<!-- patient_rows -->", "<!-- /patient_rows -->"
FILE, PAGE = MEASURED / "patient_rows.json", DOCS / "models.md"
TABLE, EPSILON, DELTA, SEEDS = "diabetes130", 3.0, 1e-5, (0, 1, 2)
ALL, ONE, ALONE = "a patient, all rows up to 10", "a patient, one row of each", "a row"  # what is protected and counted
WAYS: Mapping[str, Mapping[str, Any]] = {ALL: {}, ONE: {"max_rows_per_unit": 1}, ALONE: {"unit": None}}
SHOWN: Mapping[str, str] = {"fidelity.tv1_train": "one-way", "fidelity.tv2_train": "two-way"}


def cell(way: str, seed: int) -> dict[str, float]:
    """Similarity to the training rows of as many that are drawn, and what the fit took."""
    train, holdout = parts(TABLE)
    declared = schema(TABLE)
    asked = dict(WAYS[way])
    meaning = declared.model_copy(update={"unit": asked.pop("unit", declared.unit)})
    clock = time.process_time()
    with TemporaryDirectory() as folder:
        budget = Budget(epsilon=EPSILON, delta=DELTA, unit=meaning.unit, **asked)
        ledger = Ledger.new(Path(folder) / "ledger.json", budget)
        made = Synthesizer(meaning, "marginal", device="cpu", margins=False).fit(train, seed=seed, ledger=ledger)
        taken = round(time.process_time() - clock, 1)
        drawn = made.sample(len(train), seed=seed + 1)[list(meaning.learned)]
    return {**similarity(train, holdout, drawn), "fit, CPU s": taken}


def similarity(train: pd.DataFrame, holdout: pd.DataFrame, drawn: pd.DataFrame) -> dict[str, float]:
    """Similarity of tables of one and of two columns to those of the training rows."""
    meaning = schema(TABLE)
    rows, _ = completed(drawn, meaning)
    comparison = EvaluationData(train=train, holdout=holdout, synthetic=(rows,), schema=meaning)
    rng = np.random.default_rng(0)
    found = [*distributions.columns(comparison, rng)[0], *distributions.pairs(comparison, rng)[0]]
    return {SHOWN[s.metric]: round(s.value, 4) for s in found if isinstance(s, Score) and s.metric in SHOWN}


def markdown(content: Mapping[str, Any]) -> str:
    """The table of the page: medians over seeds, smallest and largest."""
    heads = ["protected, and counted", *SHOWN.values(), "seeds"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for way, each in content["found"].items():
        values = [sorted(one[name] for one in each.values()) for name in SHOWN.values()]
        shown = [f"{np.median(x):.4f} ({x[0]:.4f} to {x[-1]:.4f})" for x in values]
        lines.append("| " + " | ".join([way, *shown, str(len(each))]) + " |")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write both files; each cell is kept when it is there."""
    flags = parser("patient_rows", __doc__)
    flags.add_argument("--page", action="store_true", help="measure nothing: write the page from patient_rows.json")
    flags.add_argument("--seeds", type=int, nargs="+", default=SEEDS, metavar="N", help="of the fits")
    flags.add_argument(
        "--only",
        type=int,
        nargs="+",
        default=range(len(WAYS)),
        metavar="K",
        help="ways by number, in the order of the page",
    )
    asked = flags.parse_args(words)
    content = read(FILE) if FILE.exists() else {"table": TABLE, "epsilon": EPSILON, "delta": DELTA, "found": {}}
    for seed in [] if asked.page else asked.seeds:
        for way in (list(WAYS)[k] for k in asked.only):
            with one_thread():
                content["found"].setdefault(way, {})[str(seed)] = cell(way, seed)
            print(f"{way}, seed {seed}: {content['found'][way][str(seed)]}", flush=True)
            write(FILE, {**content, "machine": fingerprint()})
    rewrite(PAGE, markdown(read(FILE)), START, END)
    print(markdown(read(FILE)))
