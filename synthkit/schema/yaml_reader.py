"""Schema files as YAML 1.2: text to plain values and nodes, or one error that says why not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.errors import DocumentError, SchemaError
from synthkit.io.documents import MAX_YAML_BYTES, content, parse_yaml

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node


def read_schema_file(path: Path) -> tuple[object, Node | None]:
    """What a YAML file holds, and its nodes, which know their lines.

    Raises:
        SchemaError: no such file, not to be read, not UTF-8, or not YAML.
    """
    try:
        text = content(path, MAX_YAML_BYTES)
    except DocumentError as error:
        raise SchemaError(str(error)) from error
    except FileNotFoundError as error:
        msg = f"the schema must be a file; however: {path} does not exist. `synthkit init TABLE -o {path}` drafts one"
        raise SchemaError(msg) from error
    except OSError as error:
        msg = f"the schema must be a readable file; however: {path}: {error.strerror}. Give the path of a YAML file"
        raise SchemaError(msg) from error
    return parse_schema_text(text, str(path))


def parse_schema_text(text: str | bytes, name: str) -> tuple[object, Node | None]:
    """What YAML text holds, and its nodes; `name` stands for the file in errors.

    Raises:
        SchemaError: the text is not YAML.
    """
    try:
        tree, data = parse_yaml(text, name)
    except DocumentError as error:
        raise SchemaError(str(error)) from error
    return data, tree
