"""Writes how long each file of tests took, from a junit.xml: `python tests/durations.py junit.xml`.

The conftest begins the longest files first, and `pytest --fast` leaves out all that take more than a second.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
OUT = HERE / "durations.json"


def seconds_by_file(report: Path) -> dict[str, float]:
    """Seconds of each file, by its path under `tests`; to a tenth, so that little changes from run to run."""
    total: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):
        total[f"{case.get('classname', '').replace('.', '/')}.py".removeprefix("tests/")] += float(case.get("time", 0))
    return {name: round(taken, 1) for name, taken in sorted(total.items()) if (HERE / name).is_file()}


if __name__ == "__main__":
    OUT.write_text(json.dumps(seconds_by_file(Path(sys.argv[1])), indent=0) + "\n", encoding="utf-8")
