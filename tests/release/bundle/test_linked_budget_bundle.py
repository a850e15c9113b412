"""Linked tables from a run under a budget to a bundle that others check: keys, rules, promise, and a watermark."""

from __future__ import annotations

import json
import re
import shutil
from types import SimpleNamespace

import pandas as pd
import pytest
from released_hospital import hospital_frames, hospital_schema, mended, rewritten, rows
from sealing import broken, sealed

from synthkit.privacy.accounting.ledger_file import recompute
from synthkit.release.bundle.build_bundle import release
from synthkit.release.bundle.release_register import Register
from synthkit.release.bundle.verification import outcome, verify
from synthkit.release.bundle.zip_archive import unpack
from synthkit.release.gate_run_folder import apply_policy
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_files import read_linked
from synthkit.watermark import UnitWatermarkKey, detect_units

UNITS = 60
LENIENT = """
format: synthkit-policy/1
policy: {id: ours-v1, owner: A. Custodian, justification: a test}
membership: null
copying: {people_max: null}
dp: {required: true, epsilon_max: 8}
evidence: {min_control_units: 100000, whole: false}
"""  # more controls than there are, so that the gate never says PASS
BOUNDS = {"visits": 3, "labs": 4}


def budget_schema() -> LinkedSchema:
    """The released hospital with public bounds, a sum over visits, and one kind of visit that happens once."""
    data = json.loads(hospital_schema().model_dump_json(by_alias=True, exclude_none=True))
    tables = data["tables"]
    data["declared_by"] = "A. Lee: made-up people"
    tables["patients"]["columns"]["paid"] = {"kind": "numeric", "min": 0, "decimals": 0, "max": 1000}
    tables["visits"]["columns"] |= {
        "bill": {"kind": "numeric", "min": 0, "max": 200, "decimals": 0},
        "kind": {"kind": "categorical", "levels": ["birth", "planned", "urgent"]},
        "cost": {"kind": "numeric", "min": 0, "max": 900, "decimals": 1, "nullable": True},
    }
    for name, most in BOUNDS.items():
        tables[name]["links"][0]["max_rows_per_owner"] = most
    for name, column in (("visits", "admitted"), ("visits", "left"), ("labs", "taken")):
        tables[name]["columns"][column] |= {"min": "2010-01-01", "max": "2029-12-31"}
    tables["labs"]["columns"]["value"]["max"] = 100
    data["rules"] += [
        {"rule": "total", "parent": "patients.paid", "child": "visits.bill"},
        {"rule": "once", "table": "visits", "columns": ["kind"], "when": {"kind": {"in": ["birth"]}}},
    ]
    return LinkedSchema.parse(data)


def budget_frames() -> dict[str, pd.DataFrame]:
    """One patient has thousands of rows beyond every bound: numbers of rows that no noise hits by chance."""
    frames = hospital_frames(units=170)
    frames = {**frames, **{name: extended(frames[name], more) for name, more in (("visits", 3301), ("labs", 9207))}}
    visits = frames["visits"]
    bills = [k if k < 200 else 0 for k in range(len(visits))]
    visits = visits.assign(bill=bills, kind=["birth" if k == 1 else "urgent" for k in visits["place"]])
    paid = frames["patients"]["patient"].map(visits.groupby("patient")["bill"].sum()).fillna(0).astype(int)
    return {**frames, "visits": visits, "patients": frames["patients"].assign(paid=paid)}


def extended(frame: pd.DataFrame, more: int) -> pd.DataFrame:
    """The rows, and the last one again on each of the days after it."""
    days = pd.to_timedelta(range(1, more + 1), unit="D")
    again = frame.iloc[[-1] * more].reset_index(drop=True)
    again = again.assign(**{c: again[c] + days for c in ("admitted", "left", "taken") if c in again})
    if "visit" in again:
        again = again.assign(visit=[f"W{k}" for k in range(more)], place=again["place"] + range(1, more + 1))
    return pd.concat([frame, again], ignore_index=True)


@pytest.fixture(scope="module")
def paid(command, tmp_path_factory):
    """Everything by command, under a budget and with a watermark."""
    place = tmp_path_factory.mktemp("paid")
    made = SimpleNamespace(place=place, run=place / "runs" / "ward", mark=place / "ward.key.json")
    schema, real = place / "ward.yaml", place / "ward"
    budget_schema().save(schema)
    real.mkdir()
    (place / "runs").mkdir()
    for name, frame in budget_frames().items():
        frame.to_csv(real / f"{name}.csv", index=False)
    assert command("watermark-key", "--schema", schema, "--out", made.mark, "--candidates", 8).code == 0
    words = ("--epsilon", 6, "--delta", 1e-5, "--units", UNITS, "--watermark", made.mark, "--draws", 1, "--quick")
    words += ("--device", "cpu", "--seed", 2, "--set=components=12", "--set=rounds=1", "--set=first=3", "--set=last=3")
    said = command("run", real, "--schema", schema, "--out", made.run, *words)
    assert said.code == 0, said.err
    assert command("keygen", "--out", place / "ours").code == 0
    assert command("register", place / "runs" / "releases.json", "--begin").code == 0
    (place / "ours.yaml").write_text(LENIENT)
    made.gated = command("gate", made.run, "--policy", place / "ours.yaml")
    made.bundle = place / "bundle.zip"
    words = ("--out", made.bundle, "--key", place / "ours.key", "--recipient", "B", "--input", real)
    made.released = command("release", made.run, *words, "--although", "too few controls")
    assert made.released.code == 0, made.released.err
    made.key, made.members = place / "ours.pub", unpack(made.bundle.read_bytes())
    return made


