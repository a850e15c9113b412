"""From the folder of a run to one file that may leave."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from synthkit.errors import ArtefactError
from synthkit.io.atomic_files import replacing
from synthkit.io.documents import parse_json
from synthkit.io.json_types import JSON, JSONObject
from synthkit.privacy.registry_entry import record
from synthkit.release import run_folder
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.objections import Standing, release_standing
from synthkit.release.bundle.release_register import (
    Entry,
    Register,
    default_register,
    entry_of,
    open_register,
    total_spent,
    write_register,
)
from synthkit.release.bundle.signature import sign
from synthkit.release.bundle.table_members import first_draw, public_members
from synthkit.release.bundle.zip_archive import pack
from synthkit.release.policy.limits import Policy
from synthkit.report.html import LINKED_KIND
from synthkit.report.render_versions import drawn_by
from synthkit.schema.linked.either_schema import load_either
from synthkit.tables.linked_files import table_paths

CONFIG_FACTS = (
    "version",
    "model",
    "settings",
    "columns",
    "date",
    "draws",
    "quick",
    "watermark",
    "calibrated",
)  # of run.json
COMMITMENTS = "commitments.json"
COMMITMENTS_FORMAT = "synthkit-commitments/1"
CONFIG, REGISTRY = "config.json", "registry.json"
PUBLICATION_DATE = "basic.publication_date"  # of the entry
NONCE_BYTES = 32  # bytes


def release(
    source: str | Path,
    out: str | Path,
    *,
    key: str | Path | None = None,
    passphrase: str | None = None,
    recipient: str | None = None,
    table: str | Path | None = None,
    although: str | None = None,
    register: str | Path | None = None,
) -> Path:
    """Pack what may leave of a run folder: rows, schema, shareable report, statement, ledger, gate and a manifest.

    The register holds the release as intended before the bundle is written, and as released afterwards: whatever stops
    it in between, what may have left is counted.

    Args:
        source: the folder.
        out: the zip to write.
        key: the custodian's private key; without it the bundle is unsigned and says so.
        passphrase: that opens the key.
        recipient: for whom it is.
        table: the table that was learned from, to commit to its bytes; of linked tables their folder or DuckDB file.
            Nonces of all bundles stay in the folder of the run.
        although: why it is released though its gate does not say PASS, or though it has none.
        register: the register of releases, begun if it is not there; `releases.json` beside the folder if not given.

    Raises:
        ArtefactError: the folder holds no synthetic rows or no evaluation; or the register is none.
        ConfigError: the key cannot be used; or something stands against the release and no reason is given.
        TableError: the bundle or the register cannot be written.
    """
    source, out = Path(source), Path(out)
    members = _members(source)
    with (
        run_folder.unaltered(source),
        open_register(default_register(source) if register is None else register) as kept,
    ):
        entry = entry_of(source, kept.path, recipient=recipient)
        found = _standing(source, kept, entry)
        content, nonces = _packed(source, members, entry, table, found.override_entry(although))
        signed = content[manifests.MANIFEST]
        if key is not None:
            content[manifests.SIGNATURE] = sign(signed, key, passphrase)
        packed = pack(content)
        entry = replace(entry, manifest=hashlib.sha256(signed).hexdigest(), bundle=hashlib.sha256(packed).hexdigest())
        if nonces:
            _keep(source, {"made": entry.date, "recipient": recipient, "manifest": entry.manifest, "nonces": nonces})
        write_register(kept.with_entry(entry))
        with replacing(out) as temporary:
            temporary.write_bytes(packed)
        write_register(kept.with_entry(replace(entry, state="released")))
    return out


def _standing(source: Path, kept: Register, entry: Entry) -> Standing:
    """What stands against a release: its gate, and limits on all releases of the table that this one would pass."""
    gate = run_folder.plain_data(source / run_folder.GATE) if (source / run_folder.GATE).exists() else None
    found = release_standing(gate, dt.date.fromisoformat(entry.date))
    if not (source / run_folder.POLICY_FILE).exists():
        return found
    asked = Policy.load(source / run_folder.POLICY_FILE).releases
    spent = total_spent((*kept.of(entry.table), entry))
    limits = ((asked.epsilon_max, spent.epsilon, "epsilon"), (asked.number_max, spent.number, "number"))
    return found.with_objections(
        [
            f"with it the {name} of releases of the table is {now:.4g}, and the policy allows {most:g}"
            for most, now, name in limits
            if most is not None and now > most
        ]
    )


def _packed(
    source: Path,
    members: Mapping[str, bytes],
    entry: Entry,
    table: str | Path | None,
    excuse: Mapping[str, JSON] | None,
) -> tuple[dict[str, bytes], dict[str, str]]:
    """The members with their manifest, and the nonces of what it commits to."""
    statement = (
        parse_json(members[run_folder.STATEMENT], run_folder.STATEMENT) if run_folder.STATEMENT in members else {}
    )
    parameters = (statement.get("privacy_loss") or {}).get("privacy_parameters") or {}
    claim = {name: parameters.get(name) for name in ("epsilon", "delta")}
    private = claim["epsilon"] is not None and bool(statement.get("end_to_end_dp"))
    nonces, commitments = _commitments(source, table)
    facts: dict[str, JSON] = {
        "generator": manifests.GENERATOR,
        "made": entry.date,
        "recipient": entry.recipient,
        "commitments": commitments,
        manifests.DRAWN_BY: drawn_by(outside_ids(_report(members))),
        "although": excuse,
    }
    content = dict(members)
    if claim["epsilon"] is not None:
        drafted = record(statement, {PUBLICATION_DATE: facts["made"]})
        content[REGISTRY] = json.dumps(drafted, indent=1, ensure_ascii=False).encode() + b"\n"
    public = public_members(content, load_either(source / run_folder.SCHEMA_FILE))
    content[manifests.MANIFEST] = manifests.manifest(content, facts=facts, claim=claim, private=private, public=public)
    return content, nonces


def _report(members: Mapping[str, bytes]) -> JSONObject:
    return dict(parse_json(members[run_folder.REPORT_JSON_FILE], run_folder.REPORT_JSON_FILE))


def outside_ids(report: JSONObject) -> list[str]:
    """Ids of the sections that other packages may have brought; a report on linked tables has none of those."""
    return [] if report["kind"] == LINKED_KIND else [str(section["id"]) for section in report["sections"]]


def _members(source: Path) -> dict[str, bytes]:
    rows, schema = run_folder.synthetic_files(source), source / run_folder.SCHEMA_FILE
    asked = first_draw(load_either(schema)) if schema.exists() else (run_folder.SYNTHETIC,)
    lacking = [name for name in asked if not (source / name).exists()]
    if lacking:
        msg = f"{source} must be a run folder; however: it holds no {lacking[0]}. Run `synthkit run` first"
        raise ArtefactError(msg)
    report = run_folder.redraw(source, "shareable")
    said = {file.relative_to(source).as_posix(): file.read_bytes() for file in rows}
    kept = (run_folder.SCHEMA_FILE, run_folder.STATEMENT, run_folder.LEDGER, run_folder.GATE, run_folder.POLICY_FILE)
    said |= {name: (source / name).read_bytes() for name in kept if (source / name).exists()}
    document = json.dumps(report.document, indent=1, ensure_ascii=False) + "\n"
    said |= {run_folder.REPORT_FILE: report.html.encode(), run_folder.REPORT_JSON_FILE: document.encode()}
    return said | {CONFIG: _config(source)}


def _config(source: Path) -> bytes:
    """What may be told of the run: no command, no name of the table, no seconds."""
    facts: JSONObject = run_folder.plain_data(source / run_folder.RUN)
    told = {name: facts[name] for name in CONFIG_FACTS if name in facts}
    return json.dumps({**told, "packages": facts.get("packages") or {}}, indent=1).encode() + b"\n"


def _commitments(source: Path, table: str | Path | None) -> tuple[dict[str, str], dict[str, str]]:
    """Nonces, and digests over a nonce and what it commits to, by what that is."""
    roles = source / run_folder.INTERNAL_FOLDER / run_folder.ROLES_FILE
    files = {"coins": roles if roles.exists() else None, "input": None if table is None else Path(table)}
    nonces = {name: secrets.token_bytes(NONCE_BYTES) for name, file in files.items() if file is not None}
    made = {
        name: hashlib.sha256(nonces[name] + _committed(file)).hexdigest()
        for name, file in files.items()
        if file is not None
    }
    return {name: nonce.hex() for name, nonce in nonces.items()}, made


def _committed(path: Path) -> bytes:
    """What is committed to: the bytes of a file; of a folder with a file a table their names and digests, as JSON."""
    if not path.is_dir():
        return path.read_bytes()
    each = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in table_paths(path).values()}
    return json.dumps(each, sort_keys=True).encode()


def _keep(source: Path, entry: JSONObject) -> None:
    """Nonces of one bundle beside those of earlier ones: without its nonce a commitment proves nothing any more."""
    path = source / run_folder.INTERNAL_FOLDER / COMMITMENTS
    earlier = run_folder.plain_data(path)["releases"] if path.exists() else []
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps({"format": COMMITMENTS_FORMAT, "releases": [*earlier, entry]}, indent=1) + "\n", encoding="utf-8"
        )
