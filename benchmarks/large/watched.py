"""A command watched while it runs: CPU seconds, seconds, and the most memory it and its children hold at once."""

from __future__ import annotations

import resource
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

EVERY = 0.05  # seconds between two looks
PROC = Path("/proc")


def tree(pid: int) -> Iterator[int]:
    """A process and everybody below it who is still there."""
    yield pid
    for task in PROC.glob(f"{pid}/task/*/children"):
        try:
            children = task.read_text(encoding="ascii").split()
        except OSError:  # it ended between two looks
            continue
        for child in children:
            yield from tree(int(child))


def held(pid: int) -> tuple[int, int]:
    """KiB that a process holds: all of it, and without pages of files, which the system takes back when it wants."""
    try:
        lines = (PROC / str(pid) / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0, 0
    facts = {line.split(":")[0]: line.split(":")[1] for line in lines if line.startswith(("VmRSS", "RssFile"))}
    every, files = (int(facts.get(key, "0 kB").split()[0]) for key in ("VmRSS", "RssFile"))
    return every, every - files


class _Watch(threading.Thread):
    """Looks at a process until it is told to end."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._ended = pid, threading.Event()
        self.most = (0, 0)

    def run(self) -> None:
        while not self._ended.wait(EVERY):
            found = [held(pid) for pid in tree(self._pid)]
            every, own = (sum(each[k] for each in found) for k in (0, 1))
            self.most = (max(self.most[0], every), max(self.most[1], own))

    def end(self) -> None:
        self._ended.set()
        self.join()


def watched(command: Sequence[str], env: Mapping[str, str], *, log: Path | None = None) -> dict[str, float]:
    """Run a command to its end; it must end well.

    Args:
        command: program and words.
        env: its environment.
        log: where what it says goes; nowhere if not given.

    Returns:
        CPU seconds, seconds on the wall, `peak_mib` with pages of files and `own_mib` without.

    Raises:
        RuntimeError: it ended badly.
    """
    before, clock = _children(), time.perf_counter()
    out = subprocess.DEVNULL if log is None else log.open("wb")
    process = subprocess.Popen(list(command), env=dict(env), stdout=out, stderr=subprocess.STDOUT)
    watch = _Watch(process.pid)
    watch.start()
    status = process.wait()
    watch.end()
    if not isinstance(out, int):
        out.close()
    if status:
        msg = f"a measured command must end well; however: it ended with {status}. Run it by hand: {' '.join(command)}"
        raise RuntimeError(msg)
    every, own = watch.most
    return {
        "cpu": round(_children() - before, 2),
        "wall": round(time.perf_counter() - clock, 2),
        "peak_mib": round(every / 1024),
        "own_mib": round(own / 1024),
    }


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
