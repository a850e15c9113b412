"""A key of a watermark, of one table or of linked ones, whichever a file holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synthkit.errors import DocumentError
from synthkit.io.documents import read_json
from synthkit.watermark.key import WatermarkKey
from synthkit.watermark.unit_key import FORMAT, UnitWatermarkKey


def load_key(path: str | Path) -> WatermarkKey | UnitWatermarkKey:
    """Read a key file; its format says which of the two it is.

    Raises:
        ArtefactError: there is no such file, or it is no key; what it holds is never shown.
    """
    try:
        data: object = read_json(Path(path))
    except (OSError, DocumentError):
        data = None  # refused below, by the file's name alone
    linked = isinstance(data, Mapping) and data.get("format") == FORMAT
    return UnitWatermarkKey.load(path) if linked else WatermarkKey.load(path)
