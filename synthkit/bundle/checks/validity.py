"""Whether the release may still be relied on."""

from __future__ import annotations

import datetime as dt

from synthkit import folder
from synthkit.bundle.finding import Finding, broken, holds
from synthkit.bundle.opened import Opened


def check(bundle: Opened) -> Finding:
    """The last day that the gate names, which itself still counts; days are those of UTC."""
    last = bundle.json(folder.GATE)["valid_until"] if folder.GATE in bundle.members else None
    if last is None:
        return holds("no policy names a last day")
    if bundle.today > dt.date.fromisoformat(last):
        return broken(f"expired: it was valid until {last}, and the day asked about is {bundle.today} (UTC)")
    return holds(f"valid until {last}, and the day asked about is {bundle.today} (UTC)")
