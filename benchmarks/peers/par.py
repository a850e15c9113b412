"""PAR of the package sdv on units with one table of rows: columns of the unit are its context; its defaults.

It makes no unit without rows: units that have none are not shown to it, and none of its units has none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from sdv.metadata import Metadata
from sdv.sequential import PARSynthesizer

from benchmarks.linked.linked_job import OWNER, REFUSED, ROW, Frames, LinkedJob, main

SDTYPES = {"numeric": "numerical", "datetime": "datetime"}


class Sequences:
    """A fitted synthesizer of sequences."""

    def __init__(self, model: PARSynthesizer, job: LinkedJob) -> None:
        self.model, (self.unit, self.child) = model, job["graph"]
        self.about: dict[str, Any] = {}

    def sample(self, units: int, seed: int) -> Frames:
        torch.manual_seed(seed)
        drawn = self.model.sample_sequences(num_sequences=units)
        rows = (next(iter(drawn.values())) if isinstance(drawn, dict) else drawn).reset_index(drop=True)
        firsts = rows.drop_duplicates(OWNER, ignore_index=True)
        people = pd.DataFrame({c: firsts[context(self.unit, c)] for c in self.unit["kinds"]})
        people.insert(0, ROW, firsts[OWNER])
        events = rows[[OWNER, *self.child["kinds"]]].copy()
        events.insert(0, ROW, np.arange(len(events)))
        return {self.unit["table"]: people, self.child["table"]: events}


def context(unit: dict[str, Any], column: str) -> str:
    """What a column of the unit is called among the rows."""
    return f"{unit['table']}.{column}"


def fit(job: LinkedJob, tables: Frames) -> Sequences:
    if len(job["graph"]) != 2:
        print("PAR takes units with one table of rows; however: there are more tables")
        raise SystemExit(REFUSED)
    unit, child = job["graph"]
    torch.manual_seed(int(job["seed"]))
    people = tables[unit["table"]].set_index(ROW)
    people = people.rename(columns={c: context(unit, c) for c in unit["kinds"]})
    rows = tables[child["table"]].drop(columns=ROW).join(people, on=OWNER)
    kinds = {**child["kinds"], **{context(unit, c): kind for c, kind in unit["kinds"].items()}}
    columns = {name: {"sdtype": SDTYPES.get(kind, "categorical")} for name, kind in kinds.items()}
    table: dict[str, Any] = {"columns": {OWNER: {"sdtype": "id"}, **columns}, "sequence_key": OWNER}
    if child["start"] is not None:
        table["sequence_index"] = child["start"]
    meaning = Metadata.load_from_dict({"tables": {child["table"]: table}})
    names = [context(unit, c) for c in unit["kinds"]]
    model = PARSynthesizer(meaning, context_columns=names, cuda=False, **job["settings"])
    model.fit({child["table"]: rows})
    return Sequences(model, job)


if __name__ == "__main__":
    main(fit, ["sdv", "deepecho"])
