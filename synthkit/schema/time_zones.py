"""The one zone whose clock a column's moments are in, and the passage from and to moments that name another."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_UTC_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-5][0-9])")


@lru_cache(maxsize=64)
def zone(name: str) -> dt.tzinfo:
    """The zone of a name: UTC, an offset such as +01:00, or one of the IANA's such as Europe/Berlin.

    Raises:
        ValueError: there is no such zone.

    Example:
        >>> zone("+01:00").utcoffset(None)
        datetime.timedelta(seconds=3600)
    """
    if name == "UTC":
        return dt.UTC
    found = _UTC_OFFSET.fullmatch(name)
    try:
        if found is not None:
            shift = dt.timedelta(hours=int(found[2]), minutes=int(found[3]))
            return dt.timezone(-shift if found[1] == "-" else shift)
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        msg = f"`zone` must be UTC, an offset or a name of the IANA's; however: {name!r}. Write +01:00 or Europe/Berlin"
        raise ValueError(msg) from error


def name_of(moment: dt.datetime) -> str | None:
    """The name of the zone that a moment names, its offset where `zone` knows no such name; None if it has neither.

    Example:
        >>> plus = dt.timezone(dt.timedelta(hours=1))
        >>> [name_of(dt.datetime(2021, 7, 1, tzinfo=tz)) for tz in (ZoneInfo("Europe/Berlin"), plus, dt.UTC)]
        ['Europe/Berlin', '+01:00', 'UTC']
    """
    name, shift = str(moment.tzinfo), moment.utcoffset()
    if not _UTC_OFFSET.fullmatch(name.removeprefix("UTC")) and _known(name):
        return name
    if shift is None or shift % dt.timedelta(minutes=1):
        return None
    minutes = abs(shift) // dt.timedelta(minutes=1)
    return f"{'-' if shift < dt.timedelta() else '+'}{minutes // 60:02d}:{minutes % 60:02d}" if minutes else "UTC"


def _known(name: str) -> bool:
    try:
        zone(name)
    except ValueError:
        return False
    return True


def on_the_clock(moment: dt.datetime, name: str) -> dt.datetime | None:
    """What the clock of a zone shows at a moment that names its own zone; None beyond the calendar.

    Example:
        >>> on_the_clock(dt.datetime(2021, 7, 1, tzinfo=dt.timezone.utc), "Europe/Berlin")
        datetime.datetime(2021, 7, 1, 2, 0)
    """
    try:
        return moment.astimezone(zone(name)).replace(tzinfo=None)
    except (OverflowError, ValueError):
        return None


def at_clock_time(clock: dt.datetime, name: str, *, universal: bool) -> dt.datetime:
    """The moment at which the clock of a zone shows this, with its offset, or in universal time.

    An hour that a clock shows twice is the first one; at an end of the calendar the offset is left out.
    """
    moment = clock.replace(tzinfo=zone(name))
    shift = moment.utcoffset() or dt.timedelta()
    whole = dt.timedelta(minutes=shift // dt.timedelta(minutes=1))  # before about 1900 clocks were seconds off
    try:
        return moment.astimezone(dt.UTC if universal else zone(name) if shift == whole else dt.timezone(whole))
    except (OverflowError, ValueError):
        return clock.replace(tzinfo=dt.UTC) if universal else moment
