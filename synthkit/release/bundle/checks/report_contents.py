"""Whether what the report says of the promise, the schema and itself follows from what lies beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthkit.release import run_folder
from synthkit.release.bundle.build_bundle import TWIN
from synthkit.release.bundle.finding import CheckResult, holds
from synthkit.release.bundle.json_difference import difference
from synthkit.release.bundle.opened_bundle import Opened

RELEASED = "To be released"  # the line of the scope that speaks of the run
PICTURED = "privacy"  # the one section that has a picture in the shareable edition


def check(bundle: Opened) -> CheckResult:
    """Titles, tags, pictures, the promise, the scope and the glossary, made again from schema, ledger and statement."""
    twin = bundle.json(TWIN)
    place = difference(_said(twin), _right(bundle, twin))
    if place:
        return bundle.otherwise(f"report.json does not follow from schema, ledger and statement at {place}")
    return holds("what report.json says of promise and scope follows from schema, ledger and statement")


def _said(twin: Mapping[str, Any]) -> dict[str, Any]:
    sections = {section["id"]: section for section in twin["sections"]}
    lines = sections["scope"].get("rows", [])
    return {
        "table": twin["table"],
        "titles": [[section["id"], section["title"], section["tag"]] for section in twin["sections"]],
        "pictures": sorted(key for key, section in sections.items() if section.get("figures") and key != PICTURED),
        "privacy": {key: value for key, value in sections["privacy"].items() if key not in ("id", "title", "tag")},
        "scope": [list(line) for line in lines if line[0] != RELEASED],
        "glossary": sections["glossary"]["terms"],
        "attacker": sections["decision"]["sentences"][0],
    }


def _right(bundle: Opened, twin: Mapping[str, Any]) -> dict[str, Any]:
    from synthkit.report import privacy_claim
    from synthkit.report.audience import KEPT, rounded, tag
    from synthkit.report.json_export import plain
    from synthkit.report.labels import GLOSSARY
    from synthkit.report.sections.privacy_terms_section import promised
    from synthkit.report.sections.scope import scope
    from synthkit.report.view_model import TITLES

    schema, statement, ledger = bundle.schema(), bundle.json(run_folder.STATEMENT), bundle.json(run_folder.LEDGER)
    sentences = privacy_claim.sentences(statement)
    private = bool(sentences) and bool(statement["end_to_end_dp"])
    first = twin["sections"][0]["sentences"][0]
    return dict(
        plain(
            {
                "table": schema.name,
                "titles": [
                    (key, title, rounded(tag(key, private=private))) for key, title in TITLES.items() if key in KEPT
                ],
                "pictures": [],
                "privacy": {"absent": None, **promised(ledger, schema, statement)},
                "scope": [line for line in scope(schema, {}, {}, ledger)["rows"] if line[0] != RELEASED],
                "glossary": GLOSSARY,
                "attacker": (first[0], sentences[1]) if sentences else first,
            }
        )
    )
