"""A bundle sealed again by somebody who knows how it is checked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from synthkit.io.arrow_files import arrow_extent
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.signature import sign
from synthkit.release.bundle.verification import verify
from synthkit.release.bundle.zip_archive import pack


def resealed(members):
    """Every digest in the manifest mended; all else that it says is left as it is."""
    content = {name: each for name, each in members.items() if name != manifests.SIGNATURE}
    said = json.loads(content.pop(manifests.MANIFEST))
    covered = {each["name"]: each["covered"] for each in said.get("members", ())}
    if "members" in said:
        said["members"] = [
            {
                "name": name,
                "bytes": len(content[name]),
                "sha256": hashlib.sha256(content[name]).hexdigest(),
                **(asdict(arrow_extent(content[name], name)) if name.endswith(".parquet") else {}),
                "covered": covered.get(name, "public"),
            }
            for name in sorted(content)
        ]
    return {**content, manifests.MANIFEST: json.dumps(said, indent=1, ensure_ascii=False).encode() + b"\n"}


def sealed(members, key, out):
    """A bundle of these members, with their digests and a signature by the key."""
    content = resealed(members)
    out.write_bytes(pack({**content, manifests.SIGNATURE: sign(content[manifests.MANIFEST], key)}))
    return out


def broken(path, key=None, **asked):
    """Names of the checks that do not hold, with their words."""
    return {check.name: check.words for check in verify(path, key, **asked) if check.outcome == "broken"}
