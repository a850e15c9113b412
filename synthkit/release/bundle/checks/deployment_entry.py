"""Whether the entry for the registry of deployments follows from the statement."""

from __future__ import annotations

from synthkit.release import run_folder
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.build_bundle import PUBLICATION_DATE, REGISTRY
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.json_difference import difference
from synthkit.release.bundle.opened_bundle import Opened


def check(bundle: Opened) -> CheckResult:
    """The entry made again from the statement and the date of the manifest; there is one if anything is promised."""
    from synthkit.privacy.registry_entry import record

    statement = bundle.json(run_folder.STATEMENT)
    promised = statement["privacy_loss"]["privacy_parameters"]["epsilon"] is not None
    if (REGISTRY in bundle.members) != promised:
        return broken("there must be an entry for the registry where there is a promise, and nowhere else")
    if not promised:
        return holds("no promise is made, so there is no entry")
    right = record(statement, {PUBLICATION_DATE: bundle.json(manifests.MANIFEST)["made"]})
    place = difference(bundle.json(REGISTRY), right)
    if place:
        return bundle.otherwise(f"registry.json does not follow from the statement at {place}")
    return holds("every key of registry.json follows from the statement; null is for people to fill in")
