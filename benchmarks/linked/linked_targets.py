"""What is asked of linked tables: figures, limits, and who is the peer they are held against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from benchmarks.contest.targets import Bound, Relation, least, most
from benchmarks.linked.linked_figures import FLOORS, linked_figure
from benchmarks.measure.results import Result, Spread

MODEL, BUDGETED, BUDGETED_PEER = "timeline", "marginal@3", "peer-mostlyai@3"
SMALL = ("mimic3_demo", "synthea_ma", "synthea_omop_27nj")
RATIOS = ("diabetes130", "made_hospital")
SEQUENCE_FIGURES = ("transitions TV over floor", "gap KS over floor", "lag-1 over floor", "alignment over floor")
BUDGET_FIGURES = ("owner x row TV", "transitions TV", "fan-out KS")  # that are told under a budget
HIGHER = ("SDMetrics", "copied values", "accuracy", "coherence")  # figures of which more is better
BEST = "the best peer"


@dataclass(frozen=True, kw_only=True)
class LinkedTarget:
    """One line of the table of linked targets.

    Args:
        table: which source.
        figure: one of `LINKED_FIGURES`, or a figure of the load.
        must: what must hold.
        aim: what is hoped for.
        relation: ours over theirs, or ours.
        peer: whom it is held against, `BEST` for whoever did best without a budget; shown only where the relation is
            `value`.
        model: who of ours.
    """

    table: str
    figure: str
    must: Bound
    aim: Bound
    relation: Relation = "value"
    peer: str = BEST
    model: str = MODEL


def linked_targets() -> Iterator[LinkedTarget]:
    """Every line, in the order they are printed."""
    for table in SMALL:
        yield LinkedTarget(table=table, figure="rows broken", must=most(0), aim=most(0))
    for figure, must, aim in (
        ("C2ST row", most(0.65), most(0.58)),
        ("C2ST units", most(0.75), most(0.65)),
        ("SDMetrics", least(0.955), least(0.968)),
        ("transitions TV", most(0.05), most(0.035)),
        ("gap KS", most(0.04), most(0.02)),
    ):
        yield LinkedTarget(table="baseball", figure=figure, must=must, aim=aim)
    both = {"relation": "ratio", "must": most(0.8), "aim": most(0.5), "peer": "peer-mostlyai"}
    best = {"relation": "ratio", "must": most(0.6), "aim": most(0.35)}
    for table in RATIOS:
        for figure in ("C2ST units over floor", "C2ST row over floor"):
            yield LinkedTarget(table=table, figure=figure, **both)  # type: ignore[arg-type]
        for figure in SEQUENCE_FIGURES:
            if table == "made_hospital" or not figure.startswith("alignment"):  # which needs two tables of rows
                yield LinkedTarget(table=table, figure=figure, **best)  # type: ignore[arg-type]
    yield LinkedTarget(table="prize_sequential", figure="accuracy", must=least(0.963), aim=least(0.970))
    yield LinkedTarget(table="prize_sequential", figure="coherence", must=least(0.979), aim=least(0.984))
    yield LinkedTarget(table="synthea_ma", figure="codes TV", must=most(0.18), aim=most(0.13))
    yield LinkedTarget(table="made_hospital", figure="copied values", must=least(0.97), aim=least(0.99))
    for table in RATIOS:
        yield LinkedTarget(table=table, figure="TSTR loss", must=most(0.05), aim=most(0.02))
    yield LinkedTarget(table="load", figure="fit, CPU minutes", must=most(60), aim=most(25))
    yield LinkedTarget(table="load", figure="draw, CPU minutes", must=most(8), aim=most(4))
    yield LinkedTarget(table="diabetes130", figure="contradictions", must=most(0.01), aim=most(0.002))
    yield from _budgeted()


def _budgeted() -> Iterator[LinkedTarget]:
    """What is asked under a budget: beside our best without one, and beside the peer with the same."""
    for table in RATIOS:
        for peer, must, aim in ((MODEL, most(2.5), most(1.7)), (BUDGETED_PEER, most(1.0), most(0.5))):
            for figure in BUDGET_FIGURES:
                yield LinkedTarget(
                    table=table, figure=figure, relation="ratio", must=must, aim=aim, peer=peer, model=BUDGETED
                )


@dataclass(frozen=True, kw_only=True)
class LinkedLine:
    """A target and what was measured of it; none where a cell is missing."""

    target: LinkedTarget
    own: Spread | None
    theirs: Spread | None = None
    who: str = ""
    floor: Spread | None = None

    @property
    def number(self) -> float | None:
        """Ratio or value."""
        if self.own is None or self.target.relation == "value":
            return None if self.own is None else self.own.middle
        return None if self.theirs is None or not self.theirs.middle else self.own.middle / self.theirs.middle

    def verdict(self, bound: Bound) -> str:
        """Met, not met, or not measured."""
        said = bound.text(self.target.relation)
        if self.number is None or self.own is None:
            return f"{said}: not measured"
        return f"{said}: {'met' if bound.holds(self.number, self.own.middle) else '**not met**'}"


def whole(results: Sequence[Result], table: str) -> list[Result]:
    """Finished cells of all units of a table."""
    return [r for r in results if r.key[1] == table and r.cell["finished"] and r.cell["of_rows"] is None]


def linked_line(target: LinkedTarget, results: Sequence[Result]) -> LinkedLine:
    """What the cells say of a target."""
    found = whole(results, target.table)
    own = [r for r in found if r.key[0] == target.model]
    line = LinkedLine(
        target=target, own=linked_figure(own, target.figure), floor=linked_figure(own or found, target.figure, FLOORS)
    )
    others = {r.key[0] for r in found if r.key[0].startswith(("peer-", "published-")) and "@" not in r.key[0]}
    peers = sorted(others) if target.peer == BEST else [target.peer]
    candidates = [(linked_figure([r for r in found if r.key[0] == who], target.figure), who) for who in peers]
    known = [(s, who) for s, who in candidates if s is not None]
    if not known:
        return line
    sign = -1 if target.figure in HIGHER else 1
    theirs, who = min(known, key=lambda each: sign * each[0].middle)
    return replace(line, theirs=theirs, who=who)
