"""The section on the scope: whom the release is about, what an attacker is taken to know, and what they get."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from synthkit.report import privacy_claim
from synthkit.report.context import ReportContext
from synthkit.report.inputs import LedgerJson, RunFacts
from synthkit.report.panel_types import Panels
from synthkit.report.records import Fact
from synthkit.report.row_counts import others, release_surface, synthetic
from synthkit.report.section_spec import SectionSpec, unchanged

if TYPE_CHECKING:
    from synthkit.schema import Schema

PLAYED_ATTACKERS = (
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


class AttackerLine(TypedDict):
    """An attacker, and what they do."""

    who: str
    does: str


class ScopeData(TypedDict, total=False):
    """Labels and values, and attackers; or the sentence that says why there are none."""

    rows: list[Fact]
    attackers: list[AttackerLine]
    absent: str


def scope(schema: Schema | None, facts: RunFacts, panels: Panels, ledger: LedgerJson | None = None) -> ScopeData:
    """Unit, what outsiders may know, secrets, what is released, and the attackers that were played."""
    if schema is None:
        return {"absent": "The schema is not at hand, so it is not known who is protected from whom."}
    played: list[AttackerLine] = [
        {"who": who, "does": does} for room, who, does in PLAYED_ATTACKERS if panels.get(room)
    ]
    rows: list[Fact] = [
        ("Protected", f"one {schema.unit}, with all its rows" if schema.unit else "one row"),
        ("Known to outsiders", _names(schema.quasi_identifiers) or "not declared"),
        ("Secret", _names(schema.secrets) or "not declared"),
        ("Groups looked at", _names(schema.protected) or "none declared"),
        (
            "To be released",
            f"{released}: {synthetic(facts)}"
            if (released := release_surface(facts))
            else "nothing: rows were measured",
        ),
        *([("Attacked together with", also)] if (also := others(facts)) else []),
        ("Other releases", _other_releases(ledger)),
    ]
    return {"rows": rows, "attackers": played}


def _other_releases(ledger: LedgerJson | None) -> str:
    """Of the same table: a ledger with a budget knows those that were charged to it."""
    if privacy_claim.epsilon(ledger) is None:
        return "not known: say in the conditions whether the same table was released before"
    plans = len((ledger or {}).get("parts") or [])
    counted = "1 plan" if plans == 1 else f"{plans} plans"
    return f"{counted} in the ledger, all counted; what was never charged to it is not"


def _names(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names)


def _data(context: ReportContext) -> ScopeData:
    return scope(context.schema, context.facts, context.panels, context.ledger)


SCOPE = SectionSpec(
    id="scope", title="Scope: who might learn what about whom", data=_data, tag="public", shareable=unchanged
)
