"""What is learned of a row of a linked table: values, how many rows it owns and when, whom it points to."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from synthkit.encoding.units.unit_clock import UnitClock
from synthkit.schema import Identifier, Numeric, Schema
from synthkit.schema.columns import Categorical, Code, Column, Datetime, Discrete, Ordinal
from synthkit.schema.datetimes import PRECISION_STEPS
from synthkit.schema.derived import derived_origins
from synthkit.schema.linked.linked_rules import NothingAfter, Once, Total, Within
from synthkit.schema.rules import Comparison, Condition, Implication, Rule

if TYPE_CHECKING:
    from synthkit.schema.linked import LinkedSchema
    from synthkit.schema.linked.linked_table import LinkedTable

MOST_BACK = 31  # rows back that an `earlier` link may point
MOST_PAIRED = (
    8  # timed children, up to which a row of each of two is known to have a last moment; else the first stands
)
OTHER = "other"  # level of a shared row that few units point to
UNIT_CLASS, FIRST, LAST, NO_COLUMN = "(class)", "(first)", "(last)", "(nothing)"


@dataclass(frozen=True, kw_only=True)
class LearnedTable:
    """What is learned of the rows of one table.

    Args:
        name: of the table.
        table: its declared meaning.
        owner: table that its rows belong to, None for units.
        children: tables whose rows belong to its rows.
        timed: whether its rows are told by the clock.
        schema: the learned columns by themselves; moments are ticks from the anchor.
        offsets: columns of moments that are learned as ticks from when the row, or its nearest timed owner, happens.
        timed_children: which of the children are told by the clock.
        anchor: nearest table on the way up, itself included, that is told by the clock; None if none is.
        computed: columns that are the total of a child table.
        within: owners that its rows happen inside of, and tables of earlier links.
        bounds: columns of the unit after which none of its rows happens.
        once: rules about rows that happen once.
        stay: nearest table, itself or further up, whose rows end and inside of which all happens that its rows own in
            time: the first moment of it is a share of the time from the row until then, the last one of the time from
            the first. None if there is none.
    """

    name: str
    table: LinkedTable
    owner: str | None
    children: tuple[str, ...]
    timed: bool
    schema: Schema
    offsets: tuple[str, ...] = ()
    timed_children: tuple[str, ...] = ()
    anchor: str | None = None
    computed: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    bounds: tuple[str, ...] = ()
    once: tuple[Once, ...] = ()
    stay: str | None = None
    classes: int = field(default=0)

    @property
    def start(self) -> str:
        """Column that says when a row happens; of a timed table."""
        assert self.table.order is not None
        return self.table.order.start

    @property
    def until(self) -> str | None:
        """Column that says when it ends, if the clock tells it."""
        order = self.table.order
        return None if order is None or not self.timed else order.until

    @property
    def overlaps(self) -> bool:
        """Whether a row may begin before the one before it ended."""
        order = self.table.order
        return order is None or order.until is None or order.overlap

    @property
    def has_span(self) -> bool:
        """Whether first and last moment of what a row owns are learned."""
        return bool(self.timed_children)

    @cached_property
    def linked(self) -> dict[int, Literal["earlier", "shared", "peer"]]:
        """Links to rows that are learned, by number."""
        out: dict[int, Literal["earlier", "shared", "peer"]] = {}
        for k, link in enumerate(self.table.links):
            if link.kind == "earlier" or link.kind == "shared" or link.kind == "peer":  # noqa: PLR1714 - for the types
                out[k] = link.kind
        return out

    @property
    def series(self) -> str | None:
        """Column that tells series apart, if its levels are learned by themselves."""
        name = self.table.series
        kind = None if name is None else self.schema.columns.get(name)
        return name if isinstance(kind, Discrete) else None

    @cached_property
    def distinct(self) -> tuple[str, ...]:
        """Learned columns of the key: rows of one owner differ in them."""
        return tuple(c for c in self.table.key if c in self.schema.columns)

    @cached_property
    def strict(self) -> bool:
        """Whether rows of one owner must happen at different moments, for these and links make up the key."""
        linked = {c for link in self.table.links for c in link.columns}
        return self.timed and self.start in self.table.key and {*self.table.key} <= {*linked, self.start}

    @cached_property
    def numbered(self) -> tuple[str, ...]:
        """Columns that number the rows of an owner from 1: the position, and numbers of a key that nobody explains."""
        linked = {c for link in self.table.links for c in link.columns}
        free = [c for c in self.table.key if c not in {*linked, *self.schema.columns, *self.table.moments}]
        numbers = [c for c in free if not isinstance(self.table.columns[c], Identifier)]
        position = [] if self.table.position is None else [self.table.position]
        return tuple(dict.fromkeys([*position, *numbers]))

    @cached_property
    def check(self) -> Schema | None:
        """The table by itself with the rules that can be held against a drawn row; None if there is nothing to hold."""
        whole = self.table.alone(self.name)
        late = {*self.computed, *self.numbered, *self.table.key}
        derived = {c: e for c, e in whole.derived.items() if not late & set(derived_origins(whole, c))}
        gone = {*late, *(c for c in whole.derived if c not in derived)}
        rules = tuple(r for r in whole.rules if not gone & set(r.columns))
        if not rules and not derived:
            return None
        return whole.model_copy(update={"rules": rules, "derived": derived})


def rows_of(child: str) -> str:
    """Name of the column that counts rows of a child table."""
    return f"(rows of {child})"


def pointer(k: int) -> str:
    """Name of the column that says where link number k points."""
    return f"(link {k})"


def learned_tables(schema: LinkedSchema, clock: UnitClock, classes: int = 0) -> dict[str, LearnedTable]:
    """What is learned of each table of records, owners first.

    Args:
        schema: what the tables mean.
        clock: how they tell time.
        classes: latent classes of units; one more column of the unit from 2 on.
    """
    return {name: _learned(name, schema, clock, classes) for name in schema.graph.records}


def _learned(name: str, schema: LinkedSchema, clock: UnitClock, classes: int) -> LearnedTable:
    table, unit = schema.tables[name], name == schema.unit
    children = schema.graph.children(name)
    timed = name in clock.timed
    anchor = next((t for t in (name, *schema.graph.ancestors(name)) if t in clock.timed), None)
    totals = _totals(schema, name)
    values = dict(_values(table, unit, timed, totals))
    relative = not unit and anchor is not None and clock.moments
    offsets = [c for c, kind in values.items() if (relative and _is_moment(kind)) or (timed and c in table.moments)]
    kept = {c: _offset(c, kind, table, timed) if c in offsets else kind for c, kind in values.items()}
    timed_children = tuple(c for c in children if c in clock.timed)
    known = tuple(kept)
    stay, until = (None, None) if unit or not timed else _stay(schema, name, timed_children, clock)
    kept |= _bookkeeping(schema, name, clock, timed_children, children)
    kept |= {c: Numeric(nullable=True, min=0, max=1) for c in (FIRST, LAST) if stay is not None}
    ends = _ends(schema, timed_children if unit else (name,))
    if unit and classes > 1:
        kept = {UNIT_CLASS: Categorical(levels=tuple(range(classes))), **kept}
    held = {*known} if unit else set()
    limits = ends if unit else (until,)
    last = [Comparison(left=LAST, op="<=", right=c) for c in limits if timed_children and c is not None and c in known]
    rules = [*_rules(table, known, offsets, kept), *_lasting(table, held), *_counted(timed_children, stay), *last]
    derived = _derived(table, held)
    columns = {**kept, **_computable(table, derived)} or _nothing()
    return LearnedTable(
        name=name,
        table=table,
        owner=schema.graph.owners.get(name),
        children=children,
        timed=timed,
        schema=Schema(name="table", columns=columns, rules=tuple(rules), derived=derived),
        offsets=tuple(offsets),
        timed_children=timed_children,
        anchor=anchor,
        computed=totals,
        within=tuple(r.of for r in schema.rules if isinstance(r, Within) and r.table == name),
        bounds=ends if not unit else (),
        once=tuple(r for r in schema.rules if isinstance(r, Once) and r.table == name),
        stay=stay,
        classes=classes if unit else 0,
    )


def _totals(schema: LinkedSchema, name: str) -> tuple[str, ...]:
    """Columns of a table that are the total of a child table."""
    parents = [r.parent.partition(".") for r in schema.rules if isinstance(r, Total)]
    return tuple(column for table, _, column in parents if table == name)


def _is_moment(kind: Column) -> bool:
    """Whether a column holds moments without special ones among them."""
    return isinstance(kind, Datetime) and not kind.atoms


def _nothing() -> dict[str, Column]:
    return {NO_COLUMN: Categorical(levels=("none",))}


def _values(table: LinkedTable, unit: bool, timed: bool, totals: tuple[str, ...]) -> Iterator[tuple[str, Column]]:
    """Columns whose values are learned, and their kinds; keys of catalogues are codes."""
    catalogue = {c for link in table.links if link.kind == "reference" for c in link.columns}
    rows = {c for link in table.links if link.kind != "reference" for c in link.columns}
    start = table.order.start if timed and table.order is not None else None
    for name, kind in table.columns.items():
        if name in (*table.derived, *totals, start, table.position) or name in rows:
            continue
        if isinstance(kind, Identifier):
            if name in catalogue:
                yield name, Code(nullable=kind.nullable)
        elif name not in table.key or name in catalogue or (isinstance(kind, Discrete) and not unit):
            yield name, kind


def _offset(name: str, kind: Column, table: LinkedTable, timed: bool) -> Numeric:
    """A moment as ticks from the row's; what rules say of it and the row's own moment are bounds."""
    low = high = None
    if timed and table.order is not None:
        start = table.order.start
        low = 0.0 if name == table.order.until else None
        for rule in table.rules:
            if isinstance(rule, Comparison) and rule.columns == (start, name):
                low = max(low or 0.0, 0.0 if rule.op == "<=" else 1.0)
            if isinstance(rule, Comparison) and rule.columns == (name, start):
                high = 0.0 if rule.op == "<=" else -1.0
    return Numeric(decimals=0, nullable=kind.nullable, min=low, max=None if low is not None else high)


def _bookkeeping(
    schema: LinkedSchema, name: str, clock: UnitClock, timed: tuple[str, ...], children: tuple[str, ...]
) -> dict[str, Column]:
    """How many rows a row owns, when the first and the last happen, and where it points."""
    table, out = schema.tables[name], dict[str, Column]()
    for child in children:
        owner = schema.tables[child].owner
        bounds = (None if owner is None else owner.max_rows_per_owner, schema.tables[child].max_rows_per_unit)
        most = min((x for x in bounds if x is not None), default=None)
        out[rows_of(child)] = Numeric(decimals=0, min=0, max=most)
    if timed:
        out[FIRST], out[LAST] = _span(schema, name, clock, timed)
    for k, link in enumerate(table.links):
        nullable = any(table.columns[c].nullable for c in link.columns)
        if link.kind == "earlier":
            out[pointer(k)] = Ordinal(levels=tuple(range(MOST_BACK + 1)))
        elif link.kind == "shared":
            out[pointer(k)] = Code(nullable=nullable)
        elif link.kind == "peer":
            out[pointer(k)] = Categorical(levels=(0, 1))
    return out


def _span(schema: LinkedSchema, name: str, clock: UnitClock, timed: tuple[str, ...]) -> tuple[Column, Column]:
    """Kinds of the first and the last moment of what a row owns: of the clock, or ticks from the row's own."""
    if name != schema.unit and name in clock.timed:
        inside = all(any(isinstance(r, Within) and (r.table, r.of) == (c, name) for r in schema.rules) for c in timed)
        each = Numeric(decimals=0, nullable=True, min=0 if inside else None)
        return each, each
    if clock.moments:
        fitting = [p for p, step in PRECISION_STEPS.items() if clock.tick % step == 0]
        coarsest = max(fitting, key=lambda p: PRECISION_STEPS[p])
        when = Datetime.model_validate({"nullable": True, "precision": coarsest})
        return when, when
    number = Numeric(decimals=clock.tick, nullable=True)
    return number, number


