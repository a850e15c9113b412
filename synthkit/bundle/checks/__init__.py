"""What is checked in a bundle, in this order; one a file."""

from collections.abc import Callable, Mapping

from synthkit.bundle.checks import (
    although,
    contents,
    decision,
    epsilon,
    marks,
    members,
    page,
    registry,
    rows,
    run,
    signature,
    statement,
    validity,
    withdrawal,
)
from synthkit.bundle.finding import Finding
from synthkit.bundle.opened import Opened

CHECKS: Mapping[str, Callable[[Opened], Finding]] = {
    "members": members.check,
    "signature": signature.check,
    "epsilon": epsilon.check,
    "statement": statement.check,
    "registry": registry.check,
    "run": run.check,
    "rows": rows.check,
    "marks": marks.check,
    "report": page.check,
    "contents": contents.check,
    "decision": decision.check,
    "although": although.check,
    "validity": validity.check,
    "withdrawal": withdrawal.check,
}

__all__ = ["CHECKS"]
