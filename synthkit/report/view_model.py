"""The view model of a report: an evaluation and what lies beside it as one page of plain data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

from synthkit.report.audience import tag_of
from synthkit.report.context import ReportContext
from synthkit.report.section_registry import section_registry

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation
    from synthkit.report.audience import Tier
    from synthkit.report.inputs import GateJson, LedgerJson, StatementJson, ValidationJson
    from synthkit.report.records import Page, SectionData
    from synthkit.report.section_registry import ReportSection
    from synthkit.schema import Schema

JSON_NAMES: Mapping[Tier, str] = {
    "internal": "evaluation.json and report.json",
    "shareable": "the JSON file of the same name",
}


def page_data(
    evaluation: Evaluation,
    *,
    ledger: LedgerJson | None = None,
    schema: Schema | None = None,
    validation: Mapping[str, ValidationJson] | None = None,
    statement: StatementJson | None = None,
    gate: GateJson | None = None,
    hashes: Mapping[str, str] | None = None,
    tier: Tier = "internal",
) -> Page:
    """Everything the page says, as plain data: the sections of the registry in their order.

    The shareable edition has no per-row output, exact histograms, extremes and small counts, and figures to two digits;
    attacks are bounds against limits there.

    Args:
        evaluation: the scores, failures and panels.
        ledger: what was charged, in the format `synthkit-ledger/2`; None if it is not known.
        schema: meaning of the columns; None if it is not at hand.
        validation: results for `input` and `output`, as saved beside the run.
        statement: the privacy terms, in the format `synthkit-statement/1`; None if there are none.
        gate: what a policy decided, in the format `synthkit-gate/1`; None if there is no policy.
        hashes: SHA-256 of files that are released, by name.
        tier: `shareable` leaves out and rounds what an outsider should not see.

    Returns:
        `title`, `table`, and `sections`: a list of dicts with `id`, `title` and their content; `absent` holds the
        sentence of a section that has none.

    Raises:
        ConfigError: a section from outside cannot be loaded, or its name is taken.
    """
    context = ReportContext(evaluation, ledger, schema, validation, statement, gate, hashes or {})
    facts = context.facts
    table = PurePath(str(facts.get("source") or "table")).stem if schema is None else schema.name
    return {
        "tier": tier,
        "title": f"Synthetic data report: {table}{', calibrated draw' if facts.get('calibrated') else ''}",
        "table": table,
        "kind": "Synthetic data report",
        "twin": JSON_NAMES[tier],
        "date": facts.get("date"),
        "version": facts.get("version"),
        "sections": [
            _section(spec, context, tier)
            for spec in section_registry().values()
            if tier == "internal" or spec.shareable is not None
        ],
    }


def _section(spec: ReportSection, context: ReportContext, tier: Tier) -> SectionData:
    """One section with its heading and mark."""
    data = spec.data(context)
    if tier == "shareable" and spec.shareable is not None:
        data = spec.shareable(data)
    tag = tag_of(spec.tag, private=context.is_private, tier=tier)
    return {"id": spec.id, "title": spec.title, "tag": tag, "absent": None, **data}
