"""Several models on one table, for real: processes, resuming, failures, and one page that says what was measured."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import synthkit as sk
from synthkit.cli.arguments import settings_by_model
from synthkit.errors import ArtefactError, ConfigError
from synthkit.metrics.runner import evaluate
from synthkit.pipeline.compare.model_result import RESULT, ModelResult
from synthkit.pipeline.compare.setup import ComparisonPlan, ComparisonSetup, read
from synthkit.pipeline.compare.worker import peak_mib
from synthkit.pipeline.split import Split
from synthkit.release import run_folder
from synthkit.runtime.processes import crash_reason
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.tables import table_files

if importlib.util.find_spec("sdv") is None:  # asked, not imported: only the processes of the models need it
    pytest.skip("references need the extra `sdv`", allow_module_level=True)
RAKED = "autoregressive+raked"  # draws raked rows, with the settings of its plain name
NAMES = (RAKED, "gaussian_copula", "reference_tvae")
SETTINGS = {
    "autoregressive": {"steps": 20, "width": 16, "hidden": 8, "batch_size": 64},
    "reference_tvae": {"steps": 3},  # it counts epochs: it will fail, and only it knows that
}
CONFIG = sk.RunConfig(seed=5, rows=120, draws=2, quick=True, device="cpu")
SCHEMA = Schema(
    name="ward",
    columns={
        "id": {"kind": "identifier"},
        "age": {"kind": "numeric", "min": 0, "max": 120, "decimals": 0},
        "low": {"kind": "numeric", "min": 0, "max": 100},
        "high": {"kind": "numeric", "min": 0, "max": 200},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "dead": {"kind": "boolean"},
    },
    targets=[{"column": "dead", "task": "binary", "positive": True}],
    rules=[{"rule": "comparison", "left": "low", "op": "<=", "right": "high"}],
)


def patients(n: int = 260) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    age, low = rng.integers(18, 95, n), rng.gamma(4, 9, n).clip(0, 100).round(1)
    return pd.DataFrame(
        {
            "id": [f"Q{k:05d}" for k in range(n)],
            "age": age,
            "low": low,
            "high": (low + rng.gamma(2, 3, n)).round(1),
            "sex": rng.choice(["f", "m"], n),
            "dead": rng.random(n) < age / 150,
        }
    )


class Heard:
    """Remembers the stages it was told of."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def advance(self, done: int, total: int, note: str = "") -> None:
        assert 0 <= done <= total

    def say(self, sentence: str) -> None:
        assert sentence


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> tuple[sk.Compared, Path, Heard]:
    """A comparison of a model of ours and two references, one of which fails."""
    out, heard = tmp_path_factory.mktemp("compared") / "ward", Heard()
    made = sk.compare(patients(), SCHEMA, models=NAMES, out=out, settings=SETTINGS, config=CONFIG, progress=heard)
    return made, out, heard


@pytest.fixture
def copied(begun, tmp_path) -> Path:
    """The folder of the comparison, to be spoilt."""
    return Path(shutil.copytree(begun[1], tmp_path / "ward"))


def again(out: Path, *names: str, **more) -> sk.Compared:
    plain = {n.removesuffix("+raked") for n in names}
    asked = {"settings": {n: said for n, said in SETTINGS.items() if n in plain}, "config": CONFIG} | more
    return sk.compare(patients(), SCHEMA, models=names, out=out, **asked)


# ---- what it makes ----


def test_every_entrant_has_an_outcome(begun):
    made, _, heard = begun
    assert tuple(o.name for o in made.outcomes) == NAMES
    assert [o.done for o in made.outcomes] == [True, True, False]
    assert [o.reference for o in made.outcomes] == [False, True, True]
    assert [s for s in heard.stages if s.endswith(": fit")] == [f"{name}: fit" for name in NAMES[:2]]


def test_a_failure_is_listed_with_its_reason(begun):
    failed = begun[0].outcomes[2]
    assert failed.reason.startswith("settings of `reference_tvae` must be among: ")
    assert not failed.scores
    assert not (begun[1] / "models" / "reference_tvae").exists()


def test_costs(begun):
    for o in begun[0].outcomes[:2]:
        assert o.rows == (120, 120)
        assert o.rows_per_second > 0
        assert 50 < o.peak_mib < 20_000
        assert set(o.seconds) == {"fit", "sample", "evaluate"}
        assert set(o.cpu_seconds) == {"fit", "sample"}


