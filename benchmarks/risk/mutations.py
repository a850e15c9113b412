"""Whether errors in the code that measures risks would be noticed: one is made at a time, and the known answers asked.

Run: OMP_NUM_THREADS=1 python benchmarks/mutations.py [--only NAME ...]

The package and its tests are copied into a temporary folder; there one piece of text is replaced, and the cases of
`synthkit selftest` are run until an answer is wrong. Where all are right, or cannot see the error (an order of rows
that made-up people do not have, say), the named file of tests is run. Every error must be caught by one or the other;
a crash counts, and is told apart. Unchanged, all must be right.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure.cells import write
from benchmarks.measure.machine import fingerprint

ROOT = Path(__file__).parent.parent
OUT = Path(__file__).parent / "mutations.json"
RISK, TESTS = "evaluate/risk", "tests/evaluate/risk"
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


@dataclass(frozen=True)
class Mutation:
    """One error.

    Args:
        name: what is wrong.
        file: inside the package.
        old: text that stands there once.
        new: what stands there instead.
        tests: file of tests that is run where the known answers are all right.
        case: known answers that are asked first; None where they cannot see it, and the tests are run at once.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
    case: str | None = None


MUTATIONS = (
    Mutation(
        "members and non-members exchanged",
        "split.py",
        'member=roles["coin"].to_numpy(dtype=bool)',
        'member=~roles["coin"].to_numpy(dtype=bool)',
        f"{TESTS}/test_pool.py",
        "copies",
    ),
    Mutation(
        "train and holdout exchanged in pairs",
        f"{RISK}/pool.py",
        "member=np.arange(2 * pairs) < pairs",
        "member=np.arange(2 * pairs) >= pairs",
        f"{TESTS}/test_pool.py",
    ),
    Mutation(
        "the nearest score lowest",
        f"{RISK}/attacks.py",
        "return -scene.near[:, 0]",
        "return scene.near[:, 0]",
        f"{TESTS}/test_attacks.py",
        "copies",
    ),
    Mutation(
        "equal distances: the synthetic row first",
        f"{RISK}/attacks.py",
        "ties = rng.random(both.shape)",
        "ties = np.zeros(both.shape)",
        f"{TESTS}/test_attacks.py",
    ),
    Mutation(
        "a person scores as the best of their rows",
        f"{RISK}/pool.py",
        "out = np.full(len(self.member), -np.inf)\n        np.maximum.at(out",
        "out = np.full(len(self.member), np.inf)\n        np.minimum.at(out",
        f"{TESTS}/test_pool.py",
    ),
    Mutation(
        "wrong guesses counted",
        f"{RISK}/guesses.py",
        "hits = self.coins[self.order[:, :longest]] == self.said[:, :longest]",
        "hits = self.coins[self.order[:, :longest]] != self.said[:, :longest]",
        f"{TESTS}/test_guesses.py",
        "copies",
    ),
    Mutation(
        "equal scores: in the order of the rows",
        f"{RISK}/guesses.py",
        "ties = rng.random(chosen.shape)",
        "ties = np.zeros(chosen.shape)",
        f"{TESTS}/test_guesses.py",
    ),
    Mutation(
        "of a pair always the first",
        f"{RISK}/guesses.py",
        "turned = rng.random(len(by_pair)) < 0.5",
        "turned = np.zeros(len(by_pair), dtype=bool)",
        f"{TESTS}/test_guesses.py",
    ),
    Mutation(
        "chance of guesses: how often worse",
        f"{RISK}/guesses.py",
        "one <= seen + 1e-9 for one in again",
        "one >= seen - 1e-9 for one in again",
        f"{TESTS}/test_guesses.py",
        "copies",
    ),
    Mutation(
        "the best of many ways, not corrected",
        f"{RISK}/guesses.py",
        "sure = len(guesses.coins), 1 - (1 - CONFIDENCE) / right.size",
        "sure = len(guesses.coins), CONFIDENCE",
        f"{TESTS}/test_guesses.py",
    ),
    Mutation(
        "chance of an AUC: how often smaller",
        f"{RISK}/membership.py",
        "nan=0.5) >= seen - 1e-12",
        "nan=0.5) <= seen + 1e-12",
        f"{TESTS}/test_membership.py",
        "copies",
    ),
    Mutation(
        "four tests, not adjusted",
        f"{RISK}/membership.py",
        "holm(list(raw.values()))",
        "list(raw.values())",
        f"{TESTS}/test_membership.py",
        "fresh",
    ),
    Mutation(
        "thresholds read where they were set",
        f"{RISK}/membership.py",
        "sets, reads = scores[half & ~pool.member], ~half",
        "sets, reads = scores[half & ~pool.member], half",
        f"{TESTS}/test_membership.py",
    ),
    Mutation(
        "Holm's steps not made monotone",
        f"{RISK}/multiplicity.py",
        "np.maximum.accumulate(stepped)",
        "stepped",
        f"{TESTS}/test_multiplicity.py",
        "figures",
    ),
    Mutation(
        "epsilon for its odds",
        f"{RISK}/one_run.py",
        "q = special.expit(epsilon)",
        "q = special.expit(epsilon / 2)",
        f"{TESTS}/test_one_run.py",
        "figures",
    ),
    Mutation(
        "twins of non-members counted",
        f"{RISK}/preconditions.py",
        "inside & np.isin(rows, rows[~inside])",
        "~inside & np.isin(rows, rows[~inside])",
        f"{TESTS}/test_preconditions.py",
        "levels",
    ),
    Mutation(
        "contamination: how often less like members",
        f"{RISK}/preconditions.py",
        "sum(auc(ranks, _thrown(pool, rng)) <= seen + 1e-12",
        "sum(auc(ranks, _thrown(pool, rng)) >= seen - 1e-12",
        f"{TESTS}/test_preconditions.py",
        "contaminated",
    ),
    Mutation(
        "non-members dropped from the excess",
        f"{RISK}/excess.py",
        "stats.newcombe(hits[0], sizes[0], hits[1], sizes[1], z=z)",
        "stats.newcombe(hits[0], sizes[0], 0, sizes[1], z=z)",
        f"{TESTS}/test_attribute.py",
        "undisclosed",
    ),
    Mutation(
        "the raw difference for Newcombe's interval",
        f"{RISK}/excess.py",
        "at = stats.newcombe(hits[0], sizes[0], hits[1], sizes[1], z=z)",
        "at = stats.Interval(*3 * [shares[0] - shares[1]])",
        f"{TESTS}/test_attribute.py",
        "undisclosed",
    ),
    Mutation(
        "the error of a guess divided by the guess",
        f"{RISK}/secret.py",
        "np.abs(guesses - truth) <= self.tolerance * (1 + SLACK)",
        "np.abs(guesses - truth) / guesses <= TOLERANCE * (1 + SLACK)",
        f"{TESTS}/test_attribute.py",
        "signs",
    ),
    Mutation(
        "the weakest attack for the strongest",
        f"{RISK}/attribute.py",
        "return max(some, key=lambda each: each.excess.at.value)",
        "return min(some, key=lambda each: each.excess.at.value)",
        f"{TESTS}/test_attribute.py",
        "disclosed",
    ),
    Mutation(
        "copies are those that do not occur",
        f"{RISK}/matching.py",
        "unique(keys) & (times(keys, synthetic) > 0)",
        "unique(keys) & (times(keys, synthetic) == 0)",
        f"{TESTS}/test_identity.py",
        "disclosed",
    ),
    Mutation(
        "disclosed where rows disagree",
        f"{RISK}/matching.py",
        "(low[keys] == high[keys]) & (secret == high[keys])",
        "(low[keys] != high[keys]) & (secret == high[keys])",
        f"{TESTS}/test_identity.py",
    ),
    Mutation(
        "linked only if all neighbours agree",
        f"{RISK}/matching.py",
        "left_of * size + right_of).any(axis=1)",
        "left_of * size + right_of).all(axis=1)",
        f"{TESTS}/test_identity.py",
        "figures",
    ),
    Mutation(
        "equal distances are no copy (DCR)",
        "metrics/copying/copied_rows.py",
        "np.where(to_train > to_holdout, 0.0, 0.5)",
        "np.where(to_train > to_holdout, 0.0, 0.0)",
        "tests/evaluate/test_copying.py",
        "levels",
    ),
    Mutation(
        "distances fitted on the training rows only (DCR)",
        "metrics/copying/copied_rows.py",
        "space = Space.fit(pd.concat([train, holdout], ignore_index=True), comparison.schema)",
        "space = Space.fit(train, comparison.schema)",
        "tests/evaluate/test_copying.py",
        "fresh",
    ),
    Mutation(
        "train and holdout exchanged (DCR)",
        "metrics/copying/copied_rows.py",
        "for frame in (comparison.train, comparison.holdout))",
        "for frame in (comparison.holdout, comparison.train))",
        "tests/evaluate/test_copying.py",
        "isolated",
    ),
)


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


def main() -> None:
    """Print what is caught, and write it beside this script if all were tried; exit 1 if one is not caught."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--only", nargs="*", metavar="NAME", help="errors by name; nothing is written then")
    said = asked.parse_args()
    chosen = tuple(each for each in MUTATIONS if not said.only or each.name in said.only)
    found = measure(chosen)
    sound = found.pop("none")
    missed = [name for name, each in found.items() if not each["caught"]]
    print(f"{len(found) - len(missed)} of {len(found)} caught; unchanged: {'WRONG' if sound['caught'] else 'right'}")
    if not said.only:
        content = {"machine": fingerprint(), "unchanged": "wrong" if sound["caught"] else "right", "errors": found}
        write(OUT, content)
    if missed or sound["caught"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
