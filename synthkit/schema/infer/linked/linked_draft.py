"""A schema of linked tables drafted from their rows, each line with the share it holds by and that by chance."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthkit.errors import SchemaError
from synthkit.schema.columns import Code, Column, Discrete, Identifier, Numeric
from synthkit.schema.infer import column_names
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.infer.lattices import without_lattice
from synthkit.schema.infer.linked.catalogues import says_catalogue
from synthkit.schema.infer.linked.drafted_order import DraftedOrder, find_order, find_position, find_series, is_clock
from synthkit.schema.infer.linked.drafted_zones import in_one_zone
from synthkit.schema.infer.linked.evidence import TO_MEND, Evidence
from synthkit.schema.infer.linked.foreign_keys import ForeignKey, spoilt_key
from synthkit.schema.infer.linked.linked_relations import (
    TableLook,
    find_end,
    find_linked_rules,
    is_open,
    nearly_onces,
    not_before,
)
from synthkit.schema.infer.linked.rowless_tables import draft_rowless
from synthkit.schema.infer.linked.unit_tree import UnitTree, draft_tree
from synthkit.schema.linked.link import Link, RowOrder
from synthkit.schema.linked.linked_rules import LinkedRule, Once
from synthkit.schema.linked.linked_schema import LinkedSchema
from synthkit.schema.linked.linked_table import LinkedTable
from synthkit.schema.linked.row_keys import SPELLED_ALIKE
from synthkit.schema.rules import FixedCombination, Rule
from synthkit.schema.table import Schema, is_plain

_LINKED_DRAFT_HEAD = (
    "Drafted by `synthkit init` from a look at the tables. Check every line: say what the tables may hold, not what "
    "they happen to hold. Each key, link, order and rule says how often it holds, and how often it would by chance. "
    "`observed` marks what was read off the data: facts about patients until somebody who knows the tables declares "
    "them."
)
_LISTED = (
    "a small list of codes in which nothing looks like people or dates: taken for a public catalogue; it is then "
    "copied as it is, and must be public. If it is not, say `role: shared`, here and in links to it, and declare its "
    "columns"
)
_COMMENT_LETTERS = 108


@dataclass(frozen=True)
class LinkedDraft:
    """A drafted schema of linked tables, and why each line is there.

    Args:
        schema: the draft.
        comments: what was seen, by path in the schema: `tables.labs.links[0]`, `rules[1]`.
        likeliest: the table of units that the keys suggest, whichever was named.
    """

    schema: LinkedSchema
    comments: Mapping[str, tuple[str, ...]]
    likeliest: str

    @property
    def text(self) -> str:
        """The draft as YAML, with what was seen above each line."""
        head = {"": textwrap.wrap(_LINKED_DRAFT_HEAD, _COMMENT_LETTERS)}
        said = {path: [line for note in notes for line in _wrapped(note)] for path, notes in self.comments.items()}
        return self.schema.dumps(comments=head | said)

    @property
    def exceptions(self) -> tuple[str, ...]:
        """What is drafted though some rows break it, each with the table or the rule it stands in."""
        found = []
        for path, notes in self.comments.items():
            place, _, rest = path.partition(".")
            rule = "" if rest else self.schema.rules[int(place[len("rules[") : -1])].sentence
            where = rule or f"`{rest.partition('.')[0]}`"
            found += [f"{where}: {note}" for note in notes if TO_MEND in note or SPELLED_ALIKE in note]
        return tuple(found)


def draft_linked(tables: Mapping[str, pd.DataFrame], *, name: str = "tables", unit: str | None = None) -> LinkedDraft:
    """The schema that linked tables suggest, every line marked `observed`.

    Args:
        tables: rows as they came, by name.
        name: short name of the whole.
        unit: the table of units, if somebody knows it.

    Raises:
        SchemaError: no tables, a name no table may have, `unit` that is no table, or a table that cannot be drafted.
    """
    problem = "" if tables else "none is given"
    strange = [each for each in tables if not is_plain(each)]
    if strange:
        problem = f"{len(strange)} have names that no file may have. Rename them"
    if problem:
        msg = f"linked tables must be given by short names; however: {problem}"
        raise SchemaError(msg)
    tree = draft_tree(tables, unit)
    looks = {each: _look(each, tables[each], tree) for each in tables if tree.roles[each] == "records"}
    comments: dict[str, tuple[str, ...]] = {}
    looks = in_one_zone(_on_one_clock(looks, comments), tree.unit, comments)
    drafted = {each: _table(each, frame, tree, looks, comments) for each, frame in tables.items()}
    for key in tree.left_out:
        comments[f"tables.{key.table}"] = (*comments.get(f"tables.{key.table}", ()), _left_out(key, tree))
    rules: list[LinkedRule] = []
    for rule, seen in find_linked_rules(looks, tree):
        comments[f"rules[{len(rules)}]"] = (seen.said(),)
        rules.append(rule)
    for once, seen in nearly_onces(looks, tree):
        comments[f"tables.{once.table}"] = (*comments.get(f"tables.{once.table}", ()), *_suggested(once, seen))
    schema = LinkedSchema(name=name, unit=tree.unit, tables=drafted, rules=tuple(rules))
    return LinkedDraft(schema, comments, tree.likeliest)


def _left_out(key: ForeignKey, tree: UnitTree) -> str:
    """Why a key is no link: links name rows by the key of their table."""
    return (
        f"`{key.column}` names rows of `{key.to}` by `{key.key}` ({key.evidence}), but the key of `{key.to}` is "
        f"`{tree.keys[key.to]}`: no link is drafted. Give the table a column of that key"
    )


def _suggested(rule: Once, seen: Evidence) -> tuple[str, str]:
    """A rule that a few rows break, which would not validate: what was seen, and the line to add."""
    columns = ", ".join(rule.of)
    why = f"a unit has each `{columns}` once: {seen}; {seen.cases - seen.held:,} rows do not, so no rule is drafted. "
    line = f"- {{rule: once, table: {rule.table}, columns: [{columns}]}}"
    return f"{why}If they are mistakes, correct them and add to `rules`:", line


def _wrapped(note: str) -> list[str]:
    return textwrap.wrap(note, _COMMENT_LETTERS)


def _look(name: str, frame: pd.DataFrame, tree: UnitTree) -> TableLook:
    """Kinds of the columns, keys as identifiers, and when rows happen."""
    alone = _alone(name, frame)
    columns = {c: _kind(c, kind, frame[c], tree, name) for c, kind in alone.columns.items()}
    if name == tree.unit:
        return TableLook(frame, columns)
    columns |= _clocks(name, frame, columns)
    learned = {c: k for c, k in columns.items() if not isinstance(k, Identifier)}
    position = find_position(frame, learned, tree.owners[name])
    if position is not None:
        learned.pop(position[0])
    order = find_order(frame, learned, tree.owners[name])
    if order is not None:
        learned.pop(order.start)
    return TableLook(frame, columns, order, position, find_series(frame, learned, tree.units[name]))


def _on_one_clock(looks: Mapping[str, TableLook], comments: dict[str, tuple[str, ...]]) -> dict[str, TableLook]:
    """Tables in which time is told in one way: by moments where any is; numbers then order nothing."""
    moments, out = any(look.by_moments for look in looks.values()), dict(looks)
    for name, look in looks.items():
        if moments and look.order is not None and not look.by_moments:
            note = f"`{look.order.start}` grows from row to row of an owner, but other tables tell time by moments"
            comments[f"tables.{name}"] = (note,)
            out[name] = replace(look, order=None)
    return out


def _clocks(name: str, frame: pd.DataFrame, columns: Mapping[str, Column]) -> dict[str, Column]:
    """Columns of whole numbers called like a clock and a key at once (`yearID`): they are numbers, not codes."""
    found = dict[str, Column]()
    for column, kind in columns.items():
        words = [word for word in column_names.name_words(column) if word not in column_names.KEY_WORDS]
        if isinstance(kind, (Code, *Discrete)) and not kind.nullable and is_clock(tuple(words)):
            drafted = _alone(name, frame[[column]].rename(columns={column: words[0]})).columns[words[0]]
            if isinstance(drafted, Numeric) and drafted.decimals == 0:
                found[column] = drafted
    return found


def _alone(name: str, frame: pd.DataFrame) -> Schema:
    try:
        alone = infer_schema(frame, name=name)
    except SchemaError as error:
        msg = f"table `{name}`: {error}"
        raise SchemaError(msg) from error
    # rules across tables and sums over rows are told of numbers as they stand there
    return alone.model_copy(update={"columns": {c: without_lattice(kind) for c, kind in alone.columns.items()}})


def _kind(column: str, kind: Column, cells: pd.Series, tree: UnitTree, name: str) -> Column:
    """The kind of a column: an identifier if it is a key or points to rows, as drafted otherwise."""
    links = tree.links.get(name, ())
    pointing = {k.key.column for k in links if k.kind != "reference"}
    dangling = {k.key.column for k in links if k.kind != "owner" and k.key.resolved < k.key.cells}
    needed = {tree.keys.get(name), *(k.key.column for k in links if k.kind == "owner")}
    if column in needed | pointing:
        missing = column not in needed and (bool(cells.isna().any()) or column in dangling)
        return Identifier(nullable=missing, observed=("nullable",) if missing else ())
    catalogued = any(k.key.column == column and k.kind == "reference" for k in links)
    if catalogued and isinstance(kind, (Numeric, Identifier)):  # what names entries of a catalogue is learned as codes
        kind = Code(nullable=kind.nullable, observed=kind.nullable * ("nullable",))
    return kind.model_copy(update={"nullable": True}) if column in dangling else kind  # orphans=drop empties such keys


def _table(
    name: str,
    frame: pd.DataFrame,
    tree: UnitTree,
    looks: Mapping[str, TableLook],
    comments: dict[str, tuple[str, ...]],
) -> LinkedTable:
    where = f"tables.{name}"
    key = (tree.keys[name],) if name in tree.keys else ()
    if key:
        amiss = spoilt_key(name, frame, key[0])
        whole = f"complete, and no value twice in {len(frame):,} rows"
        comments[f"{where}.key"] = (f"`{key[0]}` {amiss}{TO_MEND}these, or name another key" if amiss else whole,)
    if not len(frame) and len(frame.columns):
        rowless = draft_rowless(name, frame, tree)
        comments[where] = (rowless.note,)
        return rowless.table
    if tree.roles[name] == "reference":
        comments[where] = ("taken for a public catalogue by its name" if says_catalogue(name) else _LISTED,)
        return LinkedTable(role="reference", key=key)
    if tree.roles[name] == "shared":
        comments[where] = ("not reached from a unit: if it is a public catalogue, say `role: reference`",)
        alone = _alone(name, frame)
        columns = {c: _kind(c, kind, frame[c], tree, name) for c, kind in alone.columns.items()}
        links, rules = tuple(_links(name, tree, looks, comments)), tuple(_usable(alone, columns))
        return LinkedTable(role="shared", key=key, columns=columns, links=links, rules=rules)
    return _records(name, tree, looks, key, comments)


def _records(
    name: str,
    tree: UnitTree,
    looks: Mapping[str, TableLook],
    key: tuple[str, ...],
    comments: dict[str, tuple[str, ...]],
) -> LinkedTable:
    look, where = looks[name], f"tables.{name}"
    links = tuple(_links(name, tree, looks, comments))
    alone = _alone(name, look.frame)
    position, series, order = look.position, look.series, None
    end = find_end(looks, tree) if name == tree.unit else None
    if look.order is not None:
        order, comments[f"{where}.order"] = _order(look.order, tuple(_before(name, tree, looks)))
    if position is not None:
        comments[f"{where}.position"] = (position[1].said(case="owner"),)
    if series is not None:
        comments[f"{where}.series"] = (f"explains the spread of a number: {series[1]}",)
    placed = {*(() if order is None else order.columns), *(() if position is None else position[:1])}
    return LinkedTable(
        key=key,
        links=links,
        order=order,
        series=None if series is None else series[0],
        position=None if position is None else position[0],
        end=end.column if end is not None and end.whole else None,
        columns=dict(look.columns),
        derived={c: e for c, e in alone.derived.items() if c not in placed},
        rules=tuple(_usable(alone, look.columns)),
    )


def _order(found: DraftedOrder, before: tuple[tuple[str, Evidence], ...]) -> tuple[RowOrder, tuple[str, ...]]:
    """When rows happen, and why; rows before what they belong to are declared unless nearly none is."""
    early = [f"`before_owner`: not before {to} {seen}" for to, seen in before if not seen.nearly_always]
    otherwise = "declare `before_owner: true`"
    late = [f"not before {to} {seen.said(otherwise)}" for to, seen in before if seen.nearly_always and not early]
    keys = {"from": found.start, "until": found.until, "overlap": found.overlap, "observed": True}
    order = RowOrder.model_validate({**keys, "before_owner": bool(early)})
    return order, (*found.notes, *early, *late)


def _before(name: str, tree: UnitTree, looks: Mapping[str, TableLook]) -> Iterator[tuple[str, Evidence]]:
    """How often rows do not happen before what they belong or point to, where that is not always."""
    look, rows = looks[name], tree.owners.get(name)
    for of in tree.ancestors(name):
        if rows is None or looks[of].order is not None:
            break
        rows = None if of not in tree.owners else np.r_[tree.owners[of], -1][rows]
    pairs = [] if rows is None else [(of, rows)]
    pairs += [(link.key.to, link.rows) for link in tree.links.get(name, ()) if link.kind == "earlier"]
    for to, there in pairs:
        order, seen = looks[to].order, not_before(look, looks[to], there)
        if order is not None and seen is not None and seen.share < 1.0:
            yield f"{to}.{order.start}", seen


def _links(
    name: str, tree: UnitTree, looks: Mapping[str, TableLook], comments: dict[str, tuple[str, ...]]
) -> Iterator[Link]:
    for k, link in enumerate(tree.links.get(name, ())):
        most, opened = None, False
        if link.kind == "owner":
            most = rounded_up(int(np.bincount(link.rows[link.rows >= 0]).max(initial=1)))
        elif link.kind == "earlier":
            opened = is_open(looks[name], looks[link.key.to], link.rows)
        comments[f"tables.{name}.links[{k}]"] = (link.note,)
        yield Link(
            columns=(link.key.column,),
            to=link.key.to,
            kind=link.kind,
            max_rows_per_owner=most,
            open=opened,
            observed=True,
        )


def rounded_up(most: int) -> int:
    """A bound above the largest number of rows that was seen: the next of 1, 2 or 5 times a power of ten.

    The number itself would be that of one owner's rows, who may be the only one with so many.

    Args:
        most: rows, 1 or more.

    Example:
        >>> [rounded_up(most) for most in (1, 2, 4, 5, 186, 725)]
        [2, 5, 5, 10, 200, 1000]
    """
    power = int("1" + "0" * (len(str(most)) - 1))
    return next(step * power for step in (2, 5, 10) if step * power > most)


def _usable(alone: Schema, columns: Mapping[str, Column]) -> Iterator[Rule]:
    """Rules within rows that do not speak of keys, nor list or compare cells that now are of another kind.

    The levels of a fixed combination are those of the kind it was found with (numbers, say): where a column is a code
    now, which is text, none is listed, and those of the training table hold.
    """
    for rule in alone.rules:
        other = any(columns[c].kind != alone.columns[c].kind for c in rule.columns)
        if any(isinstance(columns[c], Identifier) for c in rule.columns):
            continue
        if not other:
            yield rule
        elif isinstance(rule, FixedCombination):
            yield rule.model_copy(update={"combinations": None})
