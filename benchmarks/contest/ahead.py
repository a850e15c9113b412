"""Where a peer is ahead of ours: every table and every line of the results, the best of both sides, into the page.

Nothing is measured. Under a budget only cells of the same budget are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.contest.ratios import shown
from benchmarks.flags import parser
from benchmarks.measure.results import Result, Spread, figure, load, took
from benchmarks.pages import rewrite
from benchmarks.places import FRONT, MEASURED, PAGE

START, END = "<!-- ahead -->", "<!-- /ahead -->"
UNCOMPARED = "No table has cells of both sides."
PEERS = ("peer-", "mostlyai")  # how their names begin
LOWER, HIGHER = False, True
SCORES: Mapping[str, bool] = {  # figures of `results.FIGURES`, and whether more is better
    "C2ST": LOWER,
    "C2ST, LightGBM": LOWER,
    "two-way": HIGHER,
    "three-way": HIGHER,
    "g": LOWER,
    "TSTR": HIGHER,
    "shape error, SDMetrics": LOWER,
    "trend error, SDMetrics": LOWER,
    "XGBoost score, SDMetrics": HIGHER,
}
COSTS: Mapping[str, bool] = {"training": LOWER, "rows/s": HIGHER, "peak memory, MiB": LOWER}
NOTE = """\
Medians over seeds (smallest to largest); C2ST and g: less is better, two-way, three-way and TSTR: more is. *Within the
seeds*: some seed of one side is as good as some seed of the other. Training and rows/s are CPU seconds of the cells
with the fewest threads."""
Verdict = Literal["ours", "peer", "within the seeds"]


@dataclass(frozen=True, kw_only=True)
class Side:
    """The best of one side in a line."""

    who: str
    spread: Spread


@dataclass(frozen=True, kw_only=True)
class Lead:
    """One figure on one table, and the best of both sides.

    Args:
        table: which; with its epsilon where there is a budget.
        figure: which.
        more: whether more is better.
        own: the best of ours.
        peer: the best of theirs.
    """

    table: str
    figure: str
    more: bool
    own: Side
    peer: Side

    @property
    def lead(self) -> float:
        """How much better ours is than the best peer; below 0 where it is worse."""
        difference = self.own.spread.middle - self.peer.spread.middle
        return difference if self.more else -difference

    @property
    def verdict(self) -> Verdict:
        """Who is ahead, if the seeds tell."""
        better, worse = (self.own, self.peer) if self.lead >= 0 else (self.peer, self.own)
        apart = better.spread.least > worse.spread.most if self.more else better.spread.most < worse.spread.least
        if not apart:
            return "within the seeds"
        return "ours" if self.lead >= 0 else "peer"


def is_peer(who: str) -> bool:
    """Whether somebody is none of ours.

    Example:
        >>> is_peer("peer-arf"), is_peer("mostlyai@3"), is_peer("tvae+rake")
        (True, True, False)
    """
    return who.startswith(PEERS)


def place(result: Result) -> str:
    """Table and budget of a cell, as cells are compared."""
    who, table = result.key
    return f"{table}, epsilon {who.partition('@')[2]}" if "@" in who else table


def measures(results: Sequence[Result], name: str) -> Spread | None:
    """A score or a cost of somebody's cells."""
    made = [r for r in results if r.cell["finished"]]
    if name in SCORES or name not in ("training", "rows/s"):
        return figure(made, name)
    few = [r for r in made if r.cell["threads"] == min(int(f.cell["threads"]) for f in made)]
    if name == "training":
        return took([r for r in few if not r.cell["about"].get("loaded")], "fit", clock="cpu")
    each = took(few, "sample", clock="cpu")
    return None if each is None else Spread(1 / each.middle, 1 / each.most, 1 / each.least, each.count)


def best(by: Mapping[str, Sequence[Result]], name: str, *, more: bool) -> Side | None:
    """Who has the best median; None where nobody has one."""
    found = [Side(who=who, spread=s) for who, cells in by.items() if (s := measures(cells, name)) is not None]
    choose: Callable[..., Side] = max if more else min
    return choose(found, key=lambda side: side.spread.middle) if found else None


def lines(results: Iterable[Result]) -> Iterator[Lead]:
    """Every line that both sides have, table by table."""
    groups: dict[str, dict[str, list[Result]]] = {}
    for result in results:
        groups.setdefault(place(result), {}).setdefault(result.key[0], []).append(result)
    for table, by in sorted(groups.items()):
        sides = [{who: cells for who, cells in by.items() if is_peer(who) == theirs} for theirs in (False, True)]
        for name, more in (SCORES | COSTS).items():
            own, peer = (best(side, name, more=more) for side in sides)
            if own is not None and peer is not None:
                yield Lead(table=table, figure=name, more=more, own=own, peer=peer)


def row(line: Lead) -> str:
    """A line of the page."""
    sides = [f"{side.who}: {shown(side.spread, line.figure)}" for side in (line.own, line.peer)]
    form = ",.0f" if line.figure in COSTS else ".4f"
    verdict = {"ours": "ours ahead", "peer": "**peer ahead**", "within the seeds": "within the seeds"}[line.verdict]
    return "| " + " | ".join([line.table, line.figure, *sides, f"{abs(line.lead):{form}}", verdict]) + " |"


def unfinished(results: Iterable[Result]) -> list[str]:
    """Peers that did not come to an end."""
    ended = sorted({r.key for r in results if is_peer(r.key[0]) and not r.cell["finished"]})
    return [f"- {who} on {table} did not finish in 2 hours of CPU a thread, or failed." for who, table in ended]


def counted(found: Sequence[Lead]) -> str:
    """How often who is ahead, in words."""
    ours, peer, level = (sum(x.verdict == verdict for x in found) for verdict in ("ours", "peer", "within the seeds"))
    return (
        f"Of {len(found)} lines ours is ahead of every peer in {ours}, a peer in {peer}, and {level} are within the "
        "seeds."
    )


def markdown(results: Sequence[Result]) -> str:
    """How often who is ahead, then every line, those where a peer is ahead first."""
    found = list(lines(results))
    if not found:
        return UNCOMPARED
    order = {"peer": 0, "within the seeds": 1, "ours": 2}
    listed = sorted(found, key=lambda line: order[line.verdict])  # a stable order: table by table within each
    titles = "| table | figure | best of ours | best of peers | by | |"
    return "\n".join(
        [counted(found), "", titles, "|---" * 6 + "|", *map(row, listed), "", *unfinished(results), "", NOTE]
    )


def front(results: Sequence[Result]) -> str:
    """One paragraph for the front page: how often who is ahead, and the lines in which a peer is."""
    found = list(lines(results))
    if not found:
        return UNCOMPARED
    behind = [f"{x.table}, {x.figure} ({x.peer.who.removeprefix('peer-')})" for x in found if x.verdict == "peer"]
    said = f"A peer is ahead in: {'; '.join(behind)}." if behind else "No peer is ahead in any."
    return f"{counted(found)} {said}"


def write_pages(folder: Path = MEASURED) -> str:
    """Write the section into the pages; the text of the longer one."""
    results = load(folder)
    text = markdown(results)
    rewrite(PAGE, text, START, END)
    rewrite(FRONT, front(results), START, END)
    return text


def main(words: Sequence[str] | None = None) -> None:
    parser("ahead", __doc__).parse_args(words)
    print(write_pages())
