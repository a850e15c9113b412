"""Who signed the manifest."""

from __future__ import annotations

from collections.abc import Mapping

from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.finding import CheckResult, Outcome
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.bundle.signature import Signer, signer

FOUND: Mapping[Signer, tuple[Outcome, str]] = {
    "unsigned": ("broken", "nobody signed it: who made it is not known"),
    "forged": ("broken", "the signature is not one under this manifest"),
    "unknown": (
        "unvouched",
        "signed by the key {}, whosever that is; get the custodian's key by another way and give --public-key",
    ),
    "known": ("holds", "signed by the key you gave, {}"),
    "another": ("broken", "signed by another key, {}, than the one you gave"),
}


def check(bundle: Opened) -> CheckResult:
    """Whether somebody signed, and whether that was the one who is expected."""
    who, print_ = signer(bundle.members[manifests.MANIFEST], bundle.members.get(manifests.SIGNATURE), bundle.known)
    outcome, words = FOUND[who]
    return CheckResult(outcome, words.format(print_))
