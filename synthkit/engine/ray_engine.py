"""Workers of a Ray cluster: one that is started for this machine alone, or one whose address is given.

Ray is an existing engine with habits of its own. Telemetry is turned off before it is imported. Our cluster listens on
this machine alone, which is looked at after the start, asks for a token, and ends with the work. A cluster elsewhere is
joined only by its address, and through a port for clients only if the connection is encrypted.
"""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthkit import errors
from synthkit.engine.engine import MOST_LOST, piece_maker
from synthkit.errors import ConfigError, SynthkitError, UnsupportedError, WorkerError
from synthkit.io.json_types import JSONObject

LOOPBACK = "127.0.0.1"
PACKAGE_HOME = Path(__file__).parents[2]
CLIENT = "ray://"
START_SECONDS = 180  # that a raylet may take on a busy machine
_SETTINGS: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_raylet_start_wait_time_s": str(START_SECONDS),
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_ALONE: Mapping[str, str] = {  # of a cluster of this machine: its nodes take the loopback address for their own
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
}


@dataclass(frozen=True)
class RayEngine:
    """Workers of a cluster.

    Args:
        workers: how many pieces are made at once, 1 or more.
        address: of a cluster that is there, `host:port` or `ray://host:port`; one is started on this machine if not
            given.
        insecure: whether a connection to a `ray://` address may go without encryption.
        most_lost: how often a worker may be lost at one piece.
    """

    workers: int
    address: str | None = None
    insecure: bool = False
    most_lost: int = MOST_LOST

    def map(self, module: str, card: JSONObject, numbers: Sequence[int]) -> Iterator[tuple[int, JSONObject]]:
        """See `Engine`; a cluster that was started ends with the work, however that ends.

        Raises:
            UnsupportedError: Ray is not installed.
            ConfigError: the connection would not be encrypted.
            WorkerError: the cluster cannot be reached, is of another version, listens elsewhere, or lost workers.
        """
        with connected(self) as ray:
            make = ray.remote(max_retries=self.most_lost, num_cpus=1)(_made)
            yield from _in_turn(ray, make, (module, json.dumps(card)), numbers, self.workers)


def _made(module: str, card: str, number: int) -> str:
    """One piece on a worker; an error of ours is told in its words."""
    try:
        return json.dumps({"made": piece_maker(module, json.loads(card))(number)})
    except SynthkitError as error:
        return json.dumps({"refused": type(error).__name__, "why": str(error)})


def _in_turn(
    ray: Any, make: Any, task: tuple[str, str], numbers: Sequence[int], workers: int
) -> Iterator[tuple[int, JSONObject]]:
    """Pieces as they are done, no more than there are workers under way."""
    waiting, going = list(reversed(numbers)), dict[Any, int]()
    try:
        while waiting or going:
            while waiting and len(going) < workers:
                number = waiting.pop()
                going[make.remote(*task, number)] = number
            done, _ = ray.wait(list(going), num_returns=1)
            for reference in done:
                said = json.loads(ray.get(reference))
                if "refused" in said:
                    raise getattr(errors, said["refused"], SynthkitError)(said["why"])
                yield going.pop(reference), said["made"]
    except ray.exceptions.RayError as error:
        msg = (
            f"a worker may be lost some times at one piece; however: once too often ({type(error).__name__}). What was "
            "made stays: run it again, with fewer workers or more memory"
        )
        raise WorkerError(msg) from error
    finally:
        for reference in going:
            ray.cancel(reference, force=True)


@contextmanager
def connected(engine: RayEngine) -> Iterator[Any]:
    """Ray, connected to the cluster of an engine; what was started ends with the block."""
    if engine.address is not None:
        _refuse_open(engine)
    os.environ.update(_SETTINGS if engine.address is not None else {**_SETTINGS, **_ALONE})
    ray = _imported()
    if engine.address is not None:
        with _joined(ray, engine.address):
            yield ray
        return
    _refuse_loaded()
    folder = Path(tempfile.mkdtemp(prefix="synthkit-ray-"))  # with rights of 0700; short, for names of sockets
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32), encoding="ascii")
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(token)
    try:
        with _head(folder, engine.workers) as (address, pid):
            _refuse_open_sockets(pid)
            with _joined(ray, address):
                _refuse_open_sockets(pid, os.getpid())
                yield ray
    finally:
        os.environ.pop("RAY_AUTH_TOKEN_PATH", None)
        shutil.rmtree(folder, ignore_errors=True)


