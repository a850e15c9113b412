"""Whom the release is about, what an attacker is taken to know, and what they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synthkit.report import privacy_claim
from synthkit.report.sections.facts import Section
from synthkit.report.sections.row_counts import others, surface, synthetic

if TYPE_CHECKING:
    from synthkit.schema import Schema

ATTACKERS = (
    (
        "membership",
        "Somebody who knows a whole record",
        "has all columns of a person and asks whether that person was in the data",
    ),
    (
        "attribute",
        "An acquaintance or a data broker",
        "knows the quasi-identifiers of a person, or all columns but one, and guesses a secret",
    ),
    (
        "identity",
        "A motivated intruder",
        "looks for a person the rows single out, or links two halves of a record",
    ),
)


def scope(
    schema: Schema | None, facts: Mapping[str, Any], panels: Mapping[str, Any], ledger: Mapping[str, Any] | None = None
) -> Section:
    """Unit, what outsiders may know, secrets, what is released, and the attackers that were played."""
    if schema is None:
        return {"absent": "The schema is not at hand, so it is not known who is protected from whom."}
    played = [{"who": who, "does": does} for room, who, does in ATTACKERS if panels.get(room)]
    rows = [
        ("Protected", f"one {schema.unit}, with all its rows" if schema.unit else "one row"),
        ("Known to outsiders", _names(schema.quasi_identifiers) or "not declared"),
        ("Secret", _names(schema.secrets) or "not declared"),
        ("Groups looked at", _names(schema.protected) or "none declared"),
        (
            "To be released",
            f"{released}: {synthetic(facts)}" if (released := surface(facts)) else "nothing: rows were measured",
        ),
        *([("Attacked together with", told)] if (told := others(facts)) else []),
        ("Other releases", _others(ledger)),
    ]
    return {"rows": rows, "attackers": played}


def _others(ledger: Mapping[str, Any] | None) -> str:
    """Of the same table: a ledger with a budget knows those that were charged to it."""
    if privacy_claim.epsilon(ledger) is None:
        return "not known: say in the conditions whether the same table was released before"
    plans = len((ledger or {}).get("parts") or [])
    counted = "1 plan" if plans == 1 else f"{plans} plans"
    return f"{counted} in the ledger, all counted; what was never charged to it is not"


def _names(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names)
