"""Where things lie: what was measured, the pages it is written into, and work files."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEASURED = ROOT / "benchmarks" / "figures"  # all that was measured, as JSON
CELLS, SCORES = MEASURED / "cells", MEASURED / "scores"
SCHEMAS, DOCS = ROOT / "schemas", ROOT / "docs"
FRONT, PAGE = ROOT / "README.md", ROOT / "benchmarks" / "README.md"  # pages with tables of what was measured
BENCH = ROOT / ".bench"  # environments of peers and work files, not kept
LINKED_SCHEMAS = ROOT / "benchmarks" / "linked" / "schemas"
