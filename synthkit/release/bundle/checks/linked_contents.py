"""Whether what a report on linked tables says of promise, scope and rows follows from what lies beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synthkit.io.json_types import JSON, JSONObject
from synthkit.release import run_folder
from synthkit.release.bundle.build_bundle import CONFIG
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.json_difference import difference
from synthkit.release.bundle.table_members import counted_draws, linked_draws

if TYPE_CHECKING:
    from synthkit.release.bundle.opened_bundle import Opened
    from synthkit.report.linked_context import LinkedContext
    from synthkit.schema.linked import LinkedSchema

RELEASE_LABEL = "To be released"  # of the line that speaks of the run
TIMELINES = "timelines"
DRAWN_SECTIONS = ("released", TIMELINES, "privacy")  # with pictures in the shareable edition
DERIVED_SECTIONS = ("privacy", "scope", "glossary", "released")
MEASURED_KEYS = ("attackers",)  # of the scope, that say which attacks were made


def check_linked_contents(bundle: Opened, schema: LinkedSchema) -> CheckResult:
    """Titles, tags, pictures, privacy terms, scope, glossary and counts, made again from all that lies beside."""
    report = bundle.json(run_folder.REPORT_JSON_FILE)
    place = difference(_stated(report), _derived(_context(bundle, schema, report), report))
    if place:
        return bundle.otherwise(f"report.json does not follow from schema, ledger, statement and tables at {place}")
    strange = _unknown_person(bundle, schema, report)
    if strange is not None:
        return broken(f"report.json shows timelines, and the {strange}. of them is of nobody among the released people")
    return holds("what report.json says of promise, scope and rows follows from schema, ledger, statement and tables")


def _unknown_person(bundle: Opened, schema: LinkedSchema, report: JSONObject) -> int | None:
    """Number of a timeline on the page that no unit of the first draw has."""
    from synthkit.release.bundle.checks.shown_people import unknown_timeline
    from synthkit.tables.linked_tables import LinkedTables

    figures = [
        each for section in report["sections"] if section["id"] == TIMELINES for each in section.get("figures", ())
    ]
    if not figures:
        return None
    names = linked_draws(bundle.members, schema)[run_folder.SYNTHETIC_FOLDER]
    tables = LinkedTables.of({table: bundle.frame(name) for table, name in names.items()}, schema)
    return next((k for each in figures if (k := unknown_timeline(each["data"], tables)) is not None), None)


def _context(bundle: Opened, schema: LinkedSchema, report: JSONObject) -> LinkedContext:
    """What a report on these tables is made from, without what was measured; rows count where it counts them."""
    from synthkit.metrics.result import Evaluation
    from synthkit.report.linked_context import LinkedContext

    counted = counted_draws(bundle.rows, linked_draws(bundle.members, schema), schema)
    drawn = {"synthetic": counted} if report["sections"][0]["rows"] else {}
    run = {**bundle.json(CONFIG), "config": {}, "rows": drawn, "measured": drawn}
    ledger, statement = bundle.json(run_folder.LEDGER), bundle.json(run_folder.STATEMENT)
    return LinkedContext(Evaluation(run=run, scores=(), failures=(), panels={}), schema, ledger, statement)


def _stated(report: JSONObject) -> dict[str, JSON]:
    """What a report says and should follow."""
    sections = {section["id"]: section for section in report["sections"]}
    return {
        "table": report["table"],
        "kind": report["kind"],
        "titles": [[section["id"], section["title"], section["tag"]] for section in report["sections"]],
        "pictures": sorted(key for key, section in sections.items() if _drawn(section) and key not in DRAWN_SECTIONS),
        "attacker": sections["decision"]["sentences"][0],
        **{name: _told(sections[name]) for name in DERIVED_SECTIONS},
    }


def _derived(context: LinkedContext, report: JSONObject) -> JSON:
    """The same, made again."""
    from synthkit.report import privacy_claim
    from synthkit.report.audience import tag_of
    from synthkit.report.html import LINKED_KIND
    from synthkit.report.json_export import plain
    from synthkit.report.linked_section_registry import linked_sections

    shared = {name: spec for name, spec in linked_sections().items() if spec.shareable is not None}
    made = {name: {"absent": None, **_outside(shared[name], context)} for name in DERIVED_SECTIONS}
    sentences, first = privacy_claim.sentences(context.statement), report["sections"][0]["sentences"][0]
    return plain(
        {
            "table": context.schema.name,
            "kind": LINKED_KIND,
            "titles": [
                (spec.id, spec.title, tag_of(spec.tag, private=context.is_private, tier="shareable"))
                for spec in shared.values()
            ],
            "pictures": [],
            "attacker": (first[0], sentences[1]) if sentences else first,
            **{name: _told(section) for name, section in made.items()},
        }
    )


def _outside(spec: Any, context: LinkedContext) -> dict[str, Any]:
    """What a section says to outsiders."""
    return dict(spec.shareable(spec.data(context)))


def _told(section: JSONObject) -> dict[str, Any]:
    """A section without its heading, what was measured, and the line that speaks of the run."""
    told = {key: value for key, value in section.items() if key not in ("id", "title", "tag", *MEASURED_KEYS)}
    for key in ("rows", "facts"):
        if isinstance(told.get(key), list | tuple):
            told[key] = [list(line) for line in told[key] if line[0] != RELEASE_LABEL]
    return told


def _drawn(section: JSONObject) -> bool:
    return bool(section.get("figures") or section.get("pairs"))
