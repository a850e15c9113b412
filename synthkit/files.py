"""Files that appear whole or not at all: written beside their place under a temporary name, then moved."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthkit.errors import TableError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path in the folder of `path`, which takes its place when the block ends without an error.

    Whatever ends the block early (a full disk, Ctrl-C), the temporary file is removed and `path` is as it was.

    Raises:
        TableError: the folder does not exist, cannot be written to, or the disk is full.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replacing(Path(folder) / "a.txt") as temporary:
        ...         _ = temporary.write_text("whole")
        ...     (Path(folder) / "a.txt").read_text()
        'whole'
    """
    path = Path(path)
    if path.is_dir():
        msg = f"a file is written to a file's path; however: {path} is a folder. Add a file name"
        raise TableError(msg)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
        os.close(handle)
    except OSError as error:
        raise TableError(_unwritable(path, error)) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise TableError(_unwritable(path, error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> str:
    why = error.strerror or type(error).__name__
    return (
        f"{path} must be writable; however: {why}. Nothing was written; make room, or choose a folder that exists "
        "and that you may write to"
    )
