"""`synthkit audit`: a line a claim, JSON, and an exit code that scripts can use."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from synthkit.audit import AUDITS
from synthkit.privacy.mechanisms.rng import gaussian


def test_claims_are_printed_and_written(command, tmp_path):
    out = tmp_path / "audit.json"
    said = command("audit", "--quick", "--only", "batches", "--only", "gaussian", "--json", out)
    assert said.code == 0, said.out
    lines = said.out.splitlines()
    assert lines[0].startswith("holds   gaussian, sigma 1.1: mu between 0.727 and 0.909 claimed, 0.8")
    assert "Every claim is kept" in lines[-1]
    told = json.loads(out.read_text())
    assert (told["format"], told["holds"], told["quick"]) == ("synthkit-audit/1", True, True)
    assert [result["audit"] for result in told["results"]] == ["gaussian"] * 2 + ["batches"] * 5


def test_a_claim_that_is_not_kept_is_exit_1(command, tmp_path, monkeypatch):
    broken = replace(AUDITS["gaussian"], ours=lambda shape, scale: gaussian(shape, scale / 2))
    monkeypatch.setitem(AUDITS, "gaussian", broken)
    said = command("audit", "--quick", "--only", "gaussian", "--json", tmp_path / "a.json", "--quiet")
    assert said.code == 1
    assert said.out.startswith("2 of 2 claims are not kept:\n  gaussian, sigma 1.1: mu between")
    assert json.loads((tmp_path / "a.json").read_text())["holds"] is False


def test_quiet_says_nothing_of_what_holds(command):
    assert command("audit", "--quick", "--only", "clipping", "--quiet").out == ""


def test_an_audit_that_is_none_is_refused(refused):
    assert "must name an audit of freshness, gaussian" in refused("audit", "--only", "x")


@pytest.mark.parametrize("name", AUDITS)
def test_every_audit_says_what_it_is_about(name):
    assert AUDITS[name].about
    assert AUDITS[name].quick <= AUDITS[name].trials
