"""What is wrong with a schema file: pydantic's errors as lines with path, line number and remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel

from synthkit.runtime.validation_words import requirement
from synthkit.schema.columns import DECLARER_PATTERN, Column
from synthkit.schema.model_paths import Path, allowed_keys, choice_at
from synthkit.schema.rules import Rule

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails
    from ruamel.yaml.nodes import Node

_LEVEL_ERRORS = ("bool_type", "int_type", "float_type", "string_type", "finite_number")
_PATTERN_MESSAGES = {DECLARER_PATTERN: 'must say who answers for the lines and why, as "NAME: reason"'}
_KEY_MENTIONED = re.compile(r"`(?P<key>[a-z_]+)(\[(?P<index>\d+)\]|\.(?P<name>[^`]+))?`(?P<more>: )?")


def column_kinds() -> dict[str, type[BaseModel]]:
    """The column models by `kind`."""
    return {model.model_fields["kind"].default: model for model in get_args(get_args(Column)[0])}


def rule_kinds() -> dict[str, type[BaseModel]]:
    """The rule models by `rule`."""
    return {model.model_fields["rule"].default: model for model in get_args(get_args(Rule)[0])}


def explain_schema_error(
    error: ValidationError, data: object, name: str, tree: Node | None, whole: type[BaseModel]
) -> str:
    """All errors of a schema, one line each: path in the file, line, what must hold, what came, the remedy.

    Args:
        error: what pydantic found.
        data: the mapping that was parsed.
        name: the file, as the user knows it.
        tree: its YAML nodes, for line numbers.
        whole: the model of the whole file.
    """
    lines: dict[tuple[Path, str], None] = {}
    for detail in error.errors(include_url=False):
        path = _path(detail["loc"], data, whole)
        for sentence in _sentences(detail, path, data, whole):
            at = path or _said_path(sentence)
            if detail["type"] in _LEVEL_ERRORS and any(p == at for p, _ in lines):
                continue
            lines[at, sentence] = None
    count = "1 thing is wrong" if len(lines) == 1 else f"{len(lines)} things are wrong"
    listed = [f"  {_written(path)}{_line(path, tree)}: {sentence}" for path, sentence in lines]
    return "\n".join([f"{name} must be a synthkit schema; however: {count}", *listed])


def _path(loc: tuple[int | str, ...], data: object, whole: type[BaseModel]) -> Path:
    """The error's place in the file: pydantic's location without the names of union members."""
    path: list[str | int] = []
    here = data
    for k, part in enumerate(loc):
        if isinstance(here, Mapping) and (part in here or str(part) in map(str, here)):
            key = part if part in here else next(x for x in here if str(x) == str(part))
            path.append(key)
            here = here[key]
        elif isinstance(here, Sequence) and not isinstance(here, str) and isinstance(part, int) and part < len(here):
            path.append(part)
            here = here[part]
        elif k == len(loc) - 1 and isinstance(here, Mapping) and part != "[key]":
            choice = choice_at(whole, tuple(path), data)
            path += [] if choice.key and part in choice.models else [part]
    return tuple(path)


def _said_path(sentence: str) -> Path:
    """Where a sentence about the whole file points: one that begins "`columns.a`: `rules[2]`: " at four steps down."""
    path: list[str | int] = []
    at = 0
    while (found := _KEY_MENTIONED.match(sentence, at)) is not None:
        path.append(found["key"])
        path += [found["name"]] if found["name"] else [int(found["index"])] if found["index"] else []
        at = found.end()
        if not found["more"]:
            break
    return tuple(path)


def _sentences(detail: ErrorDetails, path: Path, data: object, whole: type[BaseModel]) -> list[str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"]).split("\n")
    if kind == "extra_forbidden":
        return [_unknown(str(path[-1]), sorted(_allowed(path[:-1], data, whole)), "key")]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        choice = choice_at(whole, path, data)
        tag = str(context["tag"]) if "tag" in context else None
        return [_unknown(tag, sorted(choice.models), f"`{choice.key}`")]
    if kind == "missing":
        return [f"`{path[-1]}` must be given; however: it is absent"]
    return [f"{_must(detail, path)}; however: {_shown(detail['input'])}"]


def _must(detail: ErrorDetails, path: Path) -> str:
    """What must hold where pydantic found something of the wrong type or size."""
    if detail["type"] in _LEVEL_ERRORS and any(key in ("levels", "in", "combinations") for key in path):
        return "a level must be text, a finite number, true or false"
    if detail["loc"] and detail["loc"][-1] == "[key]":
        return f"a key must be text, so put {path[-1]} in quotes"
    return requirement(detail, _PATTERN_MESSAGES)


def _unknown(word: str | None, known: Sequence[str], what: str) -> str:
    if word is None:
        return f"{what} must be one of {', '.join(known)}; however: it is absent"
    near = difflib.get_close_matches(word, known, n=1)
    guess = f" Did you mean `{near[0]}`?" if near else ""
    return f"{what} must be one of {', '.join(known)}; however: `{word}`.{guess}"


def _allowed(path: Path, data: object, whole: type[BaseModel]) -> set[str]:
    """Keys a mapping at `path` may have."""
    here: object = data
    for part in path:
        here = here[part]  # type: ignore[index]
    return allowed_keys(choice_at(whole, path, data).of(here))


def _shown(value: object) -> str:
    """What came, short; only the schema's own text is ever shown."""
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"a list of {len(value)}" if value else "an empty list"
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _written(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) and text else f".{part}" if text else str(part)
    return text or "(whole file)"


def _line(path: Path, tree: Node | None) -> str:
    """` (line n)` of the deepest node on the path that the file has."""
    if tree is None or not path:
        return ""
    node, line = tree, -1
    for part in path:
        if isinstance(node.value, list) and node.value and isinstance(node.value[0], tuple):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
        elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return f" (line {line + 1})" if line >= 0 else ""
