"""Whether the page shows what its JSON says, and is about these rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from synthkit.bundle.finding import Finding, broken, holds
from synthkit.bundle.numbers import different, shown
from synthkit.bundle.opened import Opened
from synthkit.bundle.release import REPORT, TWIN


def check(bundle: Opened) -> Finding:
    """Figures and verdicts of the page are those of its JSON; it is the shareable edition; digests of the rows."""
    twin = bundle.json(TWIN)
    html = bundle.members[REPORT].decode()
    wrong = different(html, twin)
    if wrong:
        return broken(f"report.html shows something else than report.json at {wrong[0]}")
    hidden = _decided(twin) - set(shown(html))
    if hidden:
        return broken(f"report.html does not show what report.json says at {min(hidden)}")
    if twin["tier"] != "shareable":
        return broken("the report is not the shareable edition")
    hashes = twin["sections"][0]["hashes"]
    for name in bundle.tables:
        if hashes.get(name) != hashlib.sha256(bundle.members[name]).hexdigest():
            return broken(f"the report is about another {name}")
    return holds("figures and verdicts of report.html are those of report.json, and the report is about these rows")


def _decided(twin: Mapping[str, Any]) -> set[str]:
    """Places of what is decided on, which a page must show."""
    first = twin["sections"][0]
    told = ("item", "bound", "limit", *(["verdict"] if first["policy"] else []))
    lines = {f"/sections/0/lines/{k}/{key}" for k in range(len(first["lines"])) for key in told}
    lines |= {f"/sections/0/lines/{k}/measured" for k, each in enumerate(first["lines"]) if each["measured"] != "—"}
    return lines | {"/sections/0/words"} | ({"/sections/0/valid_until"} if first["valid_until"] else set())
