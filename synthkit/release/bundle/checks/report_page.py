"""Whether the page is the one that its JSON draws, and is about these rows."""

from __future__ import annotations

import hashlib

from synthkit.errors import ArtefactError
from synthkit.io.json_types import JSONObject
from synthkit.release import run_folder
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.build_bundle import outside_ids
from synthkit.release.bundle.drawn_page import drawn_page
from synthkit.release.bundle.finding import CheckResult, broken, holds, unvouched
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.bundle.page_figures import different_figures, shown_figures
from synthkit.release.bundle.table_members import counted_draws, linked_draws
from synthkit.release.run_folder import REPORT_FILE, REPORT_JSON_FILE
from synthkit.report.linked_sections.linked_decision import linked_rows
from synthkit.report.render_versions import drawn_by, is_outside
from synthkit.report.row_counts import listed, synthetic
from synthkit.schema.linked.linked_schema import LinkedSchema


def check(bundle: Opened) -> CheckResult:
    """The shareable edition, about these rows, with every figure of its JSON, and byte for byte what that draws."""
    report = bundle.json(REPORT_JSON_FILE)
    fault = _other_figures(bundle, report) or _other_rows(bundle, report) or _other_counts(bundle, report)
    if fault:
        return broken(fault)
    stated = bundle.json(manifests.MANIFEST).get(manifests.DRAWN_BY) or {}
    here = drawn_by(outside_ids(report))
    others = [name for name, version in here.items() if stated.get(name) != version]
    unnamed = [name for name in others if is_outside(name) and name not in stated]
    if unnamed and all(is_outside(name) for name in others):  # no version of ours has a section of that name
        return broken(f"report.json has the {unnamed[0]}, and the manifest does not say who brings it")
    if _drawn(report, here=not others) == bundle.members[REPORT_FILE]:
        return holds("report.html is, byte for byte, the page that report.json draws, and is about these rows")
    if not others:
        return broken("report.html is not the page that report.json draws")
    elsewhere = ", ".join(f"{name} {stated.get(name, '?')}" for name in others)
    return unvouched(
        f"the page is not vouched for here: it is said to be drawn by {elsewhere}, which are not installed. "
        "Read report.json, or check where they are"
    )


def _drawn(report: JSONObject, *, here: bool) -> bytes | None:
    """The page of a report's JSON; None where other versions wrote one that these cannot draw.

    Raises:
        ArtefactError: it cannot be drawn, and these versions are said to have drawn it.
    """
    try:
        return drawn_page(report).encode()
    except ArtefactError:
        if here:
            raise
        return None


def _other_figures(bundle: Opened, report: JSONObject) -> str | None:
    """Where the page shows another figure or verdict than its JSON, or hides one; that needs no drawing."""
    html = bundle.members[REPORT_FILE].decode()
    wrong = different_figures(html, report)
    if wrong:
        return f"report.html shows something else than report.json at {wrong[0]}"
    hidden = _decided(report) - set(shown_figures(html))
    return f"report.html does not show what report.json says at {min(hidden)}" if hidden else None


def _other_rows(bundle: Opened, report: JSONObject) -> str | None:
    if report["tier"] != "shareable":
        return "the report is not the shareable edition"
    digests = {name: hashlib.sha256(bundle.members[name]).hexdigest() for name in bundle.tables}
    stated = report["sections"][0]["hashes"]
    return next(
        (
            f"the report is about another {name}"
            for name in {**stated, **digests}
            if stated.get(name) != digests.get(name)
        ),
        None,
    )


def _other_counts(bundle: Opened, report: JSONObject) -> str | None:
    """Where the report counts other rows than the tables of the draws hold, the first of which stands by itself too."""
    first, schema = report["sections"][0], bundle.schema
    counted = first.get("rows")
    if isinstance(schema, LinkedSchema):
        return _other_linked_counts(bundle, schema, first)
    if not counted:  # a report from before rows were counted, or one on an evaluation that could not be made
        return None
    names = [name for name in bundle.tables if name != run_folder.SYNTHETIC] or [run_folder.SYNTHETIC]
    there = [bundle.rows[name] for name in names]
    if there != counted:
        return f"the report counts {listed(counted)} rows, and the tables hold {listed(there)}"
    if not first["what"].startswith(synthetic({"rows": {"synthetic": there}})):
        return "the report says another number of rows than it counts"
    return None


def _other_linked_counts(bundle: Opened, schema: LinkedSchema, first: JSONObject) -> str | None:
    """The same of linked tables, table by table."""
    there = counted_draws(bundle.rows, linked_draws(bundle.members, schema), schema)
    counted = first["rows"] or there  # none on an evaluation that could not be made
    for k, rows in enumerate(there):
        other = [name for name in rows if k >= len(counted) or rows[name] != counted[k].get(name)]
        if other:
            return f"the report counts other rows of `{other[0]}` than the tables of draw {k + 1} hold"
    if there != counted:
        return "the report counts other draws or tables than there are"
    if first["rows"] and not first["what"].casefold().startswith(linked_rows(schema.unit, there).casefold()):
        return "the report says another number of rows than it counts"
    return None


def _decided(report: JSONObject) -> set[str]:
    """Places of what is decided on, which a page must show."""
    first = report["sections"][0]
    keys = ("item", "bound", "limit", *(["verdict"] if first["policy"] else []))
    lines = {f"/sections/0/lines/{k}/{key}" for k in range(len(first["lines"])) for key in keys}
    lines |= {f"/sections/0/lines/{k}/measured" for k, each in enumerate(first["lines"]) if each["measured"] != "—"}
    return lines | {"/sections/0/words"} | ({"/sections/0/valid_until"} if first["valid_until"] else set())