def test_rules_are_counted_and_not_mended(begun):
    """Counted here from the rows on disk: low <= high."""
    made, out, _ = begun
    for o in made.outcomes[:2]:
        draws = [table_files.read(out / "models" / o.name / "draws" / f"0{k}.parquet").frame() for k in (1, 2)]
        broken = sum(int((d["low"] > d["high"]).sum()) for d in draws)
        assert (o.broken_rows, o.rules) == (broken, 1)
    assert [o.broken_rows > 0 for o in made.outcomes[:2]] == [False, True]


@pytest.mark.parametrize("name", [RAKED, "gaussian_copula"])
def test_scores_are_those_of_an_evaluation_by_hand(begun, name):
    """The same split, the same random numbers: measured again here, in this process."""
    made, out, _ = begun
    roles = table_files.read(out / "internal" / "roles.parquet").frame()
    parts = Split.from_roles(conform(patients(), SCHEMA), SCHEMA, roles)
    here = out / "models" / name
    draws = [conform(table_files.read(here / "draws" / f"0{k}.parquet").frame(), SCHEMA) for k in (1, 2)]
    comparison = sk.EvaluationData(
        train=parts.train_frame(), holdout=parts.holdout_frame(), synthetic=tuple(draws), schema=SCHEMA
    )
    measured = evaluate(comparison, seed=Seeds(5).of("evaluate"), quick=True)
    outcome = next(o for o in made.outcomes if o.name == name)
    assert {s["metric"]: s["value"] for s in outcome.scores} == {
        s.metric: pytest.approx(s.value) for s in measured.scores
    }


def test_everybody_learned_the_same_rows(begun):
    made, out, _ = begun
    for name in NAMES[:2]:
        rows = json.loads((out / "models" / name / "evaluation.json").read_text())["run"]["rows"]
        assert (rows["train"], rows["holdout"]) == (made.plan.train, made.plan.holdout)


def test_the_file_holds_the_numbers_of_the_outcomes(begun):
    made, out, _ = begun
    data = read(out)
    assert data["plan"] == {"seed": 5, "train": made.plan.train, "holdout": made.plan.holdout} | {
        "rows": 120,
        "draws": 2,
        "quick": True,
    }
    assert [e["name"] for e in data["entrants"]] == list(NAMES)
    for entrant, outcome in zip(data["entrants"], made.outcomes, strict=True):
        assert entrant["scores"] == json.loads(outcome.to_json())["scores"]
    assert data["source"] == "a frame"


def test_the_page_is_the_page_of_the_file(begun, command, tmp_path):
    """`synthkit report` draws it again, byte by byte."""
    made, out, _ = begun
    assert (out / "report.html").read_text() == made.report.html
    here = Path(shutil.copytree(out, tmp_path / "c"))
    (here / "report.html").unlink()
    assert command("report", here).code == 0
    assert (here / "report.html").read_text() == made.report.html


def test_no_cell_of_an_identifier_is_on_the_page(begun):
    assert not any(f"Q{k:05d}" in begun[0].report.html for k in range(260))


def test_each_model_of_ours_can_be_drawn_from_and_each_report_read(begun):
    _, out, _ = begun
    again = sk.Synthesizer.load(run_folder.model_in(out / "models" / RAKED))
    assert len(again.sample(7, seed=1)) == 7
    assert not (out / "models" / "gaussian_copula" / "model").exists()
    for name in NAMES[:2]:
        assert (out / "models" / name / "report.html").stat().st_size > 50_000
    assert "No differential-privacy claim" in (out / "models" / RAKED / "report.html").read_text()


def test_rows_and_a_table_in_python(begun):
    made = begun[0]
    assert len(made.synthetic("gaussian_copula")) == 120
    assert list(made.table().columns) == list(NAMES[:2])
    assert made.table().loc["fidelity.c2st"].between(0, 1).all()
    assert "reference_tvae (failed)" in repr(made)
    assert made._repr_html_().startswith("<iframe")


def test_peak_memory_is_that_of_the_process_alone():
    """Not what its parent held when it was started: 300 MiB here, and its libraries."""
    held = np.ones(300 * 2**17)
    code = "from synthkit.pipeline.compare.worker import peak_mib; print(peak_mib())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 20 < float(done.stdout) < 250
    assert peak_mib() > held.nbytes / 2**20


# ---- going on ----


