"""Several processes of this machine: each is a fresh interpreter, and one that is lost is followed by another."""

from __future__ import annotations

import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any

from synthkit import errors
from synthkit.engine.engine import MOST_LOST, InProcess
from synthkit.errors import SynthkitError, WorkerError
from synthkit.io.json_types import JSONObject
from synthkit.runtime.processes import crash_reason, start_module

PIECE_WORKER = "synthkit.engine.piece_worker"


@dataclass(frozen=True)
class LocalEngine:
    """Processes of this machine.

    Args:
        workers: how many, 1 or more.
        most_lost: how many may be lost before the work is given up.
    """

    workers: int
    most_lost: int = MOST_LOST

    def map(self, module: str, card: JSONObject, numbers: Sequence[int]) -> Iterator[tuple[int, JSONObject]]:
        """See `Engine`; processes end with the work, however that ends."""
        if self.workers == 1 or len(numbers) < 2:
            yield from InProcess().map(module, card, numbers)
            return
        yield from _Crew(json.dumps({"module": module, "card": card}), numbers, self).run()


@dataclass
class _Worker:
    """A process, the number it is busy with, and what it complained of."""

    process: subprocess.Popen[bytes]
    complaints: IO[str]
    number: int | None = None


def _complaints() -> IO[str]:
    """A file without a name, gone when it is closed."""
    return tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")


class _Crew:
    """The processes of one piece of work."""

    def __init__(self, task: str, numbers: Sequence[int], engine: LocalEngine) -> None:
        self._task, self._waiting, self._engine = task, list(reversed(numbers)), engine
        self._answers: queue.Queue[tuple[_Worker, dict[str, Any] | None]] = queue.Queue()
        self._workers: list[_Worker] = []
        self._lost = 0
        self._files = ExitStack()

    def run(self) -> Iterator[tuple[int, JSONObject]]:
        try:
            for _ in range(min(self._engine.workers, len(self._waiting))):
                self._begin()
            while self._workers:
                worker, said = self._answers.get()
                if said is None:
                    self._ended(worker)
                elif "refused" in said:
                    kind = getattr(errors, said["refused"], SynthkitError)
                    raise kind(said["why"])
                else:
                    yield said["number"], said["made"]
                    self._give(worker)
        finally:
            for worker in self._workers:
                worker.process.kill()
                worker.process.wait()
            self._files.close()

    def _begin(self) -> None:
        complaints = self._files.enter_context(_complaints())
        worker = _Worker(start_module(PIECE_WORKER, complaints), complaints)
        self._workers.append(worker)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        self._tell(worker, self._task)
        self._give(worker)

    def _listen(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None
        for line in worker.process.stdout:
            self._answers.put((worker, json.loads(line)))
        worker.process.wait()
        self._answers.put((worker, None))

    def _give(self, worker: _Worker) -> None:
        """The next number; where there is none the process may end."""
        worker.number = self._waiting.pop() if self._waiting else None
        if worker.number is None:
            assert worker.process.stdin is not None
            worker.process.stdin.close()
        else:
            self._tell(worker, str(worker.number))

    def _tell(self, worker: _Worker, line: str) -> None:
        assert worker.process.stdin is not None
        try:
            worker.process.stdin.write(f"{line}\n".encode())
            worker.process.stdin.flush()
        except BrokenPipeError:  # it is lost, as its end will tell
            return

    def _ended(self, worker: _Worker) -> None:
        """A process has ended: with its work done, or lost, and then another takes its number up.

        Raises:
            WorkerError: too many were lost.
        """
        self._workers.remove(worker)
        worker.complaints.seek(0)
        why = crash_reason(worker.process.returncode, worker.complaints.read())
        if worker.number is None:
            return
        self._lost += 1
        self._waiting.append(worker.number)
        if self._lost > self._engine.most_lost:
            msg = (
                f"a worker may be lost {self._engine.most_lost} times; however: once more, {why}. What was made stays: "
                "run it again, with fewer workers or more memory"
            )
            raise WorkerError(msg)
        self._begin()
