"""A folder that one process at a time holds, on every system, and whose entries are brought to the disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from synthkit.errors import ArtefactError

LOCK = ".synthkit.lock"  # the file that stands for its folder where folders cannot be locked


@contextmanager
def held(path: Path, *, what: str) -> Iterator[None]:
    """The folder of a file, held so that nobody else changes an account in it at the same time.

    Whoever comes second waits. A process that is killed lets go.

    Args:
        path: the file.
        what: what it is, in words.

    Raises:
        ArtefactError: there is no such folder.
    """
    try:
        lock = _locked(path.parent)
    except OSError as error:
        msg = f"the folder of {what} must exist; however: {path.parent}: {error.strerror}. Name another"
        raise ArtefactError(msg) from error
    with lock:
        yield


def sync_folder(folder: Path) -> None:
    """Bring the entries of a folder to the disk; Windows cannot be asked to, and writes them down by itself.

    Raises:
        OSError: the disk is full or broken, or the folder is gone.
    """
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _locked(folder: Path) -> ExitStack:
    """What lets go of a folder when it is closed: a lock on itself, or on a file in it without `fcntl` (Windows).

    Raises:
        OSError: there is no such folder, or it cannot be locked.
    """
    with ExitStack() as lock:
        try:
            import fcntl
        except ImportError:
            from filelock import FileLock

            if not folder.is_dir():  # the library would make it
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None
            lock.enter_context(FileLock(folder / LOCK))
        else:
            handle = os.open(folder, os.O_RDONLY)
            lock.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        return lock.pop_all()