def test_what_is_done_is_not_done_again(copied):
    heard = Heard()
    made = again(copied, *NAMES[:2], progress=heard)
    assert not [s for s in heard.stages if ": fit" in s]
    assert all(o.done for o in made.outcomes)


def test_rows_are_raked_where_a_name_asks(begun):
    made, out, _ = begun
    assert made.outcomes[0].notes[0].startswith("Raked: ")
    assert made.outcomes[0].settings == SETTINGS["autoregressive"]
    assert "calibrated draw" in (out / "models" / RAKED / "report.html").read_text()


def test_another_plan_is_refused(copied):
    for change in ({"seed": 6}, {"rows": 9}, {"draws": 1}, {"quick": False}):
        with pytest.raises(ArtefactError, match=f"must go on as it began; however: {next(iter(change))} changed"):
            again(copied, "gaussian_copula", config=CONFIG.model_copy(update=change))


def test_a_seed_not_given_is_that_of_the_beginning(copied):
    assert again(copied, "gaussian_copula", config=CONFIG.model_copy(update={"seed": None})).plan.seed == 5


def test_other_settings_are_refused(copied):
    with pytest.raises(
        ArtefactError, match=r"`autoregressive\+raked` must be compared with the settings it was fitted"
    ):
        again(copied, RAKED, settings={"autoregressive": {"steps": 21}})


def test_another_table_or_schema_is_refused(copied):
    with pytest.raises(ArtefactError, match="must hold a comparison of this table; however: its roles do not fit"):
        sk.compare(patients(270), SCHEMA, models=["gaussian_copula"], out=copied, config=CONFIG)
    other = SCHEMA.model_copy(update={"description": "another"})
    with pytest.raises(ArtefactError, match="must go on as it began; however: schema changed"):
        sk.compare(patients(), other, models=["gaussian_copula"], out=copied, config=CONFIG)


@pytest.mark.parametrize("text", ["[]", '{"format": "synthkit-comparison/9"}'])
def test_a_comparison_of_another_format(copied, text):
    (copied / "comparison.json").write_text(text)
    with pytest.raises(ArtefactError, match="must have format synthkit-comparison/1"):
        again(copied, "gaussian_copula")


def test_a_damaged_outcome(copied):
    path = copied / "models" / "gaussian_copula" / RESULT
    path.write_text(path.read_text()[:-9])
    with pytest.raises(ArtefactError, match=r"must hold an outcome .*; however: it cannot be read \(DocumentError\)"):
        again(copied, "gaussian_copula")
    path.write_text(ModelResult(name="a", reference=False).to_json().replace("outcome/1", "outcome/9"))
    with pytest.raises(ArtefactError, match="must have format synthkit-outcome/1; however: 'synthkit-outcome/9'"):
        again(copied, "gaussian_copula")


def test_an_altered_file_is_no_page(copied):
    data = json.loads((copied / "comparison.json").read_text())
    del data["plan"]
    (copied / "comparison.json").write_text(json.dumps(data))
    with pytest.raises(ArtefactError, match="must be what `synthkit compare` wrote; however: it was altered"):
        run_folder.redraw(copied)


