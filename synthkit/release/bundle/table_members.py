"""Which members of a bundle hold rows: of one table a file a draw, of linked tables a folder with a file a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from synthkit.errors import ArtefactError
from synthkit.release import run_folder
from synthkit.release.bundle.manifest import TABLE_ENDING
from synthkit.schema.linked.linked_schema import LinkedSchema

if TYPE_CHECKING:
    from synthkit.schema import Schema


def first_draw(schema: Schema | LinkedSchema) -> tuple[str, ...]:
    """Names of the members that hold the first draw, which every bundle has.

    Example:
        >>> from synthkit.schema import Schema
        >>> first_draw(Schema(name="icu", columns={"age": {"kind": "numeric"}}))
        ('synthetic.parquet',)
    """
    if not isinstance(schema, LinkedSchema):
        return (run_folder.SYNTHETIC,)
    return tuple(f"{run_folder.SYNTHETIC_FOLDER}/{name}{TABLE_ENDING}" for name in schema.tables)


def linked_draws(members: Iterable[str], schema: LinkedSchema) -> dict[str, dict[str, str]]:
    """Members that hold linked tables: by folder of the draw, then by table in the order of the schema.

    Args:
        members: names of all members of the bundle.
        schema: what the tables mean.

    Raises:
        ArtefactError: a draw lacks a table, or a member holds rows of a table that nobody declared.
    """
    draws: dict[str, dict[str, str]] = {}
    for name in sorted(members):
        if name.endswith(TABLE_ENDING):
            place, _, table = name.removesuffix(TABLE_ENDING).rpartition("/")
            draws.setdefault(place, {})[table] = name
    for place, found in draws.items():
        odd = sorted(set(found) ^ set(schema.tables))
        if odd or not (place == run_folder.SYNTHETIC_FOLDER or place.startswith(f"{run_folder.DRAWS_FOLDER}/")):
            what = f"`{odd[0]}` {'is not declared' if odd[0] in found else 'is missing'}" if odd else "that is no draw"
            msg = f"every draw must hold the declared tables and no other; however: in {place or 'the bundle'} {what}"
            raise ArtefactError(f"{msg}. It was altered")
    return {place: {table: found[table] for table in schema.tables} for place, found in draws.items()}


def public_members(members: Iterable[str], schema: Schema | LinkedSchema) -> frozenset[str]:
    """Names of the members that hold public catalogues, which are copied as they are."""
    if not isinstance(schema, LinkedSchema):
        return frozenset()
    ends = tuple(f"/{name}{TABLE_ENDING}" for name in schema.graph.references)
    return frozenset(name for name in members if ends and name.endswith(ends))


def counted_draws(
    rows: Mapping[str, int], draws: Mapping[str, Mapping[str, str]], schema: LinkedSchema
) -> list[dict[str, int]]:
    """Rows of the tables of records of each draw that was made; the first stands by itself too where there are several.

    Args:
        rows: numbers of rows by member.
        draws: members by draw and table, see `linked_draws`.
        schema: what the tables mean.
    """
    several = [place for place in draws if place != run_folder.SYNTHETIC_FOLDER]
    return [{t: rows[draws[place][t]] for t in schema.graph.records} for place in several or draws]
