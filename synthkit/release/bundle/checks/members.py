"""Whether the members are those that the manifest lists, and the manifest says what follows from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from synthkit.io.json_types import JSONObject
from synthkit.release import run_folder
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.finding import CheckResult, broken, holds
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.bundle.table_members import first_draw, linked_draws, public_members
from synthkit.release.run_folder import REPORT_FILE, REPORT_JSON_FILE
from synthkit.schema.linked.linked_schema import LinkedSchema

REQUIRED_MEMBERS = (  # besides the rows
    run_folder.SCHEMA_FILE,
    REPORT_FILE,
    REPORT_JSON_FILE,
    run_folder.STATEMENT,
    run_folder.LEDGER,
)


def check(bundle: Opened) -> CheckResult:
    """Digest and size of every member; all that the one who releases does not say, said again from the members."""
    said, content = bundle.json(manifests.MANIFEST), bundle.content
    fault = _other_members(said, content) or _other_rows(bundle) or _other_claims(bundle, said)
    if fault:
        return broken(fault)
    word = ", ".join(name for name in manifests.FACT_KEYS if name != "generator")
    listed = f"{len(content)} files are those that the manifest lists, by SHA-256"
    return holds(f"{listed}; not checked, said by the custodian: {word}")


def _other_members(said: JSONObject, content: Mapping[str, bytes]) -> str | None:
    """A member that is not there, is not listed, or is another than the one that was listed."""
    if said["format"] != manifests.FORMAT:
        return f"the manifest has another format than {manifests.FORMAT}"
    listed = {each["name"]: each for each in said["members"]}
    lacking = [name for name in (*REQUIRED_MEMBERS, *listed) if name not in content]
    if lacking:
        return f"{lacking[0]} is missing"
    if set(content) - set(listed):
        return f"{min(set(content) - set(listed))} is not in the manifest"
    for name, each in listed.items():
        if each["sha256"] != hashlib.sha256(content[name]).hexdigest() or each["bytes"] != len(content[name]):
            return f"{name} is not the file that was listed: its digest differs"
    return None


def _other_rows(bundle: Opened) -> str | None:
    """A table of the first draw that is not there; of linked tables one in any draw, or one that is not declared."""
    lacking = [name for name in first_draw(bundle.schema) if name not in bundle.members]
    if lacking:
        return f"{lacking[0]} is missing"
    if isinstance(bundle.schema, LinkedSchema):
        linked_draws(bundle.members, bundle.schema)
    return None


def _other_claims(bundle: Opened, said: JSONObject) -> str | None:
    """Anything the manifest says of its members and of itself that does not follow from them."""
    if said != _right(bundle, said):
        return "the manifest does not say what the claim covers"
    if said["generator"] != f"synthkit {said[manifests.DRAWN_BY]['synthkit']}":
        return "the manifest says two versions of synthkit"
    return None


def _right(bundle: Opened, said: JSONObject) -> JSONObject:
    """The manifest made again: all that the one who releases does not say, from the members."""
    statement = bundle.json(run_folder.STATEMENT)
    parameters = statement["privacy_loss"]["privacy_parameters"]
    claim = {name: parameters[name] for name in ("epsilon", "delta")}
    private = claim["epsilon"] is not None and bool(statement["end_to_end_dp"])
    facts = {name: said[name] for name in manifests.FACT_KEYS}
    public = public_members(bundle.content, bundle.schema)
    made = manifests.manifest(bundle.content, facts=facts, claim=claim, private=private, public=public)
    derived: JSONObject = json.loads(made)
    return derived
