"""Targets held against the cells that are recorded, and all figures, as tables in the page of the benchmarks.

Nothing is measured. What each model must reach, against whom and on which table, stands in contest/targets.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contest import targets
from benchmarks.contest.growth_sections import sections
from benchmarks.contest.plan import PLAIN
from benchmarks.contest.targets import TIMES, Bound, Target
from benchmarks.flags import parser
from benchmarks.measure.results import FIGURES, Result, Spread, figure, has_budget, load, took, versions
from benchmarks.pages import rewrite
from benchmarks.places import MEASURED, PAGE

START, END = "<!-- ratios -->", "<!-- /ratios -->"
PHASES = {"training": "fit", "rows/s": "sample"}
HEAD = ("| ours / theirs | table | figure | ours | theirs | | must | aim |", "|---|---|---|---|---|---|---|---|")
ELSEWHERE = ("e", "t2 to holdout", "two-way", "TSTR, logistic", "peak memory, MiB")  # figures with a place of their own
NOTE = """\
Medians over seeds (smallest to largest). e = C2ST − 0.5 (boosting, against the holdout); t2, t3 = 1 − similarity of
two- and three-way tables to the training rows; g = TRTR − TSTR, the largest over the targets; TSTR is the mean over
the targets. Numbers that peers do not round or bound are moved to the nearest the schema admits, before all scores.
Times are compared between cells of one machine, one version of Python and torch, and one number of threads; seconds
on the wall count only where other processes had less than a tenth of the machine in every cell compared, CPU seconds
of the process elsewhere; the line says which. The row *version* below names the code that was measured, by a digest of
it; `python -m benchmarks bench --list` says which cells are of another code than today's."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A target and what was measured of it; none where a cell is missing."""

    target: Target
    own: Spread | None
    theirs: Spread | None = None
    clock: str = ""

    @property
    def number(self) -> float | None:
        """Ratio, difference or value."""
        if self.own is None or (self.target.peer is not None and self.theirs is None):
            return None
        if self.target.relation == "value" or self.theirs is None:
            return self.own.middle
        if self.target.relation == "difference":
            return self.own.middle - self.theirs.middle
        return self.own.middle / self.theirs.middle if self.theirs.middle else None

    def verdict(self, bound: Bound | None) -> str:
        """Met, not met, or not measured."""
        if bound is None:
            return "–"
        if self.number is None or self.own is None:
            return f"{bound.text(self.target.relation)}: not measured"
        word = "met" if bound.holds(self.number, self.own.middle) else "**not met**"
        return f"{bound.text(self.target.relation)}: {word}"


def of(results: Sequence[Result], who: str | None, table: str) -> list[Result]:
    """Finished cells of somebody on a table."""
    return [r for r in results if r.key == (who, table) and r.cell["finished"]]


def timed(target: Target, ours: Sequence[Result], theirs: Sequence[Result]) -> Line:
    """A time, between cells of one machine and number of threads; most threads first."""
    phase = PHASES[target.figure]
    shared = {r.machine for r in ours} & {r.machine for r in theirs} if target.peer else {r.machine for r in ours}
    if not shared:
        return Line(target=target, own=None)
    machine = max(shared, key=lambda m: (dict(m)["threads"], str(m)))
    sides = [[r for r in side if r.machine == machine] for side in (ours, theirs)]
    quiet = all(r.is_quiet(phase) for side in sides for r in side)
    clock = "wall" if quiet and target.clock == "wall" else "cpu"
    own, peer = (took(side, phase, clock=clock) for side in sides)
    if target.figure == "rows/s":
        own, peer = (None if s is None else Spread(1 / s.middle, 1 / s.most, 1 / s.least, s.count) for s in (own, peer))
    said = f"{'wall' if clock == 'wall' else 'CPU'}, {dict(machine)['threads']} thread(s)"
    return Line(target=target, own=own, theirs=peer, clock=said)


def measured(target: Target, results: Sequence[Result]) -> Line:
    """What the cells say of a target."""
    ours, theirs = of(results, target.ours, target.table), of(results, target.peer, target.table)
    if target.figure in TIMES:
        return timed(target, ours, theirs)
    return Line(
        target=target,
        own=figure(ours, target.figure),
        theirs=figure(theirs, target.figure) if target.peer else None,
    )


def shown(spread: Spread | None, name: str) -> str:
    """A spread as the tables print it.

    Example:
        >>> shown(Spread(0.0312, 0.03, 0.04, 3), "e"), shown(Spread(51234.0, 51234.0, 51234.0, 1), "rows/s")
        ('0.0312 (0.0300 to 0.0400)', '51,234')
    """
    if spread is None:
        return "–"
    form = {"rows/s": ",.0f", "training": ",.0f", "peak memory, MiB": ",.0f"}.get(name, ".4f")
    middle, least, most = (format(x, form) for x in (spread.middle, spread.least, spread.most))
    return middle if least == most else f"{middle} ({least} to {most})"


