"""What must hold, in words, where pydantic found a value of the wrong type, size or shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_ERROR_TYPES: Final = {
    "text": ("string_type", "string_unicode"),
    "true or false": ("bool_type", "bool_parsing"),
    "a whole number": ("int_type", "int_parsing", "int_from_float", "int_parsing_size"),
    "a number": ("float_type", "float_parsing"),
    "a finite number": ("finite_number",),
    "a list, [a, b, ...]": ("tuple_type", "list_type"),
    "a mapping, {{key: value, ...}}": ("dict_type", "mapping_type", "model_type", "model_attributes_type"),
    "greater than {gt:g}": ("greater_than",),
    "{ge:g} or greater": ("greater_than_equal",),
    "less than {lt:g}": ("less_than",),
    "{le:g} or less": ("less_than_equal",),
    "{expected}": ("literal_error",),
    "a day, written as 2026-01-31": ("date_type", "date_parsing", "date_from_datetime_parsing"),
    "a day without an hour, written as 2026-01-31": ("date_from_datetime_inexact",),
    "the path of a file": ("path_type",),
    "given": ("missing", "missing_argument"),
}
REQUIREMENT_OF: Final = {kind: f"must be {what}" for what, kinds in _ERROR_TYPES.items() for kind in kinds} | {
    "too_short": "must have at least {min_length} of them",
    "too_long": "must have at most {max_length} of them",
    "string_too_short": "must have at least {min_length} letters",
    "string_too_long": "must have at most {max_length} letters",
    "extra_forbidden": "is an unknown key",
    "unexpected_keyword_argument": "is an unknown key",
}


def requirement(detail: ErrorDetails, patterns: Mapping[str, str] | None = None) -> str:
    """What must hold, as the rest of a sentence that begins with the name of the value.

    Args:
        detail: one of pydantic's errors.
        patterns: what text of a pattern must be, by the pattern.

    Example:
        >>> requirement({"type": "greater_than_equal", "ctx": {"ge": 1}, "loc": (), "msg": "", "input": 0})
        'must be 1 or greater'
    """
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return (patterns or {}).get(context["pattern"], "must be text of the documented form")
    if kind not in REQUIREMENT_OF:
        return "must be written as documented"
    return REQUIREMENT_OF[kind].format(**{**context, "expected": context.get("expected", "")})
