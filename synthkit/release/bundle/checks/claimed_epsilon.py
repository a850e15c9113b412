"""Whether the charges of the ledger come to the epsilon that is claimed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from synthkit.io.json_types import JSONObject
from synthkit.release import run_folder
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.json_difference import difference
from synthkit.release.bundle.opened_bundle import Opened

if TYPE_CHECKING:
    from synthkit.privacy.accounting.ledger_file import LedgerFile

EPSILON_TOLERANCE = 1e-9  # relative difference of two epsilons from the same charges


def check(bundle: Opened) -> CheckResult:
    """Counted again from the charges; ledger, statement and manifest must say the same, within the budget."""
    from synthkit.privacy.accounting.verify_ledger import LedgerVerification

    with bundle.file(run_folder.LEDGER) as path:
        recount = LedgerVerification.of(path)
    epsilon, delta = recount.archive.spent()
    statement = bundle.json(run_folder.STATEMENT)["privacy_loss"]["privacy_parameters"]
    claim = bundle.json(manifests.MANIFEST)["claim"]
    for where, stated in (("statement", statement), ("ledger", recount.written), ("manifest", claim)):
        if not _same(math.inf if stated["epsilon"] is None else stated["epsilon"], epsilon):
            return broken(f"the {where} does not say the epsilon that the charges of the ledger come to, {epsilon:.4g}")
    fault = next(iter((*recount.faults, *_undrawn(recount.archive))), None)
    if fault:
        return broken(fault)
    library = bundle.json(run_folder.STATEMENT)["libraries"]["dp-accounting"]
    place = difference(recount.written, _again(recount.archive, library))
    if place:
        return broken(f"ledger.json does not say what its charges come to at {place}")
    if math.isinf(epsilon):
        return holds("no promise is made, and the ledger says so")
    return holds(f"the charges of the ledger come to epsilon {epsilon:.4g} at delta {delta:.2g}, as is stated")


def _undrawn(archive: LedgerFile) -> Iterator[str]:
    """Rows were drawn, so a plan was; without a budget none waits, and under one only those of other runs may."""
    drawn = [part.drawn for part in archive.parts]
    if not (all if archive.budget is None else any)(drawn):
        yield "ledger.json says of what was charged that it was not drawn, and here are the rows"


def _again(archive: LedgerFile, library: str) -> JSONObject:
    """The ledger written again from its charges; the version of the library is that which was used."""
    from synthkit.privacy.accounting import accountant

    right = archive.to_dict()
    for said, part in zip(right["parts"], archive.parts, strict=True):
        said["accountant"] = accountant.method(part.charges, library)
    return right


def _same(a: float, b: float) -> bool:
    return a == b or math.isclose(a, b, rel_tol=EPSILON_TOLERANCE)
