"""The page as JSON, `synthkit-report/1`: all that it says and shows, and all that it is drawn from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from synthkit.io.json_types import JSON
    from synthkit.report.records import Page

FORMAT = "synthkit-report/1"
UNSHOWN_KEYS = ("figure", "figures", "entry", "panels")  # what charts are drawn from; the page shows no text there
SHOWN_KEYS = ("text", "interval", "reference_text", "measured", "bound", "limit", "words")  # texts that the page shows


def with_pointers(document: Mapping[str, JSON]) -> Page:
    """What a template draws: a page as it is read back, with the JSON pointer of every row that shows text under `at`.

    Nothing but the JSON goes into it, so that whoever has the JSON can draw the page again.
    """
    page: Page = json.loads(json.dumps(document))
    for k, section in enumerate(page["sections"]):
        _point(section, f"/sections/{k}")
    return page


def _point(x: object, at: str) -> None:
    if isinstance(x, dict):
        if any(isinstance(x.get(key), str) for key in SHOWN_KEYS):
            x["at"] = at
        for key, each in x.items():
            if key not in UNSHOWN_KEYS:
                _point(each, f"{at}/{key}")
    elif isinstance(x, list):
        for k, each in enumerate(x):
            _point(each, f"{at}/{k}")


def to_json(page: Mapping[str, object]) -> dict[str, JSON]:
    """Everything the page is drawn from, as plain data; numbers that are not finite become null."""
    return {"format": FORMAT, **cast("Mapping[str, JSON]", plain(page))}


def json_text(page: Mapping[str, object]) -> str:
    """The same as JSON text."""
    return json.dumps(to_json(page), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def value_at(document: JSON, pointer: str) -> JSON:
    """What stands at a JSON pointer (RFC 6901) of objects and lists.

    Raises:
        KeyError: nothing stands there.

    Example:
        >>> value_at({"rows": [{"text": "0.5"}]}, "/rows/0/text")
        '0.5'
    """
    for part in pointer.split("/")[1:]:
        try:
            document = _inside(document, part)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise KeyError(pointer) from error
    return document


def _inside(document: JSON, part: str) -> JSON:
    if isinstance(document, Mapping):
        return document[part]
    if isinstance(document, Sequence) and not isinstance(document, str):
        return document[int(part)]
    raise KeyError(part)


def plain(x: object) -> JSON:
    """A value as JSON reads it back; numbers that are not finite become null."""
    if isinstance(x, Mapping):
        return {str(k): plain(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [plain(v) for v in x]
    if isinstance(x, float) and not math.isfinite(x):
        return None
    return cast("JSON", x)
