"""What attackers gain, as tables: verdicts of the attacks, what they rest on, and every figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthkit.report.labels import number
from synthkit.report.sections.attack_verdicts import whole
from synthkit.report.sections.people import went

Section = dict[str, Any]

DESIGNS = {
    "coins": "A fair coin, thrown before the fit, decided for each of these people whether they were trained on.",
    "pairs": "People of the training rows and of the holdout were paired at random: this holds if somebody split the "
    "table at random, and it is about exchanging one person for another, which costs up to twice as much epsilon.",
}
TESTS = {  # the tests by the names they have in the panel
    "all, all attacks": "all attacks together, on everybody",
    "all, few guesses": "the surest guesses about few people",
    "isolated, all attacks": "all attacks together, on unusual people",
    "isolated, few guesses": "the surest guesses about few unusual people",
}
BLIND = (
    "Attacks see values as they stand. Rows under a recoding (columns exchanged, shifted, scaled or ciphered) are not "
    "recognised, nor is a secret written into digits that no attack reads.",
    "Copies are sought by whole rows and by a few sets of columns; a copy by other columns, or of people who share "
    "these values with others, shows nowhere.",
    "What no attack here finds a better one may find; only a budget bounds what all of them find.",
)
TITLES = {
    "membership": "Membership: who was in the data",
    "attribute": "Attributes: what is learned about a person",
    "identity": "Identity: who is singled out, matched or linked",
}


def risks(
    panels: Mapping[str, Any],
    scores: Mapping[str, Sequence[Mapping[str, Any]]],
    verdicts: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
) -> Section:
    """The section of the page: a verdict for each kind of attack, what that on membership rests on, every figure."""
    tables = [{"id": room, "title": TITLES[room], "rows": list(scores[room])} for room in TITLES if scores.get(room)]
    if not tables:
        return {"absent": "No attack was run."}
    panel = panels.get("membership")
    return {
        "whole": whole(verdicts) if verdicts else None,
        "verdicts": list(verdicts),
        "tables": tables,
        "membership": None if panel is None else _membership(panel),
        "unassessed": _unassessed(panels.get("identity") or {}),
        "people": [*went(facts), *_people(panels.get("people"))],
        "blind": list(BLIND),
    }


def _people(panel: Mapping[str, int] | None) -> list[str]:
    """Who is attacked and who is not, in sentences from the split.

    Example:
        >>> _people({"trained_on": 70, "attacked_trained_on": 20, "attacked_held_out": 21, "reference": 0,
        ...     "held_out": 21})[1]
        'The other 50 trained on are not attacked: synthetic rows are held against theirs for copies only.'
    """
    if panel is None:
        return []
    keys = ("trained_on", "attacked_trained_on", "attacked_held_out", "held_out")
    trained, mine, theirs, held = (panel[key] for key in keys)
    told = [f"Attacked are {mine:,} of the {trained:,} people trained on, beside {theirs:,} of {held:,} held out."]
    if trained > mine:
        told.append(
            f"The other {trained - mine:,} trained on are not attacked: synthetic rows are held against theirs for "
            "copies only."
        )
    if panel["reference"]:
        told.append(f"{panel['reference']:,} people held out are what attackers know of the population.")
    return told


def _unassessed(panel: Mapping[str, Any]) -> list[str]:
    """What about identities was not measured and why: the panel holds a sentence in its place."""
    names = {"keys": "Unique people and groups by quasi-identifiers", "meaningful": "Meaningful identity disclosure"}
    return [f"{name}: {panel[key]}" for key, name in names.items() if isinstance(panel.get(key), str)]


def _membership(panel: Mapping[str, Any]) -> Section:
    return {
        "design": DESIGNS[panel["design"]],
        "units": f"{panel['units']:,}",
        "checks": [
            {
                "name": check["name"],
                "holds": check["holds"],
                "measured": number(check["measured"]),
                "limit": number(check["limit"]),
                "words": check["words"],
            }
            for check in panel["checks"]
        ],
        "tests": [{"name": TESTS.get(name, name), "p": number(p)} for name, p in panel["p"].items()],
    }
