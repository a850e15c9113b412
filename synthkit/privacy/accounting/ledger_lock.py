"""The file of a ledger: one run at a time writes to it, and what it wrote is on the disk before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthkit.errors import TableError
from synthkit.io.atomic_files import replacing
from synthkit.io.folder_lock import held, sync_folder
from synthkit.privacy.accounting.ledger_file import LedgerFile


class LedgerLock:
    """Where a ledger is kept.

    Args:
        path: of the file, in a folder that exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held = False

    @property
    def held(self) -> bool:
        """Whether nobody else may write to it now."""
        return self._held

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Its folder held, so that no other run charges to a ledger in it at the same time.

        Raises:
            ArtefactError: there is no such folder.
        """
        with held(self.path, what="a ledger"):
            self._held = True
            try:
                yield
            finally:
                self._held = False

    def read(self) -> LedgerFile:
        """What it holds.

        Raises:
            ArtefactError: it is not there, or holds no ledger.
        """
        return LedgerFile.read(self.path)

    def write(self, archive: LedgerFile) -> None:
        """Put a ledger on disk, its entry in the folder too, while it is held.

        Raises:
            TableError: it cannot be written, or may not have reached the disk.
        """
        assert self._held
        with replacing(self.path) as temporary:
            temporary.write_text(archive.to_json(), encoding="utf-8")
        try:
            sync_folder(self.path.parent)
        except OSError as error:
            msg = f"{self.path} must reach the disk; however: {error.strerror}. Nothing may be drawn; see to the disk"
            raise TableError(msg) from error
