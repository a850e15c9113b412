"""Every command once, for real, on a small sample of real patients; what it says, writes and exits with."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys

import pandas as pd
import pytest

from synthkit.data import path as demo_path
from synthkit.data import support2, support2_schema
from synthkit.pipeline.run_config import RunConfig
from synthkit.schema import Schema
from synthkit.schema.validation import validate
from synthkit.tables.table_files import read, write

COMMANDS = ("demo", "init", "validate", "run", "fit", "sample", "impute", "score", "evaluate", "compare", "report")
HEAVY = ("torch", "great_expectations", "sklearn", "pandas", "scipy", "pyarrow", "altair", "pydantic", "numpy")
SMALL = ["--steps", "20", "--set", "width=16", "--set", "hidden=8", "--set", "batch_size=64"]


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    """400 patients of SUPPORT2 as a CSV file."""
    file = tmp_path_factory.mktemp("data") / "patients.csv"
    write(support2().head(400), file)
    return file


@pytest.fixture(scope="module")
def ran(patients, command, tmp_path_factory):
    """Folder of a run on them, two draws, and what the command said."""
    out = tmp_path_factory.mktemp("ran") / "run"
    words = ["--schema", demo_path("support2.yaml"), "--out", out, "--rows", 150, "--draws", 2, "--seed", 7, "--quick"]
    return out, command("run", patients, *words, *SMALL)


def loaded(program: str, *words: object) -> tuple[str, set[str]]:
    """What a command said in a process of its own, and the heavy libraries it loaded."""
    tail = f"finally: print('\\nLOADED', *[m for m in {HEAVY!r} if m in sys.modules])"
    code = f"import sys\ntry: {program}\nexcept SystemExit: pass\n{tail}"
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=True)
    said, _, names = done.stdout.rpartition("LOADED")
    return said, set(names.split())


# ---- help and version ----


def test_help_is_there_at_once():
    """In half a second of the processor, whoever else uses it; nothing heavy is loaded."""
    program = "from synthkit.cli.app import main; main()"
    said, heavy = loaded(program, "--help")
    assert all(re.search(rf"^  {command} +\w", said, flags=re.MULTILINE) for command in COMMANDS)
    assert not heavy
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.5


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches(name, command):
    """One sentence, and one example that names the command."""
    said = command(name, "--help")
    assert said.code == 0
    assert f"Example: synthkit {name}" in said.out


def test_without_a_word_it_shows_help(command):
    said = command()
    assert said.code == 2
    assert "Start with: synthkit demo" in said.err


def test_version(command):
    import synthkit

    said = command("--version")
    assert (said.code, said.out) == (0, f"synthkit {synthkit.__version__}\n")


def test_it_is_called_as_a_module_too():
    import synthkit

    said = subprocess.run([sys.executable, "-m", "synthkit", "--version"], capture_output=True, check=True, text=True)
    assert said.stdout == f"synthkit {synthkit.__version__}\n"


@pytest.mark.parametrize("script", ["bin/synthkit", "lib/synthkit/__main__.py"])
def test_the_kept_command_repeats_the_run_and_names_no_folder_outside(script, monkeypatch):
    from synthkit.pipeline.run_info import command

    words = ["run", "tables/ward", "--out", "runs/ward", "--config=/home/ann/a.yaml", "--suite", "../ann/b.json"]
    monkeypatch.setattr(sys, "argv", [script, *words])
    assert command() == "synthkit run tables/ward --out runs/ward --config=a.yaml --suite b.json"


def test_an_unknown_command(command):
    said = command("samples")
    assert said.code == 2
    assert "No such command 'samples'" in said.err


# ---- run, and what lies in its folder ----


def test_run_says_how_good_and_where(ran):
    out, said = ran
    assert said.code == 0
    rows = json.loads((out / "evaluation.json").read_text())["run"]["rows"]
    assert (
        f"2 draws of 150 synthetic rows each; {rows['train']} real rows fitted, {rows['holdout']} held out" in said.out
    )
    for line in ("Real or synthetic?", "Rule violations", "hospdead", "charges"):
        assert re.search(rf"{re.escape(line)} .*\[.*\]", said.out)
    assert "No differential-privacy claim: epsilon = infinity." in said.out
    assert f"{out / 'report.html'} " in said.out
    assert "open this first" in said.out


def test_progress_is_plain_lines_without_a_terminal(ran):
    _, said = ran
    assert said.err.splitlines()[:4] == ["load libraries ...", "read and validate ...", "split ...", "fit ..."]
    assert "\x1b" not in said.err + said.out


def test_run_folder(ran):
    out, _ = ran
    assert {p.name for p in out.iterdir()} == {
        *("synthetic.parquet", "draws", "schema.yaml", "model", "ledger.json", "statement.json"),
        *("evaluation.json", "report.html", "report.json", "run.json", "internal"),
    }
    names = {p.name for p in (out / "internal").iterdir()}
    assert names == {"validation_input.json", "validation_output.json", "roles.parquet", "log.txt"}
    facts = json.loads((out / "run.json").read_text())
    assert (facts["seed"], facts["source"], facts["draws"]) == (7, "patients.csv", 2)
    assert facts["config"]["settings"] == {"steps": 20, "width": 16, "hidden": 8, "batch_size": 64}
    assert Schema.load(out / "schema.yaml") == support2_schema()
    first, second = (pd.read_parquet(out / "draws" / f"0{k}.parquet") for k in (1, 2))
    pd.testing.assert_frame_equal(first, pd.read_parquet(out / "synthetic.parquet"))
    assert not first.equals(second)
    for draw in (first, second):
        assert validate(draw, support2_schema()).success
    assert json.loads((out / "ledger.json").read_text())["epsilon"] is None


def test_the_folder_tells_no_path_of_this_machine(ran, patients):
    out, _ = ran
    for file in ("run.json", "evaluation.json", "report.html", "ledger.json", "model/synthesizer.json"):
        assert str(patients.parent) not in (out / file).read_text()


def test_report_draws_the_same_page_again(ran, command):
    out, _ = ran
    before = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    said = command("report", out)
    assert (said.code, said.out) == (0, f"{out / 'report.html'}: drawn again\n")
    assert (out / "report.html").read_bytes() == before


def test_quiet_says_nothing(toy, tmp_path, command):
    words = ["--schema", toy.yaml, "--out", tmp_path / "out", "--model", "independent", "--quiet"]
    said = command("fit", toy.csv, *words)
    assert (said.code, said.out, said.err) == (0, "", "")


def test_overwrite_replaces_the_whole_folder(toy, tmp_path, command):
    words = ["fit", toy.csv, "--schema", toy.yaml, "--out", tmp_path / "out", "--model", "independent"]
    assert command(*words, "--seed", 1).code == 0
    (tmp_path / "out" / "left over").touch()
    assert command(*words, "--seed", 2, "--overwrite").code == 0
    assert json.loads((tmp_path / "out" / "run.json").read_text())["seed"] == 2
    assert {p.name for p in tmp_path.iterdir()} == {"out"}
    assert not (tmp_path / "out" / "left over").exists()


# ---- flag beats config beats default ----


def test_flag_beats_config_beats_default(tmp_path):
    (tmp_path / "run.yaml").write_text("seed: 4\nquick: true\nsettings: {steps: 9, width: 32}\nmissing: [NA]\n")
    asked = RunConfig.of(
        tmp_path / "run.yaml", seed=8, quick=False, model=None, settings={"steps": 5}, missing=None, encoding=None
    )
    assert (asked.seed, asked.quick) == (8, False)  # said by a flag
    assert asked.settings == {"steps": 5, "width": 32}  # merged
    assert asked.missing == ("NA",)  # said by the file
    assert (asked.model, asked.encoding) == ("autoregressive", "utf-8")  # said by nobody


def test_a_config_file_reaches_the_run(toy, tmp_path, command):
    (tmp_path / "run.yaml").write_text("model: independent\nseed: 4\n")
    words = ["--schema", toy.yaml, "--config", tmp_path / "run.yaml"]
    assert command("fit", toy.csv, *words, "--out", tmp_path / "a").code == 0
    assert command("fit", toy.csv, *words, "--out", tmp_path / "b", "--seed", 6).code == 0
    facts = [json.loads((tmp_path / name / "run.json").read_text()) for name in "ab"]
    assert [(f["model"], f["seed"]) for f in facts] == [("independent", 4), ("independent", 6)]


# ---- init and validate ----


def test_init_drafts_a_schema_the_table_keeps(patients, tmp_path, command):
    out = tmp_path / "draft.yaml"
    said = command("init", patients, "-o", out)
    assert said.code == 0
    assert "48 columns drafted" in said.out
    assert "warning: `id`: HIPAA Safe Harbor" in said.err
    drafted = Schema.load(out)
    assert list(drafted.columns) == list(support2().columns)
    assert command("validate", patients, "--schema", out).code == 0
    assert command("init", patients, "-o", out, "--overwrite", "--quiet").out == ""


def test_init_takes_the_unit(tmp_path, command):
    rows = "".join(f"{k // 2},{k},{k % 7}\n" for k in range(60))
    (tmp_path / "visits.csv").write_text("patient,visit,bp\n" + rows)
    assert command("init", tmp_path / "visits.csv", "-o", tmp_path / "s.yaml", "--unit", "patient").code == 0
    assert Schema.load(tmp_path / "s.yaml").unit == "patient"


def test_validate_exits_with_one_and_lists_everything(toy, tmp_path, command):
    frame = toy.frame.assign(age=lambda f: f["age"].where(f.index != 3, 500), sex="x")
    write(frame, tmp_path / "wrong.csv")
    (tmp_path / "mine.json").write_text(
        json.dumps(
            {
                "name": "mine",
                "expectations": [
                    {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "age", "max_value": 1}}
                ],
            }
        )
    )
    words = ["--schema", toy.yaml, "--suite", tmp_path / "mine.json", "--json", tmp_path / "v.json"]
    said = command("validate", tmp_path / "wrong.csv", *words)
    assert said.code == 1
    assert "3 rules are broken" in said.out
    result = json.loads((tmp_path / "v.json").read_text())
    assert result["success"] is False
    found = {tuple(v["columns"]): v["count"] for v in result["violations"] if v["count"]}
    assert found == {("age",): 1, ("sex",): 80}
    assert command("validate", toy.csv, "--schema", toy.yaml, "--quiet").out == ""


# ---- fit, sample, impute, score ----


def test_fit_says_that_nothing_can_be_evaluated(toy, tmp_path, command):
    out = tmp_path / "fit"
    said = command("fit", toy.csv, "--schema", toy.yaml, "--out", out, "--model", "independent")
    assert said.code == 0
    assert "none held out, so nothing can be evaluated" in said.out
    assert {p.name for p in out.iterdir()} == {
        *("model", "schema.yaml", "ledger.json", "statement.json", "run.json", "internal"),
    }


def test_sample_is_repeated_by_its_seed(fitted, tmp_path, command):
    files = [tmp_path / f"{k}.csv" for k in range(4)]
    said = command("sample", fitted, "--rows", 30, "--out", files[0])
    seed = re.search(r"30 synthetic rows \(seed (\d+)\)", said.out)
    assert seed is not None
    command("sample", fitted / "model", "--rows", 30, "--out", files[1], "--seed", seed[1])
    command("sample", fitted, "--rows", 30, "--out", files[2], "--seed", int(seed[1]) + 1)
    assert files[0].read_bytes() == files[1].read_bytes() != files[2].read_bytes()


def test_sample_with_given_values(fitted, toy, tmp_path, command):
    """Every row asked for comes back with every value given, missing ones too."""
    given = ["--given", "sex=f", "--given", "age=50", "--given", "crea=", "--given", "dead=true"]
    said = command("sample", fitted, "--rows", 40, "--out", tmp_path / "rows.parquet", *given)
    assert said.code == 0
    rows = pd.read_parquet(tmp_path / "rows.parquet")
    assert (len(rows), set(rows["sex"]), set(rows["age"]), set(rows["dead"])) == (40, {"f"}, {50}, {True})
    assert rows["crea"].isna().all()
    assert validate(rows, toy.schema).success


def test_sample_completes_a_file_of_partial_rows(fitted, toy, tmp_path, command):
    (tmp_path / "given.csv").write_text("age,sex\n30,f\n,m\n80,\n")
    said = command("sample", fitted, "--given-file", tmp_path / "given.csv", "--out", tmp_path / "rows.csv")
    assert said.code == 0
    rows = read(tmp_path / "rows.csv", schema=toy.schema).frame()
    assert (rows["age"][0], rows["sex"][0], rows["sex"][1], rows["age"][2]) == (30, "f", "m", 80)
    assert validate(rows, toy.schema).success


def test_impute_fills_what_is_missing_and_keeps_the_rest(fitted, toy, tmp_path, command):
    holes = toy.frame.astype({"age": "Int64"})
    holes.loc[::4, "sex"] = None
    holes.loc[1::4, "age"] = pd.NA
    write(holes, tmp_path / "holes.csv")
    said = command("impute", fitted, tmp_path / "holes.csv", "--out", tmp_path / "full.csv", "--seed", 2)
    missing = int(holes.drop(columns="id").isna().sum().sum())
    assert said.out == f"{tmp_path / 'full.csv'}: 80 rows, {missing} cells filled\n"
    full = read(tmp_path / "full.csv", schema=toy.schema).frame()
    assert full.notna().all(axis=None)
    known = holes.notna()
    for name in holes:
        assert (full.loc[known[name], name] == toy.frame.loc[known[name], name]).all()


def test_score_puts_the_oddest_record_first(fitted, toy, tmp_path, command):
    odd = toy.frame.copy()
    odd["age"] = odd["age"].astype("Int64")
    odd.loc[7, "age"] = 1_000_000
    write(odd, tmp_path / "records.csv")
    said = command("score", fitted, tmp_path / "records.csv", "--out", tmp_path / "odd.csv")
    assert said.out == f"{tmp_path / 'odd.csv'}: 80 records, the oddest first (INTERNAL)\n"
    scores = pd.read_csv(tmp_path / "odd.csv")
    assert sorted(scores["(row)"]) == list(range(1, 81))
    assert scores["(row)"][0] == 8
    assert scores["(score)"].is_monotonic_decreasing
    assert scores.drop(columns=["(row)", "(score)"]).iloc[0].idxmax() == "age"


# ---- evaluate ----


def test_evaluate_never_loads_torch(tmp_path):
    """On tables made elsewhere, one of which breaks the schema; the page can be drawn again without torch too."""
    real = support2()[["age", "sex", "dzgroup", "hospdead", "meanbp"]].dropna().head(900)
    full = support2_schema()
    schema = Schema(
        name="five",
        columns={name: full.columns[name] for name in real},
        targets=[{"column": "hospdead", "task": "binary", "positive": 1}],
    )
    schema.save(tmp_path / "five.yaml")
    synthetic = real[600:].sample(frac=1, random_state=1).assign(age=lambda f: f["age"].where(f["age"] < 80, 500))
    for name, frame in {"train": real[:300], "holdout": real[300:600], "one": synthetic, "two": real[600:]}.items():
        write(frame, tmp_path / f"{name}.parquet")
    out = tmp_path / "out"
    words = ["--train", tmp_path / "train.parquet", "--holdout", tmp_path / "holdout.parquet"]
    words += ["--synthetic", tmp_path / "one.parquet", "--synthetic", tmp_path / "two.parquet"]
    program = "from synthkit.cli.app import main; main()"
    said, heavy = loaded(program, "evaluate", *words, "--schema", tmp_path / "five.yaml", "--out", out, "--quick")
    assert "torch" not in heavy
    assert {"sklearn", "pandas", "great_expectations"} <= heavy  # the check above can fail
    assert "2 draws of 300 synthetic rows each; 300 real rows fitted, 300 held out" in said
    assert {p.name for p in out.iterdir()} == {
        "evaluation.json",
        "report.html",
        "report.json",
        "schema.yaml",
        "run.json",
        "internal",
    }
    scores = {s["metric"]: s["value"] for s in json.loads((out / "evaluation.json").read_text())["scores"]}
    broken = (synthetic["age"] == 500).sum()
    assert scores["fidelity.range_violations"] == pytest.approx(broken / 600)
    before = (out / "report.html").read_bytes()
    _, heavy = loaded(program, "report", out)
    assert not {"torch", "sklearn", "great_expectations"} & heavy
    assert (out / "report.html").read_bytes() == before


# ---- demo ----


def test_demo_on_the_patients_inside_the_package(tmp_path, command):
    words = ["--out", tmp_path / "demo", "--model", "independent", "--quick", "--rows", 150, "--seed", 1]
    said = command("demo", *words)
    assert said.code == 0
    paths = [line.split()[0] for line in said.out.splitlines() if line.startswith(str(tmp_path))]
    assert paths[0] == str(tmp_path / "demo" / "report.html")
    assert set(paths) == {str(p) for p in (tmp_path / "demo").iterdir()}
    assert json.loads((tmp_path / "demo" / "run.json").read_text())["source"] == "support2.parquet"
    gate = json.loads((tmp_path / "demo" / "gate.json").read_text())
    page = (tmp_path / "demo" / "report.html").read_text()
    assert gate["policy"]["id"] == "internal-research-v1"
    assert f'data-test-decision="{gate["verdict"]}"' in page
    assert "NO POLICY" not in said.out + page
    whole = next(line for line in said.out.splitlines() if line.startswith("Held against policy internal-research-v1"))
    assert f": {gate['verdict']}" in whole
    passing = sum(line["verdict"] == "PASS" for line in gate["lines"])
    assert f"{passing} of {len(gate['lines'])} lines pass" in said.out
    for line in gate["lines"]:
        assert (line["why"] in said.out) == (line["verdict"] != "PASS")
    shown = [line for line in said.out.splitlines() if line.startswith(("Membership: ", "Attributes: ", "Identity: "))]
    assert len(shown) == 3
    assert all("policy internal-research-v1" in line or "Not assessed" in line for line in shown)
