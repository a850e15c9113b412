"""A release is withdrawn by whoever signed it, and by nobody else."""

from __future__ import annotations

import json

import jsonschema
import pytest
from places import ROOT
from typer.testing import CliRunner

from synthkit.cli.app import app
from synthkit.errors import ArtefactError, ConfigError
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.build_bundle import release
from synthkit.release.bundle.release_register import Register, default_register
from synthkit.release.bundle.verification import verify
from synthkit.release.bundle.withdrawal_notice import notices, withdraw
from synthkit.release.bundle.zip_archive import pack, unpack

SCHEMA = ROOT / "schemas" / "synthkit-withdrawal-1.json"


@pytest.fixture(scope="module")
def bundles(toy, tmp_path_factory):
    """Two bundles by our key, one of them withdrawn, one by theirs, and one that nobody signed."""
    import shutil

    place = tmp_path_factory.mktemp("withdrawal")
    run = shutil.copytree(toy.folder, place / "runs" / "toy")
    for name, key in (("a", "ours"), ("b", "ours"), ("theirs", "theirs"), ("unsigned", None)):
        release(run, place / f"{name}.zip", key=key and f"{getattr(toy, key)}.key", recipient=name, although="a test")
    words = ["withdraw", place / "a.zip", "--key", f"{toy.ours}.key", "--reason", "a person has objected"]
    done = CliRunner().invoke(
        app, [*map(str, words), "--out", str(place / "notices.json"), "--register", str(default_register(run))]
    )
    assert done.exit_code == 0, done.output
    return place


def found(path, revocations, key=None):
    (check,) = [check for check in verify(path, key, revocations=revocations) if check.name == "withdrawal"]
    return check


def test_a_withdrawn_release_does_not_hold_and_says_why(bundles, toy):
    words = ["verify", bundles / "a.zip", "--public-key", f"{toy.ours}.pub"]
    assert CliRunner().invoke(app, list(map(str, words))).exit_code == 0
    done = CliRunner().invoke(app, [*map(str, words), "--revocations", str(bundles / "notices.json")])
    assert done.exit_code == 1
    assert "✗ withdrawal: withdrawn on" in done.output
    assert "a person has objected" in done.output
    assert found(bundles / "a.zip", bundles / "notices.json").outcome == "broken"


def test_other_releases_hold_as_before(bundles, toy):
    check = found(bundles / "b.zip", bundles / "notices.json", f"{toy.ours}.pub")
    assert (check.outcome, check.words) == ("holds", "none of 1 notices withdraws it")
    assert "no notices" in found(bundles / "b.zip", None).words
    assert "nobody signed the bundle" in found(bundles / "unsigned.zip", bundles / "notices.json").words


def test_the_register_says_so_and_counts_it_as_before(bundles):
    states = {each.recipient: each.state for each in Register.read(default_register(bundles / "runs" / "toy")).entries}
    assert states == {"a": "withdrawn", "b": "released", "theirs": "released", "unsigned": "released"}


def test_a_notice_by_another_key_is_not_made_and_would_not_count(bundles, toy, tmp_path):
    with pytest.raises(ConfigError, match="must be signed by the key that signed the bundle"):
        withdraw(bundles / "b.zip", tmp_path / "n.json", key=f"{toy.theirs}.key", reason="a rival")
    assert not (tmp_path / "n.json").exists()
    stripped = dict(unpack((bundles / "b.zip").read_bytes()))
    del stripped[manifests.SIGNATURE]
    (tmp_path / "stripped.zip").write_bytes(pack(stripped))
    withdraw(tmp_path / "stripped.zip", tmp_path / "n.json", key=f"{toy.theirs}.key", reason="a rival")
    for key in (f"{toy.ours}.pub", None):
        check = found(bundles / "b.zip", tmp_path / "n.json", key)
        assert check.outcome == "holds"
        assert "1 about it do not count" in check.words


@pytest.mark.parametrize(("key", "value"), [("reason", "another"), ("manifest", None), ("withdrawn", "2020-01-01")])
def test_an_altered_notice_does_not_count(key, value, bundles, toy, tmp_path):
    """Also one on another bundle whose digest was written over it."""
    data = json.loads((bundles / "notices.json").read_text(encoding="utf-8"))
    from synthkit.release.bundle.release_register import Register as Kept

    b = next(e for e in Kept.read(default_register(bundles / "runs" / "toy")).entries if e.recipient == "b")
    data["notices"][0]["said"][key] = b.manifest if key == "manifest" else value
    (tmp_path / "n.json").write_text(json.dumps(data), encoding="utf-8")
    check = found(bundles / ("b.zip" if key == "manifest" else "a.zip"), tmp_path / "n.json", f"{toy.ours}.pub")
    assert check.outcome == "holds"
    assert "1 about it do not count" in check.words


def test_notices_add_up_in_one_file_that_keeps_its_schema(bundles, toy, tmp_path):
    out = tmp_path / "n.json"
    for name in ("a", "b"):
        withdraw(bundles / f"{name}.zip", out, key=f"{toy.ours}.key", reason=f"because {name}")
    assert [each.said["recipient"] for each in notices(out)] == ["a", "b"]
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.validate(json.loads(out.read_text(encoding="utf-8")), published)
    assert [found(bundles / f"{name}.zip", out).outcome for name in ("a", "b", "theirs")] == [
        "broken",
        "broken",
        "holds",
    ]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format": "synthkit-withdrawal/2", "notices": []}', "[" * 9000]
)
def test_what_is_no_file_of_notices_is_refused(text, bundles, toy, tmp_path):
    path = tmp_path / "n.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ArtefactError, match="must be a file of notices in the format synthkit-withdrawal/1"):
        verify(bundles / "a.zip", revocations=path)
    with pytest.raises(ArtefactError, match="must be a file of notices"):
        withdraw(bundles / "a.zip", path, key=f"{toy.ours}.key", reason="because")
    assert path.read_text(encoding="utf-8") == text


def test_what_is_no_bundle_cannot_be_withdrawn(toy, tmp_path):
    with pytest.raises(ArtefactError, match="must be a bundle that was released; however: No such file"):
        withdraw(tmp_path / "none.zip", tmp_path / "n.json", key=f"{toy.ours}.key", reason="because")
    (tmp_path / "b.zip").write_bytes(pack({"a": b""}))
    with pytest.raises(ArtefactError, match="must hold a manifest"):
        withdraw(tmp_path / "b.zip", tmp_path / "n.json", key=f"{toy.ours}.key", reason="because")
