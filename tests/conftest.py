"""Fixtures of many tests: the command line, a small table of made-up patients, models of SUPPORT2."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from typer.testing import CliRunner

from synthkit.data import support2, support2_schema
from synthkit.schema import Schema

if TYPE_CHECKING:
    from synthkit.synthesizer.synthesizer import Synthesizer


# A busy machine fails no property: nothing is held against a clock. CI tries the same examples every time.
settings.register_profile(
    "synthkit",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
    print_blob=True,
)
settings.load_profile("synthkit")

# Seconds that each file took when they were last measured: see `durations.py`.
HERE = Path(__file__).parent
SECONDS: dict[str, float] = json.loads((HERE / "durations.json").read_text(encoding="utf-8"))
FAST = 1.0  # files up to here belong to the loop of editing and testing


def seconds_of(path: Path) -> float:
    return SECONDS.get(path.relative_to(HERE).as_posix(), 0.0) if path.is_relative_to(HERE) else 0.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help=f"leave out files of tests that take more than {FAST:g} s")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Without `--fast` nothing is ignored."""
    slow = collection_path.suffix == ".py" and seconds_of(collection_path) > FAST
    return True if slow and config.getoption("--fast") else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: begun last, each would keep one core busy at the end while the others have nothing to do."""
    items.sort(key=lambda item: -seconds_of(item.path))


def pytest_collection_finish() -> None:
    """What is imported and collected stays to the end: the garbage collector need not look through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def threads_of_torch() -> Iterator[None]:
    """No test leaves torch another number of threads: with one more, those after it would wait for each other."""
    before = None if "torch" not in sys.modules else sys.modules["torch"].get_num_threads()
    yield
    if before is not None:
        assert sys.modules["torch"].get_num_threads() == before, "this test left torch another number of threads"


@dataclass(frozen=True)
class Said:
    """What a command said: its exit code, its results and what went to stderr, texts without line breaks added."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def command() -> Callable[..., Said]:
    """Runs `synthkit` with the given words, in this process; a traceback is an error of the test."""
    from synthkit.cli.app import app

    def run(*words: object) -> Said:
        result = CliRunner().invoke(app, [str(w) for w in words], env={"COLUMNS": "120", "NO_COLOR": "1"})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    return run


def everything(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.fixture
def refused(command, tmp_path):
    """Runs a command that must be refused: exit 2, one message that names what must hold, and no new file."""

    def run(*words: object, code: int = 2) -> str:
        before = everything(tmp_path)
        said = command(*words)
        assert said.code == code, (said.out, said.err)
        assert "Traceback" not in said.out + said.err
        assert everything(tmp_path) == before
        message = said.err.partition("error: ")[2]
        assert message
        assert "however" in message
        return message

    return run


@dataclass(frozen=True)
class Toy:
    """A table of made-up patients with its schema, and the files of both."""

    frame: pd.DataFrame
    schema: Schema
    csv: Path
    yaml: Path


def toy_frame(n: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(12)
    age = rng.integers(18, 95, n)
    return pd.DataFrame(
        {
            "id": [f"P{k:04d}" for k in range(n)],
            "age": age,
            "sex": rng.choice(["f", "m"], n),
            "crea": np.where(rng.random(n) < 0.2, np.nan, rng.gamma(2, 0.6, n).round(2)),
            "admitted": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 365, n), unit="D"),
            "dead": rng.random(n) < age / 150,
        }
    )


TOY = {
    "name": "toy",
    "columns": {
        "id": {"kind": "identifier"},
        "age": {"kind": "numeric", "min": 0, "max": 120, "decimals": 0},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "crea": {"kind": "numeric", "min": 0, "max": 20, "nullable": True},
        "admitted": {"kind": "datetime", "min": "2019-01-01", "max": "2021-12-31"},
        "dead": {"kind": "boolean"},
    },
    "targets": [{"column": "dead", "task": "binary", "positive": True}],
}


@pytest.fixture(scope="session")
def toy(tmp_path_factory) -> Toy:
    """80 patients in `toy.csv`, described in `toy.yaml`."""
    from synthkit.tables.table_files import write

    folder = tmp_path_factory.mktemp("toy")
    made = Toy(toy_frame(), Schema(**TOY), folder / "toy.csv", folder / "toy.yaml")
    write(made.frame, made.csv)
    made.schema.save(made.yaml)
    return made


@pytest.fixture(scope="session")
def fitted(toy, command, tmp_path_factory) -> Path:
    """Folder of an autoregressive model of the toy table, hardly trained."""
    out = tmp_path_factory.mktemp("fitted") / "model"
    small = ["--steps", 15, "--set", "width=16", "--set", "hidden=8", "--set", "batch_size=64", "--seed", 5]
    assert command("fit", toy.csv, "--schema", toy.yaml, "--out", out, *small).code == 0
    return out


@pytest.fixture(scope="session")
def quick() -> Synthesizer:
    """The flagship on SUPPORT2 after a dozen steps: it has learned little, and keeps what is not about quality."""
    from synthkit.synthesizer.synthesizer import Synthesizer

    settings = {"width": 32, "hidden": 16, "steps": 12, "batch_size": 128}
    return Synthesizer(support2_schema(), settings=settings, device="cpu").fit(support2(), seed=1)


@pytest.fixture(scope="session")
def baseline() -> Synthesizer:
    """The baseline on SUPPORT2."""
    from synthkit.synthesizer.synthesizer import Synthesizer

    return Synthesizer(support2_schema(), "independent").fit(support2(), seed=1)


@pytest.fixture(params=["quick", "baseline"])
def either(request: pytest.FixtureRequest) -> Synthesizer:
    """Each of the two in turn."""
    return request.getfixturevalue(request.param)
