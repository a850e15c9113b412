"""A module of ours in a process of its own: started, and why it ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

RUNTIME_FOLDER = Path(__file__).parent
_ERROR_CLASS = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)")


def start_module(module: str, complaints: IO[str]) -> subprocess.Popen[bytes]:
    """A fresh interpreter that finds the same package, and no module of the folder it happens to run in.

    Args:
        module: its name, such as `synthkit.pipeline.compare.worker`; it reads its task from stdin.
        complaints: where its stderr goes.
    """
    home = str(RUNTIME_FOLDER.parents[1])
    paths = [home, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=complaints,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


def crash_reason(code: int, complaints: str) -> str:
    r"""Why a process ended that did not say so; the sort of an error, never its message, which may quote rows.

    Example:
        >>> crash_reason(1, "Traceback (most recent call last):\nKeyError: 'Ann Lee'")
        'its process ended with an error of its own (KeyError)'
    """
    if code < 0:
        number = -code
        known = {s.value: s.name for s in signal.Signals}
        memory = "; memory may have run out" if known.get(number) == "SIGKILL" else ""
        return f"its process was ended by {known.get(number, f'signal {number}')}{memory}"
    lines = [line for line in complaints.splitlines() if _ERROR_CLASS.match(line)]
    found = _ERROR_CLASS.match(lines[-1]) if lines else None
    sort = f" ({found[1].rpartition('.')[2]})" if found else ""
    return f"its process ended with an error of its own{sort}"
