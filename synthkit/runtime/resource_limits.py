"""A minute and two gigabytes: for how long, and in how much memory, something from a stranger may be looked at."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from synthkit.errors import ArtefactError

DEFAULT_TIME_LIMIT, DEFAULT_MEMORY_LIMIT = 60.0, 2 * 2**30
_PROCESS_STATUS = Path("/proc/self/status")


class Deadline:
    """When the time is over.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._end = seconds, time.process_time() + seconds

    def check(self) -> None:
        """Go on only if there is time.

        Raises:
            ArtefactError: the time is over.
        """
        if time.process_time() >= self._end:
            msg = (
                f"it must be looked at within {self._seconds:g} s of the processor; however: the time is over. "
                "Ask for a smaller one"
            )
            raise ArtefactError(msg)

    def ring(self, number: int, frame: FrameType | None) -> None:
        """Handle the alarm: the time is over wherever the program is."""
        del number, frame
        self._end = 0.0
        self.check()


@contextmanager
def resource_limits(seconds: float = DEFAULT_TIME_LIMIT, memory: int = DEFAULT_MEMORY_LIMIT) -> Iterator[Deadline]:
    """Bound what happens in a block: an `ArtefactError` at the end of the time, a `MemoryError` beyond the memory.

    The memory is what is taken beyond what is there already, the gigabyte among it that Arrow sets aside at its first
    use; it is bounded on Linux. The alarm rings in the main thread, and where there are alarms; elsewhere the time is
    looked at between steps, by `check`.

    Args:
        seconds: of the processor, so that a busy machine changes nothing.
        memory: bytes.
    """
    deadline = Deadline(seconds)
    rings = threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGPROF")
    before = signal.signal(signal.SIGPROF, deadline.ring) if rings else None
    if rings:
        signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        with _memory(memory):
            yield deadline
    finally:
        if rings:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)


@contextmanager
def _memory(more: int) -> Iterator[None]:
    """At most so many bytes of data beside those that are there."""
    import pyarrow as pa

    pa.allocate_buffer(1)  # else what is set aside is half of what is bounded, with hardly a byte of it in use
    taken = _taken()
    if taken is None:
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = taken + more
    least = min(x for x in (wanted, soft, hard) if x != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_DATA, (least, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _taken() -> int | None:
    """Bytes of data of this process; None where the system does not say."""
    if not _PROCESS_STATUS.exists():
        return None
    lines = dict(
        line.split(":", 1) for line in _PROCESS_STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    )
    return int(lines["VmData"].split()[0]) * 1024 if "VmData" in lines else None
