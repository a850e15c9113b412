"""Two editions of one page: the whole one for reviewers, and one without what an outsider should not see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from synthkit.report.labels import number
from synthkit.report.section_spec import Tag

if TYPE_CHECKING:
    from synthkit.report.records import ScoreRow

Tier = Literal["internal", "shareable"]
EditionTag = Literal["INTERNAL", "ROUNDED", "DP", "public"]
TAG_WORDS: Mapping[EditionTag, str] = {
    "INTERNAL": "computed from real rows without noise",
    "ROUNDED": "computed from real rows without noise, then rounded and without small counts",
    "DP": "differentially private, or a statement about that",
    "public": "known without the table",
}
EDITION_WORDS: Mapping[Tier, tuple[str, str]] = {
    "internal": ("INTERNAL", "Computed from real rows without noise: for the reviewers, not for release."),
    "shareable": (
        "SHAREABLE",
        "Figures in sections marked ROUNDED were computed from real rows without noise, then rounded and without small "
        "counts; no epsilon covers them.",
    ),
}
MIN_SHOWN_COUNT = 10  # people; smaller counts are not given to outsiders


def tag_of(tag: Tag, *, private: bool, tier: Tier) -> EditionTag:
    """How a section is marked: DP needs a privacy budget, and what is exact is rounded in the shareable edition.

    Example:
        >>> tag_of("DP", private=False, tier="internal"), tag_of("INTERNAL", private=True, tier="shareable")
        ('public', 'ROUNDED')
    """
    found: EditionTag = "public" if tag == "DP" and not private else tag
    return "ROUNDED" if found == "INTERNAL" and tier == "shareable" else found


def rounded_row(row: ScoreRow) -> ScoreRow:
    """A score to two digits, without its note, which may quote counts."""
    return {
        **row,
        "value": _digits(row["value"]),
        "low": _maybe_digits(row["low"]),
        "high": _maybe_digits(row["high"]),
        "reference": _maybe_digits(row["reference"]),
        "text": two_digits(row["text"]),
        "interval": two_digits(row["interval"]),
        "reference_text": two_digits(row["reference_text"]),
        "note": "",
    }


def _maybe_digits(x: float | None) -> float | None:
    return None if x is None else _digits(x)


def _digits(x: float) -> float:
    return float(f"{x:.2g}") if abs(x) >= 1 else round(x, 2)


def two_digits(text: str) -> str:
    """Numbers in a text to two digits behind the point, of percentages to two in all.

    Example:
        >>> two_digits("[0.541, 12.583]"), two_digits("3,412"), two_digits("−0.004"), two_digits("[0.84 %, 84.7 %]")
        ('[0.54, 12.58]', '3,400', '0.00', '[0.84 %, 85 %]')
    """

    def shorter(match: re.Match[str]) -> str:
        whole = match[1].replace(",", "").replace("−", "-")
        if match[2]:
            return f"{float(f'{float(whole):.2g}'):,.6g}".replace("-", "−") + match[2]
        if "." not in whole:
            return f"{float(f'{float(whole):.2g}'):,.0f}".replace("-", "−")
        return number(round(float(whole), 2))[:-1] if abs(float(whole)) < 100 else f"{float(whole):,.0f}"

    return re.sub(r"(−?\d[\d,]*(?:\.\d+)?)( %)?", shorter, text)


def rough_count(count: str) -> str:
    """A count as its size: fewer than ten are not given.

    Example:
        >>> rough_count("1,834"), rough_count("7")
        ('2,000 or so', 'fewer than 10')
    """
    n = int(count.replace(",", ""))
    return f"fewer than {MIN_SHOWN_COUNT}" if n < MIN_SHOWN_COUNT else f"{float(f'{n:.1g}'):,.0f} or so"
