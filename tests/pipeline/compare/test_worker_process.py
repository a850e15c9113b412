"""What the process of a model tells, and how long it may take to learn."""

from __future__ import annotations

import subprocess
import sys

from synthkit.pipeline.compare.worker_process import ProgressReceiver
from synthkit.runtime.progress import Silent

TELLING = """
import json, time
for line in {lines}:
    print(json.dumps(line), flush=True)
time.sleep({seconds})
"""


class Stages(Silent):
    """Keeps the stages it is told of."""

    def __init__(self):
        self.stages = []

    def stage(self, name):
        self.stages.append(name)

    def say(self, sentence):
        self.stages.append(sentence)


def listened(names, *, minutes, seconds):
    code = TELLING.format(lines=[{"stage": name} for name in names], seconds=seconds)
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    heard = Stages()
    receiver = ProgressReceiver("timeline", process, minutes, heard)
    try:
        return receiver.listen(), heard.stages
    finally:
        receiver.end()
        process.stdin.close()


def test_parts_of_a_fit_are_told_and_its_time_goes_on():
    reason, stages = listened(["fit", "fit: units", "fit: rows"], minutes=0.02, seconds=60)
    assert reason == "it had not learned the table after 0.02 min. Give it more by --max-minutes, or leave it out"
    assert stages[:3] == ["timeline: fit", "timeline: fit: units", "timeline: fit: rows"]
    assert stages[3:] == [f"timeline: stopped, {reason}"]


def test_what_follows_a_fit_is_not_timed():
    reason, stages = listened(["fit", "fit: rows", "sample"], minutes=0.02, seconds=2)
    assert reason == ""
    assert stages[-1] == "timeline: sample"
