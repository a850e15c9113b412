"""How the texts of a column seem to write numbers: the one reading under which all of them are numbers, or none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from synthkit.schema.cells import read_number
from synthkit.schema.censoring import BOUND_OF_SIDE, Side, censored_side, without_censoring_sign
from synthkit.schema.columns import Numeric
from synthkit.schema.digits import GROUPING_BLANKS, GROUPING_QUOTES, SURROUNDING_BLANKS
from synthkit.schema.digits import PLUS_AND_MINUS_SIGNS as PLUS_AND_MINUS
from synthkit.schema.infer.long_integers import inexact_integers
from synthkit.schema.measurement_units import CURRENCIES, is_measurement_unit
from synthkit.schema.number_formats import NOT_A_NUMBER

MIN_NUMBERS_FOR_NOTATION = 5  # different numbers beside "<5" and the like; with fewer they are levels
MISSING_WORDS = frozenset(
    ("", "?", "-", "--", ".", "na", "n/a", "n.a.", "nan", "#n/a", "null", "missing")  # as people write a missing number
)
_THOUSANDS = (",", ".", *GROUPING_QUOTES, *GROUPING_BLANKS)
_NOTATIONS = tuple((d, t) for t in (None, *_THOUSANDS) for d in (".", ",") if d != t)
_ESCAPED_SIGNS = re.escape(PLUS_AND_MINUS)
_NUMBER_PARTS = re.compile(
    rf"(?P<sign>[{_ESCAPED_SIGNS}]?)(?P<before>[^\d{_ESCAPED_SIGNS}.,<>=\u2264\u2265{GROUPING_QUOTES}]*)(?P<again>[{_ESCAPED_SIGNS}]?)"
    rf"(?P<digits>[.,]?\d(?:(?:(?![{GROUPING_BLANKS}]+10[\^*])[\d.,{GROUPING_QUOTES}{GROUPING_BLANKS}])*\d)?[.,]?(?:[eE][+-]?\d+)?)(?P<after>(?:\D.*)?)",
    flags=re.ASCII | re.DOTALL,
)
_DIGIT = re.compile(r"\d", flags=re.ASCII)
_MINOR_KEYS = frozenset(("decimals", "trailing_zeros", "minus", "plus"))  # keys that tell no number from a code
_MIN_TELEPHONE_DIGITS = 7  # digits behind a plus from which on they are dialled
_LEADING = re.compile(r"0\d")


@dataclass(frozen=True)
class Reading:
    """What was seen in the cells of a column that are texts.

    Args:
        keys: keys of a numeric column that say how its numbers are written; empty if there is no such reading.
        strange: number of cells that are no numbers under the reading of most others; 0 if all are, or most are not.
        notes: sentences for the reader of a draft, without any value of a row.
        numbers: whether there is a reading; of numbers that only have blanks around them, no key says more.
    """

    keys: Mapping[str, Any]
    strange: int = 0
    notes: tuple[str, ...] = ()
    numbers: bool = False


def infer_notation(cells: Iterable[object]) -> Reading:
    """The reading of a column whose present cells are texts, and perhaps numbers.

    Only texts nobody reads otherwise have one: all but words for a missing cell are numbers, none begins with a nought
    it does not need, and what stands before or behind all of them is a currency or a unit.

    Example:
        >>> infer_notation(["1.234,5", "0,5", "n/a"]).keys
        {'decimal': ',', 'thousands': '.', 'missing': ('n/a',)}
        >>> infer_notation(["A1", "A2"]).keys
        {}
    """
    cells = list(cells)
    texts = [cell for cell in cells if isinstance(cell, str)]
    counts = Counter(texts)
    others = [] if len(texts) == len(cells) else [cell for cell in cells if not isinstance(cell, str)]
    if not others and not _DIGIT.search("".join(counts)):
        return Reading({})
    words = sorted(
        {text.strip(SURROUNDING_BLANKS) for text in counts if text.strip(SURROUNDING_BLANKS).lower() in MISSING_WORDS}
    )
    sides = {text: side for text in counts if (side := censored_side(text)) is not None}
    parts = {text: _parts(text, sides) for text in counts if text.strip(SURROUNDING_BLANKS) not in words}
    spoken = Counter[tuple[str, str]]()
    for text, found in parts.items():
        if found is not None:
            spoken[_ends(found)] += counts[text]
    ends = spoken.most_common(1)[0][0] if spoken else ("", "")
    alike = {text: found for text, found in parts.items() if found is not None and _ends(found) == ends}
    looks = _looks([found["digits"] for found in alike.values()])
    plain = [found for text, found in alike.items() if text not in sides]
    numbers = all(read_number(cell) is not None and not isinstance(cell, bool) for cell in others)
    if not looks or not _quantity(ends, alike.values()) or not (plain or others) or not numbers:
        return Reading({})
    keys = _keys(looks[0], plain, counts, words)
    beyond = [text for text in alike if text in sides]
    limits = _limits(beyond, counts, keys, [*counts, *others])
    good = {text for text in alike if limits is not None or text not in sides}
    strange = sum(counts[text] for text in parts if text not in good)
    if strange:
        most = sum(counts[text] for text in good) + len(others) >= strange
        return Reading({}, strange if most else 0)
    keys |= {"censored": limits} if limits else {}
    if not set(keys) - _MINOR_KEYS and not _sooner_numbers(alike):
        return Reading({})
    return Reading(keys, notes=_notes(keys, looks, counts), numbers=True)


def _sooner_numbers(found: Mapping[str, re.Match[str]]) -> bool:
    """Whether texts of digits that only signs and blanks tell from plain ones are numbers, and no levels or keys."""
    plain = [text for text, part in found.items() if text == part["digits"] or f"-{part['digits']}" == text]
    fraction = any(part["digits"].strip("0123456789") for part in found.values())
    exact = not inexact_integers(pd.Series([part["digits"] for part in found.values()], dtype=object)).any()
    return exact and len(plain) < len(found) and (fraction or len(found) >= MIN_NUMBERS_FOR_NOTATION)


def _limits(
    beyond: Sequence[str], counts: Counter[str], keys: Mapping[str, Any], cells: Iterable[Any]
) -> dict[Side, Any] | None:
    """The limits that cells such as "<5" name, if there is one a side and no number lies beyond; else nothing."""
    how = Numeric(**keys)
    said = how.reader()
    if not beyond:
        return {}
    read = (said(cell) if isinstance(cell, str) else read_number(cell) for cell in set(cells) - set(beyond))
    numbers = {float(one) for one in read if one is not None and one != NOT_A_NUMBER}
    found: dict[Side, Any] = {}
    for side in BOUND_OF_SIDE:
        forms = Counter({text: counts[text] for text in beyond if censored_side(text) == side})
        limits = {float(without_censoring_sign(text, side, how.writing) or "nan") for text in forms}
        if not forms:
            continue
        limit = limits.pop()
        outside = any(x < limit if side == "below" else x > limit for x in numbers)
        if limits or outside or len(numbers) < MIN_NUMBERS_FOR_NOTATION:
            return None
        short = int(limit) if limit.is_integer() else limit
        written = Numeric(**{**keys, "censored": {side: short}}).beyond[side][2]
        often = forms.most_common(1)[0][0]
        found[side] = short if often == written else often
    return found


def _parts(text: str, sides: Mapping[str, Side]) -> re.Match[str] | None:
    bare = text.strip(SURROUNDING_BLANKS)
    found = _NUMBER_PARTS.fullmatch(bare[1:].removeprefix("=").strip(SURROUNDING_BLANKS) if text in sides else bare)
    return None if found is None or (found["sign"] and found["again"]) else found


def _ends(found: re.Match[str]) -> tuple[str, str]:
    return found["before"].strip(SURROUNDING_BLANKS), found["after"].strip(SURROUNDING_BLANKS)


def _quantity(ends: tuple[str, str], found: Iterable[re.Match[str]]) -> bool:
    """Whether what stands around the digits is what stands around quantities, and no digits are those of a code."""
    before, after = ends
    found = list(found)
    if any(
        part["sign"] == "+" and len(part["digits"]) >= _MIN_TELEPHONE_DIGITS and part["digits"].isdigit()
        for part in found
    ):
        return False
    blank = all(part["after"][:1] in SURROUNDING_BLANKS and part["after"] for part in found)
    known = (not before or before in CURRENCIES) and is_measurement_unit(after, apart=blank)
    return known and not any(_LEADING.match(part["digits"]) for part in found)


def _looks(digits: Sequence[str]) -> list[tuple[str, str | None]]:
    """Signs of fraction and groups under which all are numbers, likeliest first; each sign stands in some of them."""
    fitting = []
    for decimal, thousands in _NOTATIONS:
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
) -> dict[str, object]:
    decimal, thousands = look
    keys: dict[str, object] = {"decimal": decimal} if decimal != "." else {}
    keys |= {"thousands": thousands} if thousands is not None else {}
    found = list(found)
    for key, side in (("prefix", "before"), ("suffix", "after")):
        forms = Counter(part[side] for part in found)
        if forms and forms.most_common(1)[0][0].strip(SURROUNDING_BLANKS):
            keys[key] = forms.most_common(1)[0][0]
    if keys.get("suffix") == "%":
        keys = {key: value for key, value in keys.items() if key != "suffix"} | {"percent": True}
    keys |= _signs([part["sign"] or part["again"] for part in found])
    behind = {len(part["digits"].partition(decimal)[2]) for part in found}
    if len(behind) == 1 and behind != {0} and any(part["digits"].endswith("0") for part in found):
        keys |= {"decimals": behind.pop(), "trailing_zeros": True}
    if words:
        often = sorted(
            words, key=lambda word: -sum(n for text, n in counts.items() if text.strip(SURROUNDING_BLANKS) == word)
        )
        keys["missing"] = tuple(often)
    return keys


def _signs(signs: Sequence[str]) -> dict[str, object]:
    """How signs are written: a plus if most of the numbers that may have one do."""
    above = [sign for sign in signs if sign in ("", "+")]
    plus = 2 * above.count("+") > len(above)
    keys: dict[str, object] = {"minus": "\u2212"} if "\u2212" in signs else {}
    return keys | ({"plus": True} if plus else {})


def _notes(keys: Mapping[str, Any], looks: Sequence[tuple[str, str | None]], counts: Counter[str]) -> tuple[str, ...]:
    notes = []
    if len(looks) > 1:
        decimal, thousands = looks[1]
        other = f'`decimal: "{decimal}"`' + ("" if thousands is None else f' and `thousands: "{thousands}"`')
        notes.append(f"three digits stand behind every such sign, so there is another reading: if it is meant, {other}")
    column = Numeric(**keys)
    read, write = column.reader(), column.writer()
    padded = sum(n for text, n in counts.items() if text != text.strip(SURROUNDING_BLANKS) != "")
    if padded:
        notes.append(f"{padded:,} cells have blanks around them, which do not come out")
    otherwise = sum(
        n for text, n in counts.items() if _rewritten(read(text), write, text, column) != text.strip(SURROUNDING_BLANKS)
    )
    if otherwise:
        notes.append(f"{otherwise:,} cells are written in another way than the draft says and come out in this one")
    return tuple(notes)


def _rewritten(plain: Any, write: Callable[[float], str], text: str, column: Numeric) -> str:
    """What becomes of a text that is read and written."""
    if plain is None or plain == NOT_A_NUMBER:
        return column.missing[0] if plain is None else text.strip(SURROUNDING_BLANKS)
    return write(float(plain) if set(plain) - set("-0123456789") else int(plain))
