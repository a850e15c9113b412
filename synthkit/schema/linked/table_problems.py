"""What is wrong with the lines of one table among linked ones, and with the clocks of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from synthkit.schema.columns import Datetime, Discrete, Identifier, Numeric
from synthkit.schema.linked.linked_table import LinkedTable
from synthkit.schema.table import is_plain


def name_problems(whole: str, tables: Mapping[str, LinkedTable]) -> Iterator[str]:
    """Names that no file can have, and two that a file system may take for one."""
    for where, name in (("name", whole), *(("tables", name) for name in tables)):
        if not is_plain(name):
            yield f"`{where}` must have short names, for files are called by them; however: {name!r} is not one"
    alike = Counter(name.casefold() for name in tables)
    for name in tables:
        if alike[name.casefold()] > 1:
            yield (
                f"`tables.{name}` must differ from other names by more than case, for files are called by them; "
                "however: it does not. Rename one of the tables"
            )


def table_problems(name: str, table: LinkedTable, unit: bool) -> Iterator[str]:
    """What is wrong with one table's own lines, as sentences.

    Args:
        name: of the table.
        table: its lines.
        unit: whether its rows are the units.
    """
    where = f"`tables.{name}`"
    if not table.columns and table.role != "reference":
        yield f"{where} must declare `columns`; however: none. Only a reference is copied without being described"
        return
    unknown = [(key, column) for key, column in _named(table) if column not in table.columns]
    if table.columns and unknown:
        for key, column in unknown:
            yield f"{where}: `{key}` must name declared columns; however: `{column}` is not declared"
        return
    yield from _keys(where, table)
    if table.end is not None and table.role == "records" and not unit:
        yield f"{where}: `end` belongs to the table of units; however: this is another. Declare it there"
    if table.role != "records" or unit:
        yield from _placeless(where, table, unit)
    if table.columns:
        yield from _order(where, table)
        yield from _kinds(where, table)
        yield from _alone(where, name, table)


def _named(table: LinkedTable) -> list[tuple[str, str]]:
    """Columns that the lines name beside links, with the key that names them."""
    single = {"series": table.series, "end": table.end, "position": table.position}
    named = [("key", c) for c in table.key] + [("order", c) for c in table.moments]
    return named + [(key, c) for key, c in single.items() if c is not None]


def _keys(where: str, table: LinkedTable) -> Iterator[str]:
    owner = table.owner
    for place, columns in (
        ("`key`", table.key),
        *((f"`links[{k}]`", each.columns) for k, each in enumerate(table.links)),
    ):
        if len(set(columns)) < len(columns):
            yield f"{where}: {place} must name each column once; however: {', '.join(columns)}"
    for place, columns in (("`key`", table.key), ("a link of kind owner", () if owner is None else owner.columns)):
        gaps = [column for column in columns if column in table.columns and table.columns[column].nullable]
        if gaps:
            yield (
                f"{where}: {place} must have columns without missing cells; however: {', '.join(gaps)} "
                f"{'is' if len(gaps) == 1 else 'are'} nullable. Take `nullable` out; rows without a key are left out "
                "with orphans=drop (--orphans drop)"
            )


def _placeless(where: str, table: LinkedTable, unit: bool) -> Iterator[str]:
    """Keys about the place of a row under its owner, or in time, where rows have none."""
    what = "the rows are units" if unit else f"the table is declared `role: {table.role}`"
    given: dict[str, object] = {"position": table.position, "max_rows_per_unit": table.max_rows_per_unit}
    if not unit:
        given |= {"order": table.order, "series": table.series, "end": table.end}
    for key, value in given.items():
        if value is not None:
            yield f"{where}: `{key}` belongs to rows of a unit; however: {what}. Take the key out"


def _order(where: str, table: LinkedTable) -> Iterator[str]:
    for column in table.moments:
        if not isinstance(table.columns[column], Numeric | Datetime | Identifier):
            yield f"{where}: `order` needs moments or numbers; however: `{column}` is {table.columns[column].kind}"
    if table.order is None:
        return
    if table.columns[table.order.start].nullable:
        yield (
            f"{where}: `order` must name as `from` a column without missing cells; however: `{table.order.start}` is "
            "nullable. Take `nullable` out, or leave the rows in the order in which they stand"
        )
    if len({table.columns[column].kind for column in table.moments}) > 1:
        kinds = " and ".join(f"`{c}` is {table.columns[c].kind}" for c in table.moments)
        yield f"{where}: `order` needs `from` and `until` of one kind; however: {kinds}"
    elif table.order.until is not None:
        yield from _ends_in_bounds(where, table, table.order.start, table.order.until)


def _ends_in_bounds(where: str, table: LinkedTable, start: str, until: str) -> Iterator[str]:
    """A row can begin and end inside the bounds of both columns."""
    begins, ends = table.columns[start], table.columns[until]
    if isinstance(begins, Datetime) and isinstance(ends, Datetime):
        coarse = max(begins.step, ends.step)
        first, last = (int(t.astype("int64")) // coarse for t in (begins.ends[0], ends.ends[1]))
        impossible = first > last
    elif isinstance(begins, Numeric) and isinstance(ends, Numeric):
        impossible = begins.min is not None and ends.max is not None and begins.min > ends.max
    else:
        return
    if impossible and not ends.nullable:
        yield (
            f"{where}: `order` needs rows that can end, for `{until}` is never missing; however: its `max` is before "
            f"the `min` of `{start}`. Widen the bounds"
        )


def _kinds(where: str, table: LinkedTable) -> Iterator[str]:
    """Columns that must be of some kind to mean what the table says they mean."""
    if table.series is not None and not isinstance(table.columns[table.series], (*Discrete, Identifier)):
        kind = table.columns[table.series].kind
        yield f"{where}: `series` needs a column with levels or codes; however: `{table.series}` is {kind}"
    if table.position is not None:
        column = table.columns[table.position]
        if not (isinstance(column, Numeric) and column.decimals == 0) or column.nullable:
            yield (
                f"{where}: `position` needs a numeric column with `decimals: 0` that is not nullable; however: "
                f"`{table.position}` is {'nullable' if column.nullable else column.kind}"
            )
    if table.end is not None and not isinstance(table.columns[table.end], Datetime | Numeric):
        yield f"{where}: `end` needs a moment or a number; however: `{table.end}` is {table.columns[table.end].kind}"


def _alone(where: str, name: str, table: LinkedTable) -> Iterator[str]:
    """What is wrong with the table as if there were no other."""
    try:
        table.alone(name if is_plain(name) else "table")
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield from (
                f"{where}: {line}" for line in str(detail.get("ctx", {}).get("error", detail["msg"])).split("\n")
            )


def clock_problems(tables: Mapping[str, LinkedTable]) -> Iterator[str]:
    """Times that cannot be put on one line: moments and numbers, or moments on the clocks of several zones."""
    placed = [(f"{name}.{c}", table.columns[c]) for name, table in tables.items() for c in table.moments]
    placed += [
        (f"{name}.{table.end}", table.columns[table.end]) for name, table in tables.items() if table.end is not None
    ]
    first = {
        kind: next((at for at, column in placed if isinstance(column, kind)), None) for kind in (Datetime, Numeric)
    }
    if first[Datetime] and first[Numeric]:
        yield (
            "`tables` must tell time in one way, for rows of a unit make one timeline; however: "
            f"`{first[Datetime]}` is a moment and `{first[Numeric]}` a number. Leave `order` out where it is the other"
        )
    zones: dict[str | None, str] = {}
    for at, column in reversed(placed):
        if isinstance(column, Datetime) and (column.zone is not None or column.precision != "day"):
            zones[column.zone] = at  # a day may be any moment of it, on any clock
    if len(zones) > 1:
        named = sorted(zones.items(), key=lambda each: (each[0] is None, each[0] or ""))
        said = " and ".join(f"`{at}` {'names none' if zone is None else f'is in {zone}'}" for zone, at in named)
        yield (
            "`tables` must tell moments on one clock, for rows of a unit make one timeline: in one zone, or all in "
            f"none; however: {said}. Name one `zone` for all; cells that name their own are brought to it"
        )
