"""The section on what is promised, which follows from ledger, schema and statement alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synthkit.report import privacy_claim
from synthkit.report.sections.facts import Section, mechanisms, promise

if TYPE_CHECKING:
    from synthkit.schema import Schema

COVERED = {
    "charged": "paid for with noise",
    "public": "public, known without the table",
    "internal": "INTERNAL: exact, and does not leave",
    "uncharged": "NOT covered: exact, and leaves",
}


def promised(ledger: Mapping[str, Any] | None, schema: Schema | None, statement: Mapping[str, Any] | None) -> Section:
    """What the charges promise, and in which words; arguments as for `synthkit.report.view_model.view`."""
    return {**_charged(ledger, schema), **_said(ledger, statement)}


def _charged(ledger: Mapping[str, Any] | None, schema: Schema | None) -> Section:
    charges = list((ledger or {}).get("charges") or [])
    unit = (ledger or {}).get("unit") or (schema.unit if schema is not None and schema.unit else "row")
    epsilon = privacy_claim.epsilon(ledger)
    return {
        "promise": privacy_claim.promise(ledger),
        "epsilon": "infinity" if epsilon is None else f"{epsilon:.4g}",
        "unit": unit,
        "charges": [{"what": c["what"], "mechanism": c["mechanism"], "detail": _detail(c)} for c in charges],
        "known": ledger is not None,
    }


def _said(ledger: Mapping[str, Any] | None, statement: Mapping[str, Any] | None) -> Section:
    """The privacy statement: sentences, what of the table is covered how, and the curve; nothing without a budget."""
    said = privacy_claim.sentences(statement)
    if statement is None or not said:
        return {"sentences": [], "mechanisms": [], "touches": [], "figures": [], "end_to_end": False}
    paid = sum(touch["covered"] == "charged" for touch in statement["data_touches"])
    kinds = "1 kind of noisy answer" if paid == 1 else f"{paid} kinds of noisy answers"
    touches = [{"what": f"{kinds}, in the ledger below", "covered": "charged"}] if paid else []
    touches += [touch for touch in statement["data_touches"] if touch["covered"] != "charged"]
    touches = [{**touch, "words": COVERED[touch["covered"]]} for touch in touches]
    curve = promise(statement)
    return {
        "promise": said[0],
        "sentences": said[1:],
        "mechanisms": mechanisms(ledger),
        "touches": touches,
        "figures": [curve] if curve else [],
        "end_to_end": statement["end_to_end_dp"],
    }


def _detail(charge: Mapping[str, Any]) -> str:
    detail, times = charge.get("detail"), charge.get("times", 1)
    text = ", ".join(f"{k} {v}" for k, v in detail.items()) if isinstance(detail, Mapping) else str(detail or "")
    return text if times == 1 else f"{text}, {times:,} times".lstrip(", ")
