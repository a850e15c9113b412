"""Commands killed at random moments, on full disks and in folders that cannot be written: nothing is left half done.

Every command runs in a process forked from this one, in which all libraries are loaded, and is killed (SIGKILL) after
a time drawn between 0 and what it takes undisturbed. What it would have written must be there whole or not at all.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import resource
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

WHY = "made up for a test"
STEPS = ("--set", "width=8", "--set", "hidden=4", "--set", "batch_size=16", "--steps", "40")


@dataclass(frozen=True)
class Job:
    """A command.

    Args:
        words: of the command line; `{out}` is where it writes, `{place}` the corpus.
        whole: whether what it wrote is whole.
    """

    words: tuple[str, ...]
    whole: Callable[[Path], bool]


@dataclass
class Killed:
    """What was left."""

    kills: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    half: list[str] = field(default_factory=list)
    resumed: int = 0
    other: list[str] = field(default_factory=list)
    refused: int = 0
    tracebacks: list[str] = field(default_factory=list)


def _folder(*names: str) -> Callable[[Path], bool]:
    def whole(path: Path) -> bool:
        texts = [path / name for name in names if name.endswith(".json")]
        try:
            return all((path / name).exists() for name in names) and all(json.loads(t.read_text()) for t in texts)
        except ValueError:
            return False

    return whole


def _csv(path: Path) -> bool:
    from synthkit.io.provenance_marks import read_mark
    from synthkit.tables import table_files

    return table_files.read(path).rows == 30 and read_mark(path) is not None


def _bundle(path: Path) -> bool:
    from synthkit.release.bundle.zip_archive import unpack

    return bool(unpack(path.read_bytes()))


def _comparison(path: Path) -> bool:
    """A comparison grows entrant by entrant; what is there of it must be whole."""
    results = list(path.glob("models/*/result.json"))
    return all(json.loads(file.read_text()) for file in (*results, *path.glob("comparison.json")))


MODEL = ("run.json", "schema.yaml", "ledger.json", "model/synthesizer.json", "model/model.safetensors")
TABLE = ("--schema", "{place}/schema.yaml")
REAL = ("--train", "{place}/table.csv", "--holdout", "{place}/table.csv", "--synthetic", "{place}/table.csv")
JOBS = {
    "fit": Job(("fit", "{place}/table.csv", *TABLE, "--out", "{out}", "--seed", "1", *STEPS), _folder(*MODEL)),
    "sample": Job(
        ("sample", "{place}/models/autoregressive", "--rows", "30", "--seed", "1", "--out", "{out}.csv"), _csv
    ),
    "evaluate": Job(
        ("evaluate", *REAL, *TABLE, "--quick", "--out", "{out}"),
        _folder("run.json", "evaluation.json", "report.html", "report.json"),
    ),
    "compare": Job(
        ("compare", "{place}/table.csv", *TABLE, "--models", "independent", "--quick", "--out", "{out}"), _comparison
    ),
    "release": Job(
        ("release", "{place}/private", "--out", "{out}.zip", "--key", "{place}/custodian.key", "--although", WHY),
        _bundle,
    ),
}


def start(words: Sequence[str], said: Path, before: Callable[[], None] = lambda: None) -> int:
    """The command in a process of its own; what it says goes to a file."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        os.setsid()
        handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        before()
        from synthkit.cli.app import app

        status = app(list(words), standalone_mode=False) or 0
    except SystemExit as error:
        status = int(error.code or 0)
    finally:
        os._exit(status)


def wait(child: int) -> int:
    """Its status: the exit status, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def end(child: int) -> None:
    """Kill it with all it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)


def left(out: Path) -> list[Path]:
    """What a command left beside its place that is not its output, its mark, nor a training that can be taken up."""
    from synthkit.io.provenance_marks import SIDECAR_SUFFIX

    names = (".partial", ".older", ".checkpoint", SIDECAR_SUFFIX)
    return [path for path in out.parent.iterdir() if not any(part in path.name for part in names)]


