"""Numbers of which no more is known than that they lie beyond a limit, and the number that stands for all of those."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr, model_validator

from synthkit.schema.digits import OPTIONAL_BLANKS, SURROUNDING_BLANKS, Writing

Side = Literal["below", "above"]
BOUND_OF_SIDE: Mapping[Side, str] = {"below": "min", "above": "max"}
CENSORING_SIGNS: Mapping[Side, str] = {"below": "<\u2264", "above": ">\u2265"}  # the first is written
Limit = StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)] | StrictStr


class Censored(BaseModel):
    """Limits beyond which nothing is known of a number but that it lies there: those of detection, of an instrument.

    Args:
        below: the lower limit as a number, or as the text of such a cell, such as "< 5".
        above: the upper limit, likewise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    below: Limit | None = None
    above: Limit | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Censored:
        if self.below is None and self.above is None:
            msg = "`censored` must give `below` or `above`; however: none is given"
            raise ValueError(msg)
        return self


def censoring_limits(censored: object, how: Writing) -> dict[Side, Decimal | None]:
    """The limits that are given, by side, None where one is no number; of a model or of plain values.

    Example:
        >>> censoring_limits({"below": "< 0,5", "above": "5"}, Writing(","))
        {'below': Decimal('0.5'), 'above': None}
    """
    given = censored.model_dump() if isinstance(censored, BaseModel) else censored
    if not isinstance(given, Mapping):
        return {}
    return {side: _number(given[side], side, how) for side in BOUND_OF_SIDE if given.get(side) is not None}


def _number(limit: object, side: Side, how: Writing) -> Decimal | None:
    if isinstance(limit, str):
        said = without_censoring_sign(limit, side, how)
        return None if said is None else Decimal(said)
    return Decimal(repr(limit)) if isinstance(limit, int | float) and not isinstance(limit, bool) else None


def without_censoring_sign(text: str, side: Side, how: Writing) -> str | None:
    """The plain number of a text such as "< 5", None if it is no such text."""
    return how.read(text.strip(SURROUNDING_BLANKS)[1:].removeprefix("=")) if censored_side(text) == side else None


def censored_side(cell: object) -> Side | None:
    """The side of a limit that a text begins by naming, None if it names none.

    Example:
        >>> [censored_side(cell) for cell in (" <5", "\u22655", "5", 5)]
        ['below', 'above', None, None]
    """
    first = cell.strip(SURROUNDING_BLANKS)[:1] if isinstance(cell, str) else ""
    return next((side for side in BOUND_OF_SIDE if first and first in CENSORING_SIGNS[side]), None)


def censoring_sign(side: Side) -> str:
    """Regular expression, RE2, of what such a text begins with."""
    return f"^{OPTIONAL_BLANKS}[{CENSORING_SIGNS[side]}]=?"


def censoring_points(censored: object, how: Writing, decimals: object) -> dict[str, float]:
    """Bound by bound, the number that stands for all beyond a limit: the next one of so many decimals.

    Example:
        >>> censoring_points({"below": 5, "above": 99.95}, Writing(), 1), censoring_points({"below": 5}, Writing(), 0)
        ({'min': 4.9, 'max': 100.0}, {'min': 4.0})
    """
    found = {}
    for side, limit in censoring_limits(censored, how).items():
        if limit is None or not limit.is_finite():
            continue
        outward = -1 if side == "below" else 1
        if isinstance(decimals, int):
            step = Decimal(1).scaleb(-decimals)
            last = (limit / step).to_integral_value(ROUND_CEILING if side == "below" else ROUND_FLOOR)
            found[BOUND_OF_SIDE[side]] = float((last + outward) * step)
        else:
            found[BOUND_OF_SIDE[side]] = math.nextafter(float(limit), outward * math.inf)
    return found
