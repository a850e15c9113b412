"""The engine that flags name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthkit.engine.memory_plan import MemoryPlan
from synthkit.errors import ConfigError

if TYPE_CHECKING:
    from synthkit.engine.engine import Engine

LOCAL, RAY = "local", "ray"


def engine_of(name: str, workers: int | None, memory: str | None = None, *, insecure: bool = False) -> Engine:
    """The engine of a name: `local`, `ray` for a cluster of this machine, or the address of one that is there.

    Args:
        name: `local`, `ray`, `ray://host:port`, or `ray:host:port` where this machine is part of the cluster.
        workers: how many work at once, 1 or more; one, or two of a cluster, if not given.
        memory: bound on what all of this machine hold together, such as 8GB; not asked of a cluster elsewhere.
        insecure: whether a `ray://` address may go without encryption.

    Raises:
        ConfigError: there is no such engine, or the memory is too little for the workers.

    Example:
        >>> engine_of("local", 1)
        LocalEngine(workers=1, most_lost=3)
    """
    if workers is not None and workers < 1:
        msg = f"`workers` must be 1 or more; however: {workers}. Give another number"
        raise ConfigError(msg)
    if name == LOCAL:
        from synthkit.engine.local_engine import LocalEngine

        return LocalEngine(_bounded(workers or 1, memory))
    from synthkit.engine.ray_engine import CLIENT, RayEngine

    if name == RAY:
        return RayEngine(_bounded(workers or 2, memory))
    if name.startswith(CLIENT):
        return RayEngine(workers or 2, address=name, insecure=insecure)
    if name.startswith(f"{RAY}:"):
        return RayEngine(workers or 2, address=name.removeprefix(f"{RAY}:"), insecure=insecure)
    msg = f"`engine` must be {LOCAL}, {RAY}, or the address of a Ray cluster like ray://host:10001; however: {name!r}"
    raise ConfigError(msg)


def _bounded(workers: int, memory: str | None) -> int:
    """The workers, if the memory is enough for them.

    Raises:
        ConfigError: it is not.
    """
    plan = MemoryPlan.of(memory)
    if plan.asked and workers > plan.workers:
        msg = (
            f"each worker needs about 1 GB beside what all share; however: `memory` is enough for {plan.workers}, and "
            f"{workers} are asked. Give more memory, or fewer workers"
        )
        raise ConfigError(msg)
    return workers
