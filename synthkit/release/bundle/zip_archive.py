"""A zip whose bytes follow from its members alone, so that every byte of it can be checked."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Mapping, Sequence

from synthkit.errors import ArtefactError

MAX_BUNDLE_BYTES = 384 * 2**20  # of a bundle: it is held in memory three times while it is unpacked
MAX_MEMBERS, MAX_NAME_LENGTH = 1000, 200  # of them, and letters of a name
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say; when the bundle was made stands in its manifest
MODE = 0o644 << 16
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
# what reading an altered zip may raise
DAMAGED = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    KeyError,
    struct.error,
)


def pack(members: Mapping[str, bytes]) -> bytes:
    """The members as a zip: in the order of their names, not compressed, without times.

    Example:
        >>> pack({"b": b"2", "a": b"1"}) == pack({"a": b"1", "b": b"2"})
        True
    """
    return _packed(members).getvalue()


def _packed(members: Mapping[str, bytes]) -> io.BytesIO:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, date_time=EPOCH)
            entry.external_attr, entry.create_system = MODE, 3
            archive.writestr(entry, members[name])
    return whole


def unpack(content: bytes) -> dict[str, bytes]:
    """The members of a zip that `pack` wrote.

    Raises:
        ArtefactError: it is no zip, a member is damaged or oddly named, or a byte outside of the members is not what
            `pack` would have written.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check_names([entry.filename for entry in entries])
            # nothing is inflated, and no two members share bytes: a small file cannot fill the memory
            sound = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
            sound = sound and sum(entry.file_size for entry in entries) <= len(content)
            members = {entry.filename: archive.read(entry) for entry in entries} if sound else {}
    except DAMAGED as error:
        msg = "a bundle must be a whole zip; however: it cannot be read. It was damaged or altered on its way"
        raise ArtefactError(msg) from error
    if len(members) != len(entries) or _packed(members).getbuffer() != content:
        msg = "a bundle must hold its members and nothing else; however: bytes around them differ. It was altered"
        raise ArtefactError(msg)
    return members


def _check_names(names: Sequence[str]) -> None:
    """Names that mean the same file on every system: no way out of a folder, no two that differ in case alone.

    Raises:
        ArtefactError: there is another.
    """
    odd = [name for name in names if len(name) > MAX_NAME_LENGTH or not PLAIN_NAME.fullmatch(name)]
    alike = len({name.casefold() for name in names}) < len(names)
    if odd or alike or len(names) > MAX_MEMBERS:
        msg = (
            f"a bundle must hold at most {MAX_MEMBERS:,} members, each with a plain name of its own; however: it does "
            "not. It was altered, or synthkit did not write it"
        )
        raise ArtefactError(msg)