def unprivileged() -> None:
    """Give up what lets root write anywhere: all capabilities of Linux, by capset(2)."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "capset"):
        libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())


def made(out: Path) -> list[Path]:
    """What stands where the command writes."""
    return [path for path in (out, out.with_name(f"{out.name}.csv"), out.with_name(f"{out.name}.zip")) if path.exists()]


def words_of(job: Job, place: Path, out: Path) -> list[str]:
    """Of the command line."""
    return [word.format(place=place, out=out) for word in job.words]


def run(place: Path, work: Path, *, kills: int, seed: int, until: float, say: Callable[[str], None]) -> Killed:
    """Kill every command in turn; a fit that was killed is taken up, and must come to the same model."""
    found, rng, takes = Killed(), random.Random(f"{seed}/kills"), {}
    for name, job in JOBS.items():
        (work / name).mkdir()
        since = time.monotonic()
        code = wait(start(words_of(job, place, work / name / "whole"), work / name / "said"))
        assert code == 0, (work / name / "said").read_text()
        takes[name] = time.monotonic() - since
    for number in range(kills):
        if time.monotonic() > until:
            break
        name = list(JOBS)[number % len(JOBS)]
        _kill(found, name, place, work / name / f"out{number}", rng.random() * takes[name])
    say(f"{sum(found.kills.values())} kills")
    return found


def _kill(found: Killed, name: str, place: Path, out: Path, after: float) -> None:
    """Start a command, kill it, and look at what is left."""
    job = JOBS[name]
    child = start(words_of(job, place, out), out.parent / "said")
    time.sleep(after)
    end(child)
    found.kills[name] += 1
    found.finished += wait(child) == 0
    found.half += [f"{name} {out.name}" for path in made(out) if not job.whole(path)]
    if name == "fit" and not out.exists():
        _taken_up(found, job, place, out, out.parent)
    for path in made(out):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _taken_up(found: Killed, job: Job, place: Path, out: Path, folder: Path) -> None:
    status = wait(start([*words_of(job, place, out), "--resume"], folder / "said"))
    same = status == 0 and _tensors(out) == _tensors(folder / "whole")
    found.resumed += same
    found.other += [] if same else [f"{out.name}: {status}, {(folder / 'said').read_text()[-200:]}"]


def _tensors(path: Path) -> bytes:
    return (path / "model" / "model.safetensors").read_bytes()


def full(place: Path, work: Path, *, disks: int, seed: int, until: float) -> Killed:
    """A file-size limit as small as a full disk, or a folder that nobody may write to, for every command in turn."""
    found, rng = Killed(), random.Random(f"{seed}/disks")
    for number in range(disks):
        if time.monotonic() > until:
            break
        name = list(JOBS)[number % len(JOBS)]
        job, folder = JOBS[name], work / f"{name}{number}"
        folder.mkdir()
        most = rng.choice([0, 100, 2_000, 10_000])
        locked = number % 2 == 1

        def before(most: int = most, folder: Path = folder, locked: bool = locked) -> None:
            if locked:
                os.chmod(folder, 0o500)
                unprivileged()
            else:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        said = work / f"said{number}"
        status = wait(start(words_of(job, place, folder / "out"), said, before))
        os.chmod(folder, 0o700)
        text = said.read_text(errors="replace")
        found.kills["read-only folder" if locked else "full disk"] += 1
        found.refused += status != 0
        found.half += [f"{name} {number}" for path in made(folder / "out") if not job.whole(path)]
        found.half += [
            f"{name} {number}: {path.name} is left" for path in left(folder / "out") if path not in made(folder / "out")
        ]
        found.tracebacks += [f"{name} {number}: {text[-300:]}"] if "Traceback" in text or status in (70, 1) else []
    return found


def together(place: Path, work: Path) -> dict[str, object]:
    """Two runs into one folder at the same time: one is whole, the other is refused in words."""
    job, out = JOBS["fit"], work / "one"
    children = [start(words_of(job, place, out), work / f"said{k}") for k in range(2)]
    codes = sorted(wait(child) for child in children)
    texts = [(work / f"said{k}").read_text() for k in range(2)]
    return {"codes": codes, "whole": job.whole(out), "tracebacks": sum("Traceback" in text for text in texts)}
