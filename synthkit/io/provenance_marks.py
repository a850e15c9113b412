"""Synthetic data say that they are synthetic: in the metadata of a Parquet or Arrow file, or beside a CSV file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from synthkit._version import __version__
from synthkit.errors import TableError
from synthkit.io import arrow_files
from synthkit.io.atomic_files import replacing
from synthkit.io.documents import MALFORMED_DATA_ERRORS, parse_json, read_json

PROVENANCE_KEY = b"synthkit"
ARROW_KINDS = {".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow"}
SIDECAR_SUFFIX = ".synthetic.json"
ESCAPED_KEY = "escaped"  # key that says with which sign texts were escaped for spreadsheets
Content = Literal["synthetic", "partially synthetic"]


def provenance_mark(content: Content = "synthetic", *, date: str | None = None) -> dict[str, str]:
    """What is said of rows: that they are synthetic, what made them, and when if a date is given.

    Example:
        >>> sorted(provenance_mark())
        ['content', 'generator', 'version']
    """
    said = {"content": content, "generator": "synthkit", "version": __version__}
    return said if date is None else {**said, "date": date}


def sidecar_path(path: Path) -> Path:
    """Where the mark of a CSV file stands."""
    return path.with_name(path.name + SIDECAR_SUFFIX)


def write_sidecar(path: Path, said: Mapping[str, str], *, rows: Path) -> Path:
    """Write the mark of a CSV file beside it, with the digest of the rows it is about, which may lie elsewhere yet."""
    with replacing(sidecar_path(path)) as temporary:
        text = json.dumps({**said, "sha256": hashlib.sha256(rows.read_bytes()).hexdigest()}, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")
    return sidecar_path(path)


def read_mark(path: str | Path) -> dict[str, str] | None:
    """What a file says of its rows, None if it says nothing.

    Raises:
        TableError: the file beside a CSV file is about other rows, or no mark.
    """
    path = Path(path)
    if path.suffix not in ARROW_KINDS:
        return _read_beside(path)
    found = arrow_files.read_metadata(path, ARROW_KINDS[path.suffix], PROVENANCE_KEY)
    return None if found is None else _said(found)


def _said(text: bytes) -> dict[str, str]:
    """What stands in the metadata of a table; a stranger may have written it."""
    try:
        return dict(parse_json(text, "what the file says of its rows"))
    except MALFORMED_DATA_ERRORS as error:
        msg = "what a table says of its rows must be what synthkit wrote; however: it is not. Write the rows again"
        raise TableError(msg) from error


def is_escaped(path: str | Path) -> bool:
    """Whether the mark beside a CSV file says that texts in it were escaped for spreadsheets.

    Raises:
        TableError: it says so about other rows than those in the file; or it is no mark.
    """
    path = Path(path)
    if not sidecar_path(path).exists() or ESCAPED_KEY not in _parsed(path):
        return False
    return ESCAPED_KEY in (_read_beside(path) or {})


def _read_beside(path: Path) -> dict[str, str] | None:
    if not sidecar_path(path).exists():
        return None
    said = _parsed(path)
    if said.pop("sha256", None) != hashlib.sha256(path.read_bytes()).hexdigest():
        name = sidecar_path(path).name
        msg = f"{name} must be about {path.name}; however: the rows have changed since. Write them again"
        raise TableError(msg)
    return said


def _parsed(path: Path) -> dict[str, str]:
    try:
        return dict(read_json(sidecar_path(path)))
    except (ValueError, TypeError) as error:
        msg = f"{sidecar_path(path).name} must be what synthkit wrote; however: it is not JSON. Write the rows again"
        raise TableError(msg) from error
