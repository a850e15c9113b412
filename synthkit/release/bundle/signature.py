"""The custodian's signature under a manifest (Ed25519), and the keys for it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

from synthkit.errors import ArtefactError, ConfigError
from synthkit.io.atomic_files import replacing, write_secret
from synthkit.io.documents import content, parse_json
from synthkit.io.json_types import JSONObject

ALGORITHM = "Ed25519"
KEY_BYTES = 2**16  # of a key in PEM: two orders of magnitude more than it takes
Signer = Literal["unsigned", "forged", "unknown", "known", "another"]


def keygen(stem: str | Path, passphrase: str | None = None) -> tuple[Path, Path]:
    """Make a pair of keys, `STEM.key` for the custodian alone and `STEM.pub` for everybody.

    Raises:
        ConfigError: one of the files is there already: a key is never replaced.
        ArtefactError: they cannot be written.
    """
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private, public = Path(f"{stem}.key"), Path(f"{stem}.pub")
    for path in (private, public):
        if path.exists():
            msg = f"a key must not replace another; however: {path} is there. Choose another name"
            raise ConfigError(msg)
    key = Ed25519PrivateKey.generate()
    locked = s.BestAvailableEncryption(passphrase.encode()) if passphrase else s.NoEncryption()
    kept = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, locked)
    write_secret(private, kept)
    with replacing(public) as temporary:
        temporary.write_bytes(key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo))
    return private, public


def sign(manifest: bytes, key: str | Path, passphrase: str | None = None) -> bytes:
    """The signature under a manifest as JSON, with the public key and its fingerprint.

    Raises:
        ConfigError: the file holds no Ed25519 key, or the passphrase does not open it.
    """
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        loaded = s.load_pem_private_key(content(key, KEY_BYTES), passphrase.encode() if passphrase else None)
    except (OSError, ValueError, TypeError) as error:
        msg = f"the key {Path(key).name} must be one that `synthkit keygen` made; however: it cannot be opened. "
        raise ConfigError(msg + "Check the file and its passphrase") from error
    if not isinstance(loaded, Ed25519PrivateKey):
        msg = f"the key {Path(key).name} must be an Ed25519 key; however: it is another kind. Run `synthkit keygen`"
        raise ConfigError(msg)
    public = loaded.public_key().public_bytes(s.Encoding.Raw, s.PublicFormat.Raw)
    said = {
        "algorithm": ALGORITHM,
        "public_key": public.hex(),
        "fingerprint": fingerprint(public),
        "signature": loaded.sign(manifest).hex(),
    }
    return json.dumps(said, indent=1).encode() + b"\n"


def fingerprint(public: bytes) -> str:
    """First half of the SHA-256 of a public key, for people to compare."""
    return hashlib.sha256(public).hexdigest()[:32]


def public_key(path: str | Path) -> bytes:
    """The 32 bytes of a public key.

    Raises:
        ConfigError: the file holds none.
    """
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        loaded = s.load_pem_public_key(content(path, KEY_BYTES))
    except (OSError, ValueError) as error:
        msg = f"{Path(path).name} must be a public key; however: it cannot be read. Ask the custodian for STEM.pub"
        raise ConfigError(msg) from error
    if not isinstance(loaded, Ed25519PublicKey):
        msg = f"{Path(path).name} must be an Ed25519 key; however: it is another kind. Ask the custodian for STEM.pub"
        raise ConfigError(msg)
    return loaded.public_bytes(s.Encoding.Raw, s.PublicFormat.Raw)


def signer(manifest: bytes, signature: bytes | None, known: bytes | None = None) -> tuple[Signer, str]:
    """Who signed a manifest, and the fingerprint of the key.

    Returns:
        `unsigned`; `forged` if the signature is not one under this manifest; `known` or `another` against the key that
        is known; `unknown` if none is.

    Raises:
        ArtefactError: the signature is no JSON of this form.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if signature is None:
        return "unsigned", ""
    try:
        said: JSONObject = parse_json(signature, "signature.json")
        public, mark = bytes.fromhex(said["public_key"]), bytes.fromhex(said["signature"])
        key = Ed25519PublicKey.from_public_bytes(public)
    except (ValueError, KeyError, TypeError) as error:
        msg = "signature.json must hold a public key and a signature; however: it does not. It was altered"
        raise ArtefactError(msg) from error
    try:
        key.verify(mark, manifest)
    except InvalidSignature:
        return "forged", fingerprint(public)
    if said.get("algorithm") != ALGORITHM or said.get("fingerprint") != fingerprint(public):
        return "forged", fingerprint(public)
    if known is None:
        return "unknown", fingerprint(public)
    return ("known" if public == known else "another"), fingerprint(public)
