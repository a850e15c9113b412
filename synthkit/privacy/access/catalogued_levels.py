"""Public catalogues under a budget: their keys are levels that nobody has to buy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from synthkit.errors import SchemaError
from synthkit.schema.columns import Column, Discrete
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.link import Link
from synthkit.schema.linked.row_keys import key_texts
from synthkit.schema.public_domain import NOT_STATED
from synthkit.schema.typed_columns import TypedColumns

MOST_CATALOGUED = 1000  # rows of a catalogue whose keys are taken for levels


def with_catalogued_levels(schema: LinkedSchema, frames: Mapping[str, pd.DataFrame]) -> LinkedSchema:
    """The public schema, in which levels that nobody knows are the keys of the catalogue that a column points to.

    Of longer catalogues than `MOST_CATALOGUED` levels are bought like others.

    Args:
        schema: the public one.
        frames: the tables; catalogues alone are looked at.

    Raises:
        SchemaError: tables are not given, or a catalogue is not what is declared.
    """
    refuse_misnamed(frames, schema)
    refuse_catalogues(frames, schema)
    tables = dict(schema.tables)
    for name, link in _single_links(schema):
        column, levels = tables[name].columns[link.columns[0]], _keys(schema, frames, link)
        if not _has_levels(column) and 0 < len(levels) <= MOST_CATALOGUED:
            known = {link.columns[0]: column.model_copy(update={"levels": levels})}
            tables[name] = tables[name].model_copy(update={"columns": {**tables[name].columns, **known}})
    return schema.model_copy(update={"tables": tables})


def with_stand_ins(schema: LinkedSchema, frames: Mapping[str, pd.DataFrame]) -> LinkedSchema:
    """The published schema, in which the first key of a catalogue stands where no level could be told.

    Args:
        schema: with the levels that were bought.
        frames: the catalogues.
    """
    tables = dict(schema.tables)
    for name, link in _single_links(schema):
        column = tables[name].columns[link.columns[0]]
        if getattr(column, "levels", None) == (NOT_STATED,) and not column.nullable:
            known = {link.columns[0]: column.model_copy(update={"levels": _keys(schema, frames, link)[:1]})}
            tables[name] = tables[name].model_copy(update={"columns": {**tables[name].columns, **known}})
    return schema.model_copy(update={"tables": tables})


def _single_links(schema: LinkedSchema) -> Iterator[tuple[str, Link]]:
    """Tables of records with their links of one column to catalogues."""
    for name in schema.graph.records:
        for link in schema.tables[name].links:
            if link.kind == "reference" and len(link.columns) == 1:
                yield name, link


def _keys(schema: LinkedSchema, frames: Mapping[str, pd.DataFrame], link: Link) -> tuple[str, ...]:
    """Keys of the catalogue that a link of one column points to, in its order."""
    texts = dict.fromkeys(key_texts(frames[link.to][_named_by(link.to, schema)[0]]))
    return tuple(text for text in texts if text is not None)


def _has_levels(column: Column) -> bool:
    """Whether levels are known, or a column has none."""
    return not isinstance(column, Discrete) or bool(column.levels)


def refuse_catalogues(frames: Mapping[str, pd.DataFrame], schema: LinkedSchema) -> None:
    """Refuse catalogues that are not what is declared: they are public, all else is mapped.

    Args:
        frames: the tables; catalogues alone are looked at.
        schema: the public one.

    Raises:
        SchemaError: columns or cells of a catalogue are others; lists all such.
    """
    wrong = []
    for name in schema.graph.references:
        table = schema.tables[name]
        typed = TypedColumns.of(frames[name], table.alone(name)) if table.columns else None
        here = set(_named_by(name, schema)) <= set(frames[name].columns)
        if not here or (typed is not None and (typed.misnamed or typed.untyped)):
            wrong.append(f"`{name}`")
    if wrong:
        msg = "public catalogues must have the columns and cells that are declared; however: "
        msg += f"{', '.join(wrong)} {'has' if len(wrong) == 1 else 'have'} others. Mend them, or their lines"
        raise SchemaError(msg)


def _named_by(name: str, schema: LinkedSchema) -> tuple[str, ...]:
    """Columns of a catalogue that name its rows: its key, or those by which it is linked to."""
    links = (link.columns for table in schema.tables.values() for link in table.links if link.to == name)
    return schema.tables[name].key or next(links, ())


def refuse_misnamed(frames: Mapping[str, pd.DataFrame], schema: LinkedSchema) -> None:
    """Refuse tables that are not those of the schema.

    Args:
        frames: the tables.
        schema: the public one.

    Raises:
        SchemaError: a table is not given, or not declared; lists all such.
    """
    absent = [f"`{name}` is not given" for name in schema.tables if name not in frames]
    absent += [f"`{name}` is not declared" for name in frames if name not in schema.tables]
    if absent:
        msg = f"the tables must be those of the schema; however: {', '.join(absent)}. Give what is declared"
        raise SchemaError(msg)
