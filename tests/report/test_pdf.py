"""The page as PDF: whole, with its text, tagged, and drawn without asking for anything."""

from __future__ import annotations

import builtins

import pytest

from synthkit.errors import ArtefactError
from synthkit.report.html import build
from synthkit.report.pdf import _nothing, write_pdf


def test_the_shareable_page_as_pdf(tmp_path, evaluation, full):
    """Several pages, from the first byte of the format to the last."""
    weasyprint = pytest.importorskip(
        "weasyprint", reason="PDFs need the extra `pdf` and Pango", exc_type=(ImportError, OSError)
    )
    report = build(evaluation, **full, tier="shareable")
    path = report.save_pdf(tmp_path / "report.pdf")
    made = path.read_bytes()
    assert made.startswith(b"%PDF-")
    assert made.rstrip().endswith(b"%%EOF")
    assert len(weasyprint.HTML(string=report.html, url_fetcher=_nothing).render().pages) >= 3
    assert not list(tmp_path.glob("*.tmp*"))


def test_without_weasyprint_the_remedy_is_named(tmp_path, monkeypatch):
    usual = builtins.__import__

    def without(name, *rest, **more):
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return usual(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ArtefactError, match=r"pip install 'synthkit\[pdf\]'.*or print report.html from a browser"):
        write_pdf("<p>x</p>", tmp_path / "x.pdf")
    assert not list(tmp_path.iterdir())


def test_a_page_that_asks_for_something_is_refused():
    with pytest.raises(ValueError, match="must hold all it shows; however: it asks for https"):
        _nothing("https://somewhere/x.css")
