"""Whether what is told of the run agrees with rows, schema, statement and report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synthkit.release import run_folder
from synthkit.release.bundle.build_bundle import CONFIG, TOLD, TWIN
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.opened_bundle import Opened

RELEASED = ("Columns", "Model", "Draws", "Calibrated", "Watermark", "Date")  # lines of the report that a run says
SETTINGS = "settings."


def check(bundle: Opened) -> CheckResult:
    """Model, versions, settings, date, columns and draws: each stands somewhere else in the bundle too."""
    fault = next(_faults(bundle), None)
    return broken(fault) if fault else holds("config.json says what rows, schema, statement and report say of the run")


def _faults(bundle: Opened) -> Iterator[str]:
    run, twin = bundle.json(CONFIG), bundle.json(TWIN)
    extra = sorted(set(run) - {*TOLD, "packages"})
    if extra:
        yield f"config.json must hold what a run tells; however: it has `{extra[0]}`"
    draws = sum(name.startswith(f"{run_folder.DRAWS}/") for name in bundle.tables) or 1
    follows = {
        "columns": len(bundle.schema().columns),
        "draws": draws,
        "version": bundle.json(run_folder.STATEMENT)["libraries"]["synthkit"],
        "date": twin["date"],
    }
    yield from (f"config.json says another {key} than the bundle" for key in follows if run[key] != follows[key])
    if run["version"] != twin["version"]:
        yield "config.json says another version than the report"
    libraries = bundle.json(run_folder.STATEMENT)["libraries"]
    told = {**libraries, **run["packages"]}
    yield from (
        f"config.json and statement.json say other versions of {name}"
        for name in libraries
        if told[name] != libraries[name]
    )
    yield from _marked(bundle, run)
    yield from _reported(run, {section["id"]: section for section in twin["sections"]})


def _marked(bundle: Opened, run: Mapping[str, Any]) -> Iterator[str]:
    """Tables that say another day or version than the run."""
    from synthkit.io.provenance_marks import provenance_mark, read_mark

    right = {**provenance_mark(date=str(run["date"])[:10]), "version": run["version"]}
    for name in bundle.tables:
        with bundle.file(name) as path:
            if read_mark(path) != right:
                yield f"{name} says another date or version than config.json"


def _reported(run: Mapping[str, Any], sections: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Lines of the report that say another of the run."""
    from synthkit.report.sections.facts import released, reproducibility

    here, there = dict(released(run)["facts"]), dict(sections["released"]["facts"])
    yield from (
        f"config.json and the report say other {label}" for label in RELEASED if here.get(label) != there.get(label)
    )
    again = reproducibility({**run, "config": {}})
    rows = dict(sections["reproducibility"]["rows"])
    yield from (
        f"config.json and the report say other {label}" for label, value in again["rows"] if rows.get(label) != value
    )
    settings = {label: value for label, value in sections["reproducibility"]["config"] if label.startswith(SETTINGS)}
    mine = {label: value for label, value in again["config"] if label.startswith(SETTINGS)}
    if settings != mine:
        yield "config.json and the report say other settings"
