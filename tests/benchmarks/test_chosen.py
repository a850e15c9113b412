"""Which cells the flags of `bench` and `private` ask for, and what is said of them without making any."""

from __future__ import annotations

import argparse

import pytest

from benchmarks.contest import bench, chosen, plan, private, private_plan
from benchmarks.places import FRONT, PAGE


def asked(*words):
    parser = argparse.ArgumentParser()
    chosen.add(parser)
    return parser.parse_args(words)


def names(*words):
    return [cell.who.name for cell in chosen.cells(asked(*words), plan.peers([0], 1), plan.ours([0], 1))]


def test_peers_come_first_and_flags_leave_out():
    every = names()
    assert every == [*names("--peers"), *names("--ours")]
    assert names("--peers") == [name for name, _ in plan.PEER_CELLS]
    assert set(names("--only", "tvae", "mostlyai")) == {"tvae", "mostlyai"}
    assert names("--ours", "--only", "mostlyai") == []
    tables = {cell.table for cell in chosen.cells(asked("--tables", "adult"), plan.peers([0], 1), plan.ours([0], 1))}
    assert tables == {"adult"}


def test_nobody_asks_for_ours_and_peers_only():
    with pytest.raises(SystemExit):
        asked("--ours", "--peers")


@pytest.mark.parametrize(
    ("command", "every"),
    [
        (bench, [*plan.peers([0], 1), *plan.ours([0], 1)]),
        (private, [*private_plan.peers([0]), *private_plan.ours([0])]),
    ],
    ids=["bench", "private"],
)
def test_a_list_tells_of_every_cell_and_makes_none(command, every, capsys):
    """Kept cells are never taken for those of today's code: what they are of is said."""
    before = [page.read_bytes() for page in (FRONT, PAGE)]
    command.main(["--list", "--seeds", "0"])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{cell.table} {cell.key}: {cell.state()}" for cell in every]
    known = ("made", "missing", "failed", "of another version", "of another machine", "of another settings")
    assert all(line.split(": ")[1].startswith(known) for line in lines)
    assert [page.read_bytes() for page in (FRONT, PAGE)] == before
