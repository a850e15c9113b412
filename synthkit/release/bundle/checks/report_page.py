"""Whether the page is the one that its JSON draws, and is about these rows."""

from __future__ import annotations

import hashlib

from synthkit.errors import ArtefactError
from synthkit.io.json_types import JSONObject
from synthkit.release import run_folder
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.finding import CheckResult, broken, holds, unvouched
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.bundle.page_figures import different_figures, shown_figures
from synthkit.release.run_folder import REPORT_FILE, REPORT_JSON_FILE
from synthkit.report.html import redraw
from synthkit.report.render_versions import drawn_by, is_outside
from synthkit.report.row_counts import listed, synthetic


def check(bundle: Opened) -> CheckResult:
    """The shareable edition, about these rows, with every figure of its JSON, and byte for byte what that draws."""
    report = bundle.json(REPORT_JSON_FILE)
    fault = _other_figures(bundle, report) or _other_rows(bundle, report) or _other_counts(bundle, report)
    if fault:
        return broken(fault)
    stated = bundle.json(manifests.MANIFEST).get(manifests.DRAWN_BY) or {}
    here = drawn_by(str(section["id"]) for section in report["sections"])
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
        return redraw(report).encode()
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
    from synthkit.tables import table_files

    first = report["sections"][0]
    counted = first.get("rows")
    if not counted:  # a report from before rows were counted, or one on an evaluation that could not be made
        return None
    there = []
    for name in [name for name in bundle.tables if name != run_folder.SYNTHETIC] or [run_folder.SYNTHETIC]:
        with bundle.file(name) as path:
            there.append(len(table_files.read(path).frame()))
    if there != counted:
        return f"the report counts {listed(counted)} rows, and the tables hold {listed(there)}"
    if not first["what"].startswith(synthetic({"rows": {"synthetic": there}})):
        return "the report says another number of rows than it counts"
    return None


def _decided(report: JSONObject) -> set[str]:
    """Places of what is decided on, which a page must show."""
    first = report["sections"][0]
    keys = ("item", "bound", "limit", *(["verdict"] if first["policy"] else []))
    lines = {f"/sections/0/lines/{k}/{key}" for k in range(len(first["lines"])) for key in keys}
    lines |= {f"/sections/0/lines/{k}/measured" for k, each in enumerate(first["lines"]) if each["measured"] != "—"}
    return lines | {"/sections/0/words"} | ({"/sections/0/valid_until"} if first["valid_until"] else set())
