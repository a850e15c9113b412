"""The figures of docs/reliability.md, written from faults.json; nothing is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.flags import parser
from benchmarks.json_files import read
from benchmarks.pages import rewrite
from benchmarks.places import DOCS, MEASURED

PAGE = DOCS / "reliability.md"
START, END = "<!-- figures -->", "<!-- /figures -->"


def table(result: dict[str, Any]) -> str:
    """All figures, one a line."""
    rows = [*_inputs(result.get("inputs")), *_kills(result.get("kills")), *_disks(result.get("disks"))]
    rows += _memory(result.get("memory"))
    machine = result["machine"]
    where = f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, seed {result['seed']}."
    return "\n".join(["| what | figure |", "|---|---|", *(f"| {what} | {said} |" for what, said in rows), "", where])


def _inputs(said: dict[str, Any] | None) -> list[tuple[str, str]]:
    if said is None:
        return []
    times = sum(each["times"] for each in said["faults"].values())
    return [
        ("wrong inputs", f"{said['inputs']:,} of {len(said['by_kind'])} kinds"),
        ("ended in anything but an answer or a refusal in words", f"{times - said['messages_with_a_cell']:,}"),
        ("longest answer", f"{said['slowest_seconds']:g} s"),
        ("messages of refusal", f"{said['messages']:,}"),
        ("of them with a cell of the table", f"{said['messages_with_a_cell']:,}"),
    ]


def _kills(said: dict[str, Any] | None) -> list[tuple[str, str]]:
    if said is None:
        return []
    each = ", ".join(f"{name} {many}" for name, many in said["kills"].items())
    taken = said["taken_up_to_the_same_model"]
    return [
        ("kills at random moments", f"{sum(said['kills'].values()):,} ({each})"),
        ("outputs left half written", f"{len(said['half_written']):,}"),
        ("fits taken up with `--resume`", f"{taken + len(said['another_model']):,}"),
        ("of them that came to the same model, byte for byte", f"{taken:,}"),
    ]


def _disks(said: dict[str, Any] | None) -> list[tuple[str, str]]:
    if said is None:
        return []
    each = ", ".join(f"{name} {many}" for name, many in said["tries"].items())
    pair = said["two_into_one_folder"]
    return [
        ("commands on a full disk or in a read-only folder", f"{sum(said['tries'].values())} ({each})"),
        ("outputs left half written there", f"{len(said['half_written'])}"),
        ("tracebacks there", f"{len(said['tracebacks'])}"),
        ("two fits into one folder at once", f"exit {' and '.join(map(str, pair['codes']))}, "
         f"the folder is {'whole' if pair['whole'] else 'broken'}"),
    ]  # fmt: skip


def _memory(said: dict[str, Any] | None) -> list[tuple[str, str]]:
    if said is None:
        return []
    grown = f"{said['first_mib']:.0f} MiB after the first, {said['last_mib']:.0f} MiB after the last"
    return [(f"memory over {said['runs']} runs in one process", f"{grown}; slope {said['percent_a_run']:.3f} % a run")]


def main(words: Sequence[str] | None = None) -> None:
    """Put the figures into the page."""
    parser("reliability", __doc__).parse_args(words)
    rewrite(PAGE, table(read(MEASURED / "faults.json")), START, END)
