"""What was measured of small cohorts, as sentences and tables of docs/explanation/small_cohorts.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.risk.cohort_cells import CONTESTANTS, TABLES
from benchmarks.risk.cohort_evidence import Means, means, picked
from synthkit.models.auto_evidence import AutoEvidence

BUDGET, ALONE = "marginal, epsilon 8", "independent"
HEADS = "membership AUC / likeness / told apart / loss"


def answer(kept: Mapping[str, Any], known: AutoEvidence) -> str:
    """Whether one should just set epsilon 8, in sentences; every figure is that of a cell, or a mean over tables."""
    found = means(kept["cells"])
    both = [(place, each[picked(known, *place)], each[BUDGET], each[ALONE]) for place, each in _complete(found, known)]
    plain, budget = [one["membership"] for _, one, _, _ in both], [one["membership"] for _, _, one, _ in both]
    worse = [place for place, _, eps, alone in both if eps["likeness"] < alone["likeness"]]
    lines = [
        f"An attacker's AUC is {_range(budget)} with epsilon 8, and {_range(plain)} without a budget in the size that "
        "`auto` picks.",
        *_costs(both),
        f"In {len(worse)} of {len(both)} cohorts the rows of epsilon 8 are less like people held out than rows whose "
        "columns were drawn each by itself.",
    ]
    if worse:
        most = max(n for _, n in worse)
        lines.append(f"The largest of these has {most:,} people.")
    return "\n".join(lines)


def _complete(found: Means, known: AutoEvidence) -> list[tuple[tuple[str, int], Mapping[str, Mapping[str, float]]]]:
    """Cohorts in which the budget, what `auto` picks and independent columns were all measured."""
    return [(place, each) for place, each in found.items() if {BUDGET, ALONE, picked(known, *place)} <= each.keys()]


def _costs(both: Sequence[Any]) -> Iterator[str]:
    """What the budget costs at each number of people, in the mean over tables."""
    for n in sorted({place[1] for place, *_ in both}):
        here = [(one, eps) for place, one, eps, _ in both if place[1] == n]
        likeness, told, loss = (
            sum(sign * (eps[key] - one[key]) for one, eps in here) / len(here)
            for key, sign in (("likeness", -1), ("told_apart", 1), ("loss", 1))
        )
        auc = sum(one["membership"] - eps["membership"] for one, eps in here) / len(here)
        tables = f"{len(here)} tables" if len(here) > 1 else "1 table"
        yield (
            f"At {n:,} people ({tables}) it lowers that AUC by {auc:.2f} and costs {likeness:.3f} of likeness, "
            f"{told:.2f} of the AUC of telling rows apart, and {loss:.2f} of prediction."
        )


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def tables(kept: Mapping[str, Any], known: AutoEvidence) -> str:
    """A table for each public one: a line for each contestant, a column for each number of people."""
    found = means(kept["cells"])
    lines = []
    for table in TABLES:
        sizes = [n for name, n in found if name == table]
        lines += [f"**{table}**: {HEADS}\n", f"| people fitted | {' | '.join(f'{n:,}' for n in sizes)} |"]
        lines.append("|---" * (len(sizes) + 1) + "|")
        for who in [contestant.name for contestant in CONTESTANTS]:
            cells = [_cell(found[table, n].get(who), chosen=picked(known, table, n) == who) for n in sizes]
            lines.append(f"| {who} | {' | '.join(cells)} |")
        lines.append("")
    seconds = sum(cell["cpu"] for cell in kept["cells"])
    seeds = [int(one["seeds"]) for each in found.values() for one in each.values()]
    lines.append(
        f"Bold: what `auto` picks. –: not measured. Means over {min(seeds)} to {max(seeds)} seeds, "
        f"{len(kept['cells'])} fits, {seconds:,.0f} CPU seconds, {kept['machine']['cpu']}: "
        "`python -m benchmarks cohorts`"
    )
    return "\n".join(lines)


def _cell(one: Mapping[str, float] | None, *, chosen: bool) -> str:
    if one is None:
        return "–"
    text = f"{one['membership']:.2f} / {one['likeness']:+.3f} / {one['told_apart']:.2f} / {one['loss']:.2f}"
    return f"**{text}**" if chosen else text


def points(kept: Mapping[str, Any], known: AutoEvidence) -> list[dict[str, Any]]:
    """Points of the picture: membership and likeness of each contestant in each cohort."""
    return [
        {
            "table": table,
            "people": n,
            "who": who,
            "membership": round(one["membership"], 4),
            "likeness": round(one["likeness"], 4),
            "picked": picked(known, table, n) == who,
        }
        for (table, n), each in means(kept["cells"]).items()
        for who, one in each.items()
    ]