def test_gate_and_verify_hold_by_command(paid, command):
    assert "✓ PASS Units with a broken key, link, order or rule" in paid.gated.out
    gate = {line["clause"]: line["verdict"] for line in json.loads((paid.run / "gate.json").read_text())["lines"]}
    assert gate["dp.required"] == gate["dp.epsilon_max"] == "PASS"
    held = command("verify", paid.bundle, "--public-key", paid.key)
    assert held.code == 0, held.out
    assert held.out.strip().endswith("HOLDS: every check holds, and the signer is the one whose key you gave.")


def test_gate_release_and_verify_hold_in_python(paid, tmp_path):
    copied = shutil.copytree(paid.run, tmp_path / "runs" / "ward")
    shutil.copy(paid.place / "runs" / "ward.ledger.json", tmp_path / "runs" / "ward.ledger.json")
    apply_policy(copied, paid.place / "ours.yaml")
    made = release(copied, tmp_path / "b.zip", key=paid.place / "ours.key", although="a test")
    found = verify(made, paid.key)
    assert [check for check in found if not check.holds] == []
    assert outcome(found) == "holds"
    (entry,) = Register.read(tmp_path / "runs" / "releases.json").entries
    assert entry.epsilon == pytest.approx(recompute(copied / "ledger.json")[0])
    assert 5.9 < entry.epsilon <= 6


def test_what_the_bundle_says_of_its_members_and_bounds(paid):
    manifest = json.loads(paid.members["manifest.json"])
    covered = {each["name"]: each["covered"] for each in manifest["members"]}
    assert covered["synthetic/labs.parquet"] == covered["schema.yaml"] == "charged"
    assert covered["synthetic/d_tests.parquet"] == "public"
    assert [name for name in covered if covered[name] == "exact"] == ["gate.json", "report.html", "report.json"]
    real = {name: len(frame) for name, frame in budget_frames().items() if name not in ("patients", "d_tests")}
    for name in ("gate.json", "report.json", "config.json", "statement.json"):
        for rows_of, many in real.items():
            # not digits of a share, an hour, a digest
            whole = rf"(?<![\w.])(?:{many}|{many:,})(?:\.0+)?(?!\w|\.\d| %|-)"
            assert not re.search(whole, paid.members[name].decode()), f"{name}: rows of {rows_of}"
    assert not any("internal" in name or "evaluation" in name or "model" in name for name in paid.members)
    said = json.loads(paid.members["statement.json"])["contribution_bound"]
    assert said["by_unit"] == {"patients": 1, **BOUNDS}
    assert rows(paid.members, "visits")["patient"].value_counts().max() <= BOUNDS["visits"]


def test_released_units_are_known_again_by_the_key(paid, command, tmp_path):
    for name in ("patients", "visits", "labs"):
        rows(paid.members, name).to_csv(tmp_path / f"{name}.csv", index=False)
    found = command("detect", tmp_path, "--key", paid.mark, "--alpha", 1e-3)
    assert found.code == 0, found.out
    key = UnitWatermarkKey.load(paid.mark)
    frames = read_linked(tmp_path, None).frames
    assert detect_units(frames, key).p < 1e-3
    assert detect_units(frames, UnitWatermarkKey.new(budget_schema(), candidates=8)).p > 1e-3


# ---------------------------------------------------------------------------- what somebody alters who can sign again


def orphaned(members):
    return {"patients": rows(members, "patients").iloc[1:]}


def doubled(members):
    visits = rows(members, "visits")
    return {"visits": visits.assign(visit=[visits["visit"].iloc[1], *visits["visit"].iloc[1:]])}


def miscounted(members):
    patients = rows(members, "patients")
    return {"patients": patients.assign(visits=patients["visits"] + 1)}


def misordered(members):
    """A visit that begins when the one before of the same patient does."""
    visits = rows(members, "visits")
    visits = visits.sort_values(["patient", "place"], kind="stable").reset_index(drop=True)
    at = (visits["patient"] == visits["patient"].shift()).to_numpy().nonzero()[0][0]
    visits.loc[at - 1, "left"] = visits.loc[at, "left"] = pd.Timestamp("2029-12-30")
    visits.loc[at - 1, "admitted"], visits.loc[at, "admitted"] = pd.Timestamp("2010-01-01"), pd.Timestamp("2010-01-02")
    return {"visits": visits}


