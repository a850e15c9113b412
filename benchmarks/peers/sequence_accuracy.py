"""The official figures of the MOSTLY AI Prize: mostlyai-qa's report of sequences, in an environment of its own.

Called with a job: `synthetic`, `training` and `holdout` (Parquet of the rows), `key` (column that names the group),
`seed`, `scratch` and `result` (where the figures go). The prize's organisers call it so, but for the embeddings.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from mostlyai import qa

EMBEDDED = 1_000  # rows whose texts are embedded, for distances that we do not tell of; all take hours of one core


def figures(job: dict[str, Any]) -> dict[str, Any]:
    """Accuracy and its ceiling (what the holdout scores), similarity and distances, by name."""
    synthetic, training, holdout = (pd.read_parquet(job[name]) for name in ("synthetic", "training", "holdout"))
    qa.set_random_state(int(job["seed"]))
    _, metrics = qa.report(  # none of fewer than a hundred groups
        syn_tgt_data=synthetic,
        trn_tgt_data=training,
        hol_tgt_data=holdout,
        tgt_context_key=job["key"],
        max_sample_size_embeddings=EMBEDDED,
        report_path=Path(job["scratch"]) / "official.html",
    )
    if metrics is None:
        raise SystemExit("the official figures need a hundred groups; however: there are fewer")
    return {"mostlyai-qa": version("mostlyai-qa"), **json.loads(metrics.model_dump_json())}


def main() -> None:
    """The job named on the command line."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(job["result"]).write_text(json.dumps(figures(job)), encoding="utf-8")


if __name__ == "__main__":
    main()
