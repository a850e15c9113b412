"""The rows of one unit as a timeline that a clinician reads: time since the first row, table, values; no identifier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.report.reviewed_people import ReviewedPerson, ReviewedRow
from synthkit.schema.columns import Boolean, Datetime, Identifier, Numeric

if TYPE_CHECKING:
    from synthkit.schema.columns import Column
    from synthkit.schema.linked import LinkedSchema
    from synthkit.tables.linked_tables import LinkedTables

MAX_SHOWN_ROWS = 200  # of one unit: nobody reads more
_DAY = np.timedelta64(1, "D")
_MOMENTS, _NUMBERS, _PLACES = range(3)  # clocks, in the order in which their rows stand


@dataclass(frozen=True)
class _Place:
    """Where a row stands among the others of its unit: clock, time on it, and the way from the unit to it."""

    clock: int
    time: float
    way: tuple[int, ...]


def reviewed_person(tables: LinkedTables, unit: int) -> ReviewedPerson:
    """One unit as a clinician reads it.

    Days count from midnight before the first dated row, or from the unit's first date if it has no row. Keys, links
    between rows and everything else of kind identifier is left out, and so are empty cells.

    Args:
        tables: real or synthetic.
        unit: position of the unit's row.
    """
    one = tables.take(np.array([unit]))
    schema, places = one.schema, dict(_places(one))
    zero = _zero(one, places)
    order = sorted(((place, name, row) for (name, row), place in places.items()), key=lambda e: _sorting(e[0]))
    first = {clock: min((p.time for p in places.values() if p.clock == clock), default=0.0) for clock in range(3)}
    rows = [
        ReviewedRow(_when(place, zero, first), name, tuple(_values(one.frames[name].iloc[row], schema, name, zero)))
        for place, name, row in order[:MAX_SHOWN_ROWS]
    ]
    about = tuple(_values(one.frames[schema.unit].iloc[0], schema, schema.unit, zero))
    return ReviewedPerson(about, tuple(rows), len(order) - len(rows))


def _sorting(place: _Place) -> tuple[int, float, tuple[int, ...]]:
    """Rows without a time stand behind those of their clock."""
    return place.clock, np.inf if np.isnan(place.time) else place.time, place.way


def _places(one: LinkedTables) -> Iterator[tuple[tuple[str, int], _Place]]:
    """Every row below the unit; one without a moment happens when its owner does."""
    found: dict[tuple[str, int], _Place] = {}
    for k, (name, owner) in enumerate(one.schema.graph.owners.items()):
        clock, times = _times(one, name)
        for row, above in enumerate(one.owners[name].tolist()):
            own = found.get((owner, above), _Place(_PLACES, float(row), ()))
            way = (*own.way, k, row)
            place = _Place(own.clock, own.time, way) if times is None else _Place(clock, float(times[row]), way)
            found[name, row] = place
    yield from found.items()


def _times(one: LinkedTables, name: str) -> tuple[int, Any]:
    """The clock of a table, and when its rows happen: days since 1970, or numbers; None where no column says it."""
    order = one.schema.tables[name].order
    kind = None if order is None else one.schema.tables[name].columns[order.start]
    if order is not None and isinstance(kind, Datetime):
        return _MOMENTS, _days(one.frames[name][order.start])
    if order is not None and isinstance(kind, Numeric):
        return _NUMBERS, one.frames[name][order.start].to_numpy(dtype=float, na_value=np.nan)
    return _PLACES, None


def _days(moments: pd.Series) -> Any:
    """Days since 1970, nan where missing. **Shape**: (n,)."""
    cells = moments.to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(cells), np.nan, (cells - np.datetime64(0, "us")) / _DAY)


def _zero(one: LinkedTables, places: dict[tuple[str, int], _Place]) -> float:
    """Midnight from which days are counted, in days since 1970."""
    dated = [p.time for p in places.values() if p.clock == _MOMENTS and not np.isnan(p.time)]
    if not dated:
        unit = one.schema.unit
        kinds = one.schema.tables[unit].columns
        found = [_days(one.frames[unit][name]) for name, kind in kinds.items() if isinstance(kind, Datetime)]
        dated = [float(x[0]) for x in found if not np.isnan(x[0])]
    return float(np.floor(min(dated, default=0.0)))


def _when(place: _Place, zero: float, first: dict[int, float]) -> str:
    if np.isnan(place.time):
        return "—"
    if place.clock == _PLACES:
        return ""
    if place.clock == _NUMBERS:
        return f"+{place.time - first[_NUMBERS]:.6g}"
    return _day(place.time, zero)


def _day(time: float, zero: float) -> str:
    """A moment as the day it is on, with the time of the day if it is not midnight.

    Example:
        >>> _day(12.5, 10.0), _day(8.0, 10.0)
        ('day 2, 12:00', 'day −2')
    """
    minutes = round((time - zero) * 1440)
    day, rest = divmod(minutes, 1440)
    said = f"day {day}".replace("-", "−")
    return f"{said}, {rest // 60:02d}:{rest % 60:02d}" if rest else said


def _values(row: pd.Series, schema: LinkedSchema, name: str, zero: float) -> Iterator[tuple[str, str]]:
    """Names and texts of the cells that are there and identify nobody."""
    table = schema.tables[name]
    until = None if table.order is None else table.order.until
    for column in (*table.payload, *((until,) if until is not None else ()), *table.derived):
        kind, cell = table.columns[column], row[column]
        if isinstance(kind, Identifier) or pd.isna(cell):
            continue
        yield column, _text(cell, kind, zero)


def _text(cell: Any, kind: Column, zero: float) -> str:
    """A cell as a person reads it, the same way whether it is real or synthetic."""
    if isinstance(kind, Datetime):
        return _day(float(_days(pd.Series([cell]))[0]), zero)
    if isinstance(kind, Numeric):
        text = f"{float(cell):.6g}" if kind.decimals is None else f"{float(cell):.{kind.decimals}f}"
        return f"{text} {kind.unit}" if kind.unit else text
    if isinstance(kind, Boolean):
        return str(cell)
    return f"{cell:g}" if isinstance(cell, float) else str(cell)