def test_a_folder_of_somebody_else(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(ArtefactError, match="only a folder that synthkit wrote is replaced"):
            again(tmp_path, "independent", overwrite=overwrite)
    assert (tmp_path / "mine.txt").exists()


# ---- what is refused before any work ----


@pytest.mark.parametrize(
    ("names", "settings", "message"),
    [
        ((), {}, "models must be among auto, .*autoregressive.*gaussian_copula.*; however: none is named"),
        (("independent", "gan9"), {}, "models must be among .*; however: `gan9`"),
        (("gaussian_copula+raked",), {}, "however: `gaussian_copula.raked`. A model of ours may end in"),
        (("independent", "independent"), {}, "each model must be named once; however: independent"),
        (("independent",), {"ctgan": {"steps": 1}}, "must belong to a model of the comparison; however: ctgan"),
        (("independent",), {"independent": {"steps": 1}}, "settings of `independent` must be among: none"),
    ],
)
def test_names_and_settings(tmp_path, names, settings, message):
    with pytest.raises(ConfigError, match=message):
        again(tmp_path / "out", *names, settings=settings)
    assert not (tmp_path / "out").exists()


def test_rows_of_nobody(begun):
    with pytest.raises(ConfigError, match="entrants that finished; however: `reference_tvae` is none of them"):
        begun[0].synthetic("reference_tvae")


@pytest.mark.parametrize("word", ["steps=3", "=3", "ctgan", ".x=3"])
def test_words_that_are_no_setting_of_a_model(word):
    with pytest.raises(ConfigError, match=r"must be followed by MODEL.KEY=VALUE; however: "):
        settings_by_model([word])


# ---- processes ----


def test_whoever_takes_too_long_is_stopped(tmp_path):
    slow = {"reference_tvae": {"epochs": 10**6}}
    config = CONFIG.model_copy(update={"max_minutes": 0.02})
    made = again(tmp_path / "out", "reference_tvae", settings=slow, config=config)
    assert made.outcomes[0].reason.startswith("it had not learned the table after 0.02 min. Give it more")
    assert "No model finished." in made.report.html


def test_a_crash_is_told_by_its_sort_never_by_its_message():
    trace = "Traceback (most recent call last):\n  File x\nsdv.errors.InvalidDataError: patient P0007 is bad\n"
    assert crash_reason(1, trace) == "its process ended with an error of its own (InvalidDataError)"
    assert crash_reason(1, "") == "its process ended with an error of its own"
    assert crash_reason(-9, "") == "its process was ended by SIGKILL; memory may have run out"
    assert crash_reason(-11, "") == "its process was ended by SIGSEGV"


def test_a_process_that_dies_at_once_is_a_listed_failure(tmp_path, monkeypatch):
    """An interpreter that cannot import the package."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "pyarrow.py").write_text("raise OSError('Q00007 is ill')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    monkeypatch.setattr("synthkit.runtime.processes.RUNTIME_FOLDER", broken / "synthkit" / "runtime")
    made = again(tmp_path / "out", "independent")
    assert made.outcomes[0].reason.startswith("its process ended with an error of its own (")
    assert "Q00007" not in made.report.html


def test_a_plan_counts_what_is_fitted(begun):
    made = begun[0]
    assert isinstance(made.plan, ComparisonPlan)
    assert made.plan.train + made.plan.holdout <= 260
    assert ComparisonSetup.place(begun[1], "x") == begun[1] / "models" / "x"


# ---- the command ----


def test_the_command_goes_on_with_a_model_more_fitted_to_the_same_rows(copied, tmp_path, command):
    csv, yaml = tmp_path / "ward.csv", tmp_path / "ward.yaml"
    table_files.write(patients(), csv)
    SCHEMA.save(yaml)
    words = ["--schema", yaml, "--out", copied, "--quick", "--seed", 5, "--rows", 120, "--draws", 2]
    models = "gaussian_copula, independent"
    said = command("compare", csv, *words, "--models", f"{models}, reference_tvae", "--set", "reference_tvae.steps=3")
    assert said.code == 0, said.err
    assert "independent: fit ..." in said.err
    assert "gaussian_copula: fit" not in said.err
    assert "warning: reference_tvae failed: settings of `reference_tvae` must be among: " in said.err
    assert " real rows fitted" in said.out
    assert f"{copied / 'report.html'} " in said.out
    assert read(copied)["source"] == "ward.csv"
    runs = [json.loads((copied / "models" / name / "evaluation.json").read_text()) for name in models.split(", ")]
    assert runs[0]["run"]["rows"] == runs[1]["run"]["rows"]
    assert [outcome["name"] for outcome in read(copied)["entrants"]] == [*models.split(", "), "reference_tvae"]


def test_the_command_begins_anew_where_it_may_overwrite_and_keeps_quiet_if_asked(copied, tmp_path, command):
    """Even what was done, by the same name, is done again."""
    csv, yaml = tmp_path / "ward.csv", tmp_path / "ward.yaml"
    table_files.write(patients(), csv)
    SCHEMA.save(yaml)
    words = ["--schema", yaml, "--out", copied, "--quick", "--rows", 40, "--seed", 6, "--models", "gaussian_copula"]
    said = command("compare", csv, *words, "--overwrite", "--quiet")
    assert (said.code, said.out) == (0, "")
    assert read(copied)["plan"]["seed"] == 6
    assert {p.name for p in (copied / "models").iterdir()} == {"gaussian_copula"}
    evaluation = json.loads((copied / "models" / "gaussian_copula" / "evaluation.json").read_text())
    assert evaluation["run"]["rows"]["synthetic"] == [40]
    assert (copied / "report.html").exists()
