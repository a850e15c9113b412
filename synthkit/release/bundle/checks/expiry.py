"""Whether the release may still be relied on."""

from __future__ import annotations

import datetime as dt

from synthkit.release import run_folder
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.opened_bundle import Opened


def check(bundle: Opened) -> CheckResult:
    """The last day that the gate names, which itself still counts; days are those of UTC."""
    last = bundle.json(run_folder.GATE)["valid_until"] if run_folder.GATE in bundle.members else None
    if last is None:
        return holds("no policy names a last day")
    if bundle.today > dt.date.fromisoformat(last):
        return broken(f"expired: it was valid until {last}, and the day asked about is {bundle.today} (UTC)")
    return holds(f"valid until {last}, and the day asked about is {bundle.today} (UTC)")
