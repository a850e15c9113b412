"""Linked tables under a budget: what may leave is saved first, no row decides whether it does, all of it is charged."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_hospital import SMALL, broken, small_hospital

import synthkit as sk
from synthkit.errors import BudgetExceededError, ConfigError, SchemaError, UnsupportedError
from synthkit.pipeline.linked.compare_linked import compare_linked
from synthkit.pipeline.linked.evaluate_linked_tables import evaluate_linked_tables
from synthkit.pipeline.linked.internal_linked_evaluation import inspect_linked
from synthkit.pipeline.linked.private_linked_run import release_linked
from synthkit.pipeline.linked.synthesize_linked import fit_linked
from synthkit.pipeline.run_config import RunConfig
from synthkit.privacy.accounting.events import Concentrated, PoissonSubsampledGaussian
from synthkit.privacy.accounting.ledger_file import LedgerFile, recompute
from synthkit.privacy.linked_statement import UNITS_CLIPPED
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.public_tables import declared_tables
from synthkit.synthesizer.checkpoints import Checkpoint
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

FEW = {"components": 12, "rounds": 1, "first": 3, "between": 1, "last": 3}
WORDS = ["--epsilon", 3, "--delta", "1e-5", "--quick", "--device", "cpu", *(f"--set={k}={v}" for k, v in FEW.items())]
UNITS, ROWS = 77, {"visits": 121, "labs": 203}  # of the real tables: numbers that no figure of a release has by itself
PUBLIC = ["ledger.json", "model/model.safetensors", "model/synthesizer.json", "run.json", "schema.yaml"]
PUBLIC += ["statement.json", "synthetic/labs.parquet", "synthetic/patients.parquet", "synthetic/visits.parquet"]
MEASURED = ["evaluation.json", "report.html", "report.json"]
HIDDEN = ["clamped.json", "log.txt", "roles.parquet", "validation_output.json"]


def declared(**changes: Any) -> LinkedSchema:
    """The small hospital with somebody who answers for it, and a bound for every link."""
    said = copy.deepcopy(SMALL)
    said["tables"]["labs"]["links"] = [{**said["tables"]["labs"]["links"][0], "max_rows_per_owner": 4}]
    return LinkedSchema.parse({**said, "declared_by": "A. Lee: made up", **changes})


SCHEMA = declared()


def spoiled() -> dict[str, pd.DataFrame]:
    """Tables that break keys, links, orders, domains and types, in texts that nothing public may tell."""
    frames = {name: frame.astype(object) for name, frame in small_hospital(UNITS).items()}
    patients, visits, labs = frames["patients"], frames["visits"], frames["labs"]
    patients.loc[3, "born"], patients.loc[4, "patient"], patients.loc[6, "patient"] = "zebra", None, "P005"
    visits.loc[0, "visit"], visits.loc[2, "cost"] = visits.loc[1, "visit"], "zebra"
    visits.loc[4, "left"] = pd.Timestamp("1990-01-01")
    labs.loc[0, "patient"], labs.loc[1, "test"], labs.loc[2, "taken"] = "zebra", "zebra", "zebra"
    return frames


def asked(here: Path, **more: Any) -> RunConfig:
    said = {"epsilon": 3.0, "delta": 1e-5, "settings": FEW, "seed": 3, "quick": True, "device": "cpu"}
    return RunConfig(**{**said, "ledger": here / "l.json", **more})


def files(folder: Path) -> list[str]:
    """Files of a folder that are not INTERNAL."""
    found = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return [name for name in found if not name.startswith("internal/") and name not in MEASURED]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place: Path = tmp_path_factory.mktemp("budget")
    (place / "ward").mkdir()
    for name, frame in spoiled().items():
        frame.to_csv(place / "ward" / f"{name}.csv", index=False)
    SCHEMA.save(place / "ward.yaml")
    return place


@pytest.fixture(scope="module")
def ran(here, command):
    return command("run", here / "ward", "--schema", here / "ward.yaml", "--out", here / "out", "--draws", 1, *WORDS)


def _said(ran, here: Path) -> str:
    """What stands on the screen, but for how far the drawing of synthetic rows is: any number may come by."""
    return re.sub(r"sample: \d+ of \d+", "", (ran.out + ran.err).replace(str(here), ""))


def test_a_run_of_spoiled_tables_ends_well_and_says_nothing_of_them(ran, here):
    """Exit 0, the three sentences, and no number of rows, no score and no cell, on the screen or in a public file."""
    assert ran.code == 0, ran.err
    assert "differentially private for each row of patients, with all rows that belong to it" in ran.out
    assert files(here / "out") == PUBLIC
    assert all((here / "out" / name).is_file() for name in MEASURED)
    told = _said(ran, here)
    assert not re.search(r"zebra|\b(77|75|121|203)\b|real units|held out \d|AUC|\d s left|orphan|warning", told)
    for name in PUBLIC:
        assert b"zebra" not in (here / "out" / name).read_bytes(), name
    log = (here / "out" / "internal" / "log.txt").read_text()
    assert [line for line in log.splitlines() if line.endswith("made")] == [
        *("check of the input: made", "evaluation: made", "report: made")
    ]
    assert sorted(p.name for p in (here / "out" / "internal").iterdir()) == [
        *HIDDEN[:3],
        *("validation_input.json", "validation_output.json"),
    ]


def test_what_the_input_broke_is_internal(ran, here):
    """It is listed, with the rows that were left out and the cells that were mapped."""
    found = json.loads((here / "out" / "internal" / "validation_input.json").read_text())
    assert not found["success"]
    assert found["orphans"]["labs"]["rows"] >= 1
    changed = json.loads((here / "out" / "internal" / "clamped.json").read_text())
    assert changed["patients"] == {"born": 1, "(rows of nobody, or with the key of another)": 2}
    assert changed["labs"]["test"] == changed["labs"]["taken"] == changed["visits"]["cost"] == 1
    roles = pd.read_parquet(here / "out" / "internal" / "roles.parquet")
    assert len(roles) == UNITS - 2


def test_facts_and_schema_follow_from_what_was_declared_and_paid_for(ran, here):
    facts = json.loads((here / "out" / "run.json").read_text())
    assert not {"people", "seconds"} & set(facts)
    assert facts["trained"]["seconds"] == 0
    assert (facts["model"], facts["unit"]) == ("marginal", "patients")
    schema = LinkedSchema.load(here / "out" / "schema.yaml")
    paid = {(n, c): col.paid for n, t in schema.tables.items() for c, col in t.columns.items() if col.paid}
    assert paid == {("visits", "cost"): ("max",), ("labs", "value"): ("max",)}
    card = json.loads((here / "out" / "model" / "synthesizer.json").read_text())
    assert card["storages"] == {}
    assert card["log"]["train"] == card["log"]["at"] == []
    kept = LinkedSynthesizer.load(here / "out" / "model", device="cpu").sample(5, seed=1)
    assert broken(kept, units=5) == []


def test_the_statement_says_who_is_protected_within_which_bounds(ran, here):
    said = json.loads((here / "out" / "statement.json").read_text())
    assert said["end_to_end_dp"]
    assert said["privacy_loss"]["privacy_unit"] == "patients"
    bound = said["contribution_bound"]
    assert bound["by_link"] == {"visits -> patients": 6, "labs -> patients": 4}
    assert bound["by_unit"] == {"patients": 1, "visits": 6, "labs": 4}
    assert bound["max_rows_per_unit"] == 11
    assert bound["truncated_by"].startswith("synthkit: ")
    covered = {touch["what"]: touch["covered"] for touch in said["data_touches"]}
    assert covered["who has which role; which rows are beyond the bounds, and how many"] == "internal"
    assert covered["evaluation, report and validation of the input"] == "internal"
    assert "uncharged" not in covered.values()
    assert {"public", "charged"} <= set(covered.values())
    assert "labs.value" in said["declarations"]["A. Lee: made up"]
    page = (here / "out" / "report.html").read_text()
    assert "at most 6 of visits, 4 of labs: what is beyond these bounds is left out by synthkit" in page


def test_the_ledger_is_charged_once_and_a_second_run_is_refused(ran, here, refused, tmp_path):
    """Epsilon counted again from the charges is at most 3; nothing is left, and nothing is written then."""
    kept = LedgerFile.read(here / "out.ledger.json")
    assert len(kept.parts) == 1
    assert 2.9 < recompute(here / "out.ledger.json")[0] <= 3
    assert kept.unit == "patients"
    words = ("run", here / "ward", "--schema", here / "ward.yaml", "--out", tmp_path / "b", *WORDS)
    said = refused(*words, "--ledger", here / "out.ledger.json")
    assert "left" in said
    assert LedgerFile.read(here / "out.ledger.json") == kept


def test_a_run_that_was_not_measured_goes_on_there(ran, here, command, tmp_path):
    """With --resume what was released stays as it is, to the last byte, and nothing is charged."""
    before = {name: (here / "out" / name).read_bytes() for name in PUBLIC}
    for name in MEASURED:
        (here / "out" / name).unlink()
    again = command("run", here / "ward", "--schema", here / "ward.yaml", "--out", here / "out", "--resume", *WORDS)
    assert again.code == 0, again.err
    assert {name: (here / "out" / name).read_bytes() for name in PUBLIC} == before
    assert all((here / "out" / name).is_file() for name in MEASURED)


def test_a_look_that_crashes_is_noted_in_the_log_alone(here, tmp_path, capfd):
    """Units that have no role: the evaluation is a listed failure, nothing is said, and nothing public changes."""
    made = release_linked(here / "ward", SCHEMA, config=asked(tmp_path))
    made.save(tmp_path / "out")
    assert "LinkedRelease" in repr(made)
    before = {name: (tmp_path / "out" / name).read_bytes() for name in PUBLIC}
    pd.DataFrame({"unit": ["x"], "role": ["train"], "coin": [None], "isolated": [None]}).to_parquet(
        tmp_path / "out" / "internal" / "roles.parquet"
    )
    inspect_linked(here / "ward", SCHEMA, asked(tmp_path), tmp_path / "out")
    (tmp_path / "out" / "run.json").write_text("no facts of zebra")
    inspect_linked(here / "ward", SCHEMA, asked(tmp_path), tmp_path / "out")
    inspect_linked(here / "ward", here / "nowhere.yaml", asked(tmp_path), tmp_path / "out")
    assert capfd.readouterr() == ("", "")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in PUBLIC if name != "run.json"} == {
        name: each for name, each in before.items() if name != "run.json"
    }
    assert "units have no role" in (tmp_path / "out" / "evaluation.json").read_text()
    log = (tmp_path / "out" / "internal" / "log.txt").read_text()
    assert "zebra" not in log
    assert log.splitlines()[-1].startswith("inspection: its process ended with an error of its own")


def test_in_python_a_run_is_measured_and_as_many_units_are_drawn_as_were_told(tmp_path):
    made = sk.synthesize(spoiled(), SCHEMA, config=asked(tmp_path))
    assert len(made.synthetic["patients"]) == max(round(made.synthesizer.rows), 1)
    assert broken(made.synthetic, units=len(made.synthetic["patients"])) == []
    assert made.synthetic["labs"]["patient"].value_counts().max() <= 4
    assert made.evaluation.scores
    assert not made.validations["input"].success
    assert made.validations["output"].success
    assert made.ledger.epsilon() <= 3
    made.save(tmp_path / "out")
    assert files(tmp_path / "out") == PUBLIC
    assert "seconds" not in json.loads((tmp_path / "out" / "run.json").read_text())
    with pytest.raises(BudgetExceededError):
        sk.synthesize(spoiled(), SCHEMA, config=asked(tmp_path))


def nobody(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name: frame.iloc[:0] for name, frame in frames.items()}


@pytest.mark.parametrize(
    "frames",
    [
        nobody(small_hospital(2)),
        small_hospital(1),
        {**nobody(small_hospital(2)), "patients": small_hospital(45)["patients"]},
        {**small_hospital(45), "patients": nobody(small_hospital(2))["patients"]},
    ],
    ids=["no rows", "one unit", "units alone", "rows of nobody"],
)
def test_no_number_of_rows_ends_a_run(frames, tmp_path):
    """What cannot be measured is a listed failure; asked for units, as many are drawn."""
    made = sk.synthesize(frames, SCHEMA, config=asked(tmp_path, units=6, draws=2))
    assert [broken(draw, units=6) for draw in made.draws] == [[], []]
    assert made.evaluation.failures
    assert made.save(tmp_path / "out").is_dir()


def test_how_a_column_came_moves_nothing(tmp_path):
    """Whatever the dtypes of the real cells are, those of synthetic ones follow from the schema."""
    plain, odd = small_hospital(30), {name: frame.astype(object) for name, frame in small_hospital(30).items()}
    odd["patients"]["born"] = odd["patients"]["born"].astype("string")
    odd["labs"]["value"] = odd["labs"]["value"].astype("float32")
    types = []
    for k, frames in enumerate((plain, odd)):
        made = release_linked(frames, SCHEMA, config=asked(tmp_path, ledger=tmp_path / f"{k}.json", units=300))
        types.append({name: frame.dtypes.astype(str).to_dict() for name, frame in made.synthetic.items()})
    assert types[0] == types[1]


def test_a_fit_holds_no_row_and_no_time(command, here):
    said = command("fit", here / "ward", "--schema", here / "ward.yaml", "-o", here / "fit", *_of_a_fit())
    assert said.code == 0, said.err
    assert "differentially private for each row of patients" in said.out
    assert not re.search(r"zebra|\b(77|75|121|203)\b|warning", (said.out + said.err).replace(str(here), ""))
    assert files(here / "fit") == [name for name in PUBLIC if not name.startswith("synthetic/")]
    assert sorted(p.name for p in (here / "fit" / "internal").iterdir()) == ["clamped.json", "log.txt"]
    assert "seconds" not in json.loads((here / "fit" / "run.json").read_text())
    assert 2.9 < recompute(here / "fit.ledger.json")[0] <= 3
    drawn = command("sample", here / "fit", "--units", 4, "-o", here / "drawn", "--device", "cpu")
    assert drawn.code == 0, drawn.err


def test_a_run_of_timeline_is_charged_as_steps_and_counts(here, command):
    """The same folder with nothing of the training in it; the statement says what was clipped."""
    few = {"steps": 3, "root_steps": 2, "width": 8, "hidden": 4, "mixed": 4}
    words = [word for word in WORDS if not str(word).startswith("--set")]
    words += ["--model", "timeline", *(f"--set={k}={v}" for k, v in few.items())]
    ran = command("run", here / "ward", "--schema", here / "ward.yaml", "--out", here / "steps", *words)
    assert ran.code == 0, ran.err
    assert files(here / "steps") == PUBLIC
    told = _said(ran, here)
    assert not re.search(r"zebra|\b(77|75|121|203)\b|loss|nan|left|warning", told)
    facts = json.loads((here / "steps" / "run.json").read_text())
    assert facts["model"] == "timeline"
    assert (facts["trained"]["steps"], facts["trained"]["seconds"]) == (3, 0)
    assert few.items() <= facts["settings"].items()
    said = json.loads((here / "steps" / "statement.json").read_text())
    assert said["contribution_bound"]["gradients"] == UNITS_CLIPPED
    assert said["end_to_end_dp"]
    assert 2.9 < recompute(here / "steps" / "ledger.json")[0] <= 3
    kinds = [
        charge.spent.kind for part in LedgerFile.read(here / "steps" / "ledger.json").parts for charge in part.charges
    ]
    assert kinds == [Concentrated.kind, PoissonSubsampledGaussian.kind]
    kept = LinkedSynthesizer.load(here / "steps" / "model", device="cpu")
    assert broken(kept.sample(5, seed=1), units=5) == []
    assert kept.log is not None
    assert (kept.log.train, kept.log.at) == ((), ())


def _of_a_fit() -> list[object]:
    return [word for word in WORDS if word != "--quick"]


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        (
            {"model": "timeline", "settings": {"swap_noise": 0.2}},
            ConfigError,
            "swap_noise 0.2 \\(0 under a budget\\)",
        ),
        (
            {"model": "independent", "settings": {}},
            UnsupportedError,
            "must be marginal, timeline for linked tables; however: `independent`",
        ),
        ({"max_minutes": 1.0}, ConfigError, "must not depend on time; however: `max_minutes` is given"),
        ({"unit": "patients", "max_rows_per_unit": 3}, ConfigError, "Bounds stand in the schema"),
        ({"unit": "patients"}, ConfigError, "The schema names the table"),
        ({"public_n": 39}, ConfigError, "split from 40 units on; however: a public n of 39"),
        ({"rake": True}, ConfigError, "without `rake`"),
    ],
)
def test_what_a_budget_cannot_pay_for_is_refused_before_it_is_charged(more, error, said, tmp_path):
    with pytest.raises(error, match=said):
        sk.synthesize(small_hospital(), SCHEMA, config=asked(tmp_path, **more))
    assert not (tmp_path / "l.json").exists() or LedgerFile.read(tmp_path / "l.json").parts == ()


def test_a_checkpoint_is_refused(tmp_path):
    for run in (sk.synthesize, fit_linked):
        kept = Checkpoint.beside(tmp_path / "out", resume=False, replace=True)
        with pytest.raises(ConfigError, match="a checkpoint needs a training without a budget"):
            run(small_hospital(), SCHEMA, config=asked(tmp_path), checkpoint=kept)


def test_nothing_else_is_done_under_a_budget(tmp_path):
    frames = small_hospital(4)
    with pytest.raises(ConfigError, match="compared without a privacy budget in this version; however"):
        compare_linked(frames, SCHEMA, models=["marginal"], out=tmp_path / "c", config=asked(tmp_path))
    with pytest.raises(ConfigError, match="evaluated without a privacy budget in this version; however"):
        evaluate_linked_tables(frames, frames, [frames], SCHEMA, config=asked(tmp_path))


def test_what_nobody_answers_for_is_refused(tmp_path):
    """Links, rules and catalogues have somebody who declares them, by table or for all; what is missing is listed."""
    codes = {"role": "reference", "key": ["test"], "columns": {"test": {"kind": "code"}}}
    labs = copy.deepcopy(SCHEMA.model_dump(by_alias=True, exclude_none=True, mode="json")["tables"]["labs"])
    labs["links"].append({"columns": ["test"], "to": "codes", "kind": "reference"})
    tables = {**SCHEMA.model_dump(by_alias=True, exclude_none=True, mode="json")["tables"], "labs": labs}
    rules = [{"rule": "once", "table": "visits", "columns": ["cost"]}]
    silent = {"unit": "patients", "tables": {**tables, "codes": codes}, "rules": rules}
    with pytest.raises(SchemaError) as refusal:
        declared_tables(LinkedSchema.parse(silent))
    told = str(refusal.value)
    assert "`tables.codes`: nobody declares that its rows are public, and they are released as they are" in told
    assert "`tables.visits`: nobody answers for its links and bounds" in told
    assert "`rules`: nobody answers for them" in told
    by_table = {name: {**table, "declared_by": "B. Roth: form 12"} for name, table in silent["tables"].items()}
    found = declared_tables(LinkedSchema.parse({"unit": "patients", "tables": by_table}))
    assert found.graph.references == ("codes",)
    del by_table["codes"]["declared_by"]
    with pytest.raises(SchemaError, match=r"`tables\.codes`: nobody declares that its rows are public"):
        declared_tables(LinkedSchema.parse({"unit": "patients", "tables": by_table}))


def test_codes_of_a_catalogue_are_its_keys_and_it_is_copied_as_it_is(tmp_path):
    """No level is bought of what a catalogue lists, and every drawn code is one of it, however few people there are."""
    said = SCHEMA.model_dump(by_alias=True, exclude_none=True, mode="json")
    said["tables"]["labs"]["columns"]["test"] = {"kind": "code"}
    said["tables"]["labs"]["links"].append({"columns": ["test"], "to": "codes", "kind": "reference"})
    said["tables"]["codes"] = {"role": "reference", "key": ["test"], "declared_by": "B. Roth: list of 2020"}
    codes = pd.DataFrame({"test": ["Na", "hb", "crea"], "name": ["sodium", "haemoglobin", "creatinine"]})
    schema = LinkedSchema.parse(said)
    made = sk.synthesize({**small_hospital(), "codes": codes}, schema, config=asked(tmp_path))
    assert made.schema.tables["labs"].columns["test"].levels == ("Na", "hb", "crea")
    assert not made.schema.tables["labs"].columns["test"].paid
    assert set(made.synthetic["labs"]["test"]) <= set(codes["test"])
    pd.testing.assert_frame_equal(made.synthetic["codes"], codes)
    covered = {touch["what"]: touch["covered"] for touch in made.statement["data_touches"]}
    assert [c for what, c in covered.items() if what.startswith("rows of codes: public catalogues")] == ["public"]
    long = pd.DataFrame({"test": [f"c{k}" for k in range(1001)], "name": "x"})
    frames = {**small_hospital(12), "codes": long}
    many = release_linked(frames, schema, config=asked(tmp_path, ledger=tmp_path / "m.json"))
    assert many.schema.tables["labs"].columns["test"].paid == ("levels",)
    assert set(many.synthetic["labs"]["test"]) <= set(long["test"])
    again = LinkedSynthesizer.load(many.save(tmp_path / "m") / "model", device="cpu").sample(40, seed=2)
    assert set(again["labs"]["test"]) <= set(long["test"])


def test_a_contradiction_may_name_what_was_not_told(tmp_path):
    """The saved schema reads back, whatever levels noise left."""
    said = SCHEMA.model_dump(by_alias=True, exclude_none=True, mode="json")
    said["tables"]["labs"]["columns"]["test"] = {"kind": "code"}
    said["contradictions"] = [{"name": "odd", "table": "labs", "when": {"test": {"in": ["crea"]}}}]
    made = release_linked(small_hospital(9), LinkedSchema.parse(said), config=asked(tmp_path))
    place = made.save(tmp_path / "out")
    assert "crea" not in made.schema.tables["labs"].columns["test"].levels
    assert LinkedSchema.load(place / "schema.yaml").contradictions == made.schema.contradictions
    assert LinkedSynthesizer.load(place / "model", device="cpu").schema == LinkedSchema.load(place / "schema.yaml")


def test_rows_beyond_the_bounds_take_part_in_the_evaluation(tmp_path):
    """The split has all rows of its units; what the model sees of them is within the bounds."""
    frames = small_hospital(40)
    frames["labs"] = pd.concat([frames["labs"]] * 5, ignore_index=True)
    made = sk.synthesize(frames, SCHEMA, config=asked(tmp_path, units=10))
    rows = made.evaluation.run["rows"]
    roles = made.roles.set_index("unit")
    owner = frames["labs"]["patient"].str.lower()
    train = (roles["role"] == "train") | roles["coin"].fillna(value=False)
    assert rows["train"]["labs"] == int(train[owner].sum())
    assert np.isin(made.synthetic["labs"]["patient"].value_counts(), [1, 2, 3, 4]).all()
