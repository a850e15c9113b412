"""A schema's keys and rules as plain SQL, which anybody can run again in DuckDB on a Parquet file of the rows.

Every check returns the number of violations. Cells are read as the validation reads them: a number is a number however
it is written, NaN in a column of floats is missing, and a cell that is not of its column's kind breaks what is asked of
its value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthkit.schema import datetime_sql
from synthkit.schema.censoring import censoring_sign
from synthkit.schema.columns import Boolean, Code, Column, Datetime, Identifier, Level, Numeric
from synthkit.schema.datetimes import ISO_WRITING
from synthkit.schema.derived import derived_sentence
from synthkit.schema.expressions.duckdb_sql import broken_derived_sql
from synthkit.schema.expressions.grammar import columns_of, parse_expression
from synthkit.schema.rules import Comparison, Condition, ExactlyOne, FixedCombination, Implication, Rule
from synthkit.schema.table import Schema

WHOLE_TABLE = ("(table)",)
_MAX_SQL_EXACT = 2**53  # up to which a float holds every whole number


@dataclass(frozen=True)
class SQLCheck:
    """One question.

    Args:
        columns: what it is about.
        rule: what must hold, in words.
        sql: a query with one row and one column, the number of violations; None if SQL cannot ask it, which `rule`
            then explains.
        broken: the same as a condition that is true of the rows to be counted; None if it is no question about a row.
    """

    columns: tuple[str, ...]
    rule: str
    sql: str | None
    broken: str | None = None


def checks(schema: Schema, file: str) -> tuple[SQLCheck, ...]:
    """Everything a schema asks of a table.

    Args:
        schema: the declared meaning.
        file: path of the Parquet file, as DuckDB is to read it.

    Example:
        >>> print(checks(Schema(columns={"age": {"kind": "numeric"}}), "a.parquet")[1].sql)
        SELECT count(*) FILTER (WHERE ("age" IS NULL OR coalesce(isnan(TRY_CAST("age" AS DOUBLE)), false)))
        FROM 'a.parquet'
    """
    every = [_declared(schema, file)]
    for name, column in schema.columns.items():
        every += _of_column(name, column, file)
    every += [_of_rule(rule, schema.columns, file) for rule in schema.rules]
    every += [_of_derived(name, schema, file) for name in schema.derived]
    return tuple(_told_apart(check, schema) for check in every)


def _told_apart(check: SQLCheck, schema: Schema) -> SQLCheck:
    """The check, without its query if it names a column that DuckDB takes for another one."""
    names = [name.lower() for name in schema.columns]
    alike = {name for name in schema.columns if names.count(name.lower()) > 1}
    if alike and (alike & set(check.columns) or check.columns == WHOLE_TABLE):
        rule = f"{check.rule}: names of columns differ only in case, which DuckDB does not tell apart"
        return SQLCheck(check.columns, rule, None)
    return check


def script(schema: Schema, files: Sequence[str]) -> str:
    """All checks as one query: a line for each, with the number of violations; what cannot be asked is a comment.

    Example:
        >>> print(script(Schema(columns={"id": {"kind": "identifier", "nullable": True}}), ["a.parquet"]))
        SELECT 'a.parquet' AS "file", '(table)' AS "about", 'exactly the declared columns' AS "rule", (
          SELECT count(*) FROM (DESCRIBE SELECT * FROM 'a.parquet') AS found
          FULL JOIN (VALUES ('id')) AS declared(name) ON found.column_name = declared.name
          WHERE found.column_name IS NULL OR declared.name IS NULL
        ) AS "violations";
        <BLANKLINE>
    """
    return as_query((file, check) for file in files for check in checks(schema, file))


def as_query(found: Iterable[tuple[str, SQLCheck]]) -> str:
    """Checks of files as one query, in their order; what cannot be asked is a comment before it."""
    asked, left = [], []
    for file, check in found:
        about = ", ".join(check.columns)
        if check.sql is None:
            left.append(f"-- not asked of {comment(f'{file}, {about}: {check.rule}')}")
            continue
        lines = "\n  ".join(check.sql.split("\n"))
        heads = f'{_text(file)} AS "file", {_text(about)} AS "about", {_text(check.rule)} AS "rule"'
        asked.append(f'SELECT {heads}, (\n  {lines}\n) AS "violations"')
    return "\n".join([*left, "\nUNION ALL ".join(asked)]) + ";\n"


def _declared(schema: Schema, file: str) -> SQLCheck:
    names = ", ".join(f"({_text(name)})" for name in schema.columns)
    sql = (
        f"SELECT count(*) FROM (DESCRIBE SELECT * FROM {_text(file)}) AS found\n"
        f"FULL JOIN (VALUES {names}) AS declared(name) ON found.column_name = declared.name\n"
        "WHERE found.column_name IS NULL OR declared.name IS NULL"
    )
    return SQLCheck(WHOLE_TABLE, "exactly the declared columns", sql)


def _of_column(name: str, column: Column, file: str) -> Iterator[SQLCheck]:
    """What one column must satisfy, in the words of the validation."""
    cell = _Cell(name, column)
    if not column.nullable:
        yield _counted(file, (name,), "no missing cell", cell.missing)
    if isinstance(column, Identifier):
        if column.unique:
            yield SQLCheck((name,), "no value twice", _twice(cell, file))
        return
    if isinstance(column, Numeric):
        yield from _of_numeric(cell, column, file)
    if isinstance(column, Datetime):
        yield from _of_datetime(cell, column, file)
    levels = getattr(column, "levels", None)
    if levels:
        broken = f"{cell.present} AND NOT {cell.among(levels)}"
        yield _counted(file, (name,), f"one of the {len(levels)} declared levels", broken)
    if isinstance(column, Code) and column.pattern is not None:
        matched = f"coalesce(regexp_full_match({cell.text}, {_text(column.pattern)}), false)"
        yield _counted(file, (name,), f"matches {column.pattern}", f"{cell.present} AND NOT {matched}")


def _of_numeric(cell: _Cell, column: Numeric, file: str) -> Iterator[SQLCheck]:
    finite = f"coalesce(isfinite({cell.number}), false)"
    yield _counted(file, (cell.name,), "a number, finite", f"{cell.present} AND NOT {finite}")
    if column.min is not None or column.max is not None:
        yield _counted(
            file, (cell.name,), _between(column), f"{cell.present} AND NOT {cell.within(column.min, column.max)}"
        )
    if column.decimals is not None:
        rule = f"at most {column.decimals} decimals" if column.decimals else "whole numbers"
        near = f"round({cell.number}, {column.decimals})"
        slack = _number(10.0 ** -(column.decimals + 4))
        kept = (
            f"coalesce(abs({cell.number}) >= {_MAX_SQL_EXACT // 2} OR "
            f"abs({cell.number} - {near}) <= {slack} + {_number(1e-12)} * abs({near}), false)"
        )
        yield _counted(file, (cell.name,), rule, f"{cell.present} AND NOT {kept}")
    if column.lattice is not None and not column.lattice.shortens:  # SQL has no floats of other lengths
        near, step = f"round({cell.number} / {_number(column.lattice.step)})", _number(column.lattice.step)
        kept = f"coalesce(abs({cell.number} - {near} * {step}) <= 1e-9 * {step} + 1e-12 * abs({cell.number}), false)"
        yield _counted(file, (cell.name,), column.lattice.sentence, f"{cell.present} AND NOT {kept}")


def _of_datetime(cell: _Cell, column: Datetime, file: str) -> Iterator[SQLCheck]:
    yield _counted(file, (cell.name,), "a moment", f"{cell.present} AND {cell.moment} IS NULL")
    bounds = [
        f"{cell.moment} {sign} TIMESTAMP {_text(dt.datetime.fromisoformat(bound).isoformat(sep=' '))}"
        for sign, bound in ((">=", column.min), ("<=", column.max))
        if bound is not None
    ]
    if bounds:
        kept, rule = " AND ".join(bounds), _between(column)
        if column.atoms:
            listed = ", ".join(f"TIMESTAMP {_text(str(atom).replace('T', ' '))}" for atom in column.points)
            kept, rule = f"({kept}) OR {cell.moment} IN ({listed})", f"{rule}, or one of the atoms"
        yield _counted(file, (cell.name,), rule, f"{cell.present} AND NOT coalesce({kept}, false)")


def _between(column: Numeric | Datetime) -> str:
    return " and ".join(
        f"{sign} {bound}" for sign, bound in ((">=", column.min), ("<=", column.max)) if bound is not None
    )


def _twice(cell: _Cell, file: str) -> str:
    """Rows whose value another row has too."""
    return (
        f"SELECT coalesce(sum(n), 0)::BIGINT FROM (SELECT count(*) AS n FROM {_text(file)}\n"
        f"WHERE {cell.present} GROUP BY {cell.column} HAVING count(*) > 1)"
    )


def _of_rule(rule: Rule, columns: Mapping[str, Column], file: str) -> SQLCheck:
    """What each row must satisfy."""
    cells = {name: _Cell(name, columns[name]) for name in rule.columns}
    if isinstance(rule, Comparison):
        left, right = cells[rule.left], cells[rule.right]
        kept = f"coalesce({left.ordered} {rule.op} {right.ordered}, false)"
        return _counted(file, rule.columns, rule.sentence, f"{left.present} AND {right.present} AND NOT {kept}")
    if isinstance(rule, Implication):
        sides = [" AND ".join(_met(cells[name], c) for name, c in side.items()) for side in (rule.if_, rule.then)]
        return _counted(file, rule.columns, rule.sentence, f"({sides[0]}) AND NOT ({sides[1]})")
    if isinstance(rule, ExactlyOne):
        none = " AND ".join(cell.missing for cell in cells.values())
        return _counted(file, rule.columns, rule.sentence, f"NOT ({_ones(cells)} = 1 OR ({none}))")
    return _combinations(rule, cells, file)


def _ones(cells: Mapping[str, _Cell]) -> str:
    """How many flags of a row are 1; a cell that is neither 0 nor 1, or is not there, counts as two."""
    each = [f"CASE WHEN {c.among((1,))} THEN 1 WHEN {c.among((0,))} THEN 0 ELSE 2 END" for c in cells.values()]
    return "(" + " + ".join(each) + ")"


def _of_derived(name: str, schema: Schema, file: str) -> SQLCheck:
    """What a derived column must be in each row."""
    expression, columns = parse_expression(schema.derived[name]), schema.columns
    about = (name, *columns_of(expression))
    said, column = derived_sentence(name, schema.derived[name]), columns[name]
    levels = [_key(level, column.levels) for level in column.levels] if isinstance(column, Boolean) else []
    wrong = broken_derived_sql(name, expression, {c: _Cell(c, columns[c]) for c in about}, columns, levels)
    return (
        SQLCheck(about, f"{said}: too long to be asked in SQL", None)
        if wrong is None
        else _counted(file, about, said, wrong)
    )


def _met(cell: _Cell, condition: Condition) -> str:
    """A condition on one cell: true or false, never null."""
    if condition.missing is True:
        return cell.missing
    parts = [cell.present]
    if condition.in_ is not None:
        parts.append(cell.among(condition.in_))
    if condition.min is not None or condition.max is not None:
        parts.append(cell.within(condition.min, condition.max))
    return " AND ".join(parts)


def _combinations(rule: FixedCombination, cells: Mapping[str, _Cell], file: str) -> SQLCheck:
    if rule.combinations is None:
        sentence = f"{rule.sentence}: those of the table that was learned from, which the schema does not list"
        return SQLCheck(rule.columns, sentence, None)
    keys, listed = [], []
    for k, name in enumerate(rule.of):
        levels = [level for row in rule.combinations if (level := row[k]) is not None]
        keys.append(cells[name].key(levels))
        listed.append([_key(level, levels) for level in (row[k] for row in rule.combinations)])
    rows = ", ".join(f"({', '.join(row)})" for row in zip(*listed, strict=True))
    names = [f"k{k}" for k in range(len(keys))]
    same = " AND ".join(f"{key} IS NOT DISTINCT FROM {name}" for key, name in zip(keys, names, strict=True))
    strange = " OR ".join(f"({cells[n].present} AND {key} IS NULL)" for n, key in zip(rule.of, keys, strict=True))
    known = f"EXISTS (SELECT 1 FROM (VALUES {rows}) AS allowed({', '.join(names)}) WHERE {same})"
    return _counted(file, rule.columns, rule.sentence, f"NOT {known} OR {strange}")


@dataclass(frozen=True)
class _Cell:
    """Expressions over the cells of one column."""

    name: str
    kind: Column

    @property
    def column(self) -> str:
        return '"' + self.name.replace('"', '""') + '"'

    @property
    def number(self) -> str:
        plain = f"TRY_CAST({self.column} AS DOUBLE)"
        if not isinstance(self.kind, Numeric) or not self.kind.written:
            return plain
        return f"CASE typeof({self.column}) WHEN 'VARCHAR' THEN {self._numeral(self.kind)} ELSE {plain} END"

    def _numeral(self, how: Numeric) -> str:
        """A text as the number it is written for, null if it is none."""
        read, kept, limits = _said(self.text, how), "true", ""
        for side, (limit, point, _) in how.beyond.items():
            bare = f"regexp_replace({self.text}, {_text(censoring_sign(side))}, '')"
            marked = (
                f"regexp_matches({self.text}, {_text(censoring_sign(side))}) AND {_said(bare, how)} = {_number(limit)}"
            )
            limits += f"WHEN {marked} THEN {_number(point)} "
            kept += f" AND {read} {'>=' if side == 'below' else '<='} {_number(limit)}"
        return f"CASE {limits}WHEN {kept} THEN {read} END"

    @property
    def text(self) -> str:
        return f"CAST({self.column} AS VARCHAR)"

    @property
    def moment(self) -> str:
        """As the validation reads it."""
        return datetime_sql.datetime_sql(self.kind if isinstance(self.kind, Datetime) else ISO_WRITING, self.column)

    @property
    def ordered(self) -> str:
        return self.moment if isinstance(self.kind, Datetime) else self.number

    @property
    def missing(self) -> str:
        """NaN is a missing cell where numbers are meant, and so is each text declared to be one."""
        if isinstance(self.kind, Numeric) and self.kind.missing:
            word = f"regexp_full_match({self.text}, {_text(self.kind.words)})"
            return f"({self.column} IS NULL OR {word} OR coalesce(isnan({self.number}), false))"
        if isinstance(self.kind, Numeric) or _numeric(getattr(self.kind, "levels", None) or ()):
            return f"({self.column} IS NULL OR coalesce(isnan({self.number}), false))"
        return f"({self.column} IS NULL)"

    @property
    def present(self) -> str:
        return f"NOT {self.missing}"

    def among(self, levels: Sequence[Level]) -> str:
        """Whether a cell has one of some levels: true or false, never null."""
        listed = ", ".join(_key(level, levels) for level in levels)
        return f"coalesce({self.key(levels)} IN ({listed}), false)"

    def key(self, levels: Sequence[Level]) -> str:
        """The cell in the form in which these levels are compared; null if it has none."""
        if not _numeric(levels):
            return self.text
        if _beyond(levels):
            whole = f"TRY_CAST({self.column} AS HUGEINT)"
            return f"CASE WHEN {whole}::DOUBLE = {self.number} THEN {whole} END"
        return self.number

    def within(self, low: float | None, high: float | None) -> str:
        """Whether a number lies between bounds: true or false, never null."""
        bounds = [
            f"{self.number} {sign} {_number(bound)}" for sign, bound in ((">=", low), ("<=", high)) if bound is not None
        ]
        return f"coalesce({' AND '.join(bounds)}, false)"


def _counted(file: str, columns: tuple[str, ...], rule: str, broken: str) -> SQLCheck:
    """The rows in which something is broken.

    Counted by FILTER, not by WHERE: the least and largest value that a Parquet file notes of a column leave NaN out,
    and DuckDB skips what a WHERE cannot find between them.
    """
    return SQLCheck(columns, rule, f"SELECT count(*) FILTER (WHERE {broken})\nFROM {_text(file)}", broken)


def _said(text: str, how: Numeric) -> str:
    """An expression of a text as the number it is written for, null if it is none."""
    sign, again, digits = (f"regexp_extract({text}, {_text(how.writing.pattern)}, {k})" for k in (1, 2, 3))
    minus = f"CASE {sign} || {again} WHEN '' THEN '' WHEN '+' THEN '' WHEN '-' THEN '-' WHEN '\u2212' THEN '-' END"
    if how.writing.between is not None:
        digits = f"regexp_replace({digits}, {_text(how.writing.between)}, '', 'g')"
    read = f"TRY_CAST({minus} || replace({digits}, {_text(how.writing.decimal)}, '.') AS DOUBLE)"
    return f"CASE WHEN regexp_full_match({text}, {_text(how.writing.pattern)}) THEN {read} END"


def _numeric(levels: Sequence[object]) -> bool:
    return bool(levels) and all(isinstance(level, bool | int | float) for level in levels)


def _beyond(levels: Sequence[Any]) -> bool:
    """Whether there are whole numbers among them that a float cannot hold, and nothing but whole numbers."""
    whole = all(isinstance(level, bool | int) for level in levels)
    return whole and any(abs(int(level)) > _MAX_SQL_EXACT for level in levels)


def _key(level: Level | None, levels: Sequence[object]) -> str:
    """A level as a literal in the form in which it is compared with the others."""
    if level is None:
        return "NULL"
    if not _numeric(levels):
        return _text(str(level))
    return f"{int(level)}::HUGEINT" if _beyond(levels) else _number(float(level))


def _number(x: float) -> str:
    """A float as a literal that is read back to the last bit: DuckDB takes 0.1 for a decimal."""
    return str(int(x)) if x == int(x) and abs(x) <= _MAX_SQL_EXACT else f"'{x!r}'::DOUBLE"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def comment(text: str) -> str:
    """Words as one line, which a comment is."""
    return "".join(each if each.isprintable() else " " for each in text)
