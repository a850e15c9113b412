"""A bundle checks without the real rows; whatever is altered in it is found, each with its own message."""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sealing import broken, sealed

from synthkit.errors import ArtefactError, ConfigError
from synthkit.release import run_folder
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.build_bundle import COMMITMENTS, release
from synthkit.release.bundle.checks import members as listing
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.bundle.signature import keygen, public_key, sign, signer
from synthkit.release.bundle.verification import verify
from synthkit.release.bundle.zip_archive import pack, unpack

NAMES = (
    "archive",
    "members",
    "signature",
    "epsilon",
    "statement",
    "registry",
    "run",
    "rows",
    "marks",
    "report",
    "contents",
    "decision",
    "although",
    "validity",
    "withdrawal",
)


def kept_of(run, members):
    """Nonces that the folder keeps of a bundle."""
    kept = json.loads((run / run_folder.INTERNAL_FOLDER / COMMITMENTS).read_text(encoding="utf-8"))
    digest = hashlib.sha256(members[manifests.MANIFEST]).hexdigest()
    (found,) = [each["nonces"] for each in kept["releases"] if each["manifest"] == digest]
    return found


def test_all_checks_hold(home, bundle):
    found = verify(bundle, home / "ours.pub")
    assert tuple(check.name for check in found) == NAMES
    assert all(check.holds for check in found), found
    assert "signed by the key you gave" in found[2].words
    assert broken(bundle) == {}


def test_what_is_in_it_and_what_is_not(home, members):
    manifest = json.loads(members[manifests.MANIFEST])
    assert manifest["format"] == "synthkit-bundle/1"
    assert manifest["recipient"] == "University B"
    assert {each["name"] for each in manifest["members"]} == set(members) - {manifests.MANIFEST, manifests.SIGNATURE}
    covered = {each["name"]: each["covered"] for each in manifest["members"]}
    assert covered["report.json"] == covered["synthetic.parquet"] == "exact"
    assert covered["policy.yaml"] == "public"
    assert "No privacy claim" in manifest["sentence"]
    assert not any(run_folder.INTERNAL_FOLDER in name or name.startswith("model") for name in members)
    assert json.loads(members["report.json"])["tier"] == "shareable"
    whole = b"".join(members.values())
    for file in (home / "run" / run_folder.INTERNAL_FOLDER).iterdir():
        assert hashlib.sha256(file.read_bytes()).hexdigest().encode() not in whole, file.name
    nonces = kept_of(home / "run", members)
    assert nonces["coins"].encode() not in whole
    roles = (home / "run" / run_folder.INTERNAL_FOLDER / run_folder.ROLES_FILE).read_bytes()
    again = hashlib.sha256(bytes.fromhex(nonces["coins"]) + roles).hexdigest()
    assert manifest["commitments"]["coins"] == again


def test_a_commitment_to_the_table(home, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("a\n1\n", encoding="utf-8")
    copied = shutil.copytree(home / "run", tmp_path / "run")
    path = release(copied, tmp_path / "b.zip", table=table, although="a test")
    said = json.loads(unpack(path.read_bytes())[manifests.MANIFEST])["commitments"]
    assert set(said) == {"coins", "input"}
    assert broken(path) == {"signature": "nobody signed it: who made it is not known"}


def test_nonces_of_every_bundle_are_kept(home, tmp_path):
    run = shutil.copytree(home / "run", tmp_path / "run")
    made = [unpack(release(run, tmp_path / f"{k}.zip", although="a test").read_bytes()) for k in range(2)]
    nonces = [kept_of(run, each)["coins"] for each in made]
    kept = (run / run_folder.INTERNAL_FOLDER / COMMITMENTS).read_bytes()
    with pytest.raises(ConfigError, match="must be one that `synthkit keygen` made"):
        release(run, tmp_path / "never.zip", key=run / run_folder.SCHEMA_FILE, although="a test")
    assert (run / run_folder.INTERNAL_FOLDER / COMMITMENTS).read_bytes() == kept
    assert nonces[0] != nonces[1]
    roles = (run / run_folder.INTERNAL_FOLDER / run_folder.ROLES_FILE).read_bytes()
    for each, nonce in zip(made, nonces, strict=True):
        told = json.loads(each[manifests.MANIFEST])["commitments"]["coins"]
        assert told == hashlib.sha256(bytes.fromhex(nonce) + roles).hexdigest()


def cell(content):
    frame = pd.read_parquet(io.BytesIO(content["synthetic.parquet"]))
    frame.loc[0, "meanbp"] = 9999.0
    kept = pq.read_schema(io.BytesIO(content["synthetic.parquet"])).metadata
    import pyarrow as pa

    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(kept), out)
    return {"synthetic.parquet": out.getvalue()}


