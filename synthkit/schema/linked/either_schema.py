"""A schema of one table or of linked ones, whichever a file holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.schema import yaml_reader
from synthkit.schema.linked.linked_schema import LINKED_FORMAT, LinkedSchema
from synthkit.schema.table import Schema

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node


def load_either(path: str | Path) -> Schema | LinkedSchema:
    """The schema in a YAML file; `format` of what comes back says which of the two it is.

    Raises:
        SchemaError: the file cannot be read, or holds neither; names the path in it and the remedy.
    """
    data, tree = yaml_reader.read_schema_file(Path(path))
    return parse_either(data, str(path), tree)


def parse_either(data: object, name: str = "schema", tree: Node | None = None) -> Schema | LinkedSchema:
    """The schema that a mapping spells out: that of linked tables if it says so, or has `tables` and no `columns`.

    Raises:
        SchemaError: the mapping is neither.
    """
    return LinkedSchema.parse(data, name, tree) if is_linked(data) else Schema.parse(data, name, tree)


def is_linked(data: object) -> bool:
    """Whether a mapping means a schema of linked tables."""
    if not isinstance(data, Mapping):
        return False
    known: Mapping[Any, Any] = data
    family = str(known.get("format", "")).partition("/")[0]
    return family == LINKED_FORMAT.partition("/")[0] or (not family and "tables" in known and "columns" not in known)


def as_linked(schema: Schema | LinkedSchema | str | Path) -> LinkedSchema:
    """Any schema as one of linked tables: itself, one table whose rows are units, or what a file holds.

    Raises:
        SchemaError: the file holds no schema, or the one table names a unit that owns several rows.

    Example:
        >>> as_linked(Schema(name="people", columns={"age": {"kind": "numeric"}})).unit
        'people'
    """
    found = load_either(schema) if isinstance(schema, str | Path) else schema
    return found if isinstance(found, LinkedSchema) else LinkedSchema.of(found)