def twice(members):
    return {"visits": rows(members, "visits").assign(kind="birth")}


def mistotalled(members):
    patients = rows(members, "patients")
    return {"patients": patients.assign(paid=patients["paid"] + 1)}


def too_many(members):
    labs = rows(members, "labs")
    return {"labs": labs.assign(patient=rows(members, "patients")["patient"].iloc[0])}


def another_catalogue(members):
    return {"d_tests": rows(members, "d_tests").iloc[:1]}


ALTERED = {
    "a broken foreign key": (orphaned, "names a row of `patients`"),
    "a key that stands twice": (doubled, "key"),
    "a count": (miscounted, "visits"),
    "an order": (misordered, "no row of an owner begins before"),
    "what happens once": (twice, "once"),
    "a total": (mistotalled, "paid"),
    "more rows than the bound": (too_many, "at most 4"),
    "a catalogue that lacks a code": (another_catalogue, "names a row of `d_tests`"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_rows_that_are_altered_and_signed_again_are_found(what, paid, tmp_path):
    change, said = ALTERED[what]
    altered = rewritten(paid.members, **change(paid.members))
    found = broken(sealed(mended(altered), paid.place / "ours.key", tmp_path / "b.zip"), paid.key)
    assert said in found["rows"]
    assert "members" in broken(plainly(altered, tmp_path / "s.zip"), paid.key)


def plainly(members, out):
    """Packed as somebody does who cannot sign."""
    from synthkit.release.bundle.zip_archive import pack

    out.write_bytes(pack(members))
    return out


def test_a_patient_added_and_a_table_swapped_are_found(paid, tmp_path):
    """Neither breaks a rule of the schema: the report is about other rows, and says how many."""
    patients = rows(paid.members, "patients")
    added = pd.concat([patients, patients.iloc[:1].assign(patient="somebody", visits=0, paid=0)], ignore_index=True)
    shuffled = rows(paid.members, "labs").assign(value=rows(paid.members, "labs")["value"][::-1].to_numpy())
    for table, frame in (("patients", added), ("labs", shuffled)):
        altered = rewritten(paid.members, **{table: frame})
        found = broken(sealed(altered, paid.place / "ours.key", tmp_path / "b.zip"), paid.key)
        assert "rows" not in found
        assert f"the report is about another synthetic/{table}.parquet" in found["report"]
        assert "members" in broken(plainly(altered, tmp_path / "s.zip"), paid.key)
    hidden = mended(rewritten(paid.members, patients=added))
    assert "/released" in broken(sealed(hidden, paid.place / "ours.key", tmp_path / "h.zip"), paid.key)["contents"]


def other_epsilon(said):
    said["privacy_loss"]["privacy_parameters"]["epsilon"] = 0.1


def other_link(said):
    said["contribution_bound"]["by_link"]["labs -> patients"] = 2


def other_unit(said):
    said["contribution_bound"]["by_unit"]["labs"] = 2


def other_rows(said):
    said["contribution_bound"]["max_rows_per_unit"] = 1


def other_declarer(said):
    said["declared_by"] = "somebody else: who knows"


def other_person(said):
    said["privacy_loss"]["privacy_unit"] = "visits"


def other_version(said):
    """A bound of a statement that another version of synthkit says it has made."""
    other_link(said)
    said["libraries"]["synthkit"] = "0.0.1"


STATED = [other_epsilon, other_link, other_unit, other_rows, other_declarer, other_person, other_version]


@pytest.mark.parametrize("change", STATED)
def test_a_statement_that_is_altered_and_signed_again_is_found(change, paid, tmp_path):
    said = json.loads(paid.members["statement.json"])
    change(said)
    altered = {**paid.members, "statement.json": json.dumps(said, indent=1).encode() + b"\n"}
    found = broken(sealed(altered, paid.place / "ours.key", tmp_path / "b.zip"), paid.key)
    assert "statement" in found
    if change is not other_version:
        assert "does not follow from ledger" in found["statement"]


def test_a_bound_that_is_altered_in_schema_and_statement_is_found(paid, tmp_path):
    """A narrower bound than was cut to: the schema is the one that the rows were made for, and the page says it."""
    schema = budget_schema()
    said = json.loads(paid.members["statement.json"])
    other_link(said)
    other_unit(said)
    said["contribution_bound"]["max_rows_per_unit"] -= 2
    text = paid.members["schema.yaml"].decode()
    assert text.count("max_rows_per_owner: 4") == 1
    altered = {
        **paid.members,
        "schema.yaml": text.replace("max_rows_per_owner: 4", "max_rows_per_owner: 2").encode(),
        "statement.json": json.dumps(said, indent=1).encode() + b"\n",
    }
    assert schema.tables["labs"].owner.max_rows_per_owner == 4
    found = broken(sealed(altered, paid.place / "ours.key", tmp_path / "b.zip"), paid.key)
    assert {"contents"} <= set(found)
