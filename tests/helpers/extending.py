"""The listings of docs/extending as installed distributions."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from installed import install
from places import ROOT

from synthkit.encoding.codecs.codec_registry import CODEC_PLUGINS, all_codecs

LISTING = ROOT / "docs" / "extending" / "codec.py"


@contextmanager
def offering(site: Path, text: str, points: dict[str, str], name: str = "circular-codec") -> Iterator[None]:
    """Codecs of a distribution that is installed for a while."""
    module = name.replace("-", "_")
    targets = {codec: f"{module}:{target}" for codec, target in points.items()}
    install(site, name, modules={module: text}, entry_points={CODEC_PLUGINS: targets})
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        importlib.invalidate_caches()
        all_codecs.cache_clear()
        yield
    all_codecs.cache_clear()


@contextmanager
def circular(site: Path) -> Iterator[None]:
    """The codec of docs/extending/codec.py, installed."""
    with offering(site, LISTING.read_text(encoding="utf-8"), {"circular": "SPEC"}):
        yield
