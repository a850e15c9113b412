"""What a page depends on besides its JSON: the packages that draw it, and this room."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from synthkit.errors import ArtefactError
from synthkit.report.section_registry import outside_sections

DRAWING_PACKAGES = ("synthkit", "altair", "vl-convert-python", "jinja2", "markupsafe", "matplotlib")
REPORT_ROOM = Path(__file__).parent
DIGEST_LENGTH = 16  # hexadecimal digits
NOT_INSTALLED = "not installed"
OUTSIDE_SECTION = "section "  # before the id of a section that another package brings


def drawn_by(sections: Iterable[str] = ()) -> dict[str, str]:
    """Versions of the packages that draw a page, and under `report` a digest of this room's files.

    The digest tells apart two builds under one version.

    Args:
        sections: ids of the page's sections; those from outside are named with the distribution that brings them, or
            `not installed`.
    """
    outside = {f"{OUTSIDE_SECTION}{name}": by or NOT_INSTALLED for name, by in outside_sections(sections).items()}
    return _own_versions() | outside


def is_outside(name: str) -> bool:
    """Whether a name in `drawn_by` is that of a section which another package brings."""
    return name.startswith(OUTSIDE_SECTION)


@cache
def _own_versions() -> dict[str, str]:
    files = sorted(file for kind in ("*.py", "*.html", "*.css") for file in REPORT_ROOM.rglob(kind))
    content = b"".join(file.relative_to(REPORT_ROOM).as_posix().encode() + b"\0" + file.read_bytes() for file in files)
    return {name: version(name) for name in DRAWING_PACKAGES} | {
        "report": hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]
    }


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