def _imported() -> Any:
    try:
        import ray
    except ImportError as error:
        msg = "`--engine ray` needs Ray; however: it is not installed. Install synthkit[ray]"
        raise UnsupportedError(msg) from error
    return ray


def _refuse_loaded() -> None:
    """Ray takes its own address when it is loaded: once loaded by others, it looks for this machine's outer one.

    Raises:
        ConfigError: it was.
    """
    from ray._private import ray_constants

    if ray_constants.ENABLE_RAY_CLUSTER:
        msg = (
            "a cluster of this machine alone is started before Ray is loaded by others; however: it is loaded already. "
            "Set RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 before, or use `--engine local`"
        )
        raise ConfigError(msg)


def _refuse_open(engine: RayEngine) -> None:
    """A port for clients takes code from whoever reaches it, and Ray's token does not hide what is sent.

    Raises:
        ConfigError: the connection is not encrypted.
    """
    assert engine.address is not None
    if engine.address.startswith(CLIENT) and os.environ.get("RAY_USE_TLS") != "1" and not engine.insecure:
        msg = (
            "a connection to a ray:// address is encrypted; however: RAY_USE_TLS is not 1. Set it, with Ray's "
            "certificates, or say --insecure-cluster in a network that nobody else is in"
        )
        raise ConfigError(msg)


@contextmanager
def _joined(ray: Any, address: str) -> Iterator[None]:
    """A connection to a cluster.

    Raises:
        WorkerError: it cannot be reached, or is of another version.
    """
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", configure_logging=False)
    except (ConnectionError, RuntimeError, OSError, TimeoutError) as error:
        other = "ersion" in str(error)
        why = "it has another version of Ray or Python" if other else "nobody answers there"
        remedy = "Install the same versions on all machines" if other else "Look at the address and the cluster"
        msg = f"a cluster is reached by its address, {address}; however: {why}. {remedy}"
        raise WorkerError(msg) from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _head(folder: Path, workers: int) -> Iterator[tuple[str, int]]:
    """A cluster of this machine alone: its address, and the number of its process.

    Raises:
        WorkerError: it does not start.
    """
    port = _free_port()
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", f"--node-ip-address={LOOPBACK}"]
    command += [f"--port={port}", f"--num-cpus={workers}", f"--temp-dir={folder}", "--include-dashboard=false"]
    command += ["--disable-usage-stats", "--block"]
    with (folder / "start.log").open("w", encoding="utf-8") as log:
        paths = [str(PACKAGE_HOME), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=env, start_new_session=True)
    try:
        _wait_for(process, port)
        yield f"{LOOPBACK}:{port}", process.pid
    finally:
        _end(process)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        return int(free.getsockname()[1])


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    import time

    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex((LOOPBACK, port)) == 0:
                return
        time.sleep(0.2)
    msg = f"Ray starts on this machine within {START_SECONDS} s; however: it did not. Try again when less is going on"
    raise WorkerError(msg)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the head and whatever it started."""
    import psutil

    try:
        everybody = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        everybody = []
    process.terminate()
    _, alive = psutil.wait_procs(everybody, timeout=5)
    for each in alive:
        each.kill()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def open_sockets(pid: int) -> list[str]:
    """Addresses beyond this machine on which a process listens, or any that it started.

    Args:
        pid: of the process.
    """
    import psutil

    found = []
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            listening = [each for each in process.net_connections(kind="inet") if each.status == psutil.CONN_LISTEN]
        except psutil.Error:  # it ended meanwhile
            continue
        found += [f"{each.laddr.ip}:{each.laddr.port}" for each in listening if not is_loopback(each.laddr.ip)]
    return sorted(set(found))


def is_loopback(address: str) -> bool:
    """Whether an address is reached from this machine alone.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("::ffff:127.0.0.1"), is_loopback("::"), is_loopback("0.0.0.0")
        (True, True, False, False)
    """
    found = ipaddress.ip_address(address)
    inner = getattr(found, "ipv4_mapped", None)
    return bool((inner or found).is_loopback)


def _refuse_open_sockets(*pids: int) -> None:
    """A cluster that was started for this machine is reached from this machine alone.

    Raises:
        WorkerError: it listens elsewhere too.
    """
    found = [address for pid in pids for address in open_sockets(pid)]
    if found:
        msg = (
            "Ray started for this machine listens on this machine alone; however: a process of it listens on "
            f"{', '.join(found)}. Use `--engine local`, or give the address of a cluster that you keep"
        )
        raise WorkerError(msg)
