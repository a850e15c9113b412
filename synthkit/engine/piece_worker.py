"""The process of a worker: it reads a task, then numbers, and says what came of each, a line of JSON each."""

from __future__ import annotations

import json
import os
import sys

from synthkit.engine.engine import piece_maker
from synthkit.errors import SynthkitError


def main() -> None:
    """Make pieces until stdin ends; an error of ours is told in its words, and ends the work."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # libraries that print must not answer
    task = json.loads(sys.stdin.readline())
    try:
        make = piece_maker(task["module"], task["card"])
        for line in sys.stdin:
            number = int(line)
            answers.write(json.dumps({"number": number, "made": make(number)}) + "\n")
            answers.flush()
    except SynthkitError as error:
        answers.write(json.dumps({"refused": type(error).__name__, "why": str(error)}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