def unmarked(content):
    out = io.BytesIO()
    pd.read_parquet(io.BytesIO(content["synthetic.parquet"])).to_parquet(out)
    return {"synthetic.parquet": out.getvalue()}


def swap(name, old, new):
    return lambda content: {name: content[name].replace(old, new, 1)}


def edited(name, change):
    def alter(content):
        data = json.loads(content[name])
        change(data)
        return {name: json.dumps(data, indent=1, ensure_ascii=False).encode()}

    return alter


def set_at(*path, value):
    def change(data):
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


def first_number(content):
    page = content["report.html"].decode()
    at = page.index("data-number=")
    end = page.index("<", at)
    start = page.rindex(">", at, end) + 1
    return {"report.html": (page[:start] + "0.999" + page[end:]).encode()}


def in_both(content, places, said):
    """Page and report altered alike, so that they agree with each other."""
    report, page = json.loads(content["report.json"]), content["report.html"].decode()
    *outer, last = places
    row = report["sections"][0]
    for key in outer:
        row = row[key]
    pointer = "/".join(["/sections/0", *map(str, places)])
    mark = f'data-number="{pointer}">'
    assert mark + html.escape(row[last]) in page
    page = page.replace(mark + html.escape(row[last]), mark + said)
    row[last] = said
    return {"report.html": page.encode(), "report.json": json.dumps(report, indent=1, ensure_ascii=False).encode()}


def verdict_in_words(content):
    return in_both(content, ["words"], "PASS: every line of the policy is met")


def limit_in_both(content):
    return in_both(content, ["lines", 0, "limit"], "0.99")


