"""A zip whose bytes follow from its members alone, so that every byte of it can be checked."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

from synthkit.errors import ArtefactError

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say; when the bundle was made stands in its manifest
MODE = 0o644 << 16
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
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, date_time=EPOCH)
            entry.external_attr, entry.create_system = MODE, 3
            archive.writestr(entry, members[name])
    return whole.getvalue()


def unpack(content: bytes) -> dict[str, bytes]:
    """The members of a zip that `pack` wrote.

    Raises:
        ArtefactError: it is no zip, a member is damaged or named twice, or a byte outside of the members is not what
            `pack` would have written.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
            # nothing is ever inflated: a small file cannot fill the memory
            members = {name: archive.read(name) for name in names} if stored else {}
    except DAMAGED as error:
        msg = "a bundle must be a whole zip; however: it cannot be read. It was damaged or altered on its way"
        raise ArtefactError(msg) from error
    if len(members) != len(names) or pack(members) != content:
        msg = "a bundle must hold its members and nothing else; however: bytes around them differ. It was altered"
        raise ArtefactError(msg)
    return members
