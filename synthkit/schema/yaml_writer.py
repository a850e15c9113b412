"""A schema as YAML for people: a flow line a column where it fits, defaults left out, comments above keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from synthkit.schema.lattice import LATTICE_KEYS

Comments = Mapping[str, str | Iterable[str]]

YAML_WIDTH = 120
_PLAIN_SCALAR = re.compile(r"[^\W\d_](?:[\w .+/()$%<>=°-]*[\w)%+>-])?")
# Words that readers of YAML 1.1, or hasty readers, take for something else than text.
_RESERVED_SCALARS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"))
_LEVEL_LIST_KEYS = frozenset(("levels", "in", "combinations", "positive"))
_NOTATION_KEYS = (
    "decimal",
    "thousands",
    "prefix",
    "suffix",
    "minus",
    "plus",
    "percent",
    "trailing_zeros",
    "missing",
    "censored",
)
_TRAILING_KEYS = (*LATTICE_KEYS, *_NOTATION_KEYS, "nullable", "description", "declared_by", "observed", "paid")
_LEADING_KEYS = ("format", "name", "description", "source", "licence", "unit", "declared_by")
_ROLE_KEYS = ("quasi_identifiers", "secrets", "protected")


def write_schema_yaml(schema: BaseModel, comments: Comments) -> str:
    """The schema as YAML text, keys in a fixed order."""
    data = plain(schema)
    lines = [*leading_lines(schema, data, comments), "", *comment_lines(comments, "columns"), "columns:"]
    lines += column_lines(data, comments)
    for block in table_blocks(data, comments):
        lines += ["", *block]
    return "\n".join(lines) + "\n"


def leading_lines(schema: BaseModel, data: Mapping[str, Any], comments: Comments) -> list[str]:
    """What a file says of itself: format, name, where it comes from, whose rows it protects."""
    lines = list(comment_lines(comments, ""))
    for key in _LEADING_KEYS:
        lines += comment_lines(comments, key)
        if key in ("format", "name") or key in data:
            lines += yaml_entry(key, data.get(key, getattr(schema, key)), 0)
    return lines


def column_lines(data: Mapping[str, Any], comments: Comments, path: str = "", indent: int = 2) -> list[str]:
    """A line a column, or a block where one does not fit."""
    lines: list[str] = []
    for name, column in data["columns"].items():
        lines += comment_lines(comments, f"{path}columns.{name}", indent)
        lines += yaml_entry(name, column, indent)
    return lines


def table_blocks(data: Mapping[str, Any], comments: Comments, path: str = "", indent: int = 0) -> Iterator[list[str]]:
    """What a table means beside its columns: what is computed, roles, targets, rules; each as a block of lines."""
    margin = " " * indent
    if "derived" in data:
        block = [*comment_lines(comments, f"{path}derived", indent), f"{margin}derived:"]
        for name, expression in data["derived"].items():
            block += comment_lines(comments, f"{path}derived.{name}", indent + 2)
            block.append(f"{margin}  {yaml_scalar(name)}: {yaml_scalar(expression)}")
        yield block
    roles: list[str] = []
    for key in _ROLE_KEYS:
        roles += comment_lines(comments, path + key, indent)
        roles += yaml_entry(key, data[key], indent) if key in data else []
    if roles:
        yield roles
    for key in ("targets", "rules"):
        yield from list_block(data, key, comments, path, indent)


def list_block(
    data: Mapping[str, Any], key: str, comments: Comments, path: str = "", indent: int = 0
) -> Iterator[list[str]]:
    """A list of records, one a line where it fits; nothing if it is not there and nothing is said of it."""
    block = list(comment_lines(comments, path + key, indent))
    if key in data:
        block.append(f"{' ' * indent}{key}:")
        for k, item in enumerate(data[key]):
            block += [*comment_lines(comments, f"{path}{key}[{k}]", indent + 2), *_item(item, indent + 2)]
    if block:
        yield block


def plain(model: BaseModel) -> dict[str, Any]:
    """A record as plain values under the keys of the file: what tells its kind, then what differs from its defaults.

    Keys that all kinds share come last. Defaults are compared as written: the levels 0 and 1 equal false and true in
    Python, but not in a table.
    """
    fields = type(model).model_fields
    tag = next((key for key in ("kind", "rule") if key in fields and isinstance(fields[key].default, str)), None)
    kept: dict[str, Any] = {} if tag is None else {tag: getattr(model, tag)}
    implied = getattr(model, "implied", {})
    for name, field in fields.items():
        value = getattr(model, name)
        if name in implied:
            value = tuple(v for v in value if v not in implied[name]) if isinstance(value, tuple) else field.default
        if name != tag and repr(value) != repr(field.default):
            kept[field.alias or name] = _plain_value(value)
    return {k: v for k, v in kept.items() if k not in _TRAILING_KEYS} | {
        k: kept[k] for k in _TRAILING_KEYS if k in kept
    }


def _plain_value(value: object) -> object:
    if isinstance(value, BaseModel):
        return plain(value)
    if isinstance(value, Mapping):
        return {k: _plain_value(v) for k, v in value.items()}
    return [_plain_value(v) for v in value] if isinstance(value, tuple) else value


def comment_lines(comments: Comments, path: str, indent: int = 0) -> Iterator[str]:
    """Lines to stand above a key."""
    text = comments.get(path, ())
    for line in text.splitlines() if isinstance(text, str) else text:
        yield " " * indent + f"# {line}".rstrip()


def yaml_entry(key: str, value: object, indent: int) -> list[str]:
    """`key: value` on one line, or broken into a block if it does not fit."""
    head = " " * indent + f"{yaml_scalar(key)}:"
    line = f"{head} {yaml_flow(value, key)}"
    if len(line) <= YAML_WIDTH or not isinstance(value, dict | list | tuple):
        return [line]
    if isinstance(value, dict):
        lines = _filled([f"{yaml_scalar(k)}: {yaml_flow(v, k)}" for k, v in value.items()], len(head) + 2)
        if len(lines) == 2 and max(map(len, lines)) < YAML_WIDTH:
            return [f"{head} {{{lines[0].lstrip()}", lines[1] + "}"]
        return [head, *(line for k, v in value.items() for line in yaml_entry(k, v, indent + 2))]
    if any(isinstance(v, list | tuple) for v in value):
        return [head, *(f"{' ' * (indent + 2)}- {yaml_flow(v, key)}" for v in value)]
    return [f"{head} [", *_filled([yaml_flow(v, key) for v in value], indent + 2), " " * indent + "]"]


def _filled(items: list[str], indent: int) -> list[str]:
    lines, line = [], ""
    for item in items:
        if line and indent + len(line) + len(item) + 2 > YAML_WIDTH:
            lines.append(" " * indent + line.rstrip())
            line = ""
        line += f"{item}, "
    return [*lines, " " * indent + line.rstrip().rstrip(",")]


def _item(value: dict[str, object], indent: int) -> list[str]:
    line = f"{' ' * indent}- {yaml_flow(value)}"
    if len(line) <= YAML_WIDTH:
        return [line]
    lines = [line for k, v in value.items() for line in yaml_entry(k, v, indent + 2)]
    return [" " * indent + "- " + lines[0].lstrip(), *lines[1:]]


def yaml_flow(value: object, key: str = "") -> str:
    """A value in flow style; `key` says whether whole floats keep their point (levels do, bounds do not)."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(
                f"{yaml_scalar(k)}: {yaml_flow(v, key if key in _LEVEL_LIST_KEYS else k)}" for k, v in value.items()
            )
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(yaml_flow(v, key) for v in value) + "]"
    if isinstance(value, float) and key not in _LEVEL_LIST_KEYS and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return yaml_scalar(value)


def yaml_scalar(value: object) -> str:
    """One YAML scalar: plain where every YAML reader agrees on it, double-quoted otherwise."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if _PLAIN_SCALAR.fullmatch(text) and text.lower() not in _RESERVED_SCALARS and "\n" not in text:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(c) for c in quoted)


def _escaped(c: str) -> str:
    return f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}"
