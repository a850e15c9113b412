"""A model of synthkit for linked tables in a process of its own, measured as peers are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.linked.linked_job import Frames, LinkedJob, main
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

LINKED_PROGRAM = ("-m", "benchmarks.linked.linked_ours")  # which a cell of ours runs


class OurTables:
    """A fitted synthesizer of linked tables."""

    def __init__(self, synthesizer: LinkedSynthesizer) -> None:
        self.synthesizer = synthesizer
        log = synthesizer.log
        self.about: dict[str, Any] = {
            "steps": log.steps if log else 0,
            "best_step": log.best_step if log else 0,
            "validation": min(log.validation) if log and log.validation else None,
        }

    def sample(self, units: int, seed: int) -> Frames:
        return self.synthesizer.sample(units, seed=seed)


def fit(job: LinkedJob, tables: Frames) -> OurTables:
    """Fit all tables at once."""
    settings = dict(job["settings"])
    device = str(settings.pop("device", "cpu"))
    schema = LinkedSchema.load(Path(job["schema"]))
    made = LinkedSynthesizer(schema, str(job["who"]), settings=settings, device=device)
    return OurTables(made.fit(tables, seed=int(job["seed"])))


if __name__ == "__main__":
    main(fit, ["synthkit"])
