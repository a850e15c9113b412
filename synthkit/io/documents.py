"""JSON and YAML as they come from strangers: read within bounds on bytes, depth and number of values."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.errors import DocumentError

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

MAX_NUMBER_DIGITS = 300  # of a whole number
MAX_NESTING_DEPTH = 64  # lists and mappings inside each other
_YAML_CORE_TYPES = ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge")
_YAML_INT_TAG = "tag:yaml.org,2002:int"
YAML_CORE_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in _YAML_CORE_TYPES)
DEFAULT_MAX_JSON_BYTES, MAX_JSON_VALUES = 64 * 2**20, 4_000_000
MAX_YAML_BYTES, MAX_YAML_VALUES = 2 * 2**20, 200_000  # people write it, and reading it takes a thousand times as long
# what code that reads plain data raises where they are not as synthkit writes them
MALFORMED_DATA_ERRORS = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)


def content(path: str | Path, most: int) -> bytes:
    """The bytes of a file, if it is a regular one of at most `most` bytes.

    Raises:
        OSError: it is not there, or cannot be read.
        DocumentError: it is a device, a pipe or a folder, or larger.
    """
    # a pipe that nobody writes to would be waited for
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            msg = f"{path} must be a regular file; however: it is a device, a pipe or a folder. Copy what is in it"
            raise DocumentError(msg)
        found = file.read(most + 1)
    if len(found) > most:
        msg = f"{path} must have at most {most:,} bytes; however: it has more. It is not what synthkit writes"
        raise DocumentError(msg)
    return found


def read_json(path: str | Path) -> Any:
    """Plain data in a JSON file.

    Raises:
        OSError: the file is not there, or cannot be read.
        DocumentError: it is no JSON, or beyond the bounds.
    """
    return parse_json(content(path, DEFAULT_MAX_JSON_BYTES), str(path))


def parse_json(text: str | bytes, name: str = "the text", *, most: int = DEFAULT_MAX_JSON_BYTES) -> Any:
    """Plain data in JSON text in UTF-8; a key that stands twice in an object is refused.

    Args:
        text: of at most 64 MiB, 4,000,000 values and 64 lists or objects inside each other.
        name: what it is, for messages.
        most: bytes or letters, if fewer.

    Raises:
        DocumentError: it is no JSON, or beyond the bounds.

    Example:
        >>> parse_json('{"epsilon": 1}')
        {'epsilon': 1}
    """
    if len(text) > most:
        msg = f"{name} must have at most {most:,} bytes; however: it has more. It is not what synthkit writes"
        raise DocumentError(msg)
    text = _decoded(text, name)
    if text.count(",") + text.count("{") + text.count("[") > MAX_JSON_VALUES:
        msg = (
            f"{name} must hold at most {MAX_JSON_VALUES:,} values; however: it holds more. "
            "It is not what synthkit writes"
        )
        raise DocumentError(msg)
    try:
        data = json.loads(text, object_pairs_hook=_once, parse_int=_whole)
    except json.JSONDecodeError as error:
        msg = f"{name} must be JSON; however: line {error.lineno} is not. Take the file from its source again"
        raise DocumentError(msg) from error
    except _TwiceError as error:
        msg = f"{name} must name each key of an object once; however: one stands twice. It was edited by hand"
        raise DocumentError(msg) from error
    except RecursionError as error:
        raise DocumentError(_deep(name)) from error
    except ValueError as error:
        msg = f"{name} must hold numbers of usual length; however: one has hundreds of digits. It was edited by hand"
        raise DocumentError(msg) from error
    _check_depth(data, name)
    if "\\u" in text:
        _check_texts(json.dumps(data, ensure_ascii=False), name)
    return data


class _TwiceError(Exception):
    """A key stands twice."""


def _whole(digits: str) -> int:
    """A whole number that is a float as well: beyond that, sums over it would fail."""
    if len(digits) > MAX_NUMBER_DIGITS:
        msg = f"whole numbers have at most {MAX_NUMBER_DIGITS} digits"
        raise ValueError(msg)
    return int(digits)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose keys differ: of two readers one would take the first, the other the last."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _TwiceError
    return made


def _check_depth(data: object, name: str) -> None:
    level, depth = [data], 0
    while level:
        depth += 1
        if depth > MAX_NESTING_DEPTH:
            raise DocumentError(_deep(name))
        level = [each for outer in level for each in _inside(outer) if isinstance(each, dict | list)]


def _check_texts(text: str, name: str) -> None:
    """Half a letter (a surrogate without its other half) can be escaped in a file and never be written again."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        msg = f"{name} must hold texts of whole letters; however: half a letter is escaped in one. Correct the text"
        raise DocumentError(msg) from error


def _inside(data: object) -> Any:
    if isinstance(data, dict):
        return data.values()
    return data if isinstance(data, list) else ()


