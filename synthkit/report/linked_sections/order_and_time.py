"""The section on order and time: gaps, lengths, what follows what, and what series remember."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from synthkit.report.charts.vega import labels
from synthkit.report.compared_models import listed_names
from synthkit.report.data_table import DataTable, data_table
from synthkit.report.labels import number
from synthkit.report.linked_context import LinkedContext
from synthkit.report.linked_panels import TwoSides
from synthkit.report.linked_section_data import (
    LINKED_TEMPLATE,
    FoldedTables,
    LinkedSectionData,
    farthest,
    scores_alone,
)
from synthkit.report.records import Figure, figure
from synthkit.report.section_spec import SectionSpec

ORDER_SCORES = (
    *("fidelity.gap_ks", "fidelity.offset_ks", "fidelity.duration_ks", "fidelity.length_ks"),
    *("fidelity.transitions_tv", "fidelity.level_transitions_tv", "fidelity.lag_one", "fidelity.within_unit_sd"),
    *("fidelity.repeats", "fidelity.kept_repeats"),
)
DAY_IN_SECONDS = 86_400.0
TIME_UNITS = (
    ("Days", DAY_IN_SECONDS),
    ("Hours", 3_600.0),
    ("Minutes", 60.0),
    ("Seconds", 1.0),
)  # longest first, seconds
SHOWN_PAIRS, SHOWN_REPEATS = 20, 30  # transitions of the chart; lines of the table of repeats
OPEN_LINES, SHOWN_CURVES = 12, 6  # lines of a table that stands open; curves, those that differ most
LONGEST_EVENT = 26  # letters of an event on an axis


def _data(context: LinkedContext) -> LinkedSectionData:
    scores = context.score_rows(ORDER_SCORES)
    gaps, follows = _gaps(context), _transitions(context)
    if not scores and not gaps and not follows:
        return {"absent": "Order and time were not measured: no table has an order, or none could be compared."}
    remembered = _memory(context)
    short = remembered is not None and len(remembered["rows"]) <= OPEN_LINES
    paragraphs = [
        "When rows follow each other, which event comes after which, how long histories are, and whether a value "
        "goes on from the one before in its series. Intervals are by units; the reference is what as many training "
        "units score against the holdout."
    ]
    return {
        "paragraphs": [*paragraphs, *_at_once(context), *_left_out(context)],
        "caption": "Order and time",
        "scores": scores,
        "pairs": gaps,
        "figures": follows,
        "tables": [remembered] if remembered is not None and short else [],
        "folded": [*(_folded(remembered) if remembered is not None and not short else []), *_repeats(context)],
    }


def _gaps(context: LinkedContext) -> list[Figure]:
    figures, score = [], context.find("fidelity.gap_ks")
    panel = {name: gaps for name, gaps in (context.panels.get("gaps") or {}).items() if _is_drawn(gaps)}
    for k, name in enumerate(farthest(panel, {} if score is None else score.parts, SHOWN_CURVES)):
        gaps = panel[name]
        word, scale = _time_unit(context, name, gaps)
        drawn = {
            side: _curve(centiles, scale)
            for side, centiles in (("real", gaps["real"]), ("synthetic", gaps["synthetic"]))
        }
        distance = None if score is None else score.parts.get(name)
        said = "" if distance is None else f": KS {number(distance)}"
        figures.append(
            figure(
                "gap_curve",
                {"x": f"{word} since {_since(context, name)} ({name})", "y": "Share not longer", **drawn},
                title=f"Gaps of {name}",
                description=f"Share of gaps between rows of {name} that are not longer than so much, held-out and "
                f"synthetic{said}.",
                caption=f"Gaps of {name}{said}. From the 5th to the 95th centile.{_below_nought(gaps)}",
                key=f"gap-curve-{k}",
            )
        )
    return figures


def _since(context: LinkedContext, name: str) -> str:
    """From when on gaps are counted: the end of the row before, where rows last."""
    order = context.schema.tables[name].order
    return "the row before" if order is None or order.until is None else "the row before ended"


def _below_nought(gaps: TwoSides) -> str:
    """What a gap below nought is, where there is one."""
    least = min((t for side in (gaps["real"], gaps["synthetic"]) for t in side), default=0.0)
    return " Below 0: the row began while the one before lasted." if least < 0 else ""


def _curve(centiles: Sequence[float], scale: float) -> list[tuple[float, float]]:
    """The k-th of n centiles is not exceeded by k / (n + 1) of the gaps."""
    return [(round(t / scale, 6), (k + 1) / (len(centiles) + 1)) for k, t in enumerate(centiles)]


def _is_drawn(gaps: TwoSides) -> bool:
    """Whether there is a curve on both sides, and not the same moment throughout."""
    return bool(gaps["real"] and gaps["synthetic"]) and len({*gaps["real"], *gaps["synthetic"]}) > 1


def _at_once(context: LinkedContext) -> list[str]:
    """Tables whose rows have the same gap from the 5th to the 95th centile, on both sides."""
    panel = (context.panels.get("gaps") or {}).items()
    names = [name for name, gaps in panel if gaps["real"] and gaps["synthetic"] and not _is_drawn(gaps)]
    if not names:
        return []
    return [
        f"Nine of ten rows of {listed_names(names)} follow the row before by the same gap, in both: no curve is drawn."
    ]


def _left_out(context: LinkedContext) -> list[str]:
    """That some curves are not drawn, where there are many."""
    drawn = sum(map(_is_drawn, (context.panels.get("gaps") or {}).values()))
    if drawn <= SHOWN_CURVES:
        return []
    return [f"Gaps are drawn of the {SHOWN_CURVES} tables of {drawn} in which they differ most."]


def _time_unit(context: LinkedContext, name: str, gaps: TwoSides) -> tuple[str, float]:
    """The longest unit of time of which the longer gaps have several, with its seconds; none for plain numbers."""
    order = context.schema.tables[name].order
    if order is None or context.schema.tables[name].columns[order.start].kind != "datetime":
        return "Gap", 1.0
    most = max(abs(t) for side in (gaps["real"], gaps["synthetic"]) for t in side)
    return next((each for each in TIME_UNITS if most >= 2 * each[1]), TIME_UNITS[-1])


def _transitions(context: LinkedContext) -> list[Figure]:
    panel = list(context.panels.get("transitions") or ())
    if not panel:
        return []
    short = _short_names({name for each in panel for name in (each["from"], each["to"])})
    rows = [
        {
            "name": f"{short[each['from']]} → {short[each['to']]}",
            "real": each["real"],
            "synthetic": each["synthetic"],
        }
        for each in panel[:SHOWN_PAIRS]
    ]
    worst = max(panel, key=lambda each: abs(each["real"] - each["synthetic"]))
    return [
        figure(
            "share_pairs",
            {"x": "Share of all neighbouring events", "rows": rows},
            title="What follows what",
            description=f"Shares of pairs of neighbouring events of a unit, held-out and synthetic. Farthest apart: "
            f"{worst['from']} then {worst['to']}, {number(worst['real'], 'share')} of held-out and "
            f"{number(worst['synthetic'], 'share')} of synthetic pairs.",
            caption="An event and the next of the same unit, in all tables together: the commonest and those that "
            "differ most. Circles: held-out; diamonds: synthetic.",
        )
    ]


def _short_names(names: Collection[str]) -> dict[str, str]:
    """Events short enough for an axis: without their table where a word says it all, and cut where they are long.

    Example:
        >>> _short_names({"labs: hb", "labs: crea", "visits"})["labs: hb"]
        'hb'
        >>> _short_names({"labs: other", "drugs: other"})["labs: other"]
        'labs: other'
    """
    bare = {name: name.partition(": ")[2] or name for name in names}
    many = Counter(bare.values())
    alone = {short for short in bare.values() if many[short] == 1 and any(letter.isalpha() for letter in short)}
    plain = {name: short if short in alone else name for name, short in bare.items()}
    return dict(zip(plain, labels(list(plain.values()), LONGEST_EVENT), strict=True))


def _memory(context: LinkedContext) -> DataTable | None:
    """Difference of the lag-1 correlation, and of the spread within a unit, by column."""
    lag, spread = context.find("fidelity.lag_one"), context.find("fidelity.within_unit_sd")
    names = {**(lag.parts if lag else {}), **(spread.parts if spread else {})}
    if not names:
        return None
    lines = [
        [
            name,
            *(
                number(score.parts.get(name)) if score is not None and name in score.parts else "—"
                for score in (lag, spread)
            ),
        ]
        for name in sorted(names, key=lambda n: -(lag.parts.get(n, 0.0) if lag else 0.0))
    ]
    heads = ["Column", "#Lag-1 correlation in its series, difference", "#Spread within a unit, difference"]
    return data_table("What series remember, by column; 0 is identical", heads, lines)


def _folded(table: DataTable) -> list[FoldedTables]:
    return [{"title": "What series remember", "tables": [table]}]


def _repeats(context: LinkedContext) -> list[FoldedTables]:
    panel = [each for each in context.panels.get("repeats") or () if each["real"] is not None]
    if not panel:
        return []
    order = sorted(panel, key=lambda each: -abs((each["real"] or 0.0) - (each["synthetic"] or 0.0)))[:SHOWN_REPEATS]
    lines = [
        [each["pair"], *("—" if x is None else number(x, "share") for x in (each["real"], each["synthetic"]))]
        for each in order
    ]
    heads = ["Column, and of which earlier row", "#Held-out rows", "#Synthetic rows"]
    return [{"title": "Values that rows repeat", "tables": [data_table("Rows that repeat a value", heads, lines)]}]


ORDER_AND_TIME = SectionSpec(
    id="time", title="Order and time", data=_data, shareable=scores_alone, template=LINKED_TEMPLATE
)
