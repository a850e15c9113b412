"""Whether errors in the code that measures risks would be noticed: one is made at a time, and the known answers asked.

The package and its tests are copied into a temporary folder; there one piece of text is replaced, and the cases of
`synthkit selftest` are run until an answer is wrong. Where all are right, or cannot see the error (an order of rows
that made-up people do not have, say), the named file of tests is run. Every error must be caught by one or the other;
a crash counts, and is told apart. Unchanged, all must be right; else, or if one is not caught, the status is 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.flags import parser
from benchmarks.json_files import write
from benchmarks.measure.machine import fingerprint
from benchmarks.places import MEASURED, ROOT
from benchmarks.risk.planted_errors import MUTATIONS, Mutation

OUT = MEASURED / "mutations.json"
SELFTEST = """
import sys
from pathlib import Path
import synthkit
assert Path(synthkit.__file__).is_relative_to(Path.cwd()), "not the changed copy"
from synthkit.selftest.cases import CASES, run
for name in sorted(CASES, key=lambda name: name not in sys.argv[1:]):
    wrong = [answer for answer in run(name, 0) if not answer.holds]
    if wrong:
        print(f"{name}, {wrong[0]}")
        sys.exit(3)
"""


def copied(folder: Path) -> None:
    """The package and its tests, as they stand."""
    skipped = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in ("synthkit", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    shutil.copy(ROOT / "pyproject.toml", folder)


def changed(folder: Path, mutation: Mutation) -> str:
    """Make the error; the text that stood there before."""
    path = folder / "synthkit" / mutation.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutation.old) != 1:
        msg = f"`{mutation.old}` must stand once in {mutation.file}; however: {text.count(mutation.old)} times. Mend it"
        raise ValueError(msg)
    path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    return text


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A process of its own that sees the copy and no other."""
    env = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=False)


def caught(folder: Path, case: str | None, tests: str | None) -> dict[str, Any]:
    """By what a copy is found to be wrong: a known answer, a test, a crash, or nothing."""
    if case is not None:
        asked = ran(folder, "-c", SELFTEST, case)
        if asked.returncode == 3:
            return {"caught": True, "by": "selftest", "says": asked.stdout.strip()}
        if asked.returncode != 0:
            return {"caught": True, "by": "a crash of the selftest", "says": asked.stderr.strip().splitlines()[-1]}
    if tests is None:
        return {"caught": False}
    done = ran(folder, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", tests)
    if done.returncode != 1:  # 0: all right; others: no test was run
        return {"caught": False, "tests": done.returncode}
    failed = [line.split(" - ")[0].removeprefix("FAILED ") for line in done.stdout.splitlines() if "FAILED" in line]
    return {"caught": True, "by": "tests", "says": failed[0] if failed else "an error of a test"}


def measure(mutations: tuple[Mutation, ...]) -> dict[str, Any]:
    """Each error in turn, and the copy without any."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied(folder)
        found["none"] = caught(folder, "figures", None)
        for mutation in mutations:
            before, start = changed(folder, mutation), time.perf_counter()
            try:
                found[mutation.name] = {"file": mutation.file, **caught(folder, mutation.case, mutation.tests)}
            finally:
                (folder / "synthkit" / mutation.file).write_text(before, encoding="utf-8")
            each = found[mutation.name]
            print(
                f"{'caught' if each['caught'] else 'NOT CAUGHT'}: {mutation.name}, by {each.get('by', 'nothing')}: "
                f"{each.get('says', '')} ({time.perf_counter() - start:.0f} s)",
                flush=True,
            )
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Print what is caught, and write it to mutations.json if all were tried; the exit status."""
    flags = parser("mutations", __doc__)
    flags.add_argument("--only", nargs="*", metavar="NAME", help="errors by name; nothing is written then")
    asked = flags.parse_args(words)
    found = measure(tuple(each for each in MUTATIONS if not asked.only or each.name in asked.only))
    sound = found.pop("none")
    missed = [name for name, each in found.items() if not each["caught"]]
    print(f"{len(found) - len(missed)} of {len(found)} caught; unchanged: {'WRONG' if sound['caught'] else 'right'}")
    if not asked.only:
        content = {"machine": fingerprint(), "unchanged": "wrong" if sound["caught"] else "right", "errors": found}
        write(OUT, content)
    return int(bool(missed or sound["caught"]))
