"""A linked schema as YAML for people: a block a table, its columns as in a schema of one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from synthkit.schema.yaml_writer import (
    Comments,
    column_lines,
    comment_lines,
    leading_lines,
    list_block,
    plain,
    table_blocks,
    yaml_entry,
    yaml_scalar,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

_PLACE_KEYS = ("role", "description", "declared_by", "key")
_TIME_KEYS = ("order", "series", "end", "position", "max_rows_per_unit")


def write_linked_yaml(schema: BaseModel, comments: Comments) -> str:
    """The schema as YAML text, keys in a fixed order.

    Args:
        schema: a linked schema.
        comments: lines to put above a key, by its path: "" (the top), "unit", "tables.visits",
            "tables.visits.links[0]", "tables.visits.columns.age", "rules[0]".
    """
    data = plain(schema)
    lines = [*leading_lines(schema, data, comments), "", *comment_lines(comments, "tables"), "tables:"]
    for k, (name, table) in enumerate(data["tables"].items()):
        lines += [""] * (k > 0) + list(_table(name, table, comments))
    for key in ("rules", "contradictions", "targets"):
        for block in list_block(data, key, comments):
            lines += ["", *block]
    return "\n".join(lines) + "\n"


def _table(name: str, data: dict[str, Any], comments: Comments) -> Iterator[str]:
    path = f"tables.{name}."
    yield from comment_lines(comments, f"tables.{name}", 2)
    if not data:
        yield f"  {yaml_scalar(name)}: {{}}"
        return
    yield f"  {yaml_scalar(name)}:"
    yield from _keys(data, _PLACE_KEYS, comments, path)
    for block in list_block(data, "links", comments, path, 4):
        yield from block
    yield from _keys(data, _TIME_KEYS, comments, path)
    if "columns" in data:
        yield from (*comment_lines(comments, f"{path}columns", 4), "    columns:")
        yield from column_lines(data, comments, path, 6)
    for block in table_blocks(data, comments, path, 4):
        yield from block


def _keys(data: dict[str, Any], keys: tuple[str, ...], comments: Comments, path: str) -> Iterator[str]:
    for key in keys:
        yield from comment_lines(comments, path + key, 4)
        if key in data:
            yield from yaml_entry(key, data[key], 4)
