"""The page as JSON, `synthkit-report/1`: all that it says and shows, and all that it is drawn from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

FORMAT = "synthkit-report/1"
PICTURES = ("figure", "figures", "entry", "panels")  # what they are drawn from; the page shows no text at these places
SHOWN = ("text", "interval", "reference_text", "measured", "bound", "limit", "words")  # strings that the page shows


def pointed(twin: Mapping[str, Any]) -> dict[str, Any]:
    """What a template draws: a twin as it is read back, with the JSON pointer of every row that shows text under `at`.

    Nothing but the JSON goes into it, so that whoever has the JSON can draw the page again.
    """
    page: dict[str, Any] = json.loads(json.dumps(twin))
    for k, section in enumerate(page["sections"]):
        _point(section, f"/sections/{k}")
    return page


def _point(x: Any, at: str) -> None:
    if isinstance(x, dict):
        if any(isinstance(x.get(key), str) for key in SHOWN):
            x["at"] = at
        for key, each in x.items():
            if key not in PICTURES:
                _point(each, f"{at}/{key}")
    elif isinstance(x, list | tuple):
        for k, each in enumerate(x):
            _point(each, f"{at}/{k}")


def twin(page: Mapping[str, Any]) -> dict[str, Any]:
    """Everything the page is drawn from, as plain data; numbers that are not finite become null."""
    return {"format": FORMAT, **plain(page)}


def text(page: Mapping[str, Any]) -> str:
    """The twin as JSON text."""
    return json.dumps(twin(page), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def at(document: Any, pointer: str) -> Any:
    """What stands at a JSON pointer (RFC 6901) of objects and lists.

    Raises:
        KeyError: nothing stands there.

    Example:
        >>> at({"rows": [{"text": "0.5"}]}, "/rows/0/text")
        '0.5'
    """
    for part in pointer.split("/")[1:]:
        try:
            document = document[int(part)] if isinstance(document, list) else document[part]
        except (IndexError, ValueError, TypeError) as error:
            raise KeyError(pointer) from error
    return document


def plain(x: Any) -> Any:
    """A value as JSON reads it back; numbers that are not finite become null."""
    if isinstance(x, Mapping):
        return {str(k): plain(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [plain(v) for v in x]
    if isinstance(x, float) and not math.isfinite(x):
        return None
    return x
