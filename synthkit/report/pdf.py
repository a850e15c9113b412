"""A page as PDF, from the same HTML: tagged for screen readers, nothing fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Never

from synthkit.errors import ArtefactError
from synthkit.io.atomic_files import replacing

PDF_VARIANT = "pdf/ua-1"


def write_pdf(html: str, path: str | Path) -> Path:
    """Write a page as PDF, whole or not at all.

    Raises:
        ArtefactError: WeasyPrint, or the libraries it draws with, are not installed.
    """
    try:
        import weasyprint  # type: ignore[import-untyped]
    except (ImportError, OSError) as error:  # OSError: the package is there, Pango is not
        msg = "a PDF needs WeasyPrint and Pango; however: they are not installed. Run `pip install 'synthkit[pdf]'`, "
        msg += "install Pango with the system's packages, or print report.html from a browser"
        raise ArtefactError(msg) from error
    path = Path(path)
    document = weasyprint.HTML(string=html, url_fetcher=_nothing)
    with replacing(path) as temporary:
        document.write_pdf(temporary, pdf_variant=PDF_VARIANT)
    return path


def _nothing(url: str, *_: object, **__: object) -> Never:
    msg = f"a report must hold all it shows; however: it asks for {url.split(':', 1)[0]}"
    raise ValueError(msg)
