"""A model of synthkit for linked tables in a process of its own, measured as peers are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.linked.linked_job import Frames, LinkedJob, main
from benchmarks.linked.private_tables import private_schema
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
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
    """Fit all tables at once; under a budget where the settings name an `epsilon`."""
    settings = dict(job["settings"])
    device = str(settings.pop("device", "cpu"))
    schema, epsilon = LinkedSchema.load(Path(job["schema"])), settings.pop("epsilon", None)
    delta, ledger = settings.pop("delta", 1e-5), None
    if epsilon is not None:
        schema = private_schema(schema)
        ledger = Ledger.new(
            Path(job["scratch"]) / "ledger.json", Budget(epsilon=epsilon, delta=delta, unit=schema.unit)
        )
    model = str(job["who"]).partition("@")[0]
    made = LinkedSynthesizer(schema, model, settings=settings, device=device)
    return OurTables(made.fit(tables, seed=int(job["seed"]), ledger=ledger))


if __name__ == "__main__":
    main(fit, ["synthkit"])
