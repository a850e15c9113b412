"""The results beside this script as a table in the pages, so that nobody types a figure.

Run: python benchmarks/table.py
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGES = (HERE.parent / "README.md", HERE / "README.md")
START, END = "<!-- results -->", "<!-- /results -->"
NONE = "No results are recorded in this version."

Result = Mapping[str, Any]
Cell = Callable[[Sequence[Result]], str]


def load(folder: Path) -> dict[str, dict[str, Any]]:
    """Results by table; other JSON files are left out."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    return {name: data for name, data in found.items() if "machine" in data and data.get("results")}


def spread(values: Sequence[float], form: str) -> str:
    """The mean, and the smallest and the largest where they differ.

    Example:
        >>> spread([0.52, 0.54], ".3f"), spread([0.5], ".2f"), spread([], ".2f")
        ('0.530 (0.520 to 0.540)', '0.50', '–')
    """
    if not values:
        return "–"
    mean, least, most = (format(x, form) for x in (sum(values) / len(values), min(values), max(values)))
    return mean if least == most else f"{mean} ({least} to {most})"


def fact(key: str, form: str) -> Cell:
    """A figure of the run."""
    return lambda results: spread([result[key] for result in results], form)


def score(metric: str, form: str = ".3f") -> Cell:
    """A score, and in brackets what real rows score, averaged over the seeds."""

    def cell(results: Sequence[Result]) -> str:
        found = [result["scores"][metric] for result in results if metric in result["scores"]]
        real = [s["reference"] for s in found if s["reference"] is not None]
        text = spread([s["value"] for s in found], form)
        return f"{text} [{sum(real) / len(real):{form}}]" if real else text

    return cell


def loss(results: Sequence[Result]) -> str:
    """The largest utility gap of each seed."""
    gaps = [[s["value"] for m, s in result["scores"].items() if m.endswith(".gap")] for result in results]
    return spread([max(each) for each in gaps if each], ".3f")


COLUMNS: Mapping[str, Cell] = {
    "rows fitted": fact("rows", ",.0f"),
    "columns": fact("columns", ".0f"),
    "fit, s": fact("fit_seconds", ".0f"),
    "rows/s drawn": fact("sample_rows_per_second", ",.0f"),
    "C2ST, boosting": score("fidelity.c2st"),
    "C2ST, LightGBM": score("fidelity.c2st_lightgbm"),
    "three-way, train": score("fidelity.tv3_train"),
    "loss TRTR − TSTR": loss,
    "DCR share": score("copying.dcr_share"),
    "rows of 100,000 breaking a rule": fact("rows_breaking_a_rule_of_100000", ".0f"),
}


def command(folder: Path, name: str, seeds: int) -> str:
    """What to type to measure a table again."""
    own = (folder / f"{name}.py").exists()
    return (
        f"python benchmarks/{name}.py --seeds {seeds}"
        if own
        else (f"python benchmarks/tables.py --tables {name} --seeds {seeds}")
    )


def markdown(folder: Path) -> str:
    """The results of a folder as a Markdown table, figures down and data sets across, with machine and command."""
    found = load(folder)
    if not found:
        return NONE
    lines = ["| | " + " | ".join(found) + " |", "|---|" + "---|" * len(found)]
    for title, cell in COLUMNS.items():
        lines.append(f"| {title} | " + " | ".join(cell(data["results"]) for data in found.values()) + " |")
    lines += ["", "Mean over seeds (smallest to largest) [what real rows score]."]
    for name, data in found.items():
        machine, seeds = data["machine"], len(data["results"])
        many = "1 seed" if seeds == 1 else f"{seeds} seeds"
        lines.append(
            f"- {name}: {many}, {machine['device']}, {machine['cores']} cores, {machine['threads']} threads, "
            f"Python {machine['python']}, torch {machine['torch']}: `{command(folder, name, seeds)}`"
        )
    return "\n".join(lines)


def rewrite(page: Path, text: str) -> None:
    """Put `text` between the markers of a page.

    Raises:
        ValueError: the page has not one pair of markers.
    """
    old = page.read_text(encoding="utf-8")
    if old.count(START) != 1 or old.count(END) != 1 or old.index(END) < old.index(START):
        msg = f"a page must have one {START} before one {END}; however: {page.name} has not. Put them in"
        raise ValueError(msg)
    before, rest = old.split(START)
    page.write_text(f"{before}{START}\n\n{text}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")


def main(folder: Path = HERE, pages: Sequence[Path] = PAGES) -> None:
    for page in pages:
        rewrite(page, markdown(folder))


if __name__ == "__main__":
    main()
