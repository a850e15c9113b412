"""Contradictions and targets on histories, held against the tables they speak of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synthkit.schema.columns import Discrete, Numeric, level_key
from synthkit.schema.linked.linked_rules import DURATION, Contradiction, HistoryTarget
from synthkit.schema.linked.rule_problems import DeclaredTables, columns_known, condition_problems_of
from synthkit.schema.table import is_plain


def history_problems(
    declared: DeclaredTables, contradictions: Sequence[Contradiction], targets: Sequence[HistoryTarget]
) -> Iterator[str]:
    """What is wrong with contradictions and targets, as sentences."""
    for key, named in (("contradictions", contradictions), ("targets", targets)):
        names = [each.name for each in named]
        for k, name in enumerate(names):
            if name in names[:k] or not is_plain(name):
                why = "it is given twice" if name in names[:k] else "it is none"
                yield f"`{key}[{k}]` must have a short name of its own; however: {why}. Rename it"
    for k, each in enumerate(contradictions):
        yield from _contradiction(f"`contradictions[{k}]`", each, declared)
    for k, target in enumerate(targets):
        yield from _target(f"`targets[{k}]`", target, declared)


def _contradiction(where: str, each: Contradiction, declared: DeclaredTables) -> Iterator[str]:
    yield from condition_problems_of(where, each.table, each.when, declared)
    yield from condition_problems_of(where, declared.unit, each.unit, declared)
    if each.without is not None:
        yield from condition_problems_of(where, each.without.table, each.without.when, declared)
    if not (each.when or each.unit):
        yield f"{where} must say of which rows it speaks; however: neither `when` nor `unit` is given"


def _target(where: str, target: HistoryTarget, declared: DeclaredTables) -> Iterator[str]:
    if (target.column is None) == (target.event is None):
        yield f"{where} must give `column` or `event`, one of them; however: {'both' if target.column else 'neither'}"
        return
    missing = list(columns_known(where, target.at, () if target.column is None else (target.column,), declared))
    yield from missing
    if missing:
        return
    if target.event is not None and declared.tables[target.at].order is None:
        yield (
            f"{where}: `at` must name a table with an `order`, which tells what comes after; "
            f"however: `{target.at}` has none"
        )
    if target.column is not None:
        yield from _predicted(where, target, declared)
    if target.event is not None:
        yield from _event(where, target, declared)


def _predicted(where: str, target: HistoryTarget, declared: DeclaredTables) -> Iterator[str]:
    """What is wrong with a column to be predicted."""
    column = declared.tables[target.at].columns[target.column or ""]
    if not isinstance(column, (*Discrete, Numeric)):
        yield f"{where}: `column` must be a number or have levels; however: `{target.column}` is {column.kind}"
        return
    levels = getattr(column, "levels", None) or ()
    if target.positive is not None and levels and level_key(target.positive) not in {level_key(v) for v in levels}:
        yield f"{where}: `positive` must be a level of `{target.column}`; however: {target.positive!r}"
    if target.within is not None:
        yield f"{where}: `within` is about an `event`; however: a `column` is to be predicted. Take `within` out"


def _event(where: str, target: HistoryTarget, declared: DeclaredTables) -> Iterator[str]:
    """What is wrong with an event to be predicted."""
    event = target.event
    if event is None:
        return
    missing = list(condition_problems_of(where, event.table, event.when, declared))
    yield from missing
    if missing:
        return
    order = declared.tables[event.table].order
    if order is None:
        yield f"{where}: `event` must name a table with an `order`; however: `{event.table}` has none"
    elif declared.tables[target.at].order is not None:
        yield from _on_one_clock(where, target, event.table, declared)
    if target.positive is not None:
        yield f"{where}: `positive` is about a `column`; however: an `event` is to be predicted. Take `positive` out"


def _on_one_clock(where: str, target: HistoryTarget, event: str, declared: DeclaredTables) -> Iterator[str]:
    """What is wrong with the clocks of a moment and an event, and with a time between them."""
    clock = _clock(event, declared)
    if clock != _clock(target.at, declared):
        yield (
            f"{where}: `event` and `at` must tell time on one clock; however: `{event}` and `{target.at}` are on two. "
            "Give both an `order` by moments, or by numbers"
        )
    elif target.within is not None and (found := DURATION.fullmatch(target.within)) is not None:
        unit = found["unit"]
        if unit != "rows" and not ((clock == "datetime" and unit) or (clock == "numeric" and unit is None)):
            what, remedy = _SPANS.get(clock, _SPANS["rows"])
            yield f"{where}: `within` must be {what}; however: {target.within!r}. Write {remedy}"


_SPANS = {  # how long something takes on a clock, and an example
    "datetime": ("a number and a unit of time, for time is told in moments", "30 d, or 1 rows"),
    "numeric": ("a number, for time is told in numbers", "30, or 1 rows"),
    "rows": ("a number of rows, for they have no times", "1 rows"),
}


def _clock(table: str, declared: DeclaredTables) -> str:
    """What rows tell time in: moments or numbers, their own or of what they belong to; else their table's places."""
    top = table
    for name in (table, *declared.graph.ancestors(table)):
        if name == declared.unit:
            break
        order, top = declared.tables[name].order, name
        kind = None if order is None else declared.tables[name].columns[order.start].kind
        if kind in ("datetime", "numeric"):
            return kind
    return f"places of {top}"
