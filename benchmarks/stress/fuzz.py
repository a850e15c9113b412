"""Readers of everything that can come from outside, asked to read what is wrong; each must answer or refuse in words.

Each kind of input is a valid file, a way to make it wrong, and what the commands do with such a file. A *fault* is any
exception but a `SynthkitError`, a process that dies, an answer that takes longer than a minute, or a message that
holds a cell of the table.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HANG = 60.0  # seconds
ROUND = 5_000  # inputs of all kinds together before the first has its turn again; a process for each kind
CELL = re.compile(r"QZSENTINEL|9182736|7364519")  # how every text and every number of the table begins
KEPT = 5  # examples of one fault


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Args:
        share: of all inputs.
        file: the valid file, inside the corpus.
        change: makes it wrong.
        read: what a command does with it.
    """

    share: float
    file: str
    change: Callable[[bytes, random.Random], bytes]
    read: Callable[[Path], object]


@dataclass
class Found:
    """What came of many inputs."""

    inputs: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    told: int = 0
    slowest: float = 0.0
    faults: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Found:
        """What another process found."""
        return cls(**{**data, "inputs": Counter(data["inputs"]), "refused": Counter(data["refused"])})

    def add(self, other: Found) -> None:
        """All of another's as well."""
        self.inputs += other.inputs
        self.refused += other.refused
        self.messages += other.messages
        self.told += other.told
        self.slowest = max(self.slowest, other.slowest)
        for name, examples in other.faults.items():
            self.faults.setdefault(name, []).extend(examples)


class HangError(BaseException):
    """An input took longer than a minute."""


def wrong(kind: Kind, content: bytes, name: str, seed: int, number: int) -> bytes:
    """Input `number` of a kind: always the same."""
    return kind.change(content, random.Random(f"{seed}/{name}/{number}"))


def one(kind: Kind, path: Path, found: Found, name: str, number: int) -> None:
    """Read one input and note what came of it."""
    from synthkit.errors import SynthkitError

    since = time.monotonic()
    try:
        kind.read(path)
    except SynthkitError as error:
        found.refused[name] += 1
        found.messages += 1
        if CELL.search(str(error)):
            found.told += 1
            _fault(found, f"{name}: a cell in a message", f"{number}: {error}")
    except HangError:
        _fault(found, f"{name}: no answer in a minute", str(number))
    except BaseException as error:  # noqa: BLE001 - finding these is what it is for
        where = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in where if "/synthkit/" in frame.filename] or where
        at = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
        _fault(found, f"{name}: {type(error).__name__} at {at}", f"{number}: {str(error)[:200]}")
    found.slowest = max(found.slowest, time.monotonic() - since)
    found.inputs[name] += 1


def _fault(found: Found, name: str, example: str) -> None:
    examples = found.faults.setdefault(name, [])
    examples.append(example)


def chunk(kinds: dict[str, Kind], corpus: Path, name: str, seed: int, numbers: range) -> Found:
    """Many inputs of one kind in a process of its own, so that its death is noticed."""
    ends = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(ends[0])
            _inside(kinds[name], corpus, name, seed, numbers, ends[1])
            status = 0
        finally:
            os._exit(status)  # nothing of the parent's is cleaned up twice
    os.close(ends[1])
    with os.fdopen(ends[0], encoding="utf-8") as pipe:
        parts = [json.loads(line) for line in pipe if line.endswith("\n")]
    _, status = os.waitpid(child, 0)
    found = Found.of(parts[-1]) if parts and isinstance(parts[-1], dict) else Found()
    if status:
        last = next((part for part in reversed(parts) if isinstance(part, int)), numbers.start)
        _fault(found, f"{name}: the process died ({status})", str(last))
        found.inputs[name] += last - numbers.start + 1
        if last + 1 < numbers.stop:
            found.add(chunk(kinds, corpus, name, seed, range(last + 1, numbers.stop)))
    return found


def _inside(kind: Kind, corpus: Path, name: str, seed: int, numbers: range, pipe: int) -> None:
    def stop(*_: object) -> None:
        raise HangError

    signal.signal(signal.SIGALRM, stop)
    found, content = Found(), (corpus / kind.file).read_bytes()
    place = corpus / kind.file
    with os.fdopen(pipe, "w", encoding="utf-8") as out:
        for number in numbers:
            place.write_bytes(wrong(kind, content, name, seed, number))
            print(number, file=out, flush=True)
            signal.setitimer(signal.ITIMER_REAL, HANG)
            one(kind, place, found, name, number)
            signal.setitimer(signal.ITIMER_REAL, 0)
        place.write_bytes(content)
        print(json.dumps(vars(found)), file=out)


def run(
    kinds: dict[str, Kind],
    corpus: Path,
    *,
    inputs: int,
    seed: int,
    say: Callable[[str], None],
    until: float = 1e18,
    only: Sequence[str] | None = None,
) -> Found:
    """All kinds, or some, each by its share of all inputs; stops at `until` (seconds of the monotonic clock)."""
    total, whole = Found(), sum(kind.share for kind in kinds.values())
    many = {name: max(1, math.ceil(inputs * kind.share / whole)) for name, kind in kinds.items()}
    rounds = -(-inputs // ROUND)
    for number in range(rounds):  # every kind has its share whenever it ends
        for name, kind in kinds.items():
            if time.monotonic() > until:
                break
            if only and name not in only:
                continue
            original = (corpus / kind.file).read_bytes()
            part = range(many[name] * number // rounds, many[name] * (number + 1) // rounds)
            if part:
                total.add(chunk(kinds, corpus, name, seed, part))
                (corpus / kind.file).write_bytes(original)
    say(f"{sum(total.inputs.values()):,} inputs, {sum(total.refused.values()):,} refused")
    return total
