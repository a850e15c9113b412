"""How many rows there are, how many were looked at, where they come from and what is to be released, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synthkit.metrics.result import SIBLING_AUDITED
from synthkit.report.inputs import RunFacts

TABLE_WORDS = {"train": "training", "holdout": "held-out", "synthetic": "synthetic", "others": "other releases'"}


def rows_of(facts: RunFacts) -> dict[str, int]:
    """Numbers of rows by table, the synthetic ones of the first draw; a single number counts those."""
    rows = facts.get("rows")
    if isinstance(rows, Mapping):
        return {str(k): int(v[0] if isinstance(v, Sequence) else v) for k, v in rows.items() if v}
    return {} if rows is None else {"synthetic": int(rows)}


def raking_sentence(facts: RunFacts) -> str | None:
    """How the rows of a raked draw came about; None for a plain one."""
    chosen = facts.get("calibrated")
    return f"{chosen['rows']:,} rows selected from a pool of {chosen['pool']:,}" if chosen else None


def of_draws(facts: RunFacts) -> list[int]:
    """Rows of each synthetic table; of one number, as many in every draw; of a final fit those of its own tables.

    Example:
        >>> of_draws({"rows": {"synthetic": [10, 12]}}), of_draws({"rows": 10, "draws": 3}), of_draws({})
        ([10, 12], [10, 10, 10], [])
    """
    if facts.get("released"):
        return [int(n) for n in facts["released"]]
    rows = facts.get("rows")
    drawn = rows.get("synthetic") if isinstance(rows, Mapping) else rows
    if isinstance(drawn, Sequence):
        return [int(n) for n in drawn]
    return [] if drawn is None else [int(drawn)] * int(facts.get("draws") or 1)


def draws_of(facts: RunFacts) -> int:
    """Number of synthetic tables that were drawn and measured."""
    return len(of_draws(facts)) or int(facts.get("draws") or 1)


def synthetic(facts: RunFacts) -> str:
    """How many synthetic rows there are.

    Example:
        >>> [synthetic({"rows": {"synthetic": n}}) for n in ([12311], [10, 10], [10, 12])]
        ['12,311 synthetic rows', '2 draws of 10 synthetic rows each', '2 draws of 10 and 12 synthetic rows']
    """
    draws = of_draws(facts)
    if len(draws) < 2:
        return f"{draws[0]:,} synthetic rows" if draws else "synthetic rows"
    each = f"{draws[0]:,} synthetic rows each" if len(set(draws)) == 1 else f"{listed(draws)} synthetic rows"
    return f"{len(draws)} draws of {each}"


def others(facts: RunFacts) -> str:
    """Other releases that attackers were given too; empty if there were none.

    Example:
        >>> others({"rows": {"synthetic": [10], "others": [7, 1500]}})
        '2 other releases of the same table, 1,507 rows in all'
    """
    rows = facts.get("rows")
    counts = _each(rows.get("others")) if isinstance(rows, Mapping) else []
    several = "1 other release" if len(counts) == 1 else f"{len(counts)} other releases"
    return f"{several} of the same table, {sum(counts):,} rows in all" if counts else ""


def looked_at(facts: RunFacts, tables: Sequence[str] = tuple(TABLE_WORDS)) -> str:
    """Of which of the tables not all rows were looked at; empty if of none.

    Example:
        >>> looked_at({"rows": {"train": 40, "synthetic": [12311]}, "measured": {"train": 40, "synthetic": [10000]}})
        '10,000 of 12,311 synthetic rows'
    """
    there, seen = facts.get("rows"), facts.get("measured")
    if not (isinstance(there, Mapping) and isinstance(seen, Mapping)):
        return ""
    return "; ".join(
        f"{at:,} of {of:,} {TABLE_WORDS[table]} rows"
        for table in tables
        for of, at in dict.fromkeys(zip(_each(there.get(table)), _each(seen.get(table)), strict=True))
        if of != at
    )


def _each(rows: int | Sequence[int] | None) -> list[int]:
    """One number a table, as a list."""
    return [] if rows is None else [int(rows)] if isinstance(rows, int) else [int(n) for n in rows]


def listed(numbers: Sequence[int]) -> str:
    """Numbers as a list in words."""
    *first, last = (f"{n:,}" for n in numbers)
    return f"{', '.join(first)} and {last}" if first else last


def made_here(facts: RunFacts) -> bool:
    """Whether the rows were drawn by the run that the facts are of; those of an evaluation are there already."""
    return bool(facts.get("model") or facts.get("config"))


def release_surface(facts: RunFacts) -> str | None:
    """What is to be released; None where nothing is, as by an evaluation or a comparison of models."""
    if not made_here(facts) or facts.get("compared"):
        return None
    model = " and the fitted model" if (facts.get("config") or {}).get("release_model") else ""
    sibling = (
        ", of a fit to all people after its sibling was measured" if facts.get("audited") == SIBLING_AUDITED else ""
    )
    return f"the rows{model}{sibling}"
