"""What left is counted before it leaves, and all of it together is what the gate limits."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT
from typer.testing import CliRunner

from synthkit.cli.app import app
from synthkit.errors import ArtefactError, ConfigError, TableError
from synthkit.release.bundle.build_bundle import release
from synthkit.release.bundle.release_register import (
    Entry,
    Register,
    default_register,
    entry_of,
    mark_withdrawn,
    open_register,
    total_spent,
    write_register,
)
from synthkit.release.policy.limits import Policy

SCHEMA = ROOT / "schemas" / "synthkit-releases-1.json"
PLAIN = Entry(
    table="toy",
    recipient="B",
    date="2026-01-31",
    state="released",
    manifest="0" * 64,
    bundle="0" * 64,
    rows="0" * 64,
    model=None,
    ledger=None,
    epsilon=1.0,
    delta=1e-6,
)
POLICY = """
format: synthkit-policy/1
policy: {id: lenient-v1, owner: A. Custodian, justification: for a test}
membership: null
copying: {people_max: 1.0}
evidence: {min_control_units: 1, whole: false}
releases: {number_max: 1}
"""
entries = st.lists(
    st.builds(
        lambda k, **changed: replace(PLAIN, manifest=f"{k:064x}", rows=f"{k:064x}", **changed),
        k=st.integers(0, 5),
        recipient=st.sampled_from(["B", "C", None]),
        model=st.sampled_from(["1" * 64, "2" * 64, "3" * 64, None]),
        ledger=st.sampled_from(["a.ledger.json", "b.ledger.json", "c.ledger.json", None]),
        epsilon=st.sampled_from([0.5, 1.0, 2.0, None]),
    ),
    max_size=6,
)


def asked(words, *, code):
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == code, done.output
    return done.output


def by_brute_force(found):
    """Components of the graph whose edges are shared models and ledgers, by repeated joining."""
    label = list(range(len(found)))
    for _ in found:
        for i, j in itertools.product(range(len(found)), repeat=2):
            a, b = found[i], found[j]
            if (a.model is not None and a.model == b.model) or (a.ledger is not None and a.ledger == b.ledger):
                label[i] = label[j] = min(label[i], label[j])
    worst = {}
    for each, name in zip(found, label, strict=True):
        epsilon = math.inf if each.epsilon is None else each.epsilon
        worst[name] = max(worst.get(name, 0.0), epsilon)
    return sum(worst.values())


@given(entries)
@settings(deadline=None)
def test_what_shares_a_model_or_a_ledger_is_paid_once_and_the_rest_adds_up(found):
    spent = total_spent(found)
    assert spent.epsilon == pytest.approx(by_brute_force(found))
    named = {(each.rows, each.recipient) for each in found if each.recipient}
    assert spent.number == len(named) + sum(each.recipient is None for each in found)
    for each in found:
        more = total_spent([*found, replace(each, recipient="somebody else", model=None, ledger=None)])
        assert more.number == spent.number + 1
        assert more.epsilon >= spent.epsilon


@given(entries)
@settings(deadline=None)
def test_a_register_is_read_as_it_was_written_and_keeps_its_schema(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("register") / "releases.json"
    register = Register(path, tuple(found))
    write_register(register)
    assert Register.read(path) == register
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), published)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(format="synthkit-releases/2"),
        lambda data: data["releases"][0].update(state="forgotten"),
        lambda data: data["releases"][0].update(epsilon=-1.0),
        lambda data: data["releases"][0].update(epsilon=True),
        lambda data: data["releases"][0].update(table=None),
        lambda data: data["releases"][0].update(model=1),
        lambda data: data["releases"][0].update(more=1),
        lambda data: data["releases"][0].pop("rows"),
        lambda data: data["releases"][0].pop("withdrawn"),
    ],
    ids=range(9),
)
def test_what_is_no_register_is_refused(change, tmp_path):
    path = tmp_path / "releases.json"
    write_register(Register(path, (PLAIN,)))
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ArtefactError, match="must be a register of releases in the format synthkit-releases/1"):
        Register.read(path)


def test_a_release_is_entered_with_the_digests_of_its_bundle(toy, run, tmp_path):
    path = release(run, tmp_path / "b.zip", key=f"{toy.ours}.key", recipient="B", although="a test")
    register = Register.read(default_register(run))
    (entry,) = register.of("toy")
    assert (entry.state, entry.recipient, entry.epsilon) == ("released", "B", None)
    assert entry.bundle == hashlib.sha256(path.read_bytes()).hexdigest()
    assert entry.model is not None
    assert register.of("another") == ()
    release(run, tmp_path / "c.zip", recipient="C", although="a test")
    again = Register.read(default_register(run)).of("toy")
    assert again[0].model == again[1].model
    assert total_spent(again).number == 2
    shown = asked(["register", default_register(run)], code=0)
    assert "toy 2" in shown
    assert "drawn from the model of release 1" in shown
    assert "2 releases, together epsilon inf" in shown


@pytest.mark.parametrize("kill", range(1, 5))
def test_whatever_stops_a_release_what_may_have_left_is_counted(kill, run, tmp_path, monkeypatch):
    """Killed at each of the four moves into place: nonces, intention, bundle, and that it is done."""
    moves, move = itertools.count(1), Path.replace

    def stopped(self, target):
        if next(moves) == kill:
            raise KeyboardInterrupt
        return move(self, target)

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        release(run, tmp_path / "b.zip", recipient="B", although="a test")
    monkeypatch.undo()
    register = Register.read(default_register(run))
    states = [] if register is None else [each.state for each in register.entries]
    assert states == ([] if kill <= 2 else ["intended"])
    assert (tmp_path / "b.zip").exists() == (kill == 4)
    release(run, tmp_path / "b.zip", recipient="B", although="a test")
    assert total_spent(Register.read(default_register(run)).of("toy")).number == 1


def test_a_bundle_that_cannot_be_written_was_intended(run, tmp_path):
    with pytest.raises(TableError, match="must be writable"):
        release(run, tmp_path / "nowhere" / "b.zip", although="a test")
    assert [each.state for each in Register.read(default_register(run)).entries] == ["intended"]


def test_the_gate_counts_this_release_and_those_before_it(toy, run, tmp_path):
    """One may leave: without a register nobody knows; the first passes, and another one to somebody else fails."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    words = ["gate", run, "--policy", policy]
    told = asked(words, code=1)
    assert "NOT ASSESSED Releases of the table (releases.number_max)" in told
    assert "there is no register of releases" in told
    assert "begun" in asked(["register", default_register(run), "--begin"], code=0)
    assert "PASS Releases of the table" in asked(words, code=0)
    release(run, tmp_path / "b.zip", key=f"{toy.ours}.key", recipient="B")
    release(run, tmp_path / "again.zip", key=f"{toy.ours}.key", recipient="B")
    with pytest.raises(ConfigError, match="the number of releases of the table is 2, and the policy allows 1"):
        release(run, tmp_path / "c.zip", key=f"{toy.ours}.key", recipient="C")
    assert not (tmp_path / "c.zip").exists()
    release(run, tmp_path / "c.zip", key=f"{toy.ours}.key", recipient="C", although="the board has decided")
    told = asked(["verify", tmp_path / "c.zip", "--public-key", f"{toy.ours}.pub"], code=0)
    assert "✓ although: released although with it the number of releases of the table is 2" in told
    assert "FAIL Releases of the table" in asked(words, code=1)


