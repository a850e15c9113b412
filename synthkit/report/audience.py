"""Two editions of one page: the whole one for reviewers, and one without what an outsider should not see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from synthkit.report.labels import number

Tier = Literal["internal", "shareable"]
TAGS = {  # of the sections; what is not named is computed from real rows
    "privacy": "DP",
    "scope": "public",
    "limits": "public",
    "glossary": "public",
    "standards": "public",
    "reproducibility": "public",
}
WORDS = {
    "INTERNAL": "computed from real rows without noise",
    "ROUNDED": "computed from real rows without noise, then rounded and without small counts",
    "DP": "differentially private, or a statement about that",
    "public": "known without the table",
}
CLASSES = {
    "internal": ("INTERNAL", "Computed from real rows without noise: for the reviewers, not for release."),
    "shareable": (
        "SHAREABLE",
        "Figures in sections marked ROUNDED were computed from real rows without noise, then rounded and without small "
        "counts; no epsilon covers them.",
    ),
}
KEPT = (  # sections an outsider may see; all others hold histograms, extremes, counts of cells or numbers of rows
    *("decision", "released", "scope", "risk", "privacy", "fidelity", "utility", "limits"),
    *("standards", "reproducibility", "glossary"),
)
UNTOLD = ("Source table", "Rows fitted on", "Rows held out", "Real rows looked at")  # facts
LEAST = 10  # people; smaller counts are not told
AGGREGATES = ("fidelity.", "utility.")  # scores that are means over columns or people, told with two digits


def tag(section: str, *, private: bool) -> str:
    """INTERNAL, DP or public; a statement that promises nothing is nothing but public."""
    found = TAGS.get(section, "INTERNAL")
    return "public" if found == "DP" and not private else found


def rounded(tag: str) -> str:
    """The tag of a section in the shareable edition: what is exact inside is rounded there."""
    return "ROUNDED" if tag == "INTERNAL" else tag


def shareable(page: Mapping[str, Any]) -> dict[str, Any]:
    """The page without per-row output, exact histograms, extremes and small counts; figures to two digits.

    Attacks are told as bounds against limits, on the first page; what was rounded is marked so by its two digits.
    """
    sections = [_reduced(section) for section in page["sections"] if section["id"] in KEPT]
    return {**page, "tier": "shareable", "sections": sections, "twin": "the JSON file of the same name"}


def _reduced(section: Mapping[str, Any]) -> dict[str, Any]:
    reduce = {
        "released": _released,
        "risk": _risk,
        "fidelity": _scored,
        "utility": _utility,
        "decision": _decision,
        "standards": _standards,
    }
    reduced = {**section, **reduce[section["id"]](section)} if section["id"] in reduce else dict(section)
    reduced["tag"] = rounded(section["tag"])
    if section["id"] == "reproducibility":
        reduced["rows"] = [row for row in section["rows"] if row[0] != "Command"]
        reduced["steps"] = []  # times follow the rows
    if section["id"] == "limits":
        reduced["limits"] = [each for each in section["limits"] if each[0] != "few rows"]
    return reduced


def _decision(section: Mapping[str, Any]) -> dict[str, Any]:
    """Bounds against limits; the reasons quote figures that stand in the line already."""
    (topic, _), *others = section["sentences"]
    judged = section["policy"] is not None
    return {
        "sentences": [(topic, section["bounded"]), *others],
        "lines": [
            {
                **line,
                "measured": "—" if line["limit"] != "—" else _two(line["measured"]),
                "bound": line["bound"] if judged else _two(line["bound"]),
                "why": "",
            }
            for line in section["lines"]
        ],
    }


def _released(section: Mapping[str, Any]) -> dict[str, Any]:
    return {"facts": [fact for fact in section["facts"] if fact[0] not in UNTOLD]}


def _risk(section: Mapping[str, Any]) -> dict[str, Any]:
    """The verdicts with the bound that decides, and what they rest on; no single figure of an attack."""
    if section.get("absent"):
        return {}
    attack = section["membership"]
    checks = [] if attack is None else [{**check, "measured": "—", "limit": "—"} for check in attack["checks"]]
    kept = None if attack is None else {**attack, "checks": checks, "tests": [], "units": _many(attack["units"])}
    verdicts = [
        {**each, "effect": each["bounds"], "low": None, "high": None, "advice": ""} for each in section["verdicts"]
    ]
    return {"tables": [], "figures": [], "membership": kept, "people": [], "verdicts": verdicts}


def _scored(section: Mapping[str, Any]) -> dict[str, Any]:
    if section.get("absent"):
        return {}
    return {"scores": [_rounded(row) for row in section["scores"]], "trained": [], "others": [], "figures": []}


def _utility(section: Mapping[str, Any]) -> dict[str, Any]:
    rows = [_rounded(row) for row in section.get("scores") or []]
    return {"scores": rows, "targets": [], "analyses": [], "absent": section["absent"]}


def _standards(section: Mapping[str, Any]) -> dict[str, Any]:
    """No link to a section that is left out."""
    return {
        "instruments": [
            {**each, "items": [{**i, "anchor": i["anchor"] if i["anchor"] in KEPT else None} for i in each["items"]]}
            for each in section["instruments"]
        ]
    }


def _rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    """A score to two digits, without its note, which may quote counts."""
    cut = {key: None if row[key] is None else _digits(row[key]) for key in ("value", "low", "high", "reference")}
    texts = {
        "text": _two(row["text"]),
        "interval": _two(row["interval"]),
        "reference_text": _two(row["reference_text"]),
    }
    return {**row, **cut, **texts, "note": ""}


def _digits(x: float) -> float:
    return float(f"{x:.2g}") if abs(x) >= 1 else round(x, 2)


def _two(text: str) -> str:
    """Numbers in a text to two digits behind the point.

    Example:
        >>> _two("[0.541, 12.583]"), _two("3,412"), _two("−0.004")
        ('[0.54, 12.58]', '3,400', '0.00')
    """

    def shorter(match: re.Match[str]) -> str:
        whole = match[0].replace(",", "").replace("−", "-")
        if "." not in whole:
            return f"{float(f'{float(whole):.2g}'):,.0f}".replace("-", "−")
        return number(round(float(whole), 2))[:-1] if abs(float(whole)) < 100 else f"{float(whole):,.0f}"

    return re.sub(r"−?\d[\d,]*(?:\.\d+)?", shorter, text)


def _many(count: str) -> str:
    """A count as its size: fewer than ten are not told."""
    n = int(count.replace(",", ""))
    return f"fewer than {LEAST}" if n < LEAST else f"{float(f'{n:.1g}'):,.0f} or so"