def row(line: Line) -> str:
    """A line of the table."""
    target, number = line.target, line.number
    against = f"{target.ours} / {target.peer}" if target.peer else target.ours
    forms = {"ratio": "{:.2f}x", "difference": "{:+.4f}", "value": "{:.4g}"}
    said = "–" if number is None else forms[target.relation].format(number)
    unit = f"{target.figure}, {line.clock}" if line.clock else target.figure
    cells = [
        against,
        target.table,
        unit,
        shown(line.own, target.figure),
        shown(line.theirs, target.figure) if target.peer else "",
        said,
        line.verdict(target.must),
        line.verdict(target.aim),
    ]
    return "| " + " | ".join(cells) + " |"


def privacy(results: Sequence[Result]) -> list[str]:
    """Of all cells of ours: which DCR share or attack lies outside what chance explains."""
    lines = []
    names = {name for name, _ in PLAIN}
    for result in results:
        if result.score is None or str(result.cell["who"]).split("+")[0] not in names:
            continue
        share, attacked = result.score["scores"].get("copying.dcr_share"), result.score["attack"]
        where = f"{result.cell['who']}, {result.cell['table']}, seed {result.cell['seed']}"
        if share is not None:
            room = max(0.03, 3 * (share["high"] - share["low"]) / (2 * 1.96))
            if abs(share["value"] - 0.5) > room:
                lines.append(f"- {where}: DCR share {share['value']:.3f}, allowed 0.5 ± {room:.3f}: **not met**")
        room = max(0.02, 3 * attacked["se"])
        if abs(attacked["auc"] - 0.5) > room:
            lines.append(f"- {where}: attack AUC {attacked['auc']:.3f}, allowed 0.5 ± {room:.3f}: **not met**")
    scored = sum(r.score is not None and str(r.cell["who"]).split("+")[0] in names for r in results)
    if not scored:
        return ["No cell of ours is scored yet."]
    return lines or [f"DCR share and attack AUC of all {scored} cells of ours are within what chance explains: met."]


def everything(results: Sequence[Result]) -> list[str]:
    """Every contestant on every table, all figures."""
    out = []
    for table in sorted({r.key[1] for r in results}):
        whose = sorted({r.key[0] for r in results if r.key[1] == table})
        out += [f"\n**{table}**\n", "| | " + " | ".join(whose) + " |", "|---|" + "---|" * len(whose)]
        by = {who: [r for r in results if r.key == (who, table) and r.cell["finished"]] for who in whose}
        for name in (n for n in FIGURES if n not in ELSEWHERE):
            cells = [shown(figure(by[who], name), name) for who in whose]
            if any(cell != "–" for cell in cells):
                out.append(f"| {name} | " + " | ".join(cells) + " |")
        for title, cells in costs(by).items():
            out.append(f"| {title} | " + " | ".join(cells) + " |")
        out.append("| version | " + " | ".join(versions(by[who]) or "–" for who in whose) + " |")
        for who in whose:
            many = len({r.cell["version"] for r in by[who]})
            if many > 1:
                out.append(f"\n{who} was measured in {many} versions: make its cells again.")
        ended = {who: [r for r in results if r.key == (who, table) and not r.cell["finished"]] for who in whose}
        out += [f"\n{who} did not finish in 2 hours of CPU a thread, or failed." for who in whose if ended[who]]
    return out


def costs(by: dict[str, list[Result]]) -> dict[str, list[str]]:
    """CPU seconds, rows a CPU second, memory, seeds; of the cells with the fewest threads."""
    few = {
        who: [r for r in found if r.cell["threads"] == min(int(f.cell["threads"]) for f in found)]
        for who, found in by.items()
    }
    fit = {
        who: took([r for r in found if not r.cell["about"].get("loaded")], "fit", clock="cpu")
        for who, found in few.items()
    }
    rate = {who: took(found, "sample", clock="cpu") for who, found in few.items()}
    peak = {who: Spread.of(float(r.cell["sample"]["peak_mib"]) for r in found) for who, found in few.items()}
    return {
        "fit, CPU s": [shown(fit[who], "training") for who in few],
        "rows a CPU s": ["–" if s is None else f"{1 / s.middle:,.0f}" for s in rate.values()],
        "peak memory, MiB": [shown(s, "peak memory, MiB") for s in peak.values()],
        "threads, seeds": [
            f"{found[0].cell['threads']}, {len({r.cell['seed'] for r in by[who]})}" if found else "–"
            for who, found in few.items()
        ],
    }


def markdown(results: Sequence[Result], more: Sequence[str] = ()) -> str:
    """The table of targets, what is asked of all, further sections, and all figures."""
    results = [r for r in results if not has_budget(r)]
    lines = [measured(target, results) for target in targets.all_of(PLAIN)]
    parts = [*HEAD, *map(row, lines), "", NOTE, "", "### Copying", "", *privacy(results), ""]
    return "\n".join([*parts, "### All figures", *everything(results), *more])


def write_page(folder: Path = MEASURED, page: Path = PAGE) -> str:
    """Write the tables into the page; the text."""
    text = markdown(load(folder), sections(folder))
    rewrite(page, text, START, END)
    return text


def main(words: Sequence[str] | None = None) -> None:
    parser("ratios", __doc__).parse_args(words)
    print(write_page())
