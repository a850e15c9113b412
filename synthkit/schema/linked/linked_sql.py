"""A schema of linked tables as plain SQL: what each table must be, its key, its links, and most rows of an owner.

Keys are compared as texts, as the validation compares them. What must hold of time, of places in line and by rules
across tables is named in comments: SQL is not asked it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from synthkit.schema.rules_sql import SQLCheck, as_query, checks

if TYPE_CHECKING:
    from synthkit.schema.linked.link import Link
    from synthkit.schema.linked.linked_schema import LinkedSchema

Files = Mapping[str, str]  # by table, as DuckDB is to read them


def linked_script(schema: LinkedSchema, draws: Iterable[Files]) -> str:
    """All checks as one query: a line for each, with the number of violations; what cannot be asked is a comment.

    Args:
        schema: the declared meaning.
        draws: files of each draw.

    Example:
        >>> people = {"key": ["id"], "columns": {"id": {"kind": "identifier"}}}
        >>> from synthkit.schema.linked import LinkedSchema
        >>> text = linked_script(LinkedSchema(unit="people", tables={"people": people}), [{"people": "people.parquet"}])
        >>> "'no key twice' AS" in text
        True
    """
    return as_query(each for files in draws for each in linked_checks(schema, files))


def linked_checks(schema: LinkedSchema, files: Files) -> Iterator[tuple[str, SQLCheck]]:
    """Everything that is asked of the tables of one draw, with the file that it is asked of."""
    for name, table in schema.tables.items():
        if table.columns:
            yield from ((files[name], check) for check in checks(table.alone(name), files[name]))
        if table.key:
            yield files[name], _key_twice(table.key, files[name])
        for link in table.links:
            yield files[name], _link(schema, link, files[name], files[link.to])
            if link.max_rows_per_owner is not None:
                yield files[name], _at_most(name, link.columns, link.max_rows_per_owner, files[name])
        yield from ((files[name], check) for check in _not_asked(schema, name))


def _key_twice(key: tuple[str, ...], file: str) -> SQLCheck:
    groups = ", ".join(map(_key_text, key))
    sql = (
        f"SELECT coalesce(sum(n), 0)::BIGINT FROM (SELECT count(*) AS n FROM {_file(file)}\n"
        f"GROUP BY {groups} HAVING count(*) > 1)"
    )
    return SQLCheck(key, "no key twice", sql)


def _link(schema: LinkedSchema, link: Link, file: str, to: str) -> SQLCheck:
    """Rows whose key is there and names no row."""
    rule, there = f"names a row of `{link.to}`", schema.tables[link.to]
    key = there.key or link.columns
    if not set(key) <= (set(there.columns) or set(there.key)):
        return SQLCheck(link.columns, f"{rule}: its columns are not declared", None)
    complete = " AND ".join(f"mine.{_name(c)} IS NOT NULL" for c in link.columns)
    same = " AND ".join(
        f"{_key_text(mine, 'mine')} = {_key_text(theirs, 'theirs')}"
        for mine, theirs in zip(link.columns, key, strict=True)
    )
    sql = (
        f"SELECT count(*) FROM {_file(file)} AS mine\nWHERE {complete} AND NOT EXISTS (\n"
        f"SELECT 1 FROM {_file(to)} AS theirs WHERE {same})"
    )
    return SQLCheck(link.columns, rule, sql)


def _at_most(name: str, columns: tuple[str, ...], most: int, file: str) -> SQLCheck:
    """Owners that have too many rows."""
    groups = ", ".join(map(_key_text, columns))
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {_file(file)}\nGROUP BY {groups} HAVING count(*) > {most})"
    return SQLCheck(columns, f"at most {most:,} rows of `{name}`", sql)


def _not_asked(schema: LinkedSchema, name: str) -> Iterator[SQLCheck]:
    """What SQL is not asked of a table, in words."""
    table = schema.tables[name]
    if table.max_rows_per_unit is not None:
        yield SQLCheck((f"`{name}`",), f"at most {table.max_rows_per_unit:,} rows of a unit", None)
    if table.moments:
        yield SQLCheck(table.moments, "order in time", None)
    if table.position is not None:
        yield SQLCheck((table.position,), "numbers the rows of an owner from 1", None)
    for link in table.links:
        if link.kind in ("implied", "earlier"):
            yield SQLCheck(link.columns, f"a row of `{link.to}` that belongs to the same unit", None)
    if name == schema.unit:
        yield from (SQLCheck(("(tables)",), rule.sentence, None) for rule in schema.rules)


def _key_text(column: str, table: str = "") -> str:
    """A part of a key as text: a whole number is written without a point, whatever the column's type is."""
    cell = f"{table}.{_name(column)}" if table else _name(column)
    whole = f"TRY_CAST({cell} AS HUGEINT)"
    floating = f"typeof({cell}) IN ('DOUBLE', 'FLOAT') AND {whole}::DOUBLE = TRY_CAST({cell} AS DOUBLE)"
    return f"CASE WHEN {floating} THEN {whole}::VARCHAR ELSE {cell}::VARCHAR END"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _file(file: str) -> str:
    return "'" + file.replace("'", "''") + "'"
