"""Recorded results of the first model as a table in the pages, so that nobody types a figure.

The pages are the front page and that of the benchmarks. Nothing is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.flags import parser
from benchmarks.measure.results import Result, Spread, figure, load, took, versions
from benchmarks.pages import rewrite
from benchmarks.places import FRONT, MEASURED, PAGE

START, END = "<!-- results -->", "<!-- /results -->"
NONE = "No results are recorded in this version."
MODEL = "autoregressive"
NOTE = (
    "Median over seeds (smallest to largest) [what real rows score]; three-way: similarity of tables of three columns, "
    "to the training rows and to the holdout; G3: the one less the other where all parts have one size; –: not "
    "measured in these results. A version ends in a digest of the code that was measured, which may be older than "
    "today's."
)

Cell = Callable[[Sequence[Result]], str]


def spread(found: Spread | None, form: str) -> str:
    """The median, and the smallest and the largest where they differ.

    Example:
        >>> spread(Spread(0.53, 0.52, 0.54, 3), ".3f"), spread(Spread(0.5, 0.5, 0.5, 1), ".2f"), spread(None, ".2f")
        ('0.530 (0.520 to 0.540)', '0.50', '–')
    """
    if found is None:
        return "–"
    middle, least, most = (format(x, form) for x in (found.middle, found.least, found.most))
    return middle if least == most else f"{middle} ({least} to {most})"


def fact(key: str, form: str) -> Cell:
    """A fact of the scored tables."""
    return lambda results: spread(Spread.of(r.score[key] for r in results if r.score), form)


def score(name: str, metric: str | None = None, form: str = ".3f") -> Cell:
    """A figure, and in brackets what real rows score, median over the seeds."""

    def cell(results: Sequence[Result]) -> str:
        text = spread(figure(results, name), form)
        found = [r.score["scores"].get(metric, {}).get("reference") for r in results if r.score]
        real = Spread.of(found)
        return text if real is None else f"{text} [{real.middle:{form}}]"

    return cell


def seconds(results: Sequence[Result]) -> str:
    """CPU seconds of the fit."""
    return spread(took(results, "fit", clock="cpu"), ",.0f")


def rate(results: Sequence[Result]) -> str:
    """Rows a CPU second."""
    each = took(results, "sample", clock="cpu")
    return "–" if each is None else f"{1 / each.middle:,.0f}"


COLUMNS: Mapping[str, Cell] = {
    "rows fitted": fact("rows", ",.0f"),
    "columns": fact("columns", ".0f"),
    "fit, CPU s": seconds,
    "rows a CPU s drawn": rate,
    "C2ST, boosting": score("C2ST", "fidelity.c2st"),
    "C2ST, LightGBM": score("C2ST, LightGBM", "fidelity.c2st_lightgbm"),
    "three-way, train": score("three-way", "fidelity.tv3_train"),
    "three-way, holdout": score("three-way, holdout", "fidelity.tv3"),
    "G3": score("G3", "membership.generalisation_gap_tv3", ".4f"),
    "loss TRTR − TSTR": score("g"),
    "DCR share": score("DCR share", "copying.dcr_share"),
    "rows breaking a rule, share": score("rows breaking a rule", form=".5f"),
}


def measured(results: Sequence[Result]) -> Mapping[str, list[Result]]:
    """Scored cells of the first model by table."""
    own = [r for r in results if r.key[0] == MODEL and r.cell["finished"] and r.score is not None]
    return {name: fewest([r for r in own if r.key[1] == name]) for name in sorted({r.key[1] for r in own})}


def front(results: Sequence[Result]) -> str:
    """Results of the first model, figures down and data sets across."""
    by = measured(results)
    if not by:
        return NONE
    lines = ["| | " + " | ".join(by) + " |", "|---|" + "---|" * len(by)]
    for title, cell in COLUMNS.items():
        lines.append(f"| {title} | " + " | ".join(cell(found) for found in by.values()) + " |")
    return "\n".join([*lines, "", NOTE])


def markdown(results: Sequence[Result]) -> str:
    """The same with machine and command of each data set."""
    lines = [front(results)]
    for name, found in measured(results).items():
        said, seeds = found[0].cell, sorted({int(r.cell["seed"]) for r in found})
        machine = said["machine"]
        many, threads = ("1 seed" if len(seeds) == 1 else f"{len(seeds)} seeds"), said["threads"]
        lines.append(
            f"- {name}: {many}, {machine['cpu']}, {threads} thread{'s' * (threads > 1)} of {machine['cores']} cores, "
            f"Python {machine['python']}, torch {machine['torch']}, {versions(found)}: "
            f"`python -m benchmarks bench --only {MODEL} "
            f"--tables {name} --seeds {' '.join(map(str, seeds))}`"
        )
    return "\n".join(lines)


def fewest(results: Sequence[Result]) -> list[Result]:
    """Those with the fewest threads: they have all seeds."""
    least = min(int(r.cell["threads"]) for r in results)
    return [r for r in results if r.cell["threads"] == least]


def write_pages(folder: Path = MEASURED) -> None:
    """Write the table into the pages; machines and commands stand in the longer one."""
    results = load(folder)
    rewrite(PAGE, markdown(results), START, END)
    rewrite(FRONT, front(results), START, END)


def main(words: Sequence[str] | None = None) -> None:
    parser("table", __doc__).parse_args(words)
    write_pages()
