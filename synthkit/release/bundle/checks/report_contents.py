"""Whether what the report says of privacy terms, schema and itself follows from what lies beside it."""

from __future__ import annotations

from synthkit.io.json_types import JSON, JSONObject
from synthkit.release import run_folder
from synthkit.release.bundle.checks.linked_contents import check_linked_contents
from synthkit.release.bundle.finding import CheckResult, broken, holds, unvouched
from synthkit.release.bundle.json_difference import difference
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.run_folder import REPORT_JSON_FILE
from synthkit.schema import Schema
from synthkit.schema.linked.linked_schema import LinkedSchema

RELEASE_LINE = "To be released"  # the line of the scope that speaks of the run
SECTION_WITH_PICTURE = "privacy"  # the one section that has a picture in the shareable edition


def check(bundle: Opened) -> CheckResult:
    """Titles, tags, pictures, privacy terms, scope and glossary, made again from schema, ledger and statement."""
    from synthkit.report.section_registry import outside_sections

    if isinstance(bundle.schema, LinkedSchema):
        return check_linked_contents(bundle, bundle.schema)
    report = bundle.json(REPORT_JSON_FILE)
    outside = outside_sections(str(section["id"]) for section in report["sections"])
    place = difference(_stated(report, set(outside)), _derived(bundle, bundle.schema, report))
    if place:
        return bundle.otherwise(f"report.json does not follow from schema, ledger and statement at {place}")
    fault = _other_tag(report, [name for name, by in outside.items() if by is not None], private=_private(bundle))
    if fault:
        return broken(fault)
    strange = [name for name, by in outside.items() if by is None]
    if strange:
        return unvouched(
            f"of the section{'s' if len(strange) > 1 else ''} {', '.join(strange)} nothing can be told here: what "
            "brings it is not installed. All else that report.json says of promise and scope follows"
        )
    return holds("what report.json says of promise and scope follows from schema, ledger and statement")


def _stated(report: JSONObject, outside: set[str]) -> dict[str, JSON]:
    """What a report says and should follow; sections from outside have to follow from nothing."""
    sections = {section["id"]: section for section in report["sections"] if section["id"] not in outside}
    lines = sections["scope"].get("rows", [])
    own = [section for section in report["sections"][: len(sections)] if section["id"] in sections]
    return {
        "table": report["table"],
        "titles": [[section["id"], section["title"], section["tag"]] for section in own],
        "pictures": sorted(
            key for key, section in sections.items() if section.get("figures") and key != SECTION_WITH_PICTURE
        ),
        "privacy": {key: value for key, value in sections["privacy"].items() if key not in ("id", "title", "tag")},
        "scope": [list(line) for line in lines if line[0] != RELEASE_LINE],
        "glossary": sections["glossary"]["terms"],
        "attacker": sections["decision"]["sentences"][0],
    }


def _derived(bundle: Opened, schema: Schema, report: JSONObject) -> JSON:
    """The same, made again from schema, ledger and statement."""
    from synthkit.report import privacy_claim
    from synthkit.report.audience import tag_of
    from synthkit.report.json_export import plain
    from synthkit.report.labels import GLOSSARY
    from synthkit.report.section_registry import OWN_SECTIONS
    from synthkit.report.sections.privacy_terms_section import privacy_terms_section
    from synthkit.report.sections.scope import scope

    statement, ledger = bundle.json(run_folder.STATEMENT), bundle.json(run_folder.LEDGER)
    sentences = privacy_claim.sentences(statement)
    first = report["sections"][0]["sentences"][0]
    private = _private(bundle)
    return plain(
        {
            "table": schema.name,
            "titles": [
                (spec.id, spec.title, tag_of(spec.tag, private=private, tier="shareable"))
                for spec in OWN_SECTIONS
                if spec.shareable is not None
            ],
            "pictures": [],
            "privacy": {"absent": None, **privacy_terms_section(ledger, schema, statement)},
            "scope": [line for line in scope(schema, {}, {}, ledger)["rows"] if line[0] != RELEASE_LINE],
            "glossary": GLOSSARY,
            "attacker": (first[0], sentences[1]) if sentences else first,
        }
    )


def _private(bundle: Opened) -> bool:
    """Whether the statement covers everything that leaves."""
    from synthkit.report import privacy_claim

    statement = bundle.json(run_folder.STATEMENT)
    return bool(privacy_claim.sentences(statement)) and bool(statement["end_to_end_dp"])


def _other_tag(report: JSONObject, installed: list[str], *, private: bool) -> str | None:
    """A section from outside that is marked otherwise than what brings it says, or that it does not share."""
    from synthkit.report.audience import tag_of
    from synthkit.report.section_registry import section_registry

    for section in report["sections"]:
        if section["id"] in installed:
            spec = section_registry()[section["id"]]
            right = None if spec.shareable is None else tag_of(spec.tag, private=private, tier="shareable")
            if section["tag"] != right:
                return f"the section {section['id']} is not marked as the package says that brings it"
    return None