ALTERED = {  # what is altered: the check that finds it once all digests are mended, and its words
    "data cell": (cell, "rows", "breaks its schema"),
    "mark": (unmarked, "marks", "does not say that it is synthetic"),
    "ledger": (
        edited("ledger.json", set_at("epsilon", value=0.5)),
        "epsilon",
        "the ledger does not say the epsilon",
    ),
    "statement": (
        edited("statement.json", set_at("privacy_loss", "privacy_parameters", "epsilon", value=1.0)),
        "epsilon",
        "the statement does not say the epsilon",
    ),
    "number in JSON": (
        edited("report.json", set_at("sections", 0, "lines", 0, "bound", value="0.001")),
        "report",
        "report.html shows something else than report.json",
    ),
    "number in HTML": (first_number, "report", "report.html shows something else than report.json"),
    "verdict in the report": (
        edited("report.json", set_at("sections", 0, "verdict", value="PASS")),
        "decision",
        "the report shows other verdicts or limits than the gate",
    ),
    "words of the verdict": (verdict_in_words, "decision", "the report puts the verdict in other words"),
    "limit in the report": (limit_in_both, "decision", "the report shows other verdicts or limits than the gate"),
    "policy": (
        swap("policy.yaml", b"excess_max_upper: 0.10", b"excess_max_upper: 0.90"),
        "decision",
        "attribute.excess_max_upper: the limit is not the policy's",
    ),
    "gate": (
        edited("gate.json", set_at("verdict", value="PASS")),
        "decision",
        "the verdict on the whole does not follow",
    ),
    "schema": (swap("schema.yaml", b"name: support2", b"name: [support2"), "rows", ""),
    "edition": (edited("report.json", set_at("tier", value="internal")), "report", "is not the shareable edition"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_member_is_found_by_its_digest(what, members):
    changed = ALTERED[what][0](members)
    found = listing.check(Opened({**members, **changed}, None, dt.date.max))
    assert found.outcome == "broken"
    assert f"{next(iter(changed))} is not the file that was listed" in found.words


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_member_is_found_though_all_digests_were_mended(what, members, tmp_path, home):
    """By its meaning, whoever signed; and by the key, if the custodian's is known, of which no other check asks."""
    alter, check, words = ALTERED[what]
    path = sealed({**members, **alter(members)}, home / "theirs.key", tmp_path / "b.zip")
    found = broken(path, home / "ours.pub")
    assert words in found[check]
    assert "signed by another key" in found["signature"]


def test_a_charge_that_was_taken_out_is_found(members, tmp_path, home):
    data = json.loads(members["ledger.json"])
    text = json.dumps(data).replace('"non-private"', '"no-such-mechanism"', 1)
    path = sealed({**members, "ledger.json": text.encode()}, home / "theirs.key", tmp_path / "b.zip")
    assert "epsilon" in broken(path)


def test_other_rows_than_the_report_is_about_are_found(members, tmp_path, home):
    import pyarrow as pa

    table = pq.read_table(io.BytesIO(members["synthetic.parquet"]))
    out = io.BytesIO()
    pq.write_table(pa.Table.from_batches(table.slice(1).to_batches(), table.schema), out)
    path = sealed({**members, "synthetic.parquet": out.getvalue()}, home / "theirs.key", tmp_path / "b.zip")
    assert broken(path) == {"report": "the report is about another synthetic.parquet"}


def test_a_member_too_many_or_too_few(members, tmp_path, home):
    path = tmp_path / "b.zip"
    path.write_bytes(pack({**members, "extra.txt": b"x"}))
    assert broken(path)["members"] == "extra.txt is not in the manifest"
    path.write_bytes(pack({k: v for k, v in members.items() if k != "ledger.json"}))
    assert broken(path)["members"] == "ledger.json is missing"
    assert "epsilon" in broken(path)
    without = {k: v for k, v in members.items() if k not in (run_folder.GATE, run_folder.POLICY_FILE)}
    assert broken(sealed(without, home / "theirs.key", path))["decision"] == "the report shows a verdict without a gate"


def test_signatures_are_told_apart(members, tmp_path, home):
    manifest, signature = members[manifests.MANIFEST], members[manifests.SIGNATURE]
    ours, theirs = (public_key(home / f"{who}.pub") for who in ("ours", "theirs"))
    assert signer(manifest, signature)[0] == "unknown"
    assert signer(manifest, signature, ours)[0] == "known"
    assert signer(manifest, signature, theirs)[0] == "another"
    assert signer(manifest, None)[0] == "unsigned"
    assert signer(manifest + b" ", signature, ours)[0] == "forged"
    said = json.loads(signature)
    assert signer(manifest, json.dumps({**said, "fingerprint": "0" * 32}).encode(), ours)[0] == "forged"
    for damaged in (b"{}", b"[", json.dumps({**said, "public_key": "00"}).encode()):
        with pytest.raises(ArtefactError, match="must hold a public key and a signature"):
            signer(manifest, damaged)
    path = tmp_path / "b.zip"
    path.write_bytes(pack({**members, manifests.SIGNATURE: sign(manifest + b" ", home / "ours.key")}))
    assert broken(path, home / "ours.pub") == {"signature": "the signature is not one under this manifest"}


def test_one_flipped_byte_anywhere_is_found(bundle, tmp_path, home):
    """300 places at random, and the first and last bytes of the archive."""
    content, rng = bundle.read_bytes(), np.random.default_rng(0)
    places = [0, 7, len(content) - 1, *rng.integers(0, len(content), 300)]
    for place in places:
        altered = bytearray(content)
        altered[place] ^= 1 << int(rng.integers(8))
        with pytest.raises(ArtefactError, match="a bundle must"):
            unpack(bytes(altered))
    path = tmp_path / "b.zip"
    path.write_bytes(bytes(altered))
    (check,) = verify(path)
    assert not check.holds


def test_a_zip_that_is_packed_otherwise_is_refused(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in members.items():
            archive.writestr(name, each)
    with pytest.raises(ArtefactError, match="bytes around them differ"):
        unpack(out.getvalue())
    assert pack(unpack(pack(members))) == pack(members)


def test_it_is_checked_where_nothing_else_is(command, bundle, tmp_path, home):
    """In another process, from another folder, by the command."""
    shutil.copy(bundle, tmp_path / "bundle.zip")
    shutil.copy(home / "ours.pub", tmp_path / "ours.pub")
    code = "import sys; from synthkit.cli.app import main; sys.argv = sys.argv[1:]; main()"
    words = [sys.executable, "-c", code, "synthkit", "verify", "bundle.zip", "--public-key", "ours.pub"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("✓") == len(NAMES)
    (tmp_path / "bundle.zip").write_bytes(bundle.read_bytes()[:-1])
    said = command("verify", tmp_path / "bundle.zip", "--public-key", tmp_path / "ours.pub")
    assert said.code == 1
    assert "✗ archive" in said.out


def test_a_folder_without_rows_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="it holds no synthetic"):
        release(tmp_path, tmp_path / "b.zip")


def test_keys_are_kept_and_refused(tmp_path, home):
    private, _ = keygen(tmp_path / "locked", "open sesame")
    assert private.stat().st_mode & 0o777 == 0o600
    assert json.loads(sign(b"x", private, "open sesame"))["algorithm"] == "Ed25519"
    for key, said in ((private, "wrong"), (private, None), (tmp_path / "none.key", None), (home / "ours.pub", None)):
        with pytest.raises(ConfigError, match="it cannot be opened"):
            sign(b"x", key, said)
    with pytest.raises(ConfigError, match="must not replace another"):
        keygen(tmp_path / "locked")
    with pytest.raises(ArtefactError, match=r"nowhere/ours\.key must be writable; however: No such file"):
        keygen(tmp_path / "nowhere" / "ours")
    with pytest.raises(ConfigError, match="must be a public key; however: it cannot be read"):
        public_key(private)
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    other = generate_private_key(SECP256R1())
    (tmp_path / "ec.key").write_bytes(other.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
    (tmp_path / "ec.pub").write_bytes(
        other.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(ConfigError, match="must be an Ed25519 key"):
        sign(b"x", tmp_path / "ec.key")
    with pytest.raises(ConfigError, match="must be an Ed25519 key"):
        public_key(tmp_path / "ec.pub")


def test_under_a_budget_members_are_charged_and_the_epsilon_is_recomputed(private, tmp_path, home):
    """A table of 200 people and a budget of 2; the draft for the registry is in it."""
    checks = {check.name: check for check in verify(private, home / "ours.pub")}
    assert all(check.holds for check in checks.values()), checks
    assert "come to epsilon" in checks["epsilon"].words
    content = unpack(private.read_bytes())
    manifest = json.loads(content[manifests.MANIFEST])
    covered = {each["name"]: each["covered"] for each in manifest["members"]}
    assert covered["synthetic.parquet"] == covered["schema.yaml"] == "charged"
    assert covered["report.json"] == "exact"
    assert "no epsilon covers them" in manifest["sentence"]
    assert 0 < manifest["claim"]["epsilon"] <= 2
    entry = json.loads(content["registry.json"])["deployment"]
    assert entry["privacy_loss"]["privacy_parameters"]["epsilon"] == manifest["claim"]["epsilon"]
    data = json.loads(content["ledger.json"])
    kept = [charge for charge in data["charges"] if charge is not data["charges"][0]]
    altered = {**content, "ledger.json": json.dumps({**data, "charges": kept}).encode()}
    assert "epsilon" in broken(sealed(altered, home / "ours.key", tmp_path / "b.zip"))
