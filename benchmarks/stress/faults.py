"""Faults and load in figures: wrong inputs, kills, full disks, and memory over many runs.

Any number may be 0; then what faults.json says of that part stays. What is measured is said in docs/reliability.md, and
`python -m benchmarks reliability` writes the figures into it. Set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.flags import parser
from benchmarks.json_files import read
from benchmarks.measure.machine import fingerprint
from benchmarks.places import MEASURED
from benchmarks.stress import corpus, fuzz, input_kinds, kills, memory_growth

OUT = MEASURED / "faults.json"


def apart(work: Callable[[], object]) -> None:
    """Work in a process of its own: what draws charts starts threads, and a fork would lose them."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    if os.waitpid(child, 0)[1]:
        msg = "the inputs could not be made"
        raise RuntimeError(msg)


def fuzzed(place: Path, *, inputs: int, seed: int, until: float, only: list[str] | None = None) -> dict[str, Any]:
    """Wrong inputs of every kind, or of some."""
    since = time.process_time()
    found = fuzz.run(input_kinds.kinds(place), place, inputs=inputs, seed=seed, say=print, until=until, only=only)
    return {
        "inputs": sum(found.inputs.values()),
        "by_kind": {name: {"inputs": many, "refused": found.refused[name]} for name, many in found.inputs.items()},
        "messages": found.messages,
        "messages_with_a_cell": found.told,
        "slowest_seconds": round(found.slowest, 1),
        "faults": {name: {"times": len(all_), "examples": all_[: fuzz.KEPT]} for name, all_ in found.faults.items()},
        "seconds": round(time.process_time() - since, 1),
    }


def renewed(before: dict[str, Any], again: dict[str, Any]) -> dict[str, Any]:
    """What is known of all kinds after some were tried again: of each kind, what its last trial gave."""
    kinds = {**before["by_kind"], **again["by_kind"]}
    tried = tuple(f"{name}: " for name in again["by_kind"])
    faults = {name: each for name, each in before["faults"].items() if not name.startswith(tried)} | again["faults"]
    told = sum(each["times"] for name, each in faults.items() if name.endswith(": a cell in a message"))
    return {
        "inputs": sum(each["inputs"] for each in kinds.values()),
        "by_kind": kinds,
        "messages": sum(each["refused"] for each in kinds.values()),  # a refusal is a message
        "messages_with_a_cell": told,
        "slowest_seconds": max(before["slowest_seconds"], again["slowest_seconds"]),
        "faults": faults,
        "seconds": round(before["seconds"] + again["seconds"], 1),
    }


def killed(place: Path, work: Path, *, many: int, seed: int, until: float) -> dict[str, Any]:
    """Kills at random moments."""
    from synthkit.synthesizer.checkpoints import Checkpoint

    # a state of a training is kept as often as can be, so that most kills find one to go on from
    Checkpoint.__init__.__kwdefaults__["every"] = 0.0
    found = kills.run(place, work, kills=many, seed=seed, until=until, say=print)
    return {
        "kills": dict(found.kills),
        "finished_before": found.finished,
        "half_written": found.half,
        "taken_up_to_the_same_model": found.resumed,
        "another_model": found.other,
    }


def disks(place: Path, work: Path, *, many: int, seed: int, until: float) -> dict[str, Any]:
    """Full disks and read-only folders."""
    found = kills.full(place, work, disks=many, seed=seed, until=until)
    return {
        "tries": dict(found.kills),
        "refused": found.refused,
        "half_written": found.half,
        "tracebacks": found.tracebacks,
        "two_into_one_folder": kills.together(place, work),
    }


def faults_in(result: dict[str, Any]) -> list[str]:
    """Everything in a result that should not be."""
    inputs, killed_, full = result.get("inputs", {}), result.get("kills", {}), result.get("disks", {})
    found = [f"{name} ({each['times']})" for name, each in inputs.get("faults", {}).items()]
    found += [f"half written: {each}" for part in (killed_, full) for each in part.get("half_written", [])]
    found += [f"another model: {each}" for each in killed_.get("another_model", [])]
    return found + [f"traceback: {each}" for each in full.get("tracebacks", [])]


def measured(asked: argparse.Namespace, before: dict[str, Any], work: Path) -> dict[str, Any]:
    """What was known before, with every part that is asked for measured again.

    Args:
        asked: the flags.
        before: what faults.json says.
        work: an empty folder.
    """
    place, result, part = asked.corpus or work / "corpus", dict(before), 60 * asked.minutes
    if not (place / corpus.LAST).exists():
        place.mkdir(exist_ok=True, parents=True)
        apart(lambda: corpus.build(place))
    if asked.inputs:
        again = fuzzed(place, inputs=asked.inputs, seed=asked.seed, until=time.monotonic() + part, only=asked.only)
        result["inputs"] = renewed(result["inputs"], again) if asked.only and "inputs" in result else again
    if asked.kills or asked.disks:
        input_kinds.kinds(place)  # loads what the commands import
    if asked.kills:
        result["kills"] = killed(place, work, many=asked.kills, seed=asked.seed, until=time.monotonic() + part)
    if asked.disks:
        result["disks"] = disks(place, work, many=asked.disks, seed=asked.seed, until=time.monotonic() + part)
    if asked.runs:
        result["memory"] = memory_growth.run(work, runs=asked.runs, until=time.monotonic() + part)
    return result | {"machine": fingerprint(), "seed": asked.seed}


def main(words: Sequence[str] | None = None) -> int:
    """Measure what is asked for and write it down."""
    flags = parser("faults", __doc__)
    for name, many in (("inputs", 100_000), ("kills", 300), ("disks", 20), ("runs", 200), ("seed", 0)):
        flags.add_argument(f"--{name}", type=int, default=many, metavar="N", help=f"{many:,} if not given")
    flags.add_argument("--minutes", type=float, default=120.0, metavar="M", help="most that each part may take; 120")
    flags.add_argument("--only", nargs="*", metavar="KIND", help="kinds of wrong inputs; the figures of others stay")
    flags.add_argument("--corpus", type=Path, help="folder in which the valid inputs are kept for the next time")
    flags.add_argument("--check", action="store_true", help="status 1 if anything was found")
    asked = flags.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        work.chmod(0o755)  # others than root must find the way to the inputs
        result = measured(asked, read(OUT) if OUT.exists() else {}, work)
    OUT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    found = faults_in(result)
    print("\n".join(found) or "no faults")
    return int(asked.check and bool(found))
