"""Characters that a drawing cannot hold: SVG is XML, and XML has no control characters."""

from __future__ import annotations

import re
from typing import TypeVar, cast

PlainData = TypeVar("PlainData")
_NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_REPLACEMENT = "\ufffd"


def writable(data: PlainData) -> PlainData:
    """Plain data with a replacement character for whatever XML cannot hold.

    What draws charts does not refuse such a character: it ends the process.

    Source: Extensible Markup Language (XML) 1.0, fifth edition, W3C, 2008, section 2.2.

    Example:
        >>> writable({"name": ["a" + chr(0) + "b", 3]})
        {'name': ['a�b', 3]}
    """
    return cast("PlainData", _writable(data))


def _writable(data: object) -> object:
    if isinstance(data, str):
        return _NOT_IN_XML.sub(_REPLACEMENT, data)
    if isinstance(data, dict):
        return {_writable(key): _writable(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_writable(value) for value in data]
    return data
