"""A bundle of linked tables checks without the real ones; what is altered in it is found by the check it concerns."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest
from places import ROOT
from released_hospital import hospital_schema, rewritten, rows
from sealing import broken, sealed

from synthkit.errors import ArtefactError
from synthkit.metrics.result import Evaluation, Failure
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Laplace
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.linked_statement import LinkedStatement
from synthkit.privacy.statement import packages
from synthkit.release import run_folder
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.build_bundle import COMMITMENTS, release
from synthkit.release.bundle.release_register import Register
from synthkit.release.bundle.table_members import linked_draws, public_members
from synthkit.release.bundle.verification import verify
from synthkit.release.bundle.withdrawal_notice import withdraw
from synthkit.release.bundle.zip_archive import unpack
from synthkit.release.gate_run_folder import apply_policy

POLICY = ROOT / "schemas" / "policies" / "internal-research.yaml"


@pytest.fixture(scope="module")
def members(ward):
    return unpack(ward.bundle.read_bytes())


def test_every_check_holds_of_one_draw_and_of_two(ward):
    for bundle in (ward.bundle, ward.two):
        found = verify(bundle, ward.key)
        assert [check for check in found if not check.holds] == []
    assert "rows in 4 tables keeps the schema" in {check.name: check.words for check in found}["rows"]


def test_what_is_in_it_and_what_is_not(ward, members):
    manifest = json.loads(members[manifests.MANIFEST])
    listed = {each["name"]: each for each in manifest["members"]}
    assert set(listed) == set(members) - {manifests.MANIFEST, manifests.SIGNATURE}
    assert {name for name in listed if name.startswith("synthetic/")} == {
        f"synthetic/{name}.parquet" for name in hospital_schema().tables
    }
    assert listed["synthetic/d_tests.parquet"]["covered"] == "public"
    assert listed["synthetic/visits.parquet"]["covered"] == "exact"
    assert listed["synthetic/d_tests.parquet"]["rows"] == 2
    assert not any(name.startswith(("internal", "model", "evaluation")) for name in members)
    whole = b"".join(members.values())
    for file in (ward.run / run_folder.INTERNAL_FOLDER).iterdir():
        assert hashlib.sha256(file.read_bytes()).hexdigest().encode() not in whole, file.name
    report = json.loads(members["report.json"])
    assert report["tier"] == "shareable"
    assert report["sections"][0]["rows"] == [
        {name: len(rows(members, name)) for name in ("patients", "visits", "labs")}
    ]


def test_a_claim_covers_rows_and_no_catalogue():
    assert manifests.covered("synthetic/labs.parquet", private=True) == "charged"
    assert manifests.covered("draws/01/labs.parquet", private=False) == "exact"
    public = public_members(
        ["synthetic/d_tests.parquet", "draws/01/d_tests.parquet", "d_tests.parquet"], hospital_schema()
    )
    assert public == {"synthetic/d_tests.parquet", "draws/01/d_tests.parquet"}
    assert manifests.covered("draws/01/d_tests.parquet", private=True, public=public) == "public"


def test_two_draws_are_checked_each_by_itself(ward):
    members = unpack(ward.two.read_bytes())
    assert set(linked_draws(members, hospital_schema())) == {"synthetic", "draws/01", "draws/02"}
    labs = rows(members, "labs", "draws/02")
    labs.loc[0, "patient"] = "nobody"
    path = sealed(rewritten(members, "draws/02", labs=labs), ward.place / "ours.key", ward.place / "altered.zip")
    assert broken(path, ward.key)["rows"].startswith("draws/02 breaks its schema")


def test_a_commitment_to_the_tables_is_over_names_and_digests(ward):
    manifest = unpack(ward.two.read_bytes())[manifests.MANIFEST]
    kept = json.loads((ward.place / "runs" / "two" / run_folder.INTERNAL_FOLDER / COMMITMENTS).read_text())
    nonce = bytes.fromhex(kept["releases"][-1]["nonces"]["input"])
    each = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (ward.place / "real").iterdir()}
    again = hashlib.sha256(nonce + json.dumps(each, sort_keys=True).encode()).hexdigest()
    assert json.loads(manifest)["commitments"]["input"] == again
    assert not any(digest in manifest.decode() for digest in each.values())


def test_a_run_without_one_of_its_tables_is_not_released(ward, tmp_path):
    copied = shutil.copytree(ward.run, tmp_path / "run")
    (copied / "synthetic" / "labs.parquet").unlink()
    with pytest.raises(ArtefactError, match=r"holds no synthetic/labs.parquet"):
        release(copied, tmp_path / "b.zip", although="a test")


def test_a_run_whose_comparison_could_not_be_made_is_released_with_what_is_known(ward, tmp_path):
    """As under a budget, where what may leave is saved before anything is compared with real rows."""
    copied = shutil.copytree(ward.run, tmp_path / "runs" / "run")
    told = json.loads((copied / "run.json").read_text())
    failed = Evaluation(
        run={**told, "rows": {}, "quick": True},
        scores=(),
        failures=(Failure(metric="evaluation", reason="not enough memory"),),
        panels={},
    )
    (copied / "evaluation.json").write_text(failed.to_json())
    apply_policy(copied, POLICY)
    made = release(copied, tmp_path / "b.zip", key=ward.place / "ours.key", although="a test")
    assert broken(made, ward.key) == {}
    gate = json.loads((copied / "gate.json").read_text())
    line = next(each for each in gate["lines"] if each["clause"] == "fidelity.broken_units_max")
    assert line["verdict"] == "NOT ASSESSED"


def test_a_promise_is_counted_again_and_entered_as_of_one_table(ward, tmp_path):
    """A ledger with a charge beside the run: whatever a budget pays for, it is told and found where it always is."""
    copied, schema = shutil.copytree(ward.run, tmp_path / "runs" / "run"), hospital_schema()
    budget = Budget(epsilon=3.0, delta=1e-5, unit=schema.unit, max_rows_per_unit=50)
    book = Ledger.new(tmp_path / "runs" / "run.ledger.json", budget)
    book.charge([Charge(what="rows of visits by patient", spent=Laplace(sensitivity=1, scale=0.5))])
    book.begin()
    (copied / "ledger.json").write_text(book.to_json())
    said = LinkedStatement.of_linked(book.archive, schema, model="independent", versions=packages()).to_dict()
    (copied / "statement.json").write_text(json.dumps(said))
    apply_policy(copied, POLICY)
    made = release(copied, tmp_path / "b.zip", key=ward.place / "ours.key", although="a test")
    assert broken(made, ward.key) == {}
    content = unpack(made.read_bytes())
    manifest = json.loads(content[manifests.MANIFEST])
    assert manifest["claim"]["epsilon"] == pytest.approx(2.0, rel=0.01)
    covered = {each["name"]: each["covered"] for each in manifest["members"]}
    assert covered["synthetic/visits.parquet"] == covered["schema.yaml"] == "charged"
    assert covered["synthetic/d_tests.parquet"] == "public"
    assert json.loads(content["registry.json"])["deployment"]["privacy_loss"]["privacy_unit"] == "patients"
    (entry,) = Register.read(tmp_path / "runs" / "releases.json").entries
    assert (entry.epsilon, entry.ledger) == (pytest.approx(2.0, rel=0.01), "run.ledger.json")
    told = json.loads(content["statement.json"])
    told["privacy_loss"]["privacy_parameters"]["epsilon"] = 0.1
    lied = sealed({**content, "statement.json": json.dumps(told).encode()}, ward.place / "ours.key", tmp_path / "c.zip")
    assert {"epsilon", "statement", "registry"} <= set(broken(lied, ward.key))


def test_a_release_is_registered_and_can_be_withdrawn(ward, tmp_path):
    kept = Register.read(ward.place / "runs" / "releases.json")
    assert {each.table for each in kept.entries} == {"small hospital"}
    assert [each.state for each in kept.entries] == ["released"] * 2
    assert kept.entries[0].rows != kept.entries[1].rows
    assert kept.entries[0].epsilon is None
    withdraw(ward.bundle, tmp_path / "w.json", key=ward.place / "ours.key", reason="a person has objected")
    found = broken(ward.bundle, ward.key, revocations=tmp_path / "w.json")
    assert list(found) == ["withdrawal"]
    assert broken(ward.two, ward.key, revocations=tmp_path / "w.json") == {}
