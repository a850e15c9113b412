"""The section on what was released of linked tables: units, rows of each table, and the graph of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from synthkit.report.charts.event_lines import graph_data
from synthkit.report.data_table import DataTable, data_table
from synthkit.report.labels import number
from synthkit.report.linked_context import LinkedContext
from synthkit.report.records import Fact, Figure, figure
from synthkit.report.row_counts import draws_of, release_surface
from synthkit.report.section_spec import SectionSpec
from synthkit.report.sections.released_rows import TITLE_WITHOUT_RELEASE, WATERMARKED

ROLE_WORDS = {"reference": "public catalogue", "shared": "shared by several units"}
REAL_FACTS = ("Source", "Fitted on", "Held out", "Looked at")


class LinkedReleaseData(TypedDict, total=False):
    """Facts, the graph, and rows by table; `title` where nothing is released."""

    title: str
    facts: list[Fact]
    figures: list[Figure]
    table: DataTable


def _data(context: LinkedContext) -> LinkedReleaseData:
    data: LinkedReleaseData = {
        "facts": _facts(context),
        "figures": [_graph(context)],
        "table": _rows(context),
    }
    return data if release_surface(context.facts) else {**data, "title": TITLE_WITHOUT_RELEASE}


def _facts(context: LinkedContext) -> list[Fact]:
    facts, unit = context.facts, context.unit
    rows = context.rows("synthetic")
    sampled = context.looked_at("synthetic") < context.units("synthetic")
    pairs = [
        (f"Synthetic {unit}", number(context.units("synthetic"), "count") if rows else None),
        ("Synthetic rows in all", number(sum(rows.values()), "count") if rows else None),
        ("Looked at", f"{context.looked_at('synthetic'):,} synthetic {unit}" if sampled else None),
        ("Tables", f"{len(context.tables)} of records{_others(context)}"),
        ("Columns", sum(len(table.columns) for table in context.schema.tables.values())),
        ("Model", facts.get("model")),
        ("Source", context.schema.source),
        ("Fitted on", f"{context.units('train'):,} {unit}" if context.units("train") else None),
        ("Held out", f"{context.units('holdout'):,} {unit}" if context.units("holdout") else None),
        ("Draws", draws_of(facts)),
        ("Watermark", WATERMARKED if facts.get("watermark") else None),
        ("Date", str(facts["date"])[:10] if facts.get("date") else None),
        ("To be released", release_surface(facts) or "nothing"),
    ]
    return [(label, str(value)) for label, value in pairs if value is not None]


def _others(context: LinkedContext) -> str:
    graph = context.schema.graph
    parts = [(len(graph.references), "public"), (len(graph.shared), "shared")]
    return "".join(f", {many} {word}" for many, word in parts if many)


def _graph(context: LinkedContext) -> Figure:
    rows, schema = dict(context.rows("synthetic")), context.schema
    owned = "; ".join(f"{name} belong to {owner}" for name, owner in schema.graph.owners.items())
    return figure(
        "table_graph",
        graph_data(schema, rows, context.rows("train")),
        title=f"The tables of {schema.name} and their links",
        description=f"{context.unit} are the units{f'; {owned}' if owned else ''}.",
        caption="A box a table, with its number of rows; lines run from a row to the row its key names. "
        "Units stand at the left.",
    )


def _rows(context: LinkedContext) -> DataTable:
    sides = ("train", "holdout", "synthetic")
    heads = ["Table", "#Fitted on", "#Held out", "#Synthetic", "#By unit, held out", "#By unit, synthetic"]
    lines = []
    for name in context.tables:
        owner = context.schema.graph.owners.get(name)
        told = "the units" if owner is None else f"belongs to {owner}"
        counts = (context.rows(side) for side in sides)
        means = (_mean(context, side, name) for side in sides[1:])
        lines.append([f"{name}\n{told}", *(f"{c[name]:,}" if name in c else "—" for c in counts), *means])
    for name in (*context.schema.graph.references, *context.schema.graph.shared):
        lines.append([f"{name}\n{ROLE_WORDS[context.schema.tables[name].role]}", *("—" for _ in heads[1:])])
    return data_table("Rows by table", heads, lines)


def _mean(context: LinkedContext, side: str, name: str) -> str:
    rows, units = context.rows(side), context.units(side)
    return f"{rows[name] / units:.1f}" if units and name in rows else "—"


def _shareable(data: LinkedReleaseData) -> LinkedReleaseData:
    """Without numbers of real rows; the graph has those of synthetic ones alone."""
    real = [k for k, head in enumerate(data["table"]["heads"]) if head["label"] in ("Fitted on", "Held out")]
    real += [k for k, head in enumerate(data["table"]["heads"]) if head["label"].endswith(", held out")]
    table: DataTable = {
        **data["table"],
        "heads": [head for k, head in enumerate(data["table"]["heads"]) if k not in real],
        "rows": [
            {**row, "cells": [cell for k, cell in enumerate(row["cells"], 1) if k not in real]}
            for row in data["table"]["rows"]
        ],
    }
    graphs: list[Figure] = [{**each, "data": {**_panel(each), "real": {}}} for each in data["figures"]]
    facts = [fact for fact in data["facts"] if fact[0] not in REAL_FACTS]
    return {**data, "facts": facts, "table": table, "figures": graphs}


def _panel(drawn: Figure) -> Mapping[str, object]:
    """What a graph is drawn from."""
    panel = drawn["data"]
    return panel if isinstance(panel, Mapping) else {}


LINKED_RELEASE = SectionSpec(
    id="released",
    title="What was released",
    data=_data,
    shareable=_shareable,
    template="sections/linkedreleased.html",
)
