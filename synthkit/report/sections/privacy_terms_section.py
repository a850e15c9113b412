"""The section on the privacy terms, which follow from ledger, schema and statement alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from synthkit.report import privacy_claim
from synthkit.report.context import ReportContext
from synthkit.report.inputs import ChargeJson, DataTouchJson, LedgerJson, StatementJson
from synthkit.report.records import Figure, figure
from synthkit.report.section_spec import SectionSpec, unchanged

if TYPE_CHECKING:
    from synthkit.schema import Schema

COVERAGE_WORDS = {
    "charged": "paid for with noise",
    "public": "public, known without the table",
    "internal": "INTERNAL: exact, and does not leave",
    "uncharged": "NOT covered: exact, and leaves",
}


class ChargeRow(TypedDict):
    """A charge of the ledger in words."""

    what: str
    mechanism: str
    detail: str


class MechanismRow(TypedDict):
    """Charges of one mechanism, and whether a reserve had paid for them."""

    mechanism: str
    inside: bool
    times: int
    what: str


class DataTouchRow(DataTouchJson):
    """What was learned from real rows, and how it is covered in words."""

    words: str


class PrivacyTermsData(TypedDict, total=False):
    """Charges, and what a statement says of them."""

    promise: str
    epsilon: str
    unit: str
    charges: list[ChargeRow]
    known: bool
    sentences: list[str]
    mechanisms: list[MechanismRow]
    touches: list[DataTouchRow]
    figures: list[Figure]
    end_to_end: bool


def privacy_terms_section(
    ledger: LedgerJson | None, schema: Schema | None, statement: StatementJson | None
) -> PrivacyTermsData:
    """What the charges bound, and in which words; arguments as for `synthkit.report.view_model.page_data`."""
    return {**_charged(ledger, schema), **_stated(ledger, statement)}


def _charged(ledger: LedgerJson | None, schema: Schema | None) -> PrivacyTermsData:
    known: LedgerJson = ledger or {}
    unit = known.get("unit") or (schema.unit if schema is not None and schema.unit else "row")
    epsilon = privacy_claim.epsilon(ledger)
    charges = known.get("charges") or []
    return {
        "promise": privacy_claim.claim_sentence(ledger),
        "epsilon": "infinity" if epsilon is None else f"{epsilon:.4g}",
        "unit": unit,
        "charges": [{"what": c["what"], "mechanism": c["mechanism"], "detail": _detail(c)} for c in charges],
        "known": ledger is not None,
    }


def _stated(ledger: LedgerJson | None, statement: StatementJson | None) -> PrivacyTermsData:
    """The privacy statement: sentences, what of the table is covered how, and the curve; nothing without a budget."""
    said = privacy_claim.sentences(statement)
    if statement is None or not said:
        return {"sentences": [], "mechanisms": [], "touches": [], "figures": [], "end_to_end": False}
    paid = sum(touch["covered"] == "charged" for touch in statement["data_touches"])
    kinds = "1 kind of noisy answer" if paid == 1 else f"{paid} kinds of noisy answers"
    first: list[DataTouchJson] = [{"what": f"{kinds}, in the ledger below", "covered": "charged"}] if paid else []
    touches = [*first, *(touch for touch in statement["data_touches"] if touch["covered"] != "charged")]
    curve = _privacy_curve(statement)
    return {
        "promise": said[0],
        "sentences": said[1:],
        "mechanisms": mechanisms(ledger),
        "touches": [{**touch, "words": COVERAGE_WORDS[touch["covered"]]} for touch in touches],
        "figures": [curve] if curve else [],
        "end_to_end": statement["end_to_end_dp"],
    }


def _detail(charge: ChargeJson) -> str:
    detail, times = charge.get("detail"), charge.get("times", 1)
    text = str(detail or "") if isinstance(detail, str | None) else ", ".join(f"{k} {v}" for k, v in detail.items())
    return text if times == 1 else f"{text}, {times:,} times".lstrip(", ")


def _privacy_curve(statement: StatementJson) -> Figure | None:
    """The curve of epsilon and delta that a privacy statement holds."""
    curve = [point for point in statement["curve"] if point[1] > 0]
    if len(curve) < 2:
        return None
    return figure(
        "promise",
        {"curve": curve},
        title="What is promised, at every epsilon",
        description="Probability delta with which the promise may fail, falling as epsilon grows; the last point is "
        "the one that is stated.",
        caption="Each point of the line is a promise; all of them hold at once.",
    )


def mechanisms(ledger: LedgerJson | None) -> list[MechanismRow]:
    """Charges grouped by mechanism, and by whether a reserve had paid for them; in the order of the ledger."""
    groups: dict[tuple[str, bool], list[ChargeJson]] = {}
    for charge in (ledger or {}).get("charges") or []:
        groups.setdefault((charge["mechanism"], bool(charge.get("inside"))), []).append(charge)
    return [
        {"mechanism": name, "inside": inside, "times": sum(c["times"] for c in charges), "what": _what(charges)}
        for (name, inside), charges in groups.items()
    ]


def _what(charges: list[ChargeJson]) -> str:
    first, *more = dict.fromkeys(charge["what"] for charge in charges)
    return f"{first} and {len(more)} more" if more else first


def _data(context: ReportContext) -> PrivacyTermsData:
    return privacy_terms_section(context.ledger, context.schema, context.statement)


PRIVACY_TERMS = SectionSpec(id="privacy", title="Privacy: what is promised", data=_data, tag="DP", shareable=unchanged)
