"""A schema as YAML for people: a flow line a column where it fits, defaults left out, comments above keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from synthkit.schema.censoring import Censored
from synthkit.schema.rules import Condition

if TYPE_CHECKING:
    from pydantic import BaseModel

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
_TRAILING_KEYS = (*_NOTATION_KEYS, "nullable", "description", "declared_by", "observed", "paid")
_LEADING_KEYS = ("format", "name", "description", "source", "licence", "unit", "declared_by")
_ROLE_KEYS = ("quasi_identifiers", "secrets", "protected")


def write_schema_yaml(schema: BaseModel, comments: Comments) -> str:
    """The schema as YAML text, keys in a fixed order."""
    data = plain(schema)
    lines = list(_comment(comments, ""))
    for key in _LEADING_KEYS:
        lines += _comment(comments, key)
        if key in ("format", "name") or key in data:
            lines += _entry(key, data.get(key, getattr(schema, key)), 0)
    lines += ["", *_comment(comments, "columns"), "columns:"]
    for name, column in data["columns"].items():
        lines += _comment(comments, f"columns.{name}", 2)
        lines += _entry(name, column, 2)
    if "derived" in data:
        block = [*_comment(comments, "derived"), "derived:"]
        for name, expression in data["derived"].items():
            block += [*_comment(comments, f"derived.{name}", 2), f"  {yaml_scalar(name)}: {yaml_scalar(expression)}"]
        lines += _section(block)
    lines += _section([line for key in _ROLE_KEYS for line in [*_comment(comments, key), *_top(data, key)]])
    for key in ("targets", "rules"):
        block = list(_comment(comments, key))
        if key in data:
            block.append(f"{key}:")
            for k, item in enumerate(data[key]):
                block += [*_comment(comments, f"{key}[{k}]", 2), *_item(item, 2)]
        lines += _section(block)
    return "\n".join(lines) + "\n"


def plain(schema: BaseModel) -> dict[str, Any]:
    """The schema as plain values under the keys of the file, defaults left out."""
    data = _kept(schema)
    data["columns"] = {name: _kept(column, "kind") for name, column in dict(schema)["columns"].items()}
    for key, tag in (("targets", None), ("rules", "rule")):
        if key in data:
            data[key] = [_kept(item, tag) for item in getattr(schema, key)]
    return data


def _kept(model: BaseModel, tag: str | None = None) -> dict[str, object]:
    """One model's keys that differ from their defaults: its tag, its own keys, then those that all kinds share.

    Defaults are compared as written: the levels 0 and 1 equal false and true in Python, but not in a table.
    """
    kept: dict[str, object] = {} if tag is None else {tag: getattr(model, tag)}
    implied = getattr(model, "implied", {})
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if name in implied:
            value = tuple(v for v in value if v not in implied[name]) if isinstance(value, tuple) else field.default
        if name != tag and repr(value) != repr(field.default):
            kept[field.alias or name] = _plain_value(value)
    return {k: v for k, v in kept.items() if k not in _TRAILING_KEYS} | {
        k: kept[k] for k in _TRAILING_KEYS if k in kept
    }


def _plain_value(value: object) -> object:
    if isinstance(value, Condition | Censored):
        return _kept(value)
    if isinstance(value, Mapping):
        return {k: _plain_value(v) for k, v in value.items()}
    return [_plain_value(v) for v in value] if isinstance(value, tuple) else value


def _section(block: list[str]) -> list[str]:
    return ["", *block] if block else []


def _top(data: Mapping[str, object], key: str) -> list[str]:
    return _entry(key, data[key], 0) if key in data else []


def _comment(comments: Comments, path: str, indent: int = 0) -> Iterator[str]:
    text = comments.get(path, ())
    for line in text.splitlines() if isinstance(text, str) else text:
        yield " " * indent + f"# {line}".rstrip()


def _entry(key: str, value: object, indent: int) -> list[str]:
    """`key: value` on one line, or broken into a block if it does not fit."""
    head = " " * indent + f"{yaml_scalar(key)}:"
    line = f"{head} {yaml_flow(value, key)}"
    if len(line) <= YAML_WIDTH or not isinstance(value, dict | list | tuple):
        return [line]
    if isinstance(value, dict):
        lines = _filled([f"{yaml_scalar(k)}: {yaml_flow(v, k)}" for k, v in value.items()], len(head) + 2)
        if len(lines) == 2 and max(map(len, lines)) < YAML_WIDTH:
            return [f"{head} {{{lines[0].lstrip()}", lines[1] + "}"]
        return [head, *(line for k, v in value.items() for line in _entry(k, v, indent + 2))]
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
    lines = [line for k, v in value.items() for line in _entry(k, v, indent + 2)]
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
