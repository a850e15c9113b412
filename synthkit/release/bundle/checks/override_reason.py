"""Whether a bundle that did not pass its gate says so, and why it was released all the same."""

from __future__ import annotations

import datetime as dt

from synthkit.release import run_folder
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.objections import printable, release_standing
from synthkit.release.bundle.opened_bundle import Opened


def check(bundle: Opened) -> CheckResult:
    """What stood against the release on its day is derived again; the manifest must hold all of it, and a reason."""
    manifest = bundle.json(manifests.MANIFEST)
    gate = bundle.json(run_folder.GATE) if run_folder.GATE in bundle.members else None
    found = release_standing(gate, dt.date.fromisoformat(manifest["made"]))
    said = manifest.get("although")
    if said is None:
        if found.against:
            return broken(f"it was released, and nobody says why all the same: {'; '.join(found.against)}")
        return holds("the gate said PASS")
    reason, against = str(said["reason"]), [str(each) for each in said["against"]]
    if said["verdict"] != found.verdict or not against or not reason or set(found.against) - set(against):
        return broken("the manifest does not say what stood against the release")
    return holds(f"released although {printable('; '.join(against))}. The reason given: {printable(reason)}")
