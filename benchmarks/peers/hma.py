"""HMA of the package sdv on linked tables, at its defaults; its limits are its own and are not worked around."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sdv.errors import SynthesizerInputError
from sdv.metadata import Metadata
from sdv.multi_table import HMASynthesizer

from benchmarks.linked.linked_job import OWNER, REFUSED, ROW, Frames, LinkedJob, main

SDTYPES = {"numeric": "numerical", "datetime": "datetime"}


class Hierarchy:
    """A fitted synthesizer."""

    def __init__(self, model: HMASynthesizer, unit: str) -> None:
        self.model, self.unit = model, unit
        self.about: dict[str, Any] = {}

    def sample(self, units: int, seed: int) -> Frames:
        drawn: dict[str, pd.DataFrame] = self.model.sample(num_rows=units, main_table_name=self.unit)
        return drawn


def metadata(job: LinkedJob) -> dict[str, Any]:
    """The tables in the words of sdv: columns by kind, keys, and which table belongs to which."""
    tables, links = {}, []
    for each in job["graph"]:
        columns = {name: {"sdtype": SDTYPES.get(kind, "categorical")} for name, kind in each["kinds"].items()}
        columns[ROW] = {"sdtype": "id"}
        if each["owner"] is not None:
            columns[OWNER] = {"sdtype": "id"}
            links.append(
                {"parent_table_name": each["owner"], "parent_primary_key": ROW,
                 "child_table_name": each["table"], "child_foreign_key": OWNER}
            )  # fmt: skip
        tables[each["table"]] = {"columns": columns, "primary_key": ROW}
    return {"tables": tables, "relationships": links}


def fit(job: LinkedJob, tables: Frames) -> Hierarchy:
    try:
        model = HMASynthesizer(Metadata.load_from_dict(metadata(job)), verbose=False, **job["settings"])
    except SynthesizerInputError as error:  # more than five tables, or two levels below the root
        print(error)
        raise SystemExit(REFUSED) from error
    model.fit({each["table"]: tables[each["table"]] for each in job["graph"]})
    return Hierarchy(model, job["graph"][0]["table"])


if __name__ == "__main__":
    main(fit, ["sdv", "rdt"])