def _ends(schema: LinkedSchema, tables: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of the unit after which nothing happens in any of some tables."""
    end = schema.tables[schema.unit].end
    rules = [r for r in schema.rules if isinstance(r, NothingAfter)]
    named = [r.moment.partition(".")[2] for r in rules if r.tables == "all" or set(tables) <= set(r.tables)]
    return tuple(dict.fromkeys([*([] if end is None else [end]), *named]))


def _stay(schema: LinkedSchema, name: str, timed: tuple[str, ...], clock: UnitClock) -> tuple[str | None, str | None]:
    """See `LearnedTable.stay`; where rows need not end, the end of the row itself, which bounds what it owns."""
    inside = {(r.table, r.of) for r in schema.rules if isinstance(r, Within)}
    for table in (name, *schema.graph.ancestors(name)) if timed else ():
        order, columns = schema.tables[table].order, schema.tables[table].columns
        if table not in clock.timed or order is None or not all((c, table) in inside for c in timed):
            continue
        if order.until is not None:
            return (None, order.until if table == name else None) if columns[order.until].nullable else (table, None)
    return None, None


def _rules(
    table: LinkedTable, known: tuple[str, ...], offsets: list[str], kept: Mapping[str, Column]
) -> Iterator[Rule]:
    """Rules of the rows that speak of learned columns alone."""
    for rule in table.rules:
        if not set(rule.columns) <= set(known):
            continue
        mixed = len({c in offsets for c in rule.columns}) > 1 and isinstance(rule, Comparison)
        if not mixed and len({type(kept[c]) for c in rule.columns} if isinstance(rule, Comparison) else {0}) == 1:
            yield rule


def _lasting(table: LinkedTable, known: set[str]) -> list[Rule]:
    """That units do not end before they begin, where no rule of the table says so; of learned columns of units."""
    pair = table.moments
    if len(pair) < 2 or not set(pair) <= known:
        return []
    said = any(isinstance(rule, Comparison) and rule.columns == pair for rule in table.rules)
    return [] if said else [Comparison(left=pair[0], op="<=", right=pair[1])]


def _counted(timed: tuple[str, ...], stay: str | None) -> Iterator[Rule]:
    """The first moment is there if and only if there are rows, the last if and only if there are two, and not before.

    Of a single row the first moment says all. A last one that equals it would be the same code as that of many rows
    that happen at once, and would be learned of owners whose rows never do.
    """
    if not timed:
        return
    if stay is None:
        yield Comparison(left=FIRST, op="<=", right=LAST, difference="right")
    none, some = ({rows_of(c): bound for c in timed} for bound in (Condition(max=0), Condition(min=1)))
    yield _implied(none, {FIRST: Condition(missing=True), LAST: Condition(missing=True)})
    for c in timed:
        yield _implied({rows_of(c): some[rows_of(c)]}, {FIRST: Condition(missing=False)})
        yield _implied({**none, rows_of(c): Condition(max=1)}, {LAST: Condition(missing=True)})
        yield _implied({rows_of(c): Condition(min=2)}, {LAST: Condition(missing=False)})
    for pair in itertools.combinations(some, 2) if len(timed) <= MOST_PAIRED else ():
        yield _implied({name: some[name] for name in pair}, {LAST: Condition(missing=False)})


def _implied(if_: Mapping[str, Condition], then: Mapping[str, Condition]) -> Implication:
    return Implication.model_validate({"if": if_, "then": then})


def _derived(table: LinkedTable, known: set[str]) -> dict[str, str]:
    """Derived columns of units that learned ones determine."""
    if not known:
        return {}
    whole = table.alone("table")
    return {c: e for c, e in table.derived.items() if set(derived_origins(whole, c)) <= known}


def _computable(table: LinkedTable, derived: Mapping[str, str]) -> dict[str, Column]:
    return {c: table.columns[c] for c in table.columns if c in derived}
