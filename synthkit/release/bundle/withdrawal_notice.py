"""Notices that a release is withdrawn, signed by whoever signed the release."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthkit.errors import ArtefactError, ConfigError
from synthkit.io import documents
from synthkit.io.atomic_files import replacing
from synthkit.io.documents import MALFORMED_DATA_ERRORS, parse_json, read_json
from synthkit.io.folder_lock import held
from synthkit.io.json_types import JSONObject
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.objections import one_line
from synthkit.release.bundle.signature import Signer, sign, signer
from synthkit.release.bundle.zip_archive import MAX_BUNDLE_BYTES, unpack

FORMAT = "synthkit-withdrawal/1"
NOTICE_KEYS = ("format", "manifest", "bundle", "recipient", "made", "withdrawn", "reason")


@dataclass(frozen=True)
class Notice:
    """One notice.

    Args:
        said: digests of manifest and bundle, recipient, days of release and withdrawal, and the reason.
        signature: over the canonical JSON of that, with the public key.
    """

    said: JSONObject
    signature: JSONObject

    @property
    def signed(self) -> bytes:
        """What the signature is over: JSON with sorted keys and without spaces, in ASCII."""
        return json.dumps(dict(self.said), sort_keys=True, separators=(",", ":")).encode()

    def signer(self, known: bytes) -> Signer:
        """Who signed it, held against a key."""
        return signer(self.signed, json.dumps(dict(self.signature)).encode(), known)[0]

    def about(self, manifest: bytes) -> bool:
        """Whether it is about the bundle with this manifest."""
        return bool(self.said["manifest"] == hashlib.sha256(manifest).hexdigest())


def withdraw(
    bundle: str | Path, out: str | Path, *, key: str | Path, reason: str, passphrase: str | None = None
) -> Notice:
    """Sign a notice that a bundle is withdrawn, and add it to a file of notices, begun if it is not there.

    Args:
        bundle: the zip that was released.
        out: the file of notices.
        key: the private key that signed the bundle.
        reason: why, in one line; it is published.
        passphrase: that opens the key.

    Raises:
        ArtefactError: the bundle cannot be read; or `out` holds something else than notices.
        ConfigError: the key cannot be used, or is not the one that signed the bundle; or the reason is no line of text.
        TableError: the file cannot be written.
    """
    content = _content(bundle)
    members = unpack(content)
    manifest = members.get(manifests.MANIFEST, b"")
    facts = _facts(manifest)
    said = {
        "format": FORMAT,
        "manifest": hashlib.sha256(manifest).hexdigest(),
        "bundle": hashlib.sha256(content).hexdigest(),
        "recipient": facts.get("recipient"),
        "made": facts.get("made"),
        "withdrawn": dt.datetime.now(dt.UTC).date().isoformat(),
        "reason": one_line(reason),
    }
    unsigned = Notice(said, {})
    notice = Notice(said, json.loads(sign(unsigned.signed, key, passphrase)))
    signed = bytes.fromhex(notice.signature["public_key"])
    if signer(manifest, members.get(manifests.SIGNATURE), signed)[0] not in ("known", "unsigned"):
        msg = (
            "a notice must be signed by the key that signed the bundle; however: it is another one. Nobody would heed "
            "it; give the key of the bundle"
        )
        raise ConfigError(msg)
    _add(Path(out), notice)
    return notice


def _content(bundle: str | Path) -> bytes:
    try:
        return documents.content(bundle, MAX_BUNDLE_BYTES)
    except OSError as error:
        msg = f"{bundle} must be a bundle that was released; however: {error.strerror}. Name its zip"
        raise ArtefactError(msg) from error


def _facts(manifest: bytes) -> JSONObject:
    try:
        return dict(parse_json(manifest, manifests.MANIFEST))
    except MALFORMED_DATA_ERRORS as error:
        msg = "a bundle must hold a manifest; however: it does not. Name a zip that `synthkit release` wrote"
        raise ArtefactError(msg) from error


def notices(path: str | Path) -> list[Notice]:
    """The notices in a file.

    Raises:
        ArtefactError: the file cannot be read, or holds something else.
    """
    try:
        return _parsed(read_json(path))
    except (OSError, *MALFORMED_DATA_ERRORS) as error:
        msg = f"{path} must be a file of notices in the format {FORMAT}; however: it is not. Get it from the custodian"
        raise ArtefactError(msg) from error


def _parsed(data: JSONObject) -> list[Notice]:
    found = [Notice(dict(each["said"]), dict(each["signature"])) for each in data["notices"]]
    if data["format"] != FORMAT or any(set(n.said) != set(NOTICE_KEYS) or n.said["format"] != FORMAT for n in found):
        raise ValueError(data["format"])
    return found


def valid_notices(found: Sequence[Notice], manifest: bytes, known: bytes) -> tuple[list[Notice], int]:
    """Notices about a bundle that a key signed, and the number of those about it that it did not sign."""
    about = [each for each in found if each.about(manifest)]
    ours = [each for each in about if _trusted(each, known)]
    return ours, len(about) - len(ours)


def _trusted(notice: Notice, known: bytes) -> bool:
    try:
        return notice.signer(known) == "known"
    except ArtefactError:
        return False


def _add(path: Path, notice: Notice) -> None:
    with held(path, what="a file of notices"):
        kept = [*(notices(path) if path.exists() else []), notice]
        data = {"format": FORMAT, "notices": [{"said": e.said, "signature": e.signature} for e in kept]}
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
