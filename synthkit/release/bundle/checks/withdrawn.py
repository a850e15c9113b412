"""Whether the release was withdrawn."""

from __future__ import annotations

from synthkit.io.documents import parse_json
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.objections import printable
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.bundle.signature import signer
from synthkit.release.bundle.withdrawal_notice import valid_notices


def check(bundle: Opened) -> CheckResult:
    """A notice counts if the key that is known signed it; without one, the key that signed the bundle."""
    if bundle.notices is None:
        return holds("no notices of withdrawal were given (--revocations)")
    key = bundle.known or _own(bundle)
    if key is None:
        return holds("nobody signed the bundle, so nobody can withdraw it; give --public-key to heed the custodian's")
    manifest = bundle.members[manifests.MANIFEST]
    ours, others = valid_notices(bundle.notices, manifest, key)
    if ours:
        said = ours[0].said
        return broken(
            f"withdrawn on {printable(str(said['withdrawn']))}. The reason given: {printable(str(said['reason']))}"
        )
    strange = f"; {others} about it do not count, for another key or nobody signed them" if others else ""
    return holds(f"none of {len(bundle.notices)} notices withdraws it{strange}")


def _own(bundle: Opened) -> bytes | None:
    """The key that signed the bundle, None if nobody did."""
    manifest, signature = bundle.members[manifests.MANIFEST], bundle.members.get(manifests.SIGNATURE)
    if signer(manifest, signature)[0] != "unknown":
        return None
    return bytes.fromhex(parse_json(signature or b"", manifests.SIGNATURE)["public_key"])
