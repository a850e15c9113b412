"""Under a budget what may leave is saved first; what is then compared with real rows changes nothing of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

import synthkit as sk
from synthkit.errors import ConfigError
from synthkit.pipeline.internal_evaluation import inspect
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import fit, release
from synthkit.privacy.accounting.ledger_file import LedgerFile, recompute
from synthkit.schema import Schema
from synthkit.synthesizer.synthesizer import Synthesizer

SMALL = {"components": 40, "rounds": 1, "first": 5, "between": 2, "last": 5}
ONE_ROW = ["--max-rows-per-unit", "1"]  # else so few people are told by noise alone, and there is nothing to compare
WORDS = ["--epsilon", "1", "--delta", "1e-5", "--quick", *ONE_ROW, *(f"--set={k}={v}" for k, v in SMALL.items())]
WORDS += ["--rows", "60"]  # a noisy number of so few may be none at all
SCHEMA = Schema(
    name="stays",
    unit="who",
    declared_by="A. Lee: made up",
    columns={
        "who": {"kind": "identifier"},
        "age": {"kind": "numeric", "decimals": 0, "min": 0, "max": 99},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "since": {"kind": "datetime", "min": "2020-01-01", "max": "9999-12-31T23:59:59.999999"},
    },
)
RELEASE = ["ledger.json", "model/model.safetensors", "model/synthesizer.json", "run.json", "schema.yaml"]
RELEASE += ["statement.json", "synthetic.parquet"]
MEASURED = ["evaluation.json", "report.html", "report.json"]


def stays(people=77):
    """As many rows as people: a number that no figure of a release has by itself."""
    k = pd.Series(range(people), dtype="int64")
    moments = pd.Timestamp("2020-01-01") + pd.to_timedelta(k % 365, unit="D")
    who = [f"p{i}" for i in range(people)]
    return pd.DataFrame({"who": who, "age": 20 + k % 60, "sex": ["f" if i % 3 else "m" for i in k], "since": moments})


def asked(here, **more):
    said = {"epsilon": 1.0, "delta": 1e-5, "settings": SMALL, "seed": 3, "quick": True, "ledger": here / "l.json"}
    return RunConfig(**{**said, **more})


def public(folder):
    """Files of a folder that are not INTERNAL."""
    found = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return [name for name in found if not name.startswith("internal/") and name not in MEASURED]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    here = tmp_path_factory.mktemp("stays")
    stays().to_csv(here / "stays.csv", index=False)
    SCHEMA.save(here / "stays.yaml")
    return here


@pytest.fixture(scope="module")
def ran(here, command):
    return command("run", here / "stays.csv", "--schema", here / "stays.yaml", "--out", here / "out", *WORDS)


def test_a_run_says_nothing_that_was_measured_and_counts_no_row(ran, here):
    """Neither progress nor results: no score, no number of rows or people, no time."""
    assert ran.code == 0, ran.err
    assert public(here / "out") == RELEASE
    assert all((here / "out" / name).exists() for name in MEASURED)
    log = (here / "out" / "internal" / "log.txt").read_text()
    assert [line for line in log.splitlines() if line.endswith(": made")] == [
        "check of the input: made",
        "evaluation: made",
        "report: made",
    ]
    told = (ran.out + ran.err).replace(str(here), "")
    assert not re.search(r"\b77\b|real rows fitted|held out \d|interval|AUC|Longest|\d s left|clamp", told)
    facts = json.loads((here / "out" / "run.json").read_text())
    assert "seconds" not in facts
    assert facts["trained"] is None or facts["trained"]["seconds"] == 0
    evaluation = json.loads((here / "out" / "evaluation.json").read_text())
    assert sum(evaluation["run"]["rows"][k] for k in ("train", "holdout")) <= 77
    assert len(evaluation["scores"]) > 5


def test_a_look_that_crashes_is_noted_in_the_log_alone(ran, here, capfd):
    """Its process ends with an error of its own: nothing is raised, nothing said, and the release is as it was."""
    assert ran.code == 0
    shutil.copytree(here / "out", here / "crashed")
    for name in MEASURED:
        (here / "crashed" / name).unlink()
    (here / "crashed" / "internal" / "roles.parquet").write_bytes(b"no roles")
    (here / "crashed" / "run.json").write_text("no facts of stays.csv")
    before = {name: (here / "crashed" / name).read_bytes() for name in RELEASE}
    inspect(here / "stays.csv", SCHEMA, asked(here), here / "crashed")
    assert {name: (here / "crashed" / name).read_bytes() for name in RELEASE} == before
    assert capfd.readouterr() == ("", "")
    log = (here / "crashed" / "internal" / "log.txt").read_text().splitlines()
    assert log[-1] == "inspection: its process ended with an error of its own (ArtefactError)"


def unmeasured(here, place):
    """A copy of what a run released, as it was before anything was measured."""
    shutil.copytree(here / "out", place)
    for name in MEASURED:
        (place / name).unlink()
    return {name: (place / name).read_bytes() for name in RELEASE}


@pytest.mark.parametrize(
    ("table", "schema", "logged"),
    [
        ("nowhere.csv", "stays.yaml", "inspection: its process ended with an error of its own (TableError)"),
        ("stays.csv", "nowhere.yaml", "report: made"),  # nothing was begun: the line is the one of the copied run
    ],
)
def test_a_look_without_its_table_or_its_schema_ends_quietly(ran, here, tmp_path, capfd, table, schema, logged):
    """All else is there, so that nothing but the missing file ends it."""
    assert ran.code == 0
    before = unmeasured(here, tmp_path / "out")
    inspect(here / table, here / schema, asked(here), tmp_path / "out")
    assert capfd.readouterr() == ("", "")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in RELEASE} == before
    log = (tmp_path / "out" / "internal" / "log.txt").read_text().splitlines()
    assert log[-1] == logged
    assert not any((tmp_path / "out" / name).exists() for name in MEASURED)


def test_a_look_at_a_folder_that_is_not_there_ends_quietly(here, tmp_path, capfd):
    inspect(here / "stays.csv", here / "stays.yaml", asked(tmp_path), tmp_path / "nowhere")
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_a_moment_at_the_end_of_time_spoils_no_release(tmp_path, command):
    """The fault: a traceback of the exact evaluation, after epsilon was spent, and nothing saved."""
    frame = stays()
    frame["since"] = frame["since"].astype("datetime64[us]")
    frame.loc[0, "since"] = pd.Timestamp("9999-12-31T23:59:59.999999").as_unit("us")
    frame.to_csv(tmp_path / "stays.csv", index=False)
    SCHEMA.save(tmp_path / "stays.yaml")
    out = tmp_path / "out"
    said = command("run", tmp_path / "stays.csv", "--schema", tmp_path / "stays.yaml", "--out", out, *WORDS, "--quiet")
    assert (said.code, said.out, said.err) == (0, "", "")
    assert public(out) == RELEASE
    assert (out / "ledger.json").read_text() == (tmp_path / "out.ledger.json").read_text()


STARTED = """
import sys
from synthkit.cli.app import main
sys.argv = ["synthkit", *sys.argv[1:]]
main()
"""


def test_a_run_that_is_killed_after_its_release_has_it_whole_and_is_compared_later(here, command):
    """Killed as soon as its folder is there: what may leave is whole, and --resume charges and draws nothing."""
    out = here / "killed"
    words = ["run", str(here / "stays.csv"), "--schema", str(here / "stays.yaml"), "--out", str(out), *WORDS]
    with subprocess.Popen(
        [sys.executable, "-c", STARTED, *words], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, process_group=0
    ) as run:
        while not out.exists() and run.poll() is None:
            time.sleep(0.01)
        os.killpg(run.pid, signal.SIGKILL)
    assert public(out) == RELEASE
    assert len(Synthesizer.load(out / "model").sample(5, seed=1)) == 5
    before = {name: (out / name).read_bytes() for name in RELEASE}
    ledger = (here / "killed.ledger.json").read_text()
    assert not (out / "evaluation.json").exists()
    resumed = command(*words, "--resume", "--quiet")
    assert (resumed.code, resumed.out, resumed.err) == (0, "", "")
    assert (out / "evaluation.json").exists()
    assert {name: (out / name).read_bytes() for name in RELEASE} == before
    assert (here / "killed.ledger.json").read_text() == ledger
    again = command(*words, "--resume")
    assert again.code == 2
    assert "must not exist yet" in again.err


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.2, 0.4, 0.5, 0.6, 0.7, 0.8])
def test_whenever_a_run_is_killed_there_is_the_release_or_nothing_of_it(here, tmp_path, share):
    """What was charged stays charged."""
    words = ["run", str(here / "stays.csv"), "--schema", str(here / "stays.yaml"), "--out", str(tmp_path / "out")]
    start = time.monotonic()
    command = [sys.executable, "-c", STARTED, *words, *WORDS, "--quiet"]
    subprocess.run(command, check=True)
    took = time.monotonic() - start
    shutil.rmtree(tmp_path / "out")
    (tmp_path / "out.ledger.json").unlink()
    with subprocess.Popen(command, process_group=0) as run:
        time.sleep(share * took)
        os.killpg(run.pid, signal.SIGKILL)
    if (tmp_path / "out").exists():
        assert public(tmp_path / "out") == RELEASE
        assert recompute(tmp_path / "out" / "ledger.json")[0] > 0.99
    if (tmp_path / "out.ledger.json").exists():
        LedgerFile.read(tmp_path / "out.ledger.json")


@pytest.mark.parametrize("make", [fit, release], ids=["fit", "release"])
@pytest.mark.parametrize("people", [0, 1, 2, 39, 40])
def test_no_number_of_rows_is_refused_under_a_budget(tmp_path, make, people):
    """39 units were refused where 40 were not: one person decided about the exit status."""
    made = make(stays(people), SCHEMA, config=asked(tmp_path, rows=20))
    assert made.ledger.epsilon() == pytest.approx(1.0, abs=0.01)
    assert "input" not in made.validations
    assert len(made.synthesizer.sample(7, seed=1)) == 7


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_without_rows_is_a_table_under_a_budget(tmp_path, ending):
    path = tmp_path / f"none.{ending}"
    sk.write(stays(0), path)
    made = release(path, SCHEMA, config=asked(tmp_path, rows=20))
    assert len(made.synthetic) == 20


def test_a_declared_number_is_held_against_what_a_split_needs(tmp_path):
    """A declared one alone: the table is not counted, and nothing was charged."""
    few = asked(tmp_path, delta=1e-3, public_n=39)
    with pytest.raises(ConfigError, match="split from 40 units on; however: a public n of 39 is declared"):
        release(stays(500), SCHEMA, config=few)
    assert list(tmp_path.iterdir()) == []
    assert fit(stays(500), SCHEMA, config=few).ledger.epsilon() > 0.9


def test_an_evaluation_of_too_few_rows_is_a_listed_failure(tmp_path):
    run = sk.synthesize(stays(1), SCHEMA, config=asked(tmp_path, rows=30))
    (failure,) = run.evaluation.failures
    assert failure.metric == "evaluation"
    assert "must have at least two rows" in failure.reason
    assert public(run.save(tmp_path / "out")) == RELEASE
    assert "must have at least two rows" in (tmp_path / "out" / "report.html").read_text()


def test_nothing_is_taken_up_where_two_fits_are_asked(tmp_path):
    with pytest.raises(ConfigError, match="nothing is charged; however: --final charges a second fit"):
        release(stays(), SCHEMA, config=asked(tmp_path, final=True), resume=True)


def test_a_charge_that_was_not_drawn_is_drawn_by_a_run_that_is_taken_up(tmp_path):
    """As after a kill between the two; what is drawn is what was charged, and the ledger costs the same."""
    config = asked(tmp_path)
    first = release(stays(), SCHEMA, config=config)
    data = json.loads((tmp_path / "l.json").read_text())
    data["parts"][0]["drawn"] = False
    data["charges"] = [charge for charge in data["charges"] if not charge["inside"]]
    (tmp_path / "l.json").write_text(json.dumps(data))
    taken = release(stays(), SCHEMA, config=config, resume=True)
    assert taken.ledger.charges == first.ledger.charges
    assert recompute(tmp_path / "l.json") == (first.ledger.epsilon(), first.ledger.delta())
    with pytest.raises(ConfigError, match="holds no such plan"):
        release(stays(), SCHEMA, config=config, resume=True)


def test_a_release_that_cannot_be_written_says_what_was_spent(tmp_path, command):
    """The folder is gone from under it: the refusal names what was charged, and that it stays spent."""
    made = fit(stays(), SCHEMA, config=asked(tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(sk.SynthkitError) as refused:
        made.save(tmp_path / "file" / "out")
    (note,) = refused.value.__notes__
    assert note.startswith("epsilon 1 and delta 1e-05 were charged to ") or note.startswith("epsilon 0.99")
    assert note.endswith("and noise was drawn for them: they stay spent")
