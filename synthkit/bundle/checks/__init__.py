"""What is checked in a bundle, in this order; one a file."""

from collections.abc import Callable, Mapping

from synthkit.bundle.checks import decision, epsilon, marks, members, page, rows, signature, validity
from synthkit.bundle.finding import Finding
from synthkit.bundle.opened import Opened

CHECKS: Mapping[str, Callable[[Opened], Finding]] = {
    "members": members.check,
    "signature": signature.check,
    "epsilon": epsilon.check,
    "rows": rows.check,
    "marks": marks.check,
    "report": page.check,
    "decision": decision.check,
    "validity": validity.check,
}

__all__ = ["CHECKS"]
