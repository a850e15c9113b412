"""What follows from the checks of a bundle: exit status and last line, and the day on which a release expires."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from sealing import broken

from synthkit.release import run_folder
from synthkit.release.bundle.verification import BundleCheck, conclusion, outcome

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def last_day(members):
    return dt.date.fromisoformat(json.loads(members[run_folder.GATE])["valid_until"])


def asked(command, *arguments):
    done = command("verify", *map(str, arguments))
    return done.code, done.out.strip().splitlines()[-1]


def test_it_holds_and_the_signer_is_the_expected_one(command, bundle, home):
    code, last = asked(command, bundle, "--public-key", home / "ours.pub")
    assert (code, last) == (0, "HOLDS: every check holds, and the signer is the one whose key you gave.")


def test_a_signer_whom_nobody_named_is_not_vouched_for(command, bundle):
    code, last = asked(command, bundle)
    assert code == 3
    assert last == "NOT VOUCHED FOR: nothing speaks against the bundle, but nothing here vouches for: signature."


def test_another_signer_than_the_expected_one_does_not_hold(command, bundle, home):
    code, last = asked(command, bundle, "--public-key", home / "theirs.pub")
    assert code == 1
    assert last.startswith("DOES NOT HOLD: signature. Do not rely on the bundle")


def test_a_damaged_bundle_does_not_hold_whoever_signed(command, bundle, home, tmp_path):
    (tmp_path / "b.zip").write_bytes(bundle.read_bytes()[:-1])
    code, last = asked(command, tmp_path / "b.zip", "--public-key", home / "ours.pub")
    assert code == 1
    assert last.startswith("DOES NOT HOLD: archive.")


@pytest.mark.parametrize(
    ("found", "whole"),
    [("holds", "holds"), ("holds unvouched", "unvouched"), ("unvouched broken holds", "broken"), ("broken", "broken")],
)
def test_the_worst_check_decides(found, whole):
    checks = [BundleCheck(f"number {k}", each, "") for k, each in enumerate(found.split())]
    assert outcome(checks) == whole
    assert all((check.name in conclusion(checks)) == (check.outcome == whole != "holds") for check in checks)


@pytest.mark.parametrize(("days", "expired"), [(-400, False), (-1, False), (0, False), (1, True), (4000, True)])
def test_the_last_day_still_counts(days, expired, bundle, home, last_day):
    found = broken(bundle, home / "ours.pub", on=last_day + days * DAY)
    day = last_day + days * DAY
    words = f"expired: it was valid until {last_day}, and the day asked about is {day} (UTC)"
    assert found == ({"validity": words} if expired else {})


def test_an_expired_release_does_not_hold_by_the_command(command, bundle, home, last_day):
    key = ("--public-key", home / "ours.pub")
    assert asked(command, bundle, *key, "--on", last_day)[0] == 0
    code, last = asked(command, bundle, *key, "--on", last_day + DAY)
    assert code == 1
    assert last.startswith("DOES NOT HOLD: validity.")
    assert command("verify", str(bundle), "--on", "yesterday").code == 2
