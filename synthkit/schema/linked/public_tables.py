"""What of a linked schema is public under a privacy budget: lines somebody answers for, bounds on rows, catalogues."""

from __future__ import annotations

from collections.abc import Iterator

from synthkit.errors import SchemaError, UnsupportedError
from synthkit.schema.linked.linked_schema import LinkedSchema
from synthkit.schema.public_domain import DECLARED_AT_ONCE, RULES_KEY, declared_domain, declarers


def declared_tables(schema: LinkedSchema) -> LinkedSchema:
    """The public part of a linked schema: what was read off the data is left out, to be bought.

    Args:
        schema: as it is declared.

    Raises:
        SchemaError: lines that noise cannot buy were read off the data, nobody answers for a line or a catalogue, or a
            link has no public bound on its rows; lists all.
        UnsupportedError: rows of other units or of tables that are not public are pointed to.

    Example:
        >>> key = {"kind": "identifier"}
        >>> link = {"columns": ["id"], "to": "people", "kind": "owner", "max_rows_per_owner": 9}
        >>> columns = {"id": key}
        >>> visits = {"links": [link], "columns": columns}
        >>> tables = {"people": {"key": ["id"], "columns": columns}, "visits": visits}
        >>> schema = LinkedSchema(unit="people", tables=tables, declared_by="A. Lee: codebook of 2019")
        >>> declared_tables(schema).graph.records
        ('people', 'visits')
    """
    problems = [*_observed(schema), *_unbounded(schema), *_silent(schema)]
    tables = {}
    for name, table in schema.tables.items():
        if table.role == "shared" or not table.columns:
            tables[name] = table
            continue
        whose = table.declared_by or schema.declared_by
        try:
            public = declared_domain(table.alone(name).model_copy(update={"declared_by": whose})).schema
        except SchemaError as refusal:
            problems.append(f"`tables.{name}`: {str(refusal).removesuffix(DECLARED_AT_ONCE)}")
            continue
        tables[name] = table.model_copy(update={"columns": public.columns, "rules": public.rules})
    if problems:
        msg = "under a privacy budget every line of a linked schema must be public; however:\n" + "\n".join(problems)
        raise SchemaError(msg)
    _refuse_others(schema)
    return schema.model_copy(update={"tables": tables})


def linked_declarers(schema: LinkedSchema) -> dict[str, tuple[str, ...]]:
    """Who answers for which columns, `table.column`, and tables with their links; lines of nobody are left out.

    Example:
        >>> columns = {"id": {"kind": "identifier"}, "age": {"kind": "numeric", "declared_by": "B. Roth: form 12"}}
        >>> tables = {"people": {"key": ["id"], "columns": columns}}
        >>> linked_declarers(LinkedSchema(unit="people", tables=tables, declared_by="A. Lee: codebook of 2019"))
        {'A. Lee: codebook of 2019': ('people', 'people.id'), 'B. Roth: form 12': ('people.age',)}
    """
    found: dict[str, list[str]] = {}
    for name, table in schema.tables.items():
        whose = table.declared_by or schema.declared_by
        if whose is not None:
            found.setdefault(whose, []).append(name)
        if table.columns:
            alone = table.alone(name).model_copy(update={"declared_by": whose})
            for who, columns in declarers(alone).items():
                found.setdefault(who, []).extend(f"{name}.{column}" for column in columns)
    if schema.rules and schema.declared_by is not None:
        found.setdefault(schema.declared_by, []).append(RULES_KEY)
    return {who: tuple(names) for who, names in found.items()}


def is_bounded(schema: LinkedSchema) -> bool:
    """Whether there is a public bound on the rows of every owner, or of every unit."""
    return not any(_unbounded(schema))


def _silent(schema: LinkedSchema) -> Iterator[str]:
    """Catalogues, links and rules across tables that nobody answers for; columns are asked about with their table."""
    if schema.declared_by is not None:
        return
    for name, table in schema.tables.items():
        if table.declared_by is not None or table.role == "shared":
            continue
        if table.role == "reference":
            yield (
                f"`tables.{name}`: nobody declares that its rows are public, and they are released as they are. "
                f"{_SAY_WHO} among the lines of the table"
            )
        elif table.links:
            yield f"`tables.{name}`: nobody answers for its links and bounds. {_SAY_WHO} among the lines of the table"
    if schema.rules:
        yield f"`rules`: nobody answers for them. {_SAY_WHOSE}"


_SAY_WHO = 'Say who does, and why: `declared_by: "NAME: reason"` at the head of the schema, or'
_SAY_WHOSE = 'Say who does, and why: `declared_by: "NAME: reason"` at the head of the schema'


def _observed(schema: LinkedSchema) -> Iterator[str]:
    """Lines across tables that were found in the data."""
    for name, table in schema.tables.items():
        for k, link in enumerate(table.links):
            if link.observed:
                yield f"`tables.{name}`: `links[{k}]` was read off the data. Check it and take `observed` out"
        if table.order is not None and table.order.observed:
            yield f"`tables.{name}`: `order` was read off the data. Check it and take `observed` out"
    for k, rule in enumerate(schema.rules):
        if rule.observed:
            yield f"`rules[{k}]` was read off the data. Check it and take `observed` out"


def _unbounded(schema: LinkedSchema) -> Iterator[str]:
    """Tables of which nobody says how many rows an owner has at most."""
    for name, table in schema.tables.items():
        if table.owner is not None and table.owner.max_rows_per_owner is None and table.max_rows_per_unit is None:
            yield (
                f"`tables.{name}`: nobody bounds the rows of an owner. Declare `max_rows_per_owner` of the link to "
                f"`{table.owner.to}`; rows beyond it are left out"
            )


def _refuse_others(schema: LinkedSchema) -> None:
    shared = [f"`{name}`" for name, table in schema.tables.items() if table.role == "shared"]
    if shared:
        msg = (
            "under a privacy budget tables beside the units must be public catalogues; however: "
            f"{', '.join(shared)} {'is' if len(shared) == 1 else 'are'} shared by units. Declare `role: reference` if "
            "its rows are public knowledge, or take the table and the links to it out"
        )
        raise UnsupportedError(msg)
    peers = [f"`{n}`" for n, t in schema.tables.items() if any(li.kind == "peer" and not li.public for li in t.links)]
    if peers:
        msg = (
            "under a privacy budget a row may point to another unit only where that is public; however: links of kind "
            f"peer of {', '.join(peers)} are not. Declare `public: true` if who is linked to whom is public knowledge, "
            "or take the links out"
        )
        raise UnsupportedError(msg)
