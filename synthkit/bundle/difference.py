"""Where a document says something else than it should."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

CLOSE = 1e-6  # relative difference that another machine's arithmetic may make


def difference(said: Any, right: Any, at: str = "") -> str | None:
    """The first place at which two values of JSON differ, as a pointer; None where they agree.

    Numbers agree if they are as close as two machines compute them; an integer is no boolean.

    Example:
        >>> difference({"delta": 1e-12, "unit": "id"}, {"delta": 1e-6, "unit": "id"})
        '/delta'
        >>> difference({"rows": [1, 2]}, {"rows": [1.0]})
        '/rows/1'
    """
    if isinstance(said, Mapping) and isinstance(right, Mapping):
        places = [(str(key), said, right, key) for key in (*right, *(key for key in said if key not in right))]
        return next((found for name, *pair, key in places if (found := _member(*pair, key, f"{at}/{name}"))), None)
    if isinstance(said, list) and isinstance(right, list | tuple):
        found = (difference(a, b, f"{at}/{k}") for k, (a, b) in enumerate(zip(said, right, strict=False)))
        shorter = min(len(said), len(right))
        return next((place for place in found if place), None if len(said) == len(right) else f"{at}/{shorter}")
    return None if _same(said, right) else at or "/"


def _member(said: Mapping[str, Any], right: Mapping[str, Any], key: str, at: str) -> str | None:
    return difference(said[key], right[key], at) if key in said and key in right else at


def _same(said: Any, right: Any) -> bool:
    if isinstance(said, bool) or isinstance(right, bool):
        return said is right
    if isinstance(said, int | float) and isinstance(right, int | float):
        return math.isclose(said, right, rel_tol=CLOSE, abs_tol=0.0)
    return bool(type(said) is type(right) and said == right)
