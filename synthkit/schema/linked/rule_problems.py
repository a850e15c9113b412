"""Rules, contradictions and targets across tables, held against the tables they speak of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from synthkit.schema.columns import Datetime, Numeric
from synthkit.schema.linked.linked_rules import Contradiction, HistoryTarget, LinkedRule, NothingAfter, Once, Total
from synthkit.schema.rules import Condition

if TYPE_CHECKING:
    from synthkit.schema.linked.linked_schema import LinkedSchema


def rule_problems(schema: LinkedSchema) -> Iterator[str]:
    """What is wrong with rules, contradictions and targets, as sentences."""
    for k, rule in enumerate(schema.rules):
        yield from _rule(f"`rules[{k}]`", rule, schema)
    for k, each in enumerate(schema.contradictions):
        yield from _contradiction(f"`contradictions[{k}]`", each, schema)
    for k, target in enumerate(schema.targets):
        yield from _target(f"`targets[{k}]`", target, schema)


def _rule(where: str, rule: LinkedRule, schema: LinkedSchema) -> Iterator[str]:
    if isinstance(rule, NothingAfter):
        yield from _column(where, rule.moment, schema, Datetime, Numeric)
        if rule.moment.partition(".")[0] != schema.unit:
            yield f"{where}: the moment must be one of a unit, in `{schema.unit}`; however: {rule.moment}"
        yield from _known(where, () if rule.tables == "all" else rule.tables, schema)
    elif isinstance(rule, Total):
        yield from _total(where, rule, schema)
    elif isinstance(rule, Once):
        yield from _known(where, (rule.table,), schema)
        yield from _columns(where, rule.table, (*rule.of, *rule.when), schema)
    else:
        missing = list(_known(where, (rule.table, rule.of), schema))
        yield from missing
        if not missing:
            yield from _inside(where, rule.table, rule.of, schema)


def _inside(where: str, table: str, of: str, schema: LinkedSchema) -> Iterator[str]:
    order = schema.tables[of].order
    pointed = {link.to for link in schema.tables[table].links if link.kind == "earlier"}
    if of not in {*schema.graph.ancestors(table), *pointed}:
        yield f"{where}: `{table}` must belong or point to rows of `{of}`; however: no link of it does"
    if order is None or order.until is None or schema.tables[table].order is None:
        yield f"{where} needs `order` of `{table}`, and of `{of}` with `until`; however: it is not given"


def _total(where: str, rule: Total, schema: LinkedSchema) -> Iterator[str]:
    parent, child = rule.parent.partition(".")[0], rule.child.partition(".")[0]
    problems = [*_column(where, rule.parent, schema, Numeric), *_known(where, (child,), schema)]
    if "." in rule.child:
        problems += _column(where, rule.child, schema, Numeric)
    if not problems and child not in schema.graph.children(parent):
        problems.append(f"{where}: rows of `{child}` must belong to rows of `{parent}`; however: they do not")
    yield from problems


def _contradiction(where: str, each: Contradiction, schema: LinkedSchema) -> Iterator[str]:
    yield from _conditions(where, each.table, each.when, schema)
    yield from _conditions(where, schema.unit, each.unit, schema)
    if each.without is not None:
        yield from _conditions(where, each.without.table, each.without.when, schema)
    if not (each.when or each.unit):
        yield f"{where} must say of which rows it speaks; however: neither `when` nor `unit` is given"


def _target(where: str, target: HistoryTarget, schema: LinkedSchema) -> Iterator[str]:
    if (target.column is None) == (target.event is None):
        yield f"{where} must give `column` or `event`, one of them; however: {'both' if target.column else 'neither'}"
        return
    yield from _columns(where, target.at, () if target.column is None else (target.column,), schema)
    if target.event is not None:
        yield from _conditions(where, target.event.table, target.event.when, schema)


def _conditions(where: str, table: str, when: Mapping[str, Condition], schema: LinkedSchema) -> Iterator[str]:
    yield from _columns(where, table, tuple(when), schema)


def _columns(where: str, table: str, names: tuple[str, ...], schema: LinkedSchema) -> Iterator[str]:
    missing = list(_known(where, (table,), schema))
    yield from missing
    if not missing:
        for name in names:
            if name not in schema.tables[table].columns:
                yield f"{where} must name declared columns; however: `{table}.{name}` is not declared"


def _known(where: str, names: tuple[str, ...], schema: LinkedSchema) -> Iterator[str]:
    for name in names:
        if name not in schema.graph.records:
            yield f"{where} must name tables of records; however: `{name}` is not one"


def _column(where: str, dotted: str, schema: LinkedSchema, *kinds: type) -> Iterator[str]:
    table, _, column = dotted.partition(".")
    found = schema.tables.get(table)
    if found is None or column not in found.columns:
        yield f"{where} must name a declared column as TABLE.COLUMN; however: `{dotted}` is not one"
    elif not isinstance(found.columns[column], kinds):
        words = " or ".join(kind.__name__.lower() for kind in kinds)
        yield f"{where} needs a column of kind {words}; however: `{dotted}` is {found.columns[column].kind}"
