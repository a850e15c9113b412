"""Characters that a drawing cannot hold: SVG is XML, and XML has no control characters."""

from __future__ import annotations

import re
from typing import Any

_NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_UNKNOWN = "\ufffd"


def writable(data: Any) -> Any:
    """Plain data with a replacement character for whatever XML cannot hold.

    What draws charts does not refuse such a character: it ends the process.

    Source: Extensible Markup Language (XML) 1.0, fifth edition, W3C, 2008, section 2.2.

    Example:
        >>> writable({"name": ["a" + chr(0) + "b", 3]})
        {'name': ['a�b', 3]}
    """
    if isinstance(data, str):
        return _NOT_IN_XML.sub(_UNKNOWN, data)
    if isinstance(data, dict):
        return {writable(key): writable(value) for key, value in data.items()}
    if isinstance(data, list):
        return [writable(value) for value in data]
    return data
