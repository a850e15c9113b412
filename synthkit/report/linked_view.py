"""The report on linked tables: an evaluation and what lies beside it as one page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from synthkit.report.audience import tag_of
from synthkit.report.html import LINKED_KIND, Report, render
from synthkit.report.json_export import to_json, with_pointers
from synthkit.report.linked_context import LinkedContext
from synthkit.report.linked_section_registry import linked_sections
from synthkit.report.view_model import JSON_NAMES

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation
    from synthkit.report.audience import Tier
    from synthkit.report.inputs import GateJson, LedgerJson, StatementJson
    from synthkit.report.linked_inputs import LinkedValidationJson
    from synthkit.report.linked_section_registry import LinkedSection
    from synthkit.report.records import Page, SectionData
    from synthkit.schema.linked import LinkedSchema


def build_linked(
    evaluation: Evaluation,
    schema: LinkedSchema,
    *,
    ledger: LedgerJson | None = None,
    statement: StatementJson | None = None,
    validation: Mapping[str, LinkedValidationJson] | None = None,
    gate: GateJson | None = None,
    hashes: Mapping[str, str] | None = None,
    tier: Tier = "internal",
) -> Report:
    """The report on an evaluation of linked tables, by `metrics.linked.linked_runner.evaluate_linked`.

    Args:
        evaluation: the scores, failures and panels; the timelines that are drawn are among the panels.
        schema: what the tables mean.
        ledger: what was charged, in the format `synthkit-ledger/2`; None if it is not known.
        statement: the privacy terms, in the format `synthkit-statement/1`; None if there are none.
        validation: results for `input` and `output`, in the format `synthkit-linked-validation/1`.
        gate: what a policy decided, in the format `synthkit-gate/1`; None if there is no policy.
        hashes: SHA-256 of files that are released, by name.
        tier: `shareable` leaves out and rounds what an outsider should not see.
    """
    context = LinkedContext(evaluation, schema, ledger, statement, validation or {}, hashes or {}, gate)
    document = to_json(linked_page(context, tier))
    return Report(render(with_pointers(document), linked_sections()), document)


def linked_page(context: LinkedContext, tier: Tier = "internal") -> Page:
    """Everything the page says, as plain data."""
    return {
        "tier": tier,
        "title": f"Synthetic data report: {context.schema.name}",
        "table": context.schema.name,
        "kind": LINKED_KIND,
        "twin": JSON_NAMES[tier],
        "date": context.facts.get("date"),
        "version": context.facts.get("version"),
        "sections": [
            _section(spec, context, tier)
            for spec in linked_sections().values()
            if tier == "internal" or spec.shareable is not None
        ],
    }


def _section(spec: LinkedSection, context: LinkedContext, tier: Tier) -> SectionData:
    """One section with its heading and mark."""
    data = spec.data(context)
    if tier == "shareable" and spec.shareable is not None:
        data = spec.shareable(data)
    tag = tag_of(spec.tag, private=context.is_private, tier=tier)
    return {"id": spec.id, "title": spec.title, "tag": tag, "absent": None, **data}
