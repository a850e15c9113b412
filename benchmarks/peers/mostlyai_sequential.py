"""mostlyai-engine on linked tables: one model a table, each given the row it belongs to and the rows above that.

Defaults, to its own stop or `max_training_time` minutes of CPU a table, value protection off. Encodings are those of
the kinds; the moment at which a row of a child table happens is TABULAR_DATETIME_RELATIVE, which codes the time since
the row before. Sibling tables do not see each other, and a table sees no other person's rows: so the engine is made.
Under a budget its own noise is used: ranges of values, and gradients clipped by sequence.
"""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from mostlyai import engine
from mostlyai.engine._tabular import training
from mostlyai.engine.domain import DifferentialPrivacyConfig

from benchmarks.linked.linked_job import OWNER, ROW, Frames, LinkedJob, main

ENCODINGS = {"numeric": "TABULAR_NUMERIC_AUTO", "datetime": "TABULAR_DATETIME"}
RARE = {"rare_category_replacement_method": "SAMPLE"}  # under a budget: a level of its own would be in no schema
VALUES = 0.2  # share of a budget that finds the ranges of values
RELATIVE = "TABULAR_DATETIME_RELATIVE"


class EngineTables:
    """A fitted workspace for each table that has columns."""

    def __init__(self, job: LinkedJob) -> None:
        self.graph = {each["table"]: each for each in job["graph"]}
        self.folder = Path(job["scratch"]) / "workspaces"
        self.about: dict[str, Any] = {"epochs": {}}

    def context(self, name: str, tables: Frames) -> pd.DataFrame:
        """Rows of a table with the rows they belong to, all the way up."""
        owner, frame = self.graph[name]["owner"], tables[name]
        own = frame.drop(columns=OWNER, errors="ignore")
        own = own.rename(columns={c: f"{name}.{c}" for c in own if c != ROW})
        if owner is None:
            return own
        above = self.context(owner, tables).set_index(ROW)
        at = above.index.get_indexer(frame[OWNER])
        return pd.concat([own.reset_index(drop=True), above.iloc[at].reset_index(drop=True)], axis=1)

    def encodings(self, name: str) -> dict[str, str]:
        """Of the columns of a table."""
        each = self.graph[name]
        found = {column: ENCODINGS.get(kind, "TABULAR_CATEGORICAL") for column, kind in each["kinds"].items()}
        if each["owner"] is not None and each["kinds"].get(each["start"]) == "datetime":
            found[each["start"]] = RELATIVE
        return found

    def context_encodings(self, name: str) -> dict[str, str]:
        """Of the columns of a table and of all it belongs to, as context."""
        each = self.graph[name]
        found = {f"{name}.{c}": ENCODINGS.get(kind, "TABULAR_CATEGORICAL") for c, kind in each["kinds"].items()}
        return found if each["owner"] is None else found | self.context_encodings(each["owner"])

    def fit(self, name: str, tables: Frames, settings: dict[str, Any]) -> None:
        """One table."""
        each, workspace = self.graph[name], self.folder / name
        if each["owner"] is None:
            engine.split(
                tables[name].drop(columns=ROW), workspace_dir=workspace, tgt_encoding_types=self.encodings(name)
            )
        else:
            engine.split(
                tables[name].drop(columns=ROW),
                ctx_data=self.context(each["owner"], tables),
                tgt_context_key=OWNER,
                ctx_primary_key=ROW,
                tgt_encoding_types=self.encodings(name),
                ctx_encoding_types=self.context_encodings(each["owner"]),
                workspace_dir=workspace,
            )
        private = settings.get("differential_privacy")
        engine.analyze(value_protection=private is not None, differential_privacy=private, workspace_dir=workspace)
        engine.encode(workspace_dir=workspace)
        engine.train(workspace_dir=workspace, **settings)
        progress = pd.read_csv(workspace / "ModelStore" / "model-data" / "progress-messages.csv")
        self.about["epochs"][name] = float(progress["epoch"].max())

    def sample(self, units: int, seed: int) -> Frames:
        engine.set_random_state(seed)
        drawn: dict[str, pd.DataFrame] = {}
        for name, each in self.graph.items():
            workspace = self.folder / name
            if not each["kinds"]:
                drawn[name] = pd.DataFrame({ROW: np.arange(units)})
                continue
            if each["owner"] is None:
                engine.generate(sample_size=units, workspace_dir=workspace, **RARE)
            else:
                engine.generate(ctx_data=self.context(each["owner"], drawn), workspace_dir=workspace, **RARE)
            rows = pd.read_parquet(workspace / "SyntheticData").reset_index(drop=True)
            rows.insert(0, ROW, np.arange(len(rows)))
            drawn[name] = rows
        return drawn


def budgeted(settings: dict[str, Any], tables: int) -> dict[str, Any]:
    """Settings of one table: an `epsilon` is shared by all of them, for the privacy of a person adds up over tables.

    Its unit is the sequence of one owner. Where a table is two steps below its person, that promises a person less
    than it says, which is not held against it here.
    """
    if "epsilon" not in settings:
        return settings
    epsilon, delta = settings.pop("epsilon") / tables, settings.pop("delta") / tables
    private = DifferentialPrivacyConfig(
        max_epsilon=(1 - VALUES) * epsilon, value_protection_epsilon=VALUES * epsilon, delta=delta
    )
    return {**settings, "differential_privacy": private}


def fit(job: LinkedJob, tables: Frames) -> EngineTables:
    training.time = SimpleNamespace(time=time.process_time)  # its limit is of CPU time, whoever else is at work here
    engine.set_random_state(int(job["seed"]))
    fitted = EngineTables(job)
    learned = [name for name, each in fitted.graph.items() if each["kinds"]]
    for name in learned:
        fitted.fit(name, tables, budgeted(dict(job["settings"]), len(learned)))
    return fitted


if __name__ == "__main__":
    main(fit, ["mostlyai-engine"])
