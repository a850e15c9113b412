"""What was measured of small cohorts, as sentences and tables of docs/explanation/small_cohorts.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.risk.cohort_cells import CONTESTANTS, TABLES
from benchmarks.risk.cohort_evidence import Means, means, picked
from synthkit.models.auto_evidence import AutoEvidence

BUDGET, ALONE, USUAL, FIRMEST = "marginal, epsilon 8", "independent", "autoregressive", "firmest"
HEADS = "membership AUC / likeness / told apart / loss"
Pairs = Sequence[tuple[int, Mapping[str, float], Mapping[str, float]]]  # people fitted, one and the other


def answer(kept: Mapping[str, Any], known: AutoEvidence) -> str:
    """Whether one should just set epsilon 8, in sentences; every figure is that of a cell, or a mean over tables."""
    found = means(kept["cells"])
    both = {place: (each[picked(known, *place)], each[BUDGET]) for place, each in _complete(found, known)}
    alone = [place for place, (_, eps) in both.items() if eps["likeness"] < found[place][ALONE]["likeness"]]
    plain, budget = ([pair[k]["membership"] for pair in both.values()] for k in (0, 1))
    firm = [(n, each[USUAL], each[FIRMEST]) for (_, n), each in found.items() if {USUAL, FIRMEST} <= each.keys()]
    lines = [
        f"An attacker's AUC is {_range(budget)} with epsilon 8, and {_range(plain)} without a budget in the size that "
        "`auto` picks.",
        f"Chance explains it in {_by_chance(kept, BUDGET)} with epsilon 8, in {_by_chance(kept, USUAL)} of the usual "
        f"`autoregressive`, and in {_by_chance(kept, FIRMEST)} of the firmest.",
        *_costs([(n, *pair) for (_, n), pair in both.items()], "epsilon 8 in place of what `auto` picks"),
        *_costs(firm, "the firmest hand in place of the usual one, without a budget,"),
        f"In {len(alone)} of {len(both)} cohorts the rows of epsilon 8 are less like people held out than rows whose "
        "columns were drawn each by itself.",
        *([f"The largest of these has {max(n for _, n in alone):,} people."] if alone else []),
    ]
    return "\n".join(f"- {line}" for line in lines)


def _complete(found: Means, known: AutoEvidence) -> list[tuple[tuple[str, int], Mapping[str, Mapping[str, float]]]]:
    """Cohorts in which the budget, what `auto` picks and independent columns were all measured."""
    return [(place, each) for place, each in found.items() if {BUDGET, ALONE, picked(known, *place)} <= each.keys()]


def _by_chance(kept: Mapping[str, Any], who: str) -> str:
    """In how many fits of a contestant the interval of the AUC holds .5."""
    mine = [cell for cell in kept["cells"] if cell["who"] == who]
    return f"{sum(cell['auc_low'] <= 0.5 for cell in mine)} of {len(mine)} fits"


def _costs(pairs: Pairs, words: str) -> Iterator[str]:
    """What the other in place of the one changes at each number of people, in the mean over tables."""
    for n in sorted({people for people, _, _ in pairs}):
        here = [(one, other) for people, one, other in pairs if people == n]
        auc, likeness, told, loss = (
            np.mean([other[key] - one[key] for one, other in here if key in one and key in other])
            for key in ("membership", "likeness", "told_apart", "loss")
        )
        tables = f"{len(here)} tables" if len(here) > 1 else "1 table"
        yield (
            f"At {n:,} people ({tables}) {words} changes that AUC by {auc:+.2f}, likeness by {likeness:+.3f}, the AUC "
            f"of telling rows apart by {told:+.2f}, and the loss of prediction by {loss:+.2f}."
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
    loss = f"{one['loss']:.2f}" if "loss" in one else "–"
    text = f"{one['membership']:.2f} / {one['likeness']:+.3f} / {one['told_apart']:.2f} / {loss}"
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
