"""Levels that clearly are an order: bands of numbers, Roman numerals, well-known scales."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

_AMOUNT = r"[$€£]?\s*(\d+(?:\.\d+)?)\s*([kKmM]?)"
_BAND_TEXT = re.compile(rf"[\[(]?\s*{_AMOUNT}\s*(?:-|–|to|,|\.\.)\s*{_AMOUNT}\s*[\])]?(?:\s*[a-z%/]+)?", re.IGNORECASE)
_BELOW_TEXT = re.compile(rf"(?:<=?|≤|under|below|less than|up to)\s*{_AMOUNT}(?:\s*[a-z%/]+)?", re.IGNORECASE)
_ABOVE = re.compile(rf"(?:>=?|≥|over|above|more than)\s*{_AMOUNT}(?:\s*[a-z%/]+)?", re.IGNORECASE)
_ABOVE_TEXT = re.compile(rf"{_AMOUNT}\s*(?:\+|and (?:over|above|more))", re.IGNORECASE)
_AMOUNT_FACTORS = {"": 1.0, "k": 1e3, "m": 1e6}
_ROMAN_NUMERALS = {r: k for k, r in enumerate(("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"), start=1)}
_STAGE_TEXT = re.compile(r"(?:(?:stage|grade|class|type|level)\s*)?(X|IX|IV|V?I{1,3}|V)", re.IGNORECASE)

ORDERED_SCALES: tuple[tuple[str, ...], ...] = (
    ("very low", "low", "medium", "high", "very high"),
    ("low", "moderate", "high"),
    ("low", "normal", "high"),
    ("low", "intermediate", "high"),
    ("none", "mild", "moderate", "severe", "very severe"),
    ("absent", "mild", "moderate", "severe"),
    ("small", "medium", "large"),
    ("poor", "fair", "good", "very good", "excellent"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"),
)


def known_order(levels: Sequence[str]) -> tuple[str, ...] | None:
    """The levels lowest first if they clearly are an order, else None.

    Example:
        >>> known_order(["[10-20)", "[0-10)", ">=20"]), known_order(["III", "I", "II"]), known_order(["red", "blue"])
        (('[0-10)', '[10-20)', '>=20'), ('I', 'II', 'III'), None)
    """
    if len(levels) < 2:
        return None
    for positions in (_bands(levels), _roman(levels), _scale(levels)):
        if positions is not None and len(set(positions)) == len(levels):
            return tuple(level for _, level in sorted(zip(positions, levels, strict=True)))
    return None


def in_public_order(levels: Iterable[str]) -> tuple[str, ...]:
    """Levels in an order that follows from them alone: that of `known_order` if there is one, else numbers, then names.

    Nothing shows in which order rows came, or what else the table holds.

    Example:
        >>> in_public_order(["10", "2", "1"]), in_public_order(["ward 10", "ward 9"]), in_public_order(["high", "low"])
        (('1', '2', '10'), ('ward 9', 'ward 10'), ('low', 'high'))
    """
    once = sorted(set(levels), key=level_sort_key)
    places = _scale(once, least=2)  # a part of a scale is in its order too
    if places is not None and len(set(places)) == len(once):
        return tuple(level for _, level in sorted(zip(places, once, strict=True)))
    return known_order(once) or tuple(once)


def level_sort_key(level: str) -> tuple[object, ...]:
    """A level's place among others: numbers by size, then names, digits in them by size too."""
    try:
        number = float(level)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return (0, number, level)
    parts = re.split(r"([0-9]+)", level.casefold())
    chunks = ((0, p) if k % 2 == 0 else (len(p.lstrip("0")), p.lstrip("0")) for k, p in enumerate(parts))
    return (1, tuple(chunks), level)


def parse_band(text: str) -> tuple[float, float] | None:
    """The range of numbers a level names: `[10-20)` is (10, 20), `under $11k` (-inf, 11000), `65+` (65, inf)."""
    text = text.strip()
    if found := _BAND_TEXT.fullmatch(text):
        low, high = _value(found, 1), _value(found, 3)
        if found[2] == "" and found[4] and low < high:  # "11-25k": the scale belongs to both ends
            low *= _AMOUNT_FACTORS[found[4].lower()]
        return (low, high) if low <= high else None
    if found := _BELOW_TEXT.fullmatch(text):
        return (-math.inf, _value(found, 1))
    if found := _ABOVE.fullmatch(text) or _ABOVE_TEXT.fullmatch(text):
        return (_value(found, 1), math.inf)
    return None


def _value(found: re.Match[str], group: int) -> float:
    return float(found[group]) * _AMOUNT_FACTORS[found[group + 1].lower()]


def _bands(levels: Sequence[str]) -> list[tuple[float, float]] | None:
    """The bands, if every level names one and none overlaps its neighbour."""
    found = [parse_band(level) for level in levels]
    bands = [b for b in found if b is not None]
    if len(bands) < len(levels):
        return None
    apart = all(a[1] <= b[0] for a, b in pairwise(sorted(bands)))
    return bands if apart else None


def _roman(levels: Sequence[str]) -> list[int] | None:
    found = [_STAGE_TEXT.fullmatch(level.strip()) for level in levels]
    numerals = [match[1].upper() for match in found if match]
    if len(numerals) < len(levels) or not {"II", "III", "IV"} & set(numerals):
        return None
    return [_ROMAN_NUMERALS[numeral] for numeral in numerals]


def _scale(levels: Sequence[str], least: int = 3) -> list[int] | None:
    lowered = [level.strip().lower() for level in levels]
    for scale in ORDERED_SCALES:
        if set(lowered) <= set(scale) and len(levels) >= min(least, len(scale)):
            return [scale.index(level) for level in lowered]
    return None
