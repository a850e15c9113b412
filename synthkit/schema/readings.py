"""How the texts of a column seem to write numbers: the one reading under which all of them are numbers, or none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthkit.schema.columns import Numeric
from synthkit.schema.numerals import AROUND, BLANKS, NO_NUMBER, QUOTES, SIGNS

WORDS = frozenset(
    ("", "?", "-", "--", ".", "na", "n/a", "n.a.", "nan", "#n/a", "null", "missing")  # as people write a missing number
)
_CURRENCIES = frozenset(("$", "€", "£", "¥", "US$", "USD", "EUR", "GBP", "JPY", "CHF", "Fr.", "kr"))
_UNITS = _CURRENCIES | frozenset(
    (
        *(
            "%",
            "‰",
            "ng",
            "µg",
            "ug",
            "mcg",
            "mg",
            "g",
            "kg",
            "nl",
            "µl",
            "ml",
            "mL",
            "dl",
            "dL",
            "l",
            "L",
            "kcal",
            "kJ",
        ),
        *(
            "mm",
            "cm",
            "m",
            "km",
            "in",
            "ft",
            "lb",
            "lbs",
            "oz",
            "mmHg",
            "kPa",
            "bpm",
            "°C",
            "°F",
            "C",
            "F",
            "m/s",
            "km/h",
        ),
        *("h", "hr", "hrs", "min", "s", "sec", "ms", "d", "days", "y", "yr", "yrs", "years", "weeks", "months", "/min"),
        *(
            "kcal",
            "K",
            "U",
            "IU",
            "mU",
            "mIU",
            "mol",
            "mmol",
            "nmol",
            "pmol",
            "µmol",
            "umol",
            "mEq",
            "km/h",
            "kg/m2",
            "kg/m²",
        ),
        *("g/dl", "g/dL", "g/l", "g/L", "mg/dl", "mg/dL", "mg/l", "mg/L", "mg/kg", "ng/ml", "ng/mL", "pg/ml", "pg/mL"),
        *("µg/l", "U/l", "U/L", "IU/l", "IU/L", "mmol/l", "mmol/L", "µmol/l", "µmol/L", "umol/L", "mEq/L"),
    )
)
_THOUSANDS = (",", ".", *QUOTES, *BLANKS)
_LOOKS = tuple((d, t) for t in (None, *_THOUSANDS) for d in (".", ",") if d != t)
_PARTS = re.compile(
    rf"(?P<sign>[{re.escape(SIGNS)}]?)(?P<before>[^\d{re.escape(SIGNS)}.,<>=\u2264\u2265{QUOTES}]*)(?P<again>[{re.escape(SIGNS)}]?)"
    rf"(?P<digits>[.,]?\d(?:[\d.,{QUOTES}{BLANKS}]*\d)?[.,]?(?:[eE][+-]?\d+)?)(?P<after>(?:\D.*)?)",
    flags=re.ASCII | re.DOTALL,
)
_LEADING = re.compile(r"0\d")
_PLAIN = re.compile(r"-?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?", flags=re.ASCII)


@dataclass(frozen=True)
class Reading:
    """What was seen in the cells of a column that are texts.

    Args:
        keys: keys of a numeric column that say how its numbers are written; empty if there is no such reading.
        strange: number of cells that are no numbers under the reading of most others; 0 if all are, or most are not.
        notes: sentences for the reader of a draft, without any value of a row.
    """

    keys: Mapping[str, Any]
    strange: int = 0
    notes: tuple[str, ...] = ()


def reading(cells: Iterable[Any]) -> Reading:
    """The reading of a column whose present cells are texts, and perhaps numbers.

    Only texts nobody reads otherwise have one: all but words for a missing cell are numbers, none begins with a nought
    it does not need, and what stands before or behind all of them is a currency or a unit.

    Example:
        >>> reading(["1.234,5", "0,5", "n/a"]).keys
        {'decimal': ',', 'thousands': '.', 'missing': ('n/a',)}
        >>> reading(["A1", "A2"]).keys
        {}
    """
    cells = list(cells)
    counts = Counter(cell for cell in cells if isinstance(cell, str))
    others = [cell for cell in cells if not isinstance(cell, str)]
    words = sorted({text.strip(AROUND) for text in counts if text.strip(AROUND).lower() in WORDS})
    parts = {text: _parts(text.strip(AROUND)) for text in counts if text.strip(AROUND) not in words}
    spoken = Counter[tuple[str, str]]()
    for text, found in parts.items():
        if found is not None:
            spoken[_bare(found["before"]), _bare(found["after"])] += counts[text]
    ends = spoken.most_common(1)[0][0] if spoken else ("", "")
    alike = {t: f for t, f in parts.items() if f is not None and (_bare(f["before"]), _bare(f["after"])) == ends}
    looks = _looks([found["digits"] for found in alike.values()])
    strange = sum(counts[text] for text in parts if text not in alike)
    if not looks or not _quantity(ends, alike.values()):
        return Reading({})
    if strange:
        most = sum(counts[text] for text in alike) + len(others) >= strange
        return Reading({}, strange if most else 0)
    keys = _keys(looks[0], alike.values(), counts, words)
    if set(keys) <= {"decimals", "trailing_zeros"} or not (alike or others):
        return Reading({})
    return Reading(keys, notes=_notes(keys, looks, counts))


def _parts(text: str) -> re.Match[str] | None:
    found = _PARTS.fullmatch(text)
    return None if found is None or (found["sign"] and found["again"]) else found


def _bare(text: str) -> str:
    return text.strip(AROUND)


def _quantity(ends: tuple[str, str], found: Iterable[re.Match[str]]) -> bool:
    """Whether what stands around the digits is what stands around quantities, and no digits are those of a code."""
    before, after = ends
    blank = all(part["after"][:1] in AROUND and part["after"] for part in found)
    known = (not before or before in _CURRENCIES) and (not after or after in _UNITS or (blank and after.isalpha()))
    return known and not any(_LEADING.match(part["digits"]) for part in found)


def _looks(digits: Sequence[str]) -> list[tuple[str, str | None]]:
    """Signs of fraction and groups under which all are numbers, likeliest first; each sign stands in some of them."""
    fitting = []
    for decimal, thousands in _LOOKS:
        used = thousands is None or any(thousands in text for text in digits)
        if thousands is None and decimal == "," and not any("," in text for text in digits):
            used = False
        shape = _shape(decimal, thousands)
        if used and all(shape.fullmatch(text) for text in digits):
            fitting.append((decimal, thousands))
    # a comma and three digits: a comma groups more often than not, where every number may be read so
    return sorted(fitting, key=lambda look: look == (",", None))


def _shape(decimal: str, thousands: str | None) -> re.Pattern[str]:
    whole = r"\d+" if thousands is None else rf"(?:[1-9]\d{{0,2}}(?:{re.escape(thousands)}\d{{3}})+|\d+)"
    point = re.escape(decimal)
    return re.compile(rf"(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?", flags=re.ASCII)


def _keys(
    look: tuple[str, str | None], found: Iterable[re.Match[str]], counts: Counter[str], words: Sequence[str]
) -> dict[str, Any]:
    decimal, thousands = look
    keys: dict[str, Any] = {"decimal": decimal} if decimal != "." else {}
    keys |= {"thousands": thousands} if thousands is not None else {}
    found = list(found)
    for key, side in (("prefix", "before"), ("suffix", "after")):
        forms = Counter(part[side] for part in found)
        if forms and _bare(forms.most_common(1)[0][0]):
            keys[key] = forms.most_common(1)[0][0]
    if keys.get("suffix") == "%":
        keys = {key: value for key, value in keys.items() if key != "suffix"} | {"percent": True}
    behind = {len(part["digits"].partition(decimal)[2]) for part in found}
    if len(behind) == 1 and behind != {0} and any(part["digits"].endswith("0") for part in found):
        keys |= {"decimals": behind.pop(), "trailing_zeros": True}
    if words:
        often = sorted(words, key=lambda word: -sum(n for text, n in counts.items() if text.strip(AROUND) == word))
        keys["missing"] = tuple(often)
    return keys


def _notes(keys: Mapping[str, Any], looks: Sequence[tuple[str, str | None]], counts: Counter[str]) -> tuple[str, ...]:
    notes = []
    if len(looks) > 1:
        decimal, thousands = looks[1]
        other = f'`decimal: "{decimal}"`' + ("" if thousands is None else f' and `thousands: "{thousands}"`')
        notes.append(f"three digits stand behind every such sign, so there is another reading: if it is meant, {other}")
    column = Numeric(**keys)
    otherwise = sum(n for text, n in counts.items() if _rewritten(text, column) != text)
    if otherwise:
        notes.append(f"{otherwise:,} cells are written in another way than the draft says and come out in this one")
    return tuple(notes)


def _rewritten(text: str, column: Numeric) -> str:
    """What becomes of a text that is read and written."""
    plain = column.cell(text)
    if plain is None or plain == NO_NUMBER:
        return column.missing[0] if plain is None else text
    return column.text(float(plain) if set(plain) - set("-0123456789") else int(plain))
