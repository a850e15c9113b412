"""The section on what is needed to repeat the run; no digest of the input, which would identify it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, cast

from synthkit.io.json_types import JSON
from synthkit.report.context import ReportContext
from synthkit.report.inputs import RunFacts
from synthkit.report.labels import seconds
from synthkit.report.records import Fact
from synthkit.report.section_spec import SectionSpec

REPEATED_FACTS = (
    *("version", "command", "model", "why", "seed", "evaluation_seed"),
    *("quick", "date", "python", "platform", "hardware", "threads"),
)
FACT_LABELS = {"version": "synthkit", "why": "Chosen", "seed": "Root seed", "evaluation_seed": "Evaluation seed"}


class ReproducibilityData(TypedDict):
    """Facts, seconds by step, and settings."""

    rows: list[Fact]
    steps: list[Fact]
    config: list[Fact]


def reproducibility(facts: RunFacts) -> ReproducibilityData:
    """Versions, seeds, settings and times of a run."""
    written = {True: "yes", False: "no"}
    said = cast("Mapping[str, JSON]", facts)
    rows = [
        (FACT_LABELS.get(k, k.capitalize()), written[v] if isinstance(v, bool) else str(v))
        for k in REPEATED_FACTS
        if (v := said.get(k)) is not None and not isinstance(v, Mapping)
    ]
    hardware, config = facts.get("hardware"), facts.get("config")
    if isinstance(hardware, Mapping):
        rows += [(k.capitalize(), str(v)) for k, v in hardware.items() if v is not None]
    rows += [(str(k), str(v)) for k, v in (facts.get("packages") or {}).items()]
    steps = [(str(k), seconds(v)) for k, v in (facts.get("seconds") or {}).items() if isinstance(v, int | float)]
    settled: dict[str, JSON] = {}
    if isinstance(config, Mapping):
        settled = {**config, "settings": facts.get("settings", config.get("settings"))}
    return {"rows": rows, "steps": steps, "config": _lines(settled)}


def _lines(config: Mapping[str, JSON], under: str = "") -> list[Fact]:
    out: list[Fact] = []
    for key, value in config.items():
        out += _lines(value, f"{under}{key}.") if isinstance(value, Mapping) else [(f"{under}{key}", str(value))]
    return out


def _shareable(data: ReproducibilityData) -> ReproducibilityData:
    """Without the command, which names files, and without times, which follow the rows."""
    return {**data, "rows": [row for row in data["rows"] if row[0] != "Command"], "steps": []}


def _data(context: ReportContext) -> ReproducibilityData:
    return reproducibility(context.facts)


REPRODUCIBILITY = SectionSpec(
    id="reproducibility", title="Reproducibility", data=_data, tag="public", shareable=_shareable
)
