"""Where a document says something else than it should."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from synthkit.io.json_types import JSON

JSON_TOLERANCE = 1e-6  # relative difference that another machine's arithmetic may make


def difference(said: JSON, right: JSON) -> str | None:
    """The first place at which two values of JSON differ, as a pointer; None where they agree.

    Numbers agree if they are as close as two machines compute them; an integer is no boolean.

    Example:
        >>> difference({"delta": 1e-12, "unit": "id"}, {"delta": 1e-6, "unit": "id"})
        '/delta'
        >>> difference({"rows": [1, 2]}, {"rows": [1.0]})
        '/rows/1'
    """
    return next(_differences(said, right, ""), None)


def _differences(said: JSON, right: JSON, at: str) -> Iterator[str]:
    if isinstance(said, Mapping) and isinstance(right, Mapping):
        for key in (*right, *(key for key in said if key not in right)):
            if key in said and key in right:
                yield from _differences(said[key], right[key], f"{at}/{key}")
            else:
                yield f"{at}/{key}"
    elif isinstance(said, list) and isinstance(right, list | tuple):
        for k, (mine, theirs) in enumerate(zip(said, right, strict=False)):
            yield from _differences(mine, theirs, f"{at}/{k}")
        if len(said) != len(right):
            yield f"{at}/{min(len(said), len(right))}"
    elif not _same(said, right):
        yield at or "/"


def _same(said: JSON, right: JSON) -> bool:
    if isinstance(said, bool) or isinstance(right, bool):
        return said is right
    if isinstance(said, int | float) and isinstance(right, int | float):
        return math.isclose(said, right, rel_tol=JSON_TOLERANCE, abs_tol=0.0)
    return bool(type(said) is type(right) and said == right)
