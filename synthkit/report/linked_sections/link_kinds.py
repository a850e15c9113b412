"""The section on what each link kept: keys by kind, rows by owner, and joint numbers of rows in sibling tables."""

from __future__ import annotations

from collections.abc import Mapping

from synthkit.metrics.linked.key_integrity import link_name
from synthkit.report.data_table import data_table
from synthkit.report.labels import number
from synthkit.report.linked_context import LinkedContext
from synthkit.report.linked_inputs import LinkCountJson
from synthkit.report.linked_section_data import LINKED_TEMPLATE, LinkedSectionData, farthest, scores_alone
from synthkit.report.records import Figure, figure
from synthkit.report.section_spec import SectionSpec

KIND_WORDS = {
    "owner": "the row it belongs to",
    "implied": "an owner further up, repeated in the row",
    "earlier": "another row of the same unit, begun before",
    "reference": "a row of a public catalogue",
    "shared": "a row that several units have in common",
    "peer": "a row of another unit",
}
SHOWN_FAN_OUTS = 6  # charts, of the links in which numbers of rows differ most
FAN_OUT_SCORES = (
    *("fidelity.fan_out_ks", "fidelity.fan_out_mean", "fidelity.childless"),
    *("fidelity.sibling_correlation", "fidelity.sibling_tv"),
)


def _data(context: LinkedContext) -> LinkedSectionData:
    links = [(name, link) for name in context.tables for link in context.schema.tables[name].links]
    if not links:
        return {"absent": "The tables have no link."}
    broken = {(e["table"], e["kind"]): (e["broken"], e["broken real"]) for e in context.panels.get("integrity") or ()}
    missing = [_missing(context, key) for key in ("input", "output")]
    lines = []
    for name, link in links:
        made, real = broken.get((name, link_name(link)), (None, None))
        lines.append(
            [
                f"{name}.{', '.join(link.columns)} → {link.to}\n{KIND_WORDS[link.kind]}",
                link.kind,
                *("—" if count is None else f"{count:,}" for count in (made, real)),
                *(found.get((name, ", ".join(link.columns)), "—") for found in missing),
            ]
        )
    heads = ["Link", "Kind", "#Broken, synthetic", "#Broken, held out", "#Left empty, real", "#Left empty, synthetic"]
    return {
        "paragraphs": [
            "A key is broken if it names no row, or a row it must not name. Rows by owner are numbers of rows that one "
            "owner has in a table; joint figures say whether owners with many rows in one table have many in the "
            f"other. At most {SHOWN_FAN_OUTS} links are drawn, those that differ most."
        ],
        "caption": "Rows by owner",
        "scores": context.score_rows(FAN_OUT_SCORES),
        "pairs": _fan_outs(context),
        "tables": [data_table("Links by kind", heads, lines)],
    }


def _missing(context: LinkedContext, key: str) -> Mapping[tuple[str, str], str]:
    """Share of rows without a key by table and columns, as a validation counted them."""
    found = context.validation.get(key)
    links: tuple[LinkCountJson, ...] = () if found is None else tuple(found["links"])
    return {
        (each["table"], ", ".join(each["columns"])): number(each["missing"] / each["rows"], "share")
        for each in links
        if each["rows"]
    }


def _fan_outs(context: LinkedContext) -> list[Figure]:
    figures = []
    score = context.find("fidelity.fan_out_ks")
    panel = context.panels.get("fan_outs") or {}
    for k, name in enumerate(farthest(panel, {} if score is None else score.parts, SHOWN_FAN_OUTS)):
        shares = panel[name]
        owner = context.schema.graph.owners[name]
        sides = [list(shares["real"]), list(shares["synthetic"])]
        last = max([1, *(n for side in sides for n, share in enumerate(side) if share)])
        distance = None if score is None else score.parts.get(name)
        step = shares.get("step", 1)
        drawn = {
            side: [[step * n, share] for n, share in enumerate(x[: last + 1])]
            for side, x in zip(("real", "synthetic"), sides, strict=True)
        }
        more = f"; {step * last:,} stands for {step * last:,} and more" if last == len(sides[0]) - 1 else ""
        more += f"; a point for {step} numbers, from the one it stands at" if step > 1 else ""
        figures.append(
            figure(
                "fan_out",
                {"x": f"Rows of {name} by row of {owner}", "y": f"Share of {owner}", **drawn},
                title=f"Rows of {name} by row of {owner}",
                description=f"Shares of {owner} by their number of {name}, held-out and synthetic"
                f"{'' if distance is None else f'; largest gap of the distributions {number(distance)}'}.",
                caption=f"{name} by {owner}{'' if distance is None else f': KS {number(distance)}'}{more}.",
                key=f"fan-out-{k}",
            )
        )
    return figures


LINK_KINDS = SectionSpec(
    id="links", title="What each link kept", data=_data, shareable=scores_alone, template=LINKED_TEMPLATE
)
