"""A model of synthkit in a process of its own, measured as peers are.

`+rake` samples from the plain fit, raked to the tables of its sample.

With `epsilon` and `delta` among its settings it is fitted under that budget, which pays for its bins too.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.measure.job import Job, main
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.schema import Schema
from synthkit.synthesizer.synthesizer import Synthesizer

RAKE = "+rake"
PROGRAM = ("-m", "benchmarks.contest.ours")  # which a cell of ours runs
BY_ROW = "-by-row"  # protects each row by itself, whatever unit the schema declares


class Ours:
    """A fitted synthesizer; only the columns a model learns are handed on, as with peers."""

    def __init__(self, synthesizer: Synthesizer, *, rake: bool, loaded: bool) -> None:
        self.synthesizer = synthesizer
        self.options: dict[str, Any] = {"rake": "sample"} if rake else {}
        log = synthesizer.log
        self.about: dict[str, Any] = {
            "loaded": loaded,
            "steps": log.steps if log else 0,
            "best_step": log.best_step if log else 0,
            "validation": min(log.validation) if log and log.validation else None,
        }

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        drawn = self.synthesizer.sample(rows, seed=seed, **self.options)
        return drawn[list(self.synthesizer.schema.learned)]


def fresh(path: Path, settings: dict[str, Any], unit: str | None) -> Ledger | None:
    """A fresh ledger with the budget among the settings, which is taken out of them; none if there is none."""
    if "epsilon" not in settings:
        return None
    path.unlink(missing_ok=True)
    epsilon, delta = float(settings.pop("epsilon")), float(settings.pop("delta"))
    return Ledger.new(path, Budget(epsilon=epsilon, delta=delta, unit=unit))


def fit(job: Job, table: pd.DataFrame) -> Ours:
    """Fit the whole table, of which the synthesizer takes what it learns; or load what the plain cell fitted."""
    name, rake = job["who"].removesuffix(RAKE), job["who"].endswith(RAKE)
    scratch = Path(job["scratch"])
    saved = scratch.with_name(scratch.name.replace(RAKE, "")) / "model"
    settings = {k: v for k, v in job["settings"].items() if k != "device"}
    device = str(job["settings"].get("device", "cpu"))
    if rake and saved.exists():
        return Ours(Synthesizer.load(saved, device=device), rake=True, loaded=True)
    shutil.rmtree(saved, ignore_errors=True)
    meaning = Schema.load(job["schema"])
    if settings.pop("unit", "declared") is None:  # each row is one: what it costs to protect all rows of a person
        meaning = meaning.model_copy(update={"unit": None})
    ledger = fresh(scratch / "ledger.json", settings, meaning.unit)
    synthesizer = Synthesizer(
        meaning, name.split("@")[0].removesuffix(BY_ROW), settings=settings, device=device, margins=ledger is None
    )
    synthesizer.fit(table, seed=int(job["seed"]), ledger=ledger)
    synthesizer.save(saved)
    return Ours(synthesizer, rake=rake, loaded=False)


if __name__ == "__main__":
    main(fit, ["synthkit"])
