"""Schema files: YAML 1.2 in and out, and one error that lists everything wrong with a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from synthkit.errors import DocumentError, SchemaError
from synthkit.io.atomic_files import replacing
from synthkit.io.documents import YAML_BYTES, content, parse_yaml
from synthkit.schema.json_schema import json_schema
from synthkit.schema.schema_errors import explain
from synthkit.schema.table import FORMAT, Schema
from synthkit.schema.yaml_writer import Comments, write

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

__all__ = ["dumps", "json_schema", "load", "loads", "parse", "save"]


def load(path: str | Path) -> Schema:
    """The schema in a YAML file.

    Raises:
        SchemaError: no such file, not UTF-8, not YAML, or not a schema; everything wrong is listed with its path
            in the file, its line and the remedy.
    """
    path = Path(path)
    try:
        text = content(path, YAML_BYTES)
    except DocumentError as error:
        raise SchemaError(str(error)) from error
    except FileNotFoundError as error:
        msg = f"the schema must be a file; however: {path} does not exist. `synthkit init TABLE -o {path}` drafts one"
        raise SchemaError(msg) from error
    except OSError as error:
        msg = f"the schema must be a readable file; however: {path}: {error.strerror}. Give the path of a YAML file"
        raise SchemaError(msg) from error
    return loads(text, str(path))


def loads(text: str | bytes, name: str = "schema") -> Schema:
    """The schema in YAML text; `name` stands for the file in errors.

    Raises:
        SchemaError: the text is not YAML or not a schema.

    Example:
        >>> loads("columns: {country: {kind: categorical, levels: [NO, SE]}}").columns["country"].levels
        ('NO', 'SE')
    """
    try:
        tree, data = parse_yaml(text, name)
    except DocumentError as error:
        raise SchemaError(str(error)) from error
    return parse(data, name, tree)


def parse(data: Any, name: str = "schema", tree: Node | None = None) -> Schema:
    """The schema a mapping spells out; `tree` gives the line numbers for errors, if there is a file.

    Raises:
        SchemaError: the mapping is not a schema.
    """
    if not isinstance(data, Mapping):
        what = "nothing" if data is None else f"a {type(data).__name__}"
        msg = f"{name} must be a mapping with the key `columns`; however: it holds {what}"
        raise SchemaError(msg)
    version = data.get("format", FORMAT)
    if version != FORMAT:
        msg = (
            f"{name}: `format` must be {FORMAT}; however: {version!r}. "
            "A higher number needs a newer synthkit; otherwise correct the line"
        )
        raise SchemaError(msg)
    try:
        return Schema.model_validate(dict(data))
    except ValidationError as error:
        raise SchemaError(explain(error, data, name, tree)) from error


def save(schema: Schema, path: str | Path, *, comments: Comments | None = None) -> None:
    """Write the schema as YAML; the file appears whole or not at all.

    Raises:
        TableError: the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(dumps(schema, comments=comments), encoding="utf-8")


def dumps(schema: Schema, *, comments: Comments | None = None) -> str:
    """The schema as YAML text, defaults left out, one line a column where it fits.

    Args:
        schema: the schema.
        comments: lines to put above a key, by its path: `""` (the top), `unit`, `columns.age`, `rules[0]`.

    Example:
        >>> print(dumps(Schema(columns={"age": {"kind": "numeric", "max": 120}})), end="")
        format: synthkit-schema/1
        name: table
        <BLANKLINE>
        columns:
          age: {kind: numeric, max: 120}
    """
    return write(schema, comments or {})
