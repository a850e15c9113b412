"""What may be claimed about privacy: of a ledger, of a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthkit.report.inputs import LedgerJson, StatementJson


def claim_sentence(ledger: LedgerJson | None) -> str:
    """What the ledger lets us claim, in one sentence."""
    if ledger is None:
        return "The privacy ledger is not at hand, so nothing is claimed: epsilon = infinity."
    if not ledger.get("charges"):
        return "The ledger holds no charge: nothing is known of what was learned from real rows, so nothing is claimed."
    spent = ledger.get("epsilon")
    if spent is None:
        return "No differential-privacy claim: epsilon = infinity."
    unit = ledger.get("unit") or "row"
    return f"The release is differentially private with epsilon = {spent:.4g} for each {unit}."


def epsilon(ledger: LedgerJson | None) -> float | None:
    """The bound, None for none; a ledger without a charge proves nothing."""
    return None if not ledger or not ledger.get("charges") else ledger.get("epsilon")


def sentences(statement: StatementJson | None) -> list[str]:
    """The three sentences of a statement with a finite epsilon; none of any other."""
    if statement is None or statement["privacy_loss"]["privacy_parameters"]["epsilon"] is None:
        return []
    return list(statement["sentences"])
