"""The table of linked targets and all figures of linked cells, written into the page; nothing is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import json_files
from benchmarks.linked.linked_cells import LINKED
from benchmarks.linked.linked_figures import FLOORS, LINKED_FIGURES, linked_figure
from benchmarks.linked.linked_job import REFUSED
from benchmarks.linked.linked_targets import MODEL, LinkedLine, linked_line, linked_targets, whole
from benchmarks.measure.results import Result, Spread, load, versions
from benchmarks.pages import rewrite
from benchmarks.places import PAGE

LINKED_START, LINKED_END = "<!-- linked -->", "<!-- /linked -->"
LOAD_FILE = "load.json"
HEAD = ("| table | figure | ours | best peer | real units | | must | aim |", "|---|---|---|---|---|---|---|---|")
LINKED_NOTE = """\
Medians over seeds (smallest to largest); *real units* are training units in the place of synthetic ones. *Over
floor*: above what those score. *C2ST row* and *gap KS* are means over the tables; *transitions TV* is that of types
of events, or of levels where there is one type; *alignment* the difference of the share of rows shortly after a row
of another table; *rows broken* counts rows that break a key, link, order or rule (of real units: held-out ones);
*contradictions* is the share of people with a declared one, less that of held-out people. *@3* is epsilon 3 a person,
delta 1e-5; the peer's epsilon is of a sequence and shared out over its tables."""


def shown(spread: Spread | None, form: str = ".4f") -> str:
    """A spread as the table prints it.

    Example:
        >>> shown(Spread(0.0312, 0.03, 0.04, 3)), shown(None), shown(Spread(0.0, 0.0, 0.0, 1), ".0f")
        ('0.0312 (0.0300 to 0.0400)', '–', '0')
    """
    if spread is None:
        return "–"
    middle, least, most = (format(x, form) for x in (spread.middle, spread.least, spread.most))
    return middle if least == most else f"{middle} ({least} to {most})"


def form_of(figure: str) -> str:
    """How the numbers of a figure are written."""
    return {"rows broken": ",.0f"}.get(figure, ",.1f" if "CPU" in figure or "MiB" in figure else ".4f")


def row(line: LinkedLine) -> str:
    """A line of the table."""
    target, form = line.target, form_of(line.target.figure)
    said = "–" if line.number is None else f"{line.number:.2f}x" if target.relation == "ratio" else ""
    theirs = f"{shown(line.theirs, form)}, {line.who}" if line.who else "–"
    own, real = shown(line.own, form), shown(line.floor, form)
    figure = target.figure if target.model == MODEL else f"{target.figure}, {target.model}"
    cells = [target.table, figure, own, theirs, real, said, line.verdict(target.must), line.verdict(target.aim)]
    return "| " + " | ".join(cells) + " |"


def of_load(line: LinkedLine, load_figures: Mapping[str, Any] | None) -> LinkedLine:
    """A line of the load, from its own file."""
    if line.target.table != "load" or load_figures is None:
        return line
    minutes = float(load_figures["minutes"][line.target.figure.partition(",")[0]])
    return LinkedLine(target=line.target, own=Spread(minutes, minutes, minutes, 1))


def everything(results: Sequence[Result]) -> list[str]:
    """Every contestant on every table: all figures, what they took, and who did not finish."""
    out = []
    for table in sorted({r.key[1] for r in results}):
        found = whole(results, table)
        whose = sorted({r.key[0] for r in found}, key=lambda who: (who != MODEL, who))
        by = {who: [r for r in found if r.key[0] == who] for who in whose}
        if whose:
            out += [f"\n**{table}**\n", f"| | {' | '.join(whose)} | real units |", "|---|" + "---|" * (len(whose) + 1)]
            out += _figures(by) + _costs(by)
        out += [""] + [_unfinished(r) for r in results if r.key[1] == table and not r.cell["finished"]]
    return out


def _figures(by: Mapping[str, Sequence[Result]]) -> list[str]:
    out = []
    for name in LINKED_FIGURES:
        cells = [shown(linked_figure(found, name), form_of(name)) for found in by.values()]
        if any(cell != "–" for cell in cells):
            real = linked_figure(next(iter(by.values())), name, FLOORS)
            out.append(f"| {name} | {' | '.join(cells)} | {shown(real, form_of(name))} |")
    return out


def _costs(by: Mapping[str, Sequence[Result]]) -> list[str]:
    """CPU seconds, time on the wall and memory of the whole process; CPU seconds of fit and draw; versions."""

    def taken(part: str, key: str) -> list[str]:
        spreads = [Spread.of(r.cell.get(part, {}).get(key) for r in found) for found in by.values()]
        return [shown(s, ",.0f") for s in spreads]

    rows = {
        "whole process, s": taken("whole", "wall"),
        "whole process, CPU s": taken("whole", "cpu"),
        "fit, CPU s": taken("fit", "cpu"),
        "draw, CPU s": taken("draw", "cpu"),
        "peak memory, MiB": taken("whole", "peak_mib"),
        "limit of a table, CPU minutes": taken("settings", "max_training_time"),
        "seeds": [str(len({r.cell["seed"] for r in found})) for found in by.values()],
        "version": [versions(found) for found in by.values()],
    }
    known = {title: cells for title, cells in rows.items() if any(cell != "–" for cell in cells)}
    return [f"| {title} | {' | '.join(cells)} | |" for title, cells in known.items()]


def _unfinished(result: Result) -> str:
    """What is said of somebody who did not finish: for want of time, or by an error."""
    cell = result.cell
    took = f"{cell['whole']['cpu'] / 60:,.0f} CPU minutes"
    code = int(cell["return_code"])
    slow = f"did not finish in {cell['hours']:g} hours of CPU a thread"
    why = {-24: slow, -9: slow, REFUSED: "refuses such tables"}.get(code, "stopped with an error")
    return f"- {result.key[0]}, seed {cell['seed']}: {why} ({took}, return code {code})."


def load_line(found: Mapping[str, Any]) -> str:
    """What the load was, in a sentence."""
    made = f"{found['steps']:,} of {found['planned']:,} steps made ({found['epochs']:.1f} epochs)"
    return (
        f"Load: {found['rows']:,} rows of {found['columns']} columns below {found['units']:,} units, "
        f"{found['threads']} thread(s); {made}, {found['rows_a_cpu_second']:,.0f} rows a CPU s in training; the whole "
        "fit is what was measured and the steps left, at the median step. "
        f"Peak memory {found['peak_mib']:,} MiB. {found['version']}."
    )


def markdown(results: Sequence[Result], load_figures: Mapping[str, Any] | None = None) -> str:
    """The table of targets and all figures."""
    lines = [of_load(linked_line(target, results), load_figures) for target in linked_targets()]
    out = [*HEAD, *map(row, lines), "", LINKED_NOTE]
    if load_figures is not None:
        out += ["", load_line(load_figures)]
    return "\n".join([*out, *everything(results)])


def write_linked_page(folder: Path = LINKED, page: Path = PAGE) -> str:
    """Write what is recorded into the page; the text."""
    file = folder / LOAD_FILE
    text = markdown(load(folder), json_files.read(file) if file.exists() else None)
    rewrite(page, text, LINKED_START, LINKED_END)
    return text
