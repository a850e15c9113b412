"""The section on limits of an evaluation of linked tables: what a reader must not conclude."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from synthkit.report.linked_context import LinkedContext
from synthkit.report.records import Fact
from synthkit.report.section_spec import SectionSpec
from synthkit.report.sections.caveats import CaveatsData

FLATTERED = "every reference flatters, and classifiers tell too little"
FEW_UNITS = 500  # below so many intervals are wide and rare histories are hardly learnt


def _data(context: LinkedContext) -> CaveatsData:
    found = (_always(), _of_privacy(context), _of_size(context), _of_schema(context), _of_scores(context))
    return {"limits": [caveat for each in found for caveat in each]}


def _always() -> Iterator[Fact]:
    yield "individuals", "Not for decisions about individuals: a synthetic history is nobody's."
    yield "inference", "Standard errors and p-values computed on synthetic rows as if they were real are too small."


def _of_privacy(context: LinkedContext) -> Iterator[Fact]:
    if context.alone.epsilon is None:
        yield "no bound", "Without a privacy budget nothing bounds what the rows reveal about one person."
    if any(s.metric.startswith("membership.") for s in context.evaluation.scores):
        yield (
            "attacks",
            "Attacks show what is leaked at least; a better one may show more, and only a budget bounds it.",
        )
    else:
        yield "attacks", "Disclosure attacks were not run; shared runs and nearest units do not replace them."
    yield "long histories", "Who has many rows is easier to recognise, and a mean over units says little of them."


def _of_size(context: LinkedContext) -> Iterator[Fact]:
    units, known = context.units("train"), context.evaluation.run.get("known units")
    if known:
        yield "known units", f"{known:,} held-out {context.unit} were trained on: {FLATTERED}."
    if 0 < units < FEW_UNITS:
        yield (
            "few units",
            f"The model saw {units:,} {context.unit} only: intervals are wide, rare histories hardly learnt.",
        )
    draws = _draws(context)
    if draws > 1:
        yield "one fit", f"Likeness and use are means over {draws} draws of one fit; another fit may differ by more."
    else:
        yield (
            "one draw",
            "Likeness and use are those of one fit and one draw; intervals do not hold how much another differs.",
        )
    if context.facts.get("quick"):
        seen = context.looked_at("synthetic")
        yield (
            "quick",
            f"A quick evaluation: {seen:,} synthetic {context.unit} were looked at, without SDMetrics' report.",
        )


def _draws(context: LinkedContext) -> int:
    """Draws that were measured."""
    rows = context.evaluation.run.get("rows")
    found = rows.get("synthetic") if isinstance(rows, Mapping) else None
    return len(found) if isinstance(found, list) else 1


def _of_schema(context: LinkedContext) -> Iterator[Fact]:
    tables = context.schema.tables
    peers = [f"{name} to {link.to}" for name, table in tables.items() for link in table.links if link.kind == "peer"]
    if peers:
        yield "peers", f"Who is linked to whom among units ({', '.join(peers)}) is checked as a key and no further."
    unordered = [name for name in context.schema.graph.owners if tables[name].order is None]
    if unordered:
        yield "no order", f"No order is declared for {', '.join(unordered)}: their rows stand by that of their owner."
    if any(c.observed for table in tables.values() for c in table.columns.values()) or any(
        link.observed for table in tables.values() for link in table.links
    ):
        yield "observed", "Some lines of the schema were read off the real tables and go where the schema goes."


def _of_scores(context: LinkedContext) -> Iterator[Fact]:
    many = len(context.evaluation.failures)
    if many:
        failed = "1 measurement failed" if many == 1 else f"{many} measurements failed"
        yield "failures", f"{failed}; what was not measured is in no average."
    yield "many scores", "Among many scores some lie outside their interval by chance alone."


def _shareable(data: CaveatsData) -> CaveatsData:
    """Without numbers of real units."""
    uncounted = {"known units": f"Some who were held out were trained on: {FLATTERED}."}
    limits = [(name, uncounted.get(name, text)) for name, text in data["limits"] if name != "few units"]
    return {**data, "limits": limits}


LINKED_CAVEATS = SectionSpec(id="limits", title="Limits", data=_data, tag="public", shareable=_shareable)
