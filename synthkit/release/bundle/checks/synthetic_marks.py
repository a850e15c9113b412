"""Whether the tables say that they are synthetic."""

from __future__ import annotations

from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.opened_bundle import Opened


def check(bundle: Opened) -> CheckResult:
    """The mark in every file of rows."""
    from synthkit.io.provenance_marks import read_mark

    for name in bundle.tables:
        with bundle.file(name) as path:
            said = read_mark(path)
        if (said or {}).get("content") != "synthetic":
            return broken(f"{name} does not say that it is synthetic")
    return holds("the tables say that they are synthetic")
