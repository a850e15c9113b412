"""What a piece of work takes: seconds, CPU seconds, what others did meanwhile, memory; standard library only.

Peers run in environments of their own and measure themselves with this file, as ours do.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STAT = Path("/proc/stat")


def own_cpu() -> float:
    """CPU seconds of this process, its threads and the children it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def busy(stat: str) -> float:
    """CPU seconds a machine has been busy, from the first line of /proc/stat; guests count in user, steal is busy.

    Example:
        >>> busy("cpu  100 20 30 1000 7 3 2 5 50 0") * os.sysconf("SC_CLK_TCK")
        160.0
    """
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def others(busy_seconds: float, own_seconds: float, wall: float, cores: int) -> float:
    """Share of the machine's CPU that other processes used.

    Example:
        >>> others(30.0, 10.0, 20.0, 2)
        0.5
    """
    return min(max((busy_seconds - own_seconds) / (wall * cores), 0.0), 1.0) if wall > 0 else 0.0


def peak_mib() -> int:
    """Largest resident memory of this process so far, MiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Fill a dictionary with what the block took, when it ends.

    Example:
        >>> with measured() as took: pass
        >>> sorted(took)
        ['cpu', 'others', 'peak_mib', 'wall']
    """
    took: dict[str, float] = {}
    own, clock, machine = own_cpu(), time.perf_counter(), busy(STAT.read_text(encoding="ascii"))
    yield took
    wall = time.perf_counter() - clock
    used = own_cpu() - own
    all_used = busy(STAT.read_text(encoding="ascii")) - machine
    share = others(all_used, used, wall, os.cpu_count() or 1)
    took |= {"wall": round(wall, 3), "cpu": round(used, 3), "others": round(share, 3), "peak_mib": peak_mib()}
