"""A run that did not pass its gate leaves only with a reason, which the bundle keeps and everybody reads."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from synthkit.cli.app import app
from synthkit.errors import ConfigError
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.build_bundle import release
from synthkit.release.bundle.objections import NO_GATE, one_line, printable, release_standing
from synthkit.release.bundle.signature import sign
from synthkit.release.bundle.verification import verify
from synthkit.release.bundle.zip_archive import pack, unpack
from synthkit.release.policy.gate_decision import VERDICT_ORDER, overall

DAY = dt.date(2026, 3, 1)
LENIENT = """
format: synthkit-policy/1
policy: {id: lenient-v1, owner: A. Custodian, justification: for a test}
membership: null
copying: {people_max: 1.0}
evidence: {min_control_units: 1, whole: false}
"""


def gate_of(verdicts, valid_until="2026-12-31"):
    lines = [{"clause": f"a.b{k}", "verdict": verdict} for k, verdict in enumerate(verdicts)]
    return {"verdict": overall(verdicts), "lines": lines, "valid_until": valid_until}


def asked(words, *, code):
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == code, done.output
    return done.output


@given(st.lists(st.sampled_from(VERDICT_ORDER), max_size=4), st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)))
@settings(deadline=None)
def test_nothing_stands_against_a_release_only_if_the_gate_passes_and_may_be_relied_on(verdicts, day):
    found = release_standing(gate_of(verdicts), day)
    may_leave = bool(verdicts) and set(verdicts) == {"PASS"} and day <= dt.date(2026, 12, 31)
    assert (found.against == ()) == may_leave
    for k, verdict in enumerate(verdicts):
        assert (f"a.b{k} {verdict}" in " ".join(found.against)) == (verdict != "PASS")
    if may_leave:
        assert found.override_entry(None) is None
        with pytest.raises(ConfigError, match=r"the gate says PASS\. Leave it away"):
            found.override_entry("because")
    else:
        with pytest.raises(ConfigError, match="a release must pass its gate; however: "):
            found.override_entry(None)
        assert found.override_entry(" because ") == {
            "verdict": overall(verdicts),
            "against": list(found.against),
            "reason": "because",
        }


def test_a_run_without_a_gate_does_not_pass():
    found = release_standing(None, DAY)
    assert found.override_entry("a first look")["verdict"] == NO_GATE
    with pytest.raises(ConfigError, match="there is no gate"):
        found.override_entry(None)


@given(st.text())
@settings(deadline=None)
def test_a_reason_is_one_line_that_a_terminal_shows(text):
    said = text.strip()
    assert printable(text).isprintable()
    if said and said.isprintable() and len(said) <= 500:
        assert one_line(text) == said
    else:
        with pytest.raises(ConfigError, match="a reason must be one line"):
            one_line(text)


def test_a_release_without_a_gate_is_refused_until_somebody_says_why(toy, run, tmp_path):
    out = tmp_path / "b.zip"
    words = ["release", run, "--out", out, "--key", f"{toy.ours}.key"]
    assert "there is no gate" in asked(words, code=2)
    assert not out.exists()
    assert not (run.parent / "releases.json").exists()
    assert "did not pass its gate" in asked([*words, "--although", "colleagues only, a first look"], code=0)
    told = asked(["verify", out, "--public-key", f"{toy.ours}.pub"], code=0)
    assert "✓ although: released although no policy was applied: there is no gate" in told
    assert "colleagues only, a first look" in told


@pytest.mark.parametrize("verdict", ["FAIL", "INCONCLUSIVE", "NOT ASSESSED", "PASS"])
def test_the_manifest_keeps_verdict_and_reason(verdict, toy, run, tmp_path):
    limits = {
        "PASS": "",
        "FAIL": "dp: {required: true}",
        "NOT ASSESSED": "identity: {meaningful_identity_max: 0.09}",
        "INCONCLUSIVE": "fidelity: {tv2_shortfall_max: 0.000001}",
    }
    policy = tmp_path / "policy.yaml"
    policy.write_text(LENIENT + limits[verdict] + "\n", encoding="utf-8")
    assert verdict in asked(["gate", run, "--policy", policy], code=int(verdict != "PASS"))
    out = tmp_path / "b.zip"
    if verdict == "PASS":
        release(run, out, key=f"{toy.ours}.key")
    else:
        with pytest.raises(ConfigError, match=f"the gate says {verdict}"):
            release(run, out, key=f"{toy.ours}.key")
        release(run, out, key=f"{toy.ours}.key", although="the board has decided")
    said = json.loads(unpack(out.read_bytes())[manifests.MANIFEST])["although"]
    (told,) = [check for check in verify(out, f"{toy.ours}.pub") if check.name == "although"]
    assert told.holds
    if verdict == "PASS":
        assert (said, told.words) == (None, "the gate said PASS")
    else:
        assert (said["verdict"], said["reason"]) == (verdict, "the board has decided")
        assert f"the gate says {verdict}" in told.words
        assert told.words.endswith("The reason given: the board has decided")


@pytest.mark.parametrize(
    "altered",
    [None, {"verdict": "PASS", "against": ["x"], "reason": "y"}, {"verdict": NO_GATE, "against": [], "reason": "y"}],
)
def test_a_custodian_who_does_not_say_it_is_found(altered, toy, run, tmp_path):
    members = unpack(release(run, tmp_path / "b.zip", although="a test").read_bytes())
    said = {**json.loads(members[manifests.MANIFEST]), "although": altered}
    members[manifests.MANIFEST] = json.dumps(said, indent=1).encode()
    members[manifests.SIGNATURE] = sign(members[manifests.MANIFEST], f"{toy.ours}.key")
    (tmp_path / "b.zip").write_bytes(pack(members))
    broken = {check.name for check in verify(tmp_path / "b.zip", f"{toy.ours}.pub") if not check.holds}
    assert broken == {"although"}


def test_a_release_tells_of_texts_that_a_spreadsheet_may_run(run, tmp_path):
    text = (run / "schema.yaml").read_text(encoding="utf-8")
    words = ["release", run, "--although", "a test", "--out"]
    assert "takes for formulas" not in asked([*words, tmp_path / "a.zip"], code=0)
    (run / "schema.yaml").write_text(text.replace("levels: [f, m]", "levels: [f, m, '=1']"), encoding="utf-8")
    assert (run / "schema.yaml").read_text(encoding="utf-8") != text
    told = asked([*words, tmp_path / "b.zip"], code=0)
    assert "texts of `sex` begin with =" in told


def test_verify_prints_sql_that_runs_where_the_bundle_was_unpacked(toy, run, tmp_path, monkeypatch):
    import zipfile

    import duckdb

    release(run, tmp_path / "b.zip", key=f"{toy.ours}.key", although="a test")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        archive.extractall(tmp_path)
    text = asked(["verify", tmp_path / "b.zip", "--public-key", f"{toy.ours}.pub", "--sql"], code=0)
    assert "-- ✓ rows: every one of 160 rows" in text
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as database:
        found = database.execute(text).fetchall()
    assert {(about, rule): n for _, about, rule, n in found} == {
        ("(table)", "exactly the declared columns"): 0,
        ("sex", "no missing cell"): 0,
        ("sex", "one of the 2 declared levels"): 0,
        ("age", "no missing cell"): 0,
        ("age", "a number, finite"): 0,
        ("age", ">= 0.0 and <= 99.0"): 0,
        ("age", "whole numbers"): 0,
    }
