"""What a page depends on besides its JSON: the packages that draw it, and this room."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from synthkit.errors import ArtefactError

DRAWING = ("synthkit", "altair", "vl-convert-python", "jinja2", "markupsafe", "matplotlib")
HERE = Path(__file__).parent
DIGITS = 16


@cache
def drawn_by() -> dict[str, str]:
    """Versions of the packages that draw a page, and under `report` a digest of this room's files.

    The digest tells apart two builds under one version.
    """
    files = sorted(file for kind in ("*.py", "*.html", "*.css") for file in HERE.rglob(kind))
    content = b"".join(file.relative_to(HERE).as_posix().encode() + b"\0" + file.read_bytes() for file in files)
    return {name: version(name) for name in DRAWING} | {"report": hashlib.sha256(content).hexdigest()[:DIGITS]}


@cache
def fonts() -> Path:
    """The fonts of matplotlib, in which letters of charts are measured: those of the system differ.

    Raises:
        ArtefactError: matplotlib is not installed.
    """
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        msg = "letters of charts are measured in the fonts of matplotlib; however: it is not installed. Install it"
        raise ArtefactError(msg)
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
