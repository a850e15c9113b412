"""Whether the members are those that the manifest lists, and the manifest says what follows from them."""

from __future__ import annotations

import hashlib
import json

from synthkit import folder
from synthkit.bundle import manifest as manifests
from synthkit.bundle.finding import Finding, broken, holds
from synthkit.bundle.opened import Opened
from synthkit.bundle.release import REPORT, TWIN

REQUIRED = (folder.SYNTHETIC, folder.SCHEMA, REPORT, TWIN, folder.STATEMENT, folder.LEDGER)


def check(bundle: Opened) -> Finding:
    """Digest and size of every member; what a claim covers, said again from the members."""
    said, content = bundle.json(manifests.NAME), bundle.content
    if said["format"] != manifests.FORMAT:
        return broken(f"the manifest has another format than {manifests.FORMAT}")
    listed = {each["name"]: each for each in said["members"]}
    lacking = [name for name in (*REQUIRED, *listed) if name not in content]
    if lacking:
        return broken(f"{lacking[0]} is missing")
    if set(content) - set(listed):
        return broken(f"{min(set(content) - set(listed))} is not in the manifest")
    for name, each in listed.items():
        if each["sha256"] != hashlib.sha256(content[name]).hexdigest() or each["bytes"] != len(content[name]):
            return broken(f"{name} is not the file that was listed: its digest differs")
    private = said["claim"]["epsilon"] is not None and bool(bundle.json(folder.STATEMENT).get("end_to_end_dp"))
    again = json.loads(manifests.manifest(content, facts={}, claim=said["claim"], private=private))
    if any(said.get(each) != again[each] for each in ("members", "sentence", "words", "end_to_end_dp")):
        return broken("the manifest does not say what the claim covers")
    return holds(f"{len(listed)} files are those that the manifest lists, by SHA-256")
