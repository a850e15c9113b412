"""Whether what is told of the run agrees with rows, schema, statement and report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from synthkit.io.json_types import JSONObject
from synthkit.release import run_folder
from synthkit.release.bundle.build_bundle import CONFIG, CONFIG_FACTS
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.run_folder import REPORT_JSON_FILE
from synthkit.schema.linked.linked_schema import LinkedSchema

RUN_LINES = ("Columns", "Model", "Draws", "Calibrated", "Watermark", "Date")  # lines of the report that a run says
SETTINGS_PREFIX = "settings."


def check(bundle: Opened) -> CheckResult:
    """Model, versions, settings, date, columns and draws: each stands somewhere else in the bundle too."""
    fault = next(_faults(bundle), None)
    return broken(fault) if fault else holds("config.json says what rows, schema, statement and report say of the run")


def _faults(bundle: Opened) -> Iterator[str]:
    run, report = bundle.json(CONFIG), bundle.json(REPORT_JSON_FILE)
    extra = sorted(set(run) - {*CONFIG_FACTS, "packages"})
    if extra:
        yield f"config.json must hold what a run tells; however: it has `{extra[0]}`"
    follows = {
        "columns": _columns(bundle),
        "draws": _draws(bundle),
        "version": bundle.json(run_folder.STATEMENT)["libraries"]["synthkit"],
        "date": report["date"],
    }
    yield from (f"config.json says another {key} than the bundle" for key in follows if run[key] != follows[key])
    if run["version"] != report["version"]:
        yield "config.json says another version than the report"
    libraries = bundle.json(run_folder.STATEMENT)["libraries"]
    stated = {**libraries, **run["packages"]}
    yield from (
        f"config.json and statement.json say other versions of {name}"
        for name in libraries
        if stated[name] != libraries[name]
    )
    yield from _marked(bundle, run)
    yield from _reported(run, {section["id"]: section for section in report["sections"]})


def _columns(bundle: Opened) -> int:
    schema = bundle.schema
    if isinstance(schema, LinkedSchema):
        return sum(len(table.columns) for table in schema.tables.values())
    return len(schema.columns)


def _draws(bundle: Opened) -> int:
    """How many draws there are; where there is one it stands by itself."""
    further = [name for name in bundle.tables if name.startswith(f"{run_folder.DRAWS_FOLDER}/")]
    if isinstance(bundle.schema, LinkedSchema):
        further = sorted({name.rpartition("/")[0] for name in further})
    return len(further) or 1


def _marked(bundle: Opened, run: JSONObject) -> Iterator[str]:
    """Tables that say another day or version than the run."""
    from synthkit.io.provenance_marks import provenance_mark, read_mark

    right = {**provenance_mark(date=str(run["date"])[:10]), "version": run["version"]}
    for name in bundle.tables:
        with bundle.file(name) as path:
            if read_mark(path) != right:
                yield f"{name} says another date or version than config.json"


def _reported(run: JSONObject, sections: Mapping[str, JSONObject]) -> Iterator[str]:
    """Lines of the report that say another of the run."""
    from synthkit.report.inputs import run_facts
    from synthkit.report.sections.released_rows import released_facts
    from synthkit.report.sections.reproducibility import reproducibility

    here, there = dict(released_facts(run_facts(run))), dict(sections["released"]["facts"])
    yield from (
        f"config.json and the report say other {label}" for label in RUN_LINES if here.get(label) != there.get(label)
    )
    again = reproducibility(run_facts({**run, "config": {}}))
    rows = dict(sections["reproducibility"]["rows"])
    yield from (
        f"config.json and the report say other {label}" for label, value in again["rows"] if rows.get(label) != value
    )
    settings = {
        label: value for label, value in sections["reproducibility"]["config"] if label.startswith(SETTINGS_PREFIX)
    }
    mine = {label: value for label, value in again["config"] if label.startswith(SETTINGS_PREFIX)}
    if settings != mine:
        yield "config.json and the report say other settings"