def test_the_epsilon_of_releases_without_a_bound_passes_no_limit(run, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.replace("number_max: 1", "epsilon_max: 1000.0"), encoding="utf-8")
    asked(["register", default_register(run), "--begin"], code=0)
    assert "FAIL Epsilon of all releases of the table" in asked(["gate", run, "--policy", policy], code=1)
    assert not Policy.parse(
        {
            "format": "synthkit-policy/1",
            "policy": {"id": "one", "owner": "two", "justification": "six"},
            "membership": None,
        }
    ).releases.has_limits


def test_a_ledger_is_known_by_where_it_lies_only_if_it_holds_what_the_run_charged(run):
    from synthkit.privacy.accounting.budget import Budget
    from synthkit.privacy.accounting.charge import Charge
    from synthkit.privacy.accounting.events import Laplace
    from synthkit.privacy.accounting.ledger import Ledger

    budget = Budget(epsilon=1.0, delta=1e-5)
    kept = run.with_name("toy.ledger.json")
    ledger = Ledger.new(kept, budget)
    ledger.charge([Charge(what="a", spent=Laplace(sensitivity=1, scale=9.0))], delta=1e-6)
    shutil.copy(kept, run / "ledger.json")
    ledger.charge([Charge(what="b", spent=Laplace(sensitivity=1, scale=9.0))], delta=1e-6)
    assert entry_of(run, default_register(run)).ledger == "toy.ledger.json"
    assert entry_of(run, run.parent.parent / "releases.json").ledger == "runs/toy.ledger.json"
    kept.unlink()
    other = Ledger.new(kept, budget)
    other.charge([Charge(what="c", spent=Laplace(sensitivity=1, scale=9.0))], delta=1e-6)
    assert entry_of(run, default_register(run)).ledger is None
    kept.unlink()
    assert entry_of(run, default_register(run)).ledger is None
    shutil.rmtree(run / "model")
    assert entry_of(run, default_register(run)).model is None


def test_commands_on_a_register_are_refused_where_they_mean_nothing(tmp_path):
    assert "there is no such file" in asked(["register", tmp_path / "none.json"], code=2)
    assert "begun" in asked(["register", tmp_path / "releases.json", "--begin"], code=0)
    assert "must not exist yet" in asked(["register", tmp_path / "releases.json", "--begin"], code=2)
    with (
        pytest.raises(ArtefactError, match="the folder of a register of releases must exist"),
        open_register(tmp_path / "nowhere" / "releases.json"),
    ):
        pass
    with pytest.raises(ArtefactError, match="must hold the release that is withdrawn"):
        mark_withdrawn(tmp_path / "releases.json", "0" * 64, "2026-01-31")
