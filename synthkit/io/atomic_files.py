"""Files and folders that appear whole or not at all: written beside their place, then moved there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthkit.errors import ArtefactError, SynthkitError, TableError


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
        with temporary.open("r+b") as written:  # Windows syncs only what may be written to
            os.fsync(written.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        raise TableError(_unwritable(path, error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_secret(path: str | Path, content: bytes) -> None:
    """A new file that only its owner may read; one that is there is never replaced, half a one never left.

    Raises:
        ArtefactError: the file is there already, or cannot be written.
    """
    path = Path(path)
    made = False
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        made = True
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except FileExistsError as error:
        msg = f"{path} must not exist yet; however: it does. A key is never replaced: choose another name"
        raise ArtefactError(msg) from error
    except OSError as error:
        if made:
            path.unlink()
        msg = f"{path} must be writable; however: {_why(error)}. Make room, or choose a folder that exists"
        raise ArtefactError(msg) from error


def _unwritable(path: Path, error: OSError) -> str:
    return (
        f"{path} must be writable; however: {_why(error)}. Nothing was written; make room, or choose a folder "
        "that exists and that you may write to"
    )


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__


def check_file(path: Path, *, overwrite: bool) -> None:
    """Refuse the place of a file before any work is done for it.

    Raises:
        ArtefactError: there is something already that may not be replaced.
    """
    if path.exists() and not (overwrite and path.is_file()):
        what = "say --overwrite or choose another name" if path.is_file() else "choose another name"
        msg = f"{path} must not exist yet; however: it does. Please {what}"
        raise ArtefactError(msg)


def check_folder(folder: Path, *, overwrite: bool, marks: tuple[str, ...]) -> None:
    """Refuse a place for a folder before any work is done for it.

    Only an empty folder, or one that holds a file we put into every such folder, is ever replaced: a typing mistake
    must not cost anybody a folder of their own.

    Args:
        folder: the final place.
        overwrite: whether a folder that is there may be replaced.
        marks: files of which such a folder holds at least one.

    Raises:
        ArtefactError: the folder exists and may not be replaced, is something else, or cannot be made.
    """
    if not folder.exists():
        parent = next(p for p in folder.resolve().parents if p.exists())
        if not (parent.is_dir() and os.access(parent, os.W_OK)):
            msg = f"{folder} must be writable; however: {parent} is not a folder you may write to. Choose another place"
            raise ArtefactError(msg)
        return
    if not folder.is_dir():
        msg = f"{folder} must be a folder; however: it is a file. Choose another name"
        raise ArtefactError(msg)
    if not overwrite:
        msg = f"{folder} must not exist yet; however: it does. Choose another folder, or say --overwrite"
        raise ArtefactError(msg)
    if any(folder.iterdir()) and not any((folder / mark).is_file() for mark in marks):
        msg = (
            f"only a folder that synthkit wrote is replaced; however: {folder} holds none of {', '.join(marks)}. "
            "Choose another folder"
        )
        raise ArtefactError(msg)


@contextmanager
def replacing_folder(folder: Path, *, overwrite: bool, marks: tuple[str, ...]) -> Iterator[Path]:
    """A temporary folder beside `folder`, which takes its place when the block ends without an error.

    Args:
        folder: the final place.
        overwrite: whether a folder that is there may be replaced.
        marks: files of which such a folder holds at least one; another folder is never replaced.

    Raises:
        ArtefactError: the folder exists and may not be replaced, or cannot be written.
    """
    folder = folder.resolve()
    check_folder(folder, overwrite=overwrite, marks=marks)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".partial"))
    except OSError as error:
        msg = f"{folder} must be writable; however: {_why(error)}. Choose a folder you may write to"
        raise ArtefactError(msg) from error
    try:
        yield temporary
        temporary.chmod(0o755)
        _exchange(temporary, folder)
    except (OSError, SynthkitError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__  # a file or folder inside could not be written
        if not isinstance(cause, OSError):
            raise
        msg = f"{folder} must be writable; however: {_why(cause)}. Nothing was written; make room and run again"
        raise ArtefactError(msg) from cause
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _exchange(temporary: Path, folder: Path) -> None:
    """Put one folder in the place of another, which is deleted only then."""
    if not folder.exists():
        temporary.rename(folder)
        return
    older = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".older"))
    kept = older / folder.name
    try:
        folder.rename(kept)
        temporary.rename(folder)
    finally:
        if kept.exists() and not folder.exists():  # stopped between the two
            kept.rename(folder)
        shutil.rmtree(older)
