"""How DuckDB reads the moments of a column as the validation reads them: by format, zone and years of two digits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from synthkit.schema.datetime_formats import MONTH_NAMES, TWO_DIGIT_YEAR_PIVOT, Format

if TYPE_CHECKING:
    from synthkit.schema.datetimes import MomentWriting

_CLOCK_SQL = "[T ][0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)?"
_ISO_SQL = f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:{_CLOCK_SQL})?"
_ZONED_SQL = f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_CLOCK_SQL}(?:Z|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)"
_NUMERIC_SQL_TYPES = ".*INT.*|FLOAT|DOUBLE|DECIMAL.*"


def datetime_sql(how: MomentWriting, cell: str) -> str:
    """Expression of a cell as a moment on the clock of the column, null if it is none.

    Args:
        how: its moments are written.
        cell: expression of the cell, of any type.
    """
    text = f"CAST({cell} AS VARCHAR)"
    said = _iso(how, text)
    if how.written_as is not None:
        said = f"coalesce({_by_format(how, how.written_as, text)}, {said})"
    branches = [f"typeof({cell}) = 'VARCHAR' THEN {said}"]
    if how.written_as is not None and how.written_as.width is not None:
        whole = f"TRY_CAST({cell} AS HUGEINT)"
        digits = f"CASE WHEN {whole}::DOUBLE = TRY_CAST({cell} AS DOUBLE) THEN CAST({whole} AS VARCHAR) END"
        branches.append(
            f"regexp_full_match(typeof({cell}), {_text(_NUMERIC_SQL_TYPES)}) "
            f"THEN {_by_format(how, how.written_as, digits)}"
        )
    zoned = "CAST(NULL AS TIMESTAMP)" if how.zone is None else _on_clock(how.zone, _universal(text))
    branches.append(f"typeof({cell}) = 'TIMESTAMP WITH TIME ZONE' THEN {zoned}")
    return f"CASE {' '.join(f'WHEN {branch}' for branch in branches)} ELSE TRY_CAST({text} AS TIMESTAMP) END"


def _iso(how: MomentWriting, text: str) -> str:
    plain = f"CASE WHEN regexp_full_match(trim({text}), {_text(_ISO_SQL)}) THEN TRY_CAST({text} AS TIMESTAMP)"
    if how.written_as is None or how.written_as.width is None:  # else digits are of the format or nothing
        dashed = f"regexp_replace(trim({text}), '^([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})$', '\\1-\\2-\\3')"
        plain += f" WHEN regexp_full_match(trim({text}), '[0-9]{{8}}') THEN TRY_CAST({dashed} AS TIMESTAMP)"
    if how.zone is None:
        return f"{plain} END"
    zoned = f"regexp_full_match(trim({text}), {_text(_ZONED_SQL)})"
    return f"{plain} WHEN {zoned} THEN {_on_clock(how.zone, _universal(text))} END"


def _universal(text: str) -> str:
    return f"timezone('UTC', TRY_CAST({text} AS TIMESTAMP WITH TIME ZONE))"


def _on_clock(zone: str, universal: str) -> str:
    """A moment of universal time as the clock of a zone shows it."""
    if zone == "UTC":
        return universal
    if shift := re.fullmatch(r"([+-])([0-9]{2}):([0-9]{2})", zone):
        return f"{universal} {shift[1]} INTERVAL {60 * int(shift[2]) + int(shift[3])} MINUTE"
    return f"timezone({_text(zone)}, timezone('UTC', {universal}))"


def _by_format(how: MomentWriting, written: Format, text: str) -> str:
    text = f"trim({text})"
    if written.width is not None:
        text = f"regexp_replace({text}, '\\.0+$', '')"
        if written.names[0] != "Y":
            text = f"CASE WHEN length({text}) = {written.width - 1} THEN '0' || {text} ELSE {text} END"
    expression = _text(f"(?i){written.expression}")
    said = {name: f"regexp_extract({text}, {expression}, {k})" for k, name in enumerate(written.names, start=1)}
    year = _year(said, how.pivot or TWO_DIGIT_YEAR_PIVOT)
    day = f"{year} || '-' || {_month(said)} || '-' || {_padded(said.get('d'), '01')}"
    clock = f"{_hour(said)} || ':' || {_padded(said.get('M'))} || ':' || {_second(said)}"
    moment = f"TRY_CAST({day} || ' ' || {clock} AS TIMESTAMP)"
    if "j" in said:
        later = f"{moment} + to_days({_number(said['j'])} - 1)"
        moment = f"CASE WHEN year({later}) = year({moment}) THEN {later} END"
    if how.zone is not None and (written.zoned or written.universal):
        moment = _on_clock(how.zone, f"({moment} - to_minutes({_offset(said)}))")
    return f"CASE WHEN regexp_full_match({text}, {expression}) THEN {moment} END"


def _year(said: Mapping[str, str], pivot: int) -> str:
    if "Y" in said or "y" not in said:
        return said.get("Y", "'1900'")
    return f"lpad(CAST({pivot} + (({_number(said['y'])} - {pivot}) % 100 + 100) % 100 AS VARCHAR), 4, '0')"


def _month(said: Mapping[str, str]) -> str:
    name = said.get("B", said.get("b"))
    if name is None:
        return "'01'" if "j" in said else _padded(said.get("m"), "01")
    listed = ", ".join(_text(month[:3]) for month in MONTH_NAMES)
    return _padded(f"CAST(list_position([{listed}], lower(left({name}, 3))) AS VARCHAR)")


def _hour(said: Mapping[str, str]) -> str:
    if "H" in said or "I" not in said:
        return _padded(said.get("H"))
    half = said.get("p", said.get("P"))
    later = "0" if half is None else f"12 * CAST(lower(left({half}, 1)) = 'p' AS BIGINT)"
    return _padded(f"CAST({_number(said['I'])} % 12 + {later} AS VARCHAR)")


def _second(said: Mapping[str, str]) -> str:
    second = _padded(said.get("S"))
    return f"{second} || '.' || rpad(left({said['f']}, 6), 6, '0')" if "f" in said else second


def _offset(said: Mapping[str, str]) -> str:
    """Minutes that the clock of a text is before universal time."""
    if "z" not in said:
        return "0"
    digits = f"regexp_replace({said['z']}, '[^0-9]', '', 'g')"
    size = f"60 * {_number(f'left({digits}, 2)')} + {_number(f'substr({digits}, 3, 2)')}"
    return f"CASE left({said['z']}, 1) WHEN '-' THEN -({size}) ELSE {size} END"


def _number(text: str) -> str:
    """Digits as a number, 0 for none."""
    return f"coalesce(TRY_CAST({text} AS BIGINT), 0)"


def _padded(text: str | None, absent: str = "00") -> str:
    return _text(absent) if text is None else f"lpad({text}, 2, '0')"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
