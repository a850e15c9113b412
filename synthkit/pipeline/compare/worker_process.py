"""The process of a model: started, listened to, ended if it takes too long; there is an outcome in any case."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from synthkit.pipeline.compare.model_result import RESULT, ModelResult
from synthkit.pipeline.compare.worker import WorkerTask, send
from synthkit.runtime.processes import crash_reason, start_module

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.runtime.progress import Progress


WORKER = "synthkit.pipeline.compare.worker"
FIT = "fit"  # the stage that is timed, as workers tell it


def launch(task: WorkerTask, *frames: pd.DataFrame, progress: Progress, module: str = WORKER) -> ModelResult:
    """Let a model do its task in a process of its own.

    Args:
        task: what it is to do.
        frames: rows to learn, in canonical dtypes, and rows it never sees but is measured against; of linked tables
            one frame a table, in the order of the schema, of either.
        progress: told of its stages and steps.
        module: what the process runs.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        listener = ProgressReceiver(task.name, start_module(module, complaints), task.minutes, progress)
        try:
            listener.give(task, *frames)
            reason = listener.listen()
        finally:
            listener.end()
        if not reason and listener.process.returncode:
            complaints.seek(0)
            reason = crash_reason(listener.process.returncode, complaints.read())
    if reason:
        return ModelResult(name=task.name, reference=task.reference, settings=task.settings, reason=reason)
    return ModelResult.read(Path(task.folder) / RESULT)


class ProgressReceiver:
    """Receives what a model's process tells.

    Args:
        name: of the model.
        process: its process.
        minutes: the most it may take to learn.
        progress: told of its stages and steps.
    """

    def __init__(self, name: str, process: subprocess.Popen[bytes], minutes: float | None, progress: Progress) -> None:
        self.process = process
        self._name, self._minutes, self._progress = name, minutes, progress
        self._timer: threading.Timer | None = None
        self._late = False

    def give(self, task: WorkerTask, *frames: pd.DataFrame) -> None:
        """Hand over the task; a process that has ended already takes nothing."""
        assert self.process.stdin is not None
        try:
            with self.process.stdin as stream:
                send(cast("BinaryIO", stream), task, *frames)
        except BrokenPipeError:
            return

    def listen(self) -> str:
        """Pass its progress on until it ends; why it failed by its own account, or by its lateness, else nothing."""
        assert self.process.stdout is not None
        reason = ""
        for line in self.process.stdout:
            said = json.loads(line)
            reason = said.get("failed", reason)
            if "stage" in said:
                self._stage(said["stage"])
            elif "total" in said:
                self._progress.advance(said["done"], said["total"], said["note"])
            elif "say" in said:
                self._progress.say(f"{self._name}: {said['say']}")
        self.process.wait()
        if not self._late:
            return reason
        late = (
            f"it had not learned the table after {self._minutes:g} min. Give it more by --max-minutes, or leave it out"
        )
        self._progress.say(f"{self._name}: stopped, {late}")
        return late

    def end(self) -> None:
        """Nothing of it goes on."""
        self._disarm()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _stage(self, name: str) -> None:
        self._progress.stage(f"{self._name}: {name}")
        if name.startswith(f"{FIT}:"):
            return  # a part of it: the time goes on
        self._disarm()
        if name == FIT and self._minutes is not None:
            self._timer = threading.Timer(60 * self._minutes, self._expire)
            self._timer.daemon = True
            self._timer.start()

    def _expire(self) -> None:
        self._late = True
        self.process.kill()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
