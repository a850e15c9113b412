"""Whether the page is the one that its JSON draws, and is about these rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from synthkit.errors import ArtefactError
from synthkit.release import run_folder
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.build_bundle import REPORT, TWIN
from synthkit.release.bundle.finding import CheckResult, broken, holds, unvouched
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.bundle.page_figures import different, shown
from synthkit.report.html import redraw
from synthkit.report.render_versions import drawn_by
from synthkit.report.row_counts import listed, synthetic


def check(bundle: Opened) -> CheckResult:
    """The shareable edition, about these rows, with every figure of its JSON, and byte for byte what that draws."""
    twin = bundle.json(TWIN)
    fault = _other_figures(bundle, twin) or _other_rows(bundle, twin) or _other_counts(bundle, twin)
    if fault:
        return broken(fault)
    said = bundle.json(manifests.NAME).get(manifests.DRAWN) or {}
    others = [f"{name} {said.get(name, '?')}" for name, here in drawn_by().items() if said.get(name) != here]
    if _drawn(twin, here=not others) == bundle.members[REPORT]:
        return holds("report.html is, byte for byte, the page that report.json draws, and is about these rows")
    if not others:
        return broken("report.html is not the page that report.json draws")
    return unvouched(
        f"the page is not vouched for here: it is said to be drawn by {', '.join(others)}, which are not installed. "
        "Read report.json, or check where they are"
    )


def _drawn(twin: Mapping[str, Any], *, here: bool) -> bytes | None:
    """The page of a twin; None where other versions wrote one that these cannot draw.

    Raises:
        ArtefactError: it cannot be drawn, and these versions are said to have drawn it.
    """
    try:
        return redraw(twin).encode()
    except ArtefactError:
        if here:
            raise
        return None


def _other_figures(bundle: Opened, twin: Mapping[str, Any]) -> str | None:
    """Where the page shows another figure or verdict than its JSON, or hides one; that needs no drawing."""
    html = bundle.members[REPORT].decode()
    wrong = different(html, twin)
    if wrong:
        return f"report.html shows something else than report.json at {wrong[0]}"
    hidden = _decided(twin) - set(shown(html))
    return f"report.html does not show what report.json says at {min(hidden)}" if hidden else None


def _other_rows(bundle: Opened, twin: Mapping[str, Any]) -> str | None:
    if twin["tier"] != "shareable":
        return "the report is not the shareable edition"
    digests = {name: hashlib.sha256(bundle.members[name]).hexdigest() for name in bundle.tables}
    told = twin["sections"][0]["hashes"]
    return next(
        (f"the report is about another {name}" for name in {**told, **digests} if told.get(name) != digests.get(name)),
        None,
    )


def _other_counts(bundle: Opened, twin: Mapping[str, Any]) -> str | None:
    """Where the report counts other rows than the tables of the draws hold, the first of which stands by itself too."""
    from synthkit.tables import table_files

    first, told = twin["sections"][0], twin["sections"][0].get("rows")
    if not told:  # a report from before rows were counted, or one on an evaluation that could not be made
        return None
    there = []
    for name in [name for name in bundle.tables if name != run_folder.SYNTHETIC] or [run_folder.SYNTHETIC]:
        with bundle.file(name) as path:
            there.append(len(table_files.read(path).frame()))
    if there != told:
        return f"the report counts {listed(told)} rows, and the tables hold {listed(there)}"
    if not first["what"].startswith(synthetic({"rows": {"synthetic": there}})):
        return "the report says another number of rows than it counts"
    return None


def _decided(twin: Mapping[str, Any]) -> set[str]:
    """Places of what is decided on, which a page must show."""
    first = twin["sections"][0]
    told = ("item", "bound", "limit", *(["verdict"] if first["policy"] else []))
    lines = {f"/sections/0/lines/{k}/{key}" for k in range(len(first["lines"])) for key in told}
    lines |= {f"/sections/0/lines/{k}/measured" for k, each in enumerate(first["lines"]) if each["measured"] != "—"}
    return lines | {"/sections/0/words"} | ({"/sections/0/valid_until"} if first["valid_until"] else set())
