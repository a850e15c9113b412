"""Rules across tables, held against the tables they speak of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from synthkit.schema.columns import Datetime, Numeric
from synthkit.schema.linked.linked_rules import LinkedRule, NothingAfter, Once, Total, Within
from synthkit.schema.linked.linked_table import LinkedTable
from synthkit.schema.linked.table_graph import TableGraph
from synthkit.schema.rules import Condition
from synthkit.schema.table import condition_problems


@dataclass(frozen=True)
class DeclaredTables:
    """Tables without problems of their own, which rules speak of.

    Args:
        unit: table whose rows are the units.
        tables: all of them by name.
    """

    unit: str
    tables: Mapping[str, LinkedTable]

    @cached_property
    def graph(self) -> TableGraph:
        """Who owns whom."""
        return TableGraph.of(self.unit, self.tables)


def rule_problems(declared: DeclaredTables, rules: Sequence[LinkedRule]) -> Iterator[str]:
    """What is wrong with rules across tables, as sentences."""
    for k, rule in enumerate(rules):
        where = f"`rules[{k}]`"
        if isinstance(rule, NothingAfter):
            yield from _nothing_after(where, rule, declared)
        elif isinstance(rule, Total):
            yield from _total(where, rule, declared)
        elif isinstance(rule, Once):
            yield from columns_known(where, rule.table, rule.of, declared)
            yield from condition_problems_of(where, rule.table, rule.when, declared)
        else:
            yield from _within(where, rule, declared)


def _nothing_after(where: str, rule: NothingAfter, declared: DeclaredTables) -> Iterator[str]:
    yield from _column(where, rule.moment, declared, Datetime, Numeric)
    if rule.moment.partition(".")[0] != declared.unit:
        yield f"{where}: the moment must be one of a unit, in `{declared.unit}`; however: {rule.moment}"
        return
    named = () if rule.tables == "all" else rule.tables
    missing = list(_known(where, named, declared))
    yield from missing
    if missing:
        return
    moment = declared.tables[declared.unit].columns.get(rule.moment.partition(".")[2])
    for name in named or declared.graph.records:
        order = declared.tables[name].order
        if order is None and named:
            yield f"{where}: `{name}` must have an `order`; however: none is given"
        elif order is not None and moment is not None:
            kind = declared.tables[name].columns[order.start]
            if {moment.kind, kind.kind} == {"datetime", "numeric"}:
                yield f"{where}: moments compare with moments; however: {rule.moment} is {moment.kind}, `{name}` not"


def _within(where: str, rule: Within, declared: DeclaredTables) -> Iterator[str]:
    missing = list(_known(where, (rule.table, rule.of), declared))
    yield from missing
    if missing:
        return
    order = declared.tables[rule.of].order
    pointed = {link.to for link in declared.tables[rule.table].links if link.kind == "earlier"}
    if rule.of not in {*declared.graph.ancestors(rule.table), *pointed}:
        yield f"{where}: `{rule.table}` must belong or point to rows of `{rule.of}`; however: no link of it does"
    if order is None or order.until is None or declared.tables[rule.table].order is None:
        yield f"{where} needs `order` of `{rule.table}`, and of `{rule.of}` with `until`; however: it is not given"


def _total(where: str, rule: Total, declared: DeclaredTables) -> Iterator[str]:
    parent, child = rule.parent.partition(".")[0], rule.child.partition(".")[0]
    problems = [*_column(where, rule.parent, declared, Numeric), *_known(where, (child,), declared)]
    if "." in rule.child:
        problems += _column(where, rule.child, declared, Numeric)
    if not problems and child not in declared.graph.children(parent):
        problems.append(f"{where}: rows of `{child}` must belong to rows of `{parent}`; however: they do not")
    yield from problems


def condition_problems_of(
    where: str, table: str, when: Mapping[str, Condition], declared: DeclaredTables
) -> Iterator[str]:
    """What is wrong with conditions on columns of a table."""
    missing = list(columns_known(where, table, tuple(when), declared))
    yield from missing
    if not missing:
        for name, condition in when.items():
            yield from condition_problems(where, name, condition, declared.tables[table].columns[name])


def columns_known(where: str, table: str, names: tuple[str, ...], declared: DeclaredTables) -> Iterator[str]:
    """Sentences on a table of records that is none, or on columns it does not declare."""
    missing = list(_known(where, (table,), declared))
    yield from missing
    if not missing:
        for name in names:
            if name not in declared.tables[table].columns:
                yield f"{where} must name declared columns; however: `{table}.{name}` is not declared"


def _known(where: str, names: tuple[str, ...], declared: DeclaredTables) -> Iterator[str]:
    for name in names:
        if name not in declared.graph.records:
            yield f"{where} must name tables of records; however: `{name}` is not one"


def _column(where: str, dotted: str, declared: DeclaredTables, *kinds: type) -> Iterator[str]:
    table, _, column = dotted.partition(".")
    found = declared.tables.get(table)
    if found is None or column not in found.columns:
        yield f"{where} must name a declared column as TABLE.COLUMN; however: `{dotted}` is not one"
    elif not isinstance(found.columns[column], kinds):
        words = " or ".join(kind.__name__.lower() for kind in kinds)
        yield f"{where} needs a column of kind {words}; however: `{dotted}` is {found.columns[column].kind}"
