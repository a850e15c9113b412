"""Whether the charges of the ledger come to the epsilon that is claimed."""

from __future__ import annotations

import math

from synthkit import folder
from synthkit.bundle import manifest as manifests
from synthkit.bundle.finding import Finding, broken, holds
from synthkit.bundle.opened import Opened

EQUAL = 1e-9  # relative difference of two epsilons from the same charges


def check(bundle: Opened) -> Finding:
    """Recomputed from the charges; ledger, statement and manifest must say the same."""
    from synthkit.privacy.archive import recompute

    with bundle.file(folder.LEDGER) as path:
        epsilon, delta = recompute(path)
    statement = bundle.json(folder.STATEMENT)["privacy_loss"]["privacy_parameters"]
    ledger, claim = bundle.json(folder.LEDGER), bundle.json(manifests.NAME)["claim"]
    for where, told in (("statement", statement), ("ledger", ledger), ("manifest", claim)):
        if not _same(math.inf if told["epsilon"] is None else told["epsilon"], epsilon):
            return broken(f"the {where} does not say the epsilon that the charges of the ledger come to, {epsilon:.4g}")
    if math.isinf(epsilon):
        return holds("no promise is made, and the ledger says so")
    return holds(f"the charges of the ledger come to epsilon {epsilon:.4g} at delta {delta:.2g}, as is stated")


def _same(a: float, b: float) -> bool:
    return a == b or math.isclose(a, b, rel_tol=EQUAL)
