"""What is checked in a bundle, in this order; one a file."""

from collections.abc import Callable, Mapping

from synthkit.release.bundle.checks import (
    claimed_epsilon,
    deployment_entry,
    expiry,
    gate_result,
    members,
    override_reason,
    privacy_statement,
    report_contents,
    report_page,
    row_validity,
    run_facts,
    signer,
    synthetic_marks,
    withdrawn,
)
from synthkit.release.bundle.finding import CheckResult
from synthkit.release.bundle.opened_bundle import Opened

CHECKS: Mapping[str, Callable[[Opened], CheckResult]] = {
    "members": members.check,
    "signature": signer.check,
    "epsilon": claimed_epsilon.check,
    "statement": privacy_statement.check,
    "registry": deployment_entry.check,
    "run": run_facts.check,
    "rows": row_validity.check,
    "marks": synthetic_marks.check,
    "report": report_page.check,
    "contents": report_contents.check,
    "decision": gate_result.check,
    "although": override_reason.check,
    "validity": expiry.check,
    "withdrawal": withdrawn.check,
}

__all__ = ["CHECKS"]