def _deep(name: str) -> str:
    return (
        f"{name} must be nested at most {MAX_NESTING_DEPTH} deep; however: it is deeper. It is not what synthkit writes"
    )


def _decoded(text: str | bytes, name: str) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{name} must be UTF-8 text; however: byte {error.start} is not. Save the file as UTF-8"
        raise DocumentError(msg) from error


def read_yaml(path: str | Path) -> object:
    """Plain data in a YAML file.

    Raises:
        OSError: the file is not there, or cannot be read.
        DocumentError: it is no YAML, or beyond the bounds.
    """
    return parse_yaml(content(path, MAX_YAML_BYTES), str(path))[1]


def parse_yaml(text: str | bytes, name: str = "the text") -> tuple[Node | None, object]:
    """The tree (for line numbers) and the plain data of YAML 1.2 text; dates stay text, as in its core schema.

    Args:
        text: of at most 2 MiB, 200,000 values with aliases written out, and 64 lists or mappings inside each other.
        name: what it is, for messages.

    Raises:
        DocumentError: it is no YAML, or beyond the bounds.

    Example:
        >>> parse_yaml("{day: 2026-01-31}")[1]
        {'day': '2026-01-31'}
    """
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    text = _decoded(text, name)
    if len(text) > MAX_YAML_BYTES:
        msg = f"{name} must have at most {MAX_YAML_BYTES:,} letters; however: it has more. Shorten its lists"
        raise DocumentError(msg)
    if text.count(",") + text.count("\n") > MAX_YAML_VALUES:
        raise DocumentError(_many(name))
    try:
        return _tree_and_data(text, name)
    except DocumentError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        said = " ".join((error.problem or error.context or "unreadable").split())
        remedy = "Quote text that holds : # [ ] { } or starts with a sign"
        if isinstance(error, DuplicateKeyError):
            said, remedy = said.split(" with value ")[0], "Keep one of the two"
        msg = f"{name} must be valid YAML; however, {where}: {said}. {remedy}"
        raise DocumentError(msg) from error
    except RecursionError as error:
        raise DocumentError(_deep(name)) from error
    except YAMLError as error:
        msg = f"{name} must be valid YAML; however: {str(error).splitlines()[0]}. Correct the file"
        raise DocumentError(msg) from error
    except MALFORMED_DATA_ERRORS as error:  # a scalar that its tag or its look says to be what it is not
        msg = f"{name} must be valid YAML; however: a value cannot be read ({type(error).__name__}). Quote it as text"
        raise DocumentError(msg) from error


def _tree_and_data(text: str, name: str) -> tuple[Node | None, object]:
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor

    class Constructor(SafeConstructor):
        """Dates stay text."""

    Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = Constructor
    constructor, parser = reader.get_constructor_parser(text)
    try:
        node = constructor.composer.get_single_node()
        if node is None:
            return None, None
        _check_size(node, name)  # before anything is made of it: aliases of aliases grow without end
        return node, constructor.construct_document(node)
    finally:
        parser.dispose()


def _check_size(root: Node, name: str) -> None:
    """Hold a tree against the bounds, every alias counted as what it stands for; children before their parents."""
    sizes: dict[int, tuple[int, int]] = {}  # values and depth, by node
    open_: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting[-1]
        inner = list(_children(node))
        fresh = [each for each in inner if id(each) not in sizes]
        if fresh and id(node) not in open_:
            open_.add(id(node))
            waiting += fresh
            continue
        waiting.pop()
        if fresh:  # met again while it is open: it holds itself
            msg = f"{name} must be a tree; however: an alias stands for what it is in. Write it out"
            raise DocumentError(msg)
        many = 1 + sum(sizes[id(each)][0] for each in inner)
        deep = 0 if isinstance(node.value, str) else 1 + max((sizes[id(each)][1] for each in inner), default=0)
        if deep > MAX_NESTING_DEPTH:
            raise DocumentError(_deep(name))
        if many > MAX_YAML_VALUES:
            raise DocumentError(_many(name))
        if str(node.tag) == _YAML_INT_TAG and len(node.value) > MAX_NUMBER_DIGITS:
            msg = f"{name} must hold numbers of usual length; however: one has hundreds of digits. Quote it as text"
            raise DocumentError(msg)
        if str(node.tag) not in YAML_CORE_TAGS:
            where = f"line {node.start_mark.line + 1}"
            msg = f"{name} must be written without tags; however, {where}: there is one. Remove it"
            raise DocumentError(msg)
        if isinstance(node.value, str):
            _check_texts(node.value, name)
        sizes[id(node)] = many, deep


def _many(name: str) -> str:
    return f"{name} must hold at most {MAX_YAML_VALUES:,} values; however: it holds more. Shorten its lists and aliases"


def _children(node: Node) -> Iterator[Node]:
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if isinstance(node, SequenceNode):
        yield from node.value
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            yield from (key, value)
