"""Every command with linked tables: what it writes, and what it refuses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from small_hospital import SMALL, broken, small_hospital

from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.validate_linked import validate_linked
from synthkit.tables.linked_files import read_linked

SCHEMA = LinkedSchema.parse(SMALL)


@dataclass(frozen=True)
class Hospital:
    """A folder of CSV files and its schema, and a run and a fit of it."""

    folder: Path
    yaml: Path
    run: Path
    fit: Path


@pytest.fixture(scope="module")
def hospital(command, tmp_path_factory) -> Hospital:
    place = tmp_path_factory.mktemp("linked")
    made = Hospital(place / "hospital", place / "hospital.yaml", place / "run", place / "fit")
    made.folder.mkdir()
    for name, frame in small_hospital().items():
        frame.to_csv(made.folder / f"{name}.csv", index=False)
    SCHEMA.save(made.yaml)
    given = (made.folder, "--schema", made.yaml, "--device", "cpu", "--seed", 1)
    said = command("run", *given, "--out", made.run, "--model", "independent", "--units", 20, "--quick")
    assert said.code == 0, said.err
    assert "patients 20" in said.out
    assert re.search(r"of 60 real units \d+ fitted, \d+ held out, \d+ set aside for disclosure attacks", said.out)
    assert "Keys and rules broken" in said.out
    few = ("--steps", 2, "--set", "root_steps=2", "--set", "width=16", "--set", "hidden=8")
    said = command("fit", *given, "-o", made.fit, *few)
    assert said.code == 0, said.err
    assert "nothing can be evaluated" in said.out
    return made


def test_init_drafts_a_schema_that_the_tables_keep_and_draws_it(hospital, command, tmp_path):
    said = command("init", hospital.folder, "-o", tmp_path / "draft.yaml")
    assert said.code == 0
    assert "`patients` is taken for the table whose rows are people" in said.err
    assert "3 tables" in said.out
    assert f"--schema {tmp_path / 'draft.yaml'} --out runs/draft" in said.out
    drafted = LinkedSchema.load(tmp_path / "draft.yaml")
    assert validate_linked(read_linked(hospital.folder).frames, drafted).success
    assert (tmp_path / "draft.svg").read_text().count("<rect") == 3
    assert (
        "taken for the table"
        not in command("init", hospital.folder, "-o", tmp_path / "b.yaml", "--unit", "patients").err
    )


def test_init_of_names_and_catalogues_is_warned_of(command, tmp_path):
    folder = tmp_path / "ward"
    folder.mkdir()
    frames = small_hospital()
    frames["patients"]["surname"] = [f"Miller-{k} Anna" for k in range(60)]
    frames["d_tests"] = pd.DataFrame({"test": ["crea", "hb"], "label": ["creatinine", "haemoglobin"]})
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet")
    said = command("init", folder, "-o", tmp_path / "ward.yaml", "--unit", "patients")
    assert "`patients.surname`" in said.err or "`surname`" in said.err
    assert "`d_tests` is taken for a public catalogue" in said.err
    assert "question: is it public?" not in said.err


def test_a_table_without_rows_is_warned_of_and_rows_of_undeclared_catalogues_are_told(command, tmp_path):
    folder, draft = tmp_path / "ward", tmp_path / "ward.yaml"
    folder.mkdir()
    frames = small_hospital()
    frames["d_tests"] = pd.DataFrame({"test": ["crea", "hb"], "label": ["creatinine", "haemoglobin"]})
    frames["notes"] = pd.DataFrame({"patient": [], "text": []}, dtype=object)
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    said = command("init", folder, "-o", draft, "--unit", "patients")
    assert "warning: `notes`: has no rows, so nobody can tell what it is" in said.err
    assert LinkedSchema.load(draft).tables["notes"].role == "records"
    told = "`d_tests`: its 2 rows are copied as they are into every release"
    assert told in command("validate", folder, "--schema", draft).out
    given = (folder, "--schema", draft, "--model", "independent", "--seed", 1)
    said = command("fit", *given, "--quiet", "-o", tmp_path / "fit")
    assert said.code == 0, said.err
    assert f"warning: {told}" in said.err


def test_init_asks_whether_a_small_list_is_public(command, tmp_path):
    folder = tmp_path / "ward"
    folder.mkdir()
    frames = small_hospital()
    frames["patients"]["area"] = [f"A{k % 4}" for k in range(60)]
    frames["areas"] = pd.DataFrame({"area": ["A0", "A1", "A2", "A3"], "label": ["north", "east", "south", "west"]})
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    said = command("init", folder, "-o", tmp_path / "ward.yaml", "--unit", "patients")
    assert "`areas`: question: is it public?" in said.err
    assert LinkedSchema.load(tmp_path / "ward.yaml").tables["areas"].role == "reference"


def test_init_says_what_rows_of_nobody_need_and_which_rows_break_a_line(command, tmp_path):
    folder = tmp_path / "ward"
    folder.mkdir()
    frames = small_hospital()
    frames["patients"] = frames["patients"].iloc[1:]
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    said = command("init", folder, "-o", tmp_path / "ward.yaml", "--unit", "patients")
    assert said.out.strip().endswith("--out runs/ward --orphans drop")
    assert "some keys name no row: mend them, or `--orphans drop` leaves out " in said.err
    schema = LinkedSchema.load(tmp_path / "ward.yaml")
    found = validate_linked(read_linked(folder, schema).frames, schema, orphans="drop")
    assert found.success
    assert all(f"{n.rows} of {len(frames[t])} rows of `{t}`" in said.err for t, n in found.orphans.items() if n.rows)


def test_init_with_a_unit_to_which_the_rows_do_not_belong_says_so(hospital, command, tmp_path):
    said = command("init", hospital.folder, "-o", tmp_path / "a.yaml", "--unit", "visits")
    assert "for --unit names it; however: by their keys the rows of the tables belong to `patients`" in said.err
    said = command("init", hospital.folder, "-o", tmp_path / "b.yaml", "--unit", "patients")
    assert "however" not in said.err
    assert "--orphans" not in said.out


def test_validate_says_what_is_broken_and_exits_with_1(hospital, command, tmp_path):
    assert command("validate", hospital.folder, "--schema", hospital.yaml).code == 0
    folder = tmp_path / "broken"
    folder.mkdir()
    for name, frame in small_hospital().items():
        frame.iloc[1:].to_csv(folder / f"{name}.csv", index=False)
    said = command("validate", folder, "--schema", hospital.yaml, "--json", tmp_path / "v.json")
    assert said.code == 1
    assert "names a row of `patients`" in said.out
    assert "synthkit-linked-validation/1" in (tmp_path / "v.json").read_text()
    assert command("validate", folder, "--schema", hospital.yaml, "--orphans", "drop").code == 0


def test_validate_names_no_remedy_that_linked_tables_have_not(hospital, command, tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    frames = small_hospital()
    frames["labs"].loc[0, "value"] = -1.0
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    said = command("validate", folder, "--schema", hospital.yaml)
    assert said.code == 1
    assert "-> widen the bounds or add the levels in the schema, or correct the cells" in said.out
    assert "--clamp" not in said.out


def test_sample_writes_folders_and_duckdb(hospital, command, tmp_path):
    pytest.importorskip("duckdb")
    said = command("sample", hospital.run, "--units", 7, "-o", tmp_path / "more", "--ending", ".csv", "--seed", 1)
    assert said.code == 0, said.err
    assert "patients 7" in said.out
    found = read_linked(tmp_path / "more", SCHEMA)
    assert validate_linked(found.frames, SCHEMA).success
    assert command("sample", hospital.run, "--units", 7, "-o", tmp_path / "more.duckdb", "--seed", 1).code == 0
    frames = read_linked(tmp_path / "more.duckdb", SCHEMA).frames
    assert validate_linked(frames, SCHEMA).success
    assert len(frames["visits"]) == len(found.frames["visits"])
    assert command("sample", hospital.run, "--units", 3, "-o", tmp_path / "more", "--overwrite").code == 0


def test_sample_of_patients_that_are_given(hospital, command, tmp_path):
    """What is given of each stays; a folder gives what has happened so far, which is continued."""
    women = pd.DataFrame({"patient": range(9), "sex": ["F"] * 9})
    women.to_csv(tmp_path / "women.csv", index=False)
    said = command("sample", hospital.fit, "--given", tmp_path / "women.csv", "-o", tmp_path / "theirs")
    assert said.code == 0, said.err
    drawn = read_linked(tmp_path / "theirs", SCHEMA).frames
    assert set(drawn["patients"]["sex"]) == {"F"}
    assert drawn["patients"]["patient"].tolist() == [str(k) for k in range(9)]
    assert set(drawn["labs"]["patient"]) <= set(drawn["patients"]["patient"])
    begun = tmp_path / "begun"
    begun.mkdir()
    first = small_hospital()["patients"].iloc[1:4]
    first.to_csv(begun / "patients.csv", index=False)
    labs = small_hospital()["labs"]
    mine = labs[labs["patient"].isin(first["patient"])]
    mine.to_csv(begun / "labs.csv", index=False)
    said = command("sample", hospital.fit, "--given", begun, "-o", tmp_path / "continued")
    assert said.code == 0, said.err
    after = read_linked(tmp_path / "continued", SCHEMA).frames
    assert len(after["patients"]) == 3
    assert len(after["labs"]) >= len(mine)


def test_impute_fills_cells_and_leaves_the_others(hospital, command, tmp_path):
    said = command("impute", hospital.fit, hospital.folder, "--out", tmp_path / "filled", "--seed", 1)
    assert said.code == 0, said.err
    assert "2 cells filled" in said.out
    after = read_linked(tmp_path / "filled", SCHEMA).frames
    assert after["patients"]["born"].notna().all()
    assert sorted(after["patients"]["patient"]) == sorted(small_hospital()["patients"]["patient"])


def test_score_names_each_unit_once_the_oddest_first(hospital, command, tmp_path):
    said = command("score", hospital.fit, hospital.folder, "--out", tmp_path / "odd.csv")
    assert said.code == 0, said.err
    odd = pd.read_csv(tmp_path / "odd.csv")
    assert sorted(odd["(row)"]) == list(range(1, 61))
    assert odd["(score)"].is_monotonic_decreasing
    parts = odd[["patients", "visits", "labs"]].sum(axis=1)
    assert (parts - odd["(score)"]).abs().max() < 1e-6


def test_score_and_impute_leave_orphans_out_where_they_are_told_to(hospital, command, tmp_path):
    """The first patient is gone: rows that were the patient's belong to nobody; numbers are those of the file."""
    folder = tmp_path / "orphaned"
    folder.mkdir()
    frames = small_hospital()
    keyless = frames["patients"].assign(patient=frames["patients"]["patient"].where(frames["patients"].index != 1))
    for name, frame in {**frames, "patients": keyless}.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    for name, out in (("score", "odd.csv"), ("impute", "filled")):
        told = command(name, hospital.fit, folder, "--out", tmp_path / out)
        assert told.code == 2
        assert "--orphans drop" in told.err
        said = command(name, hospital.fit, folder, "--out", tmp_path / out, "--orphans", "drop")
        assert said.code == 0, said.err
        assert "warning: `patients`: 1 row that belongs to nobody was left out (--orphans drop)" in said.err
    assert sorted(pd.read_csv(tmp_path / "odd.csv")["(row)"]) == [1, *range(3, 61)]
    assert len(read_linked(tmp_path / "filled", SCHEMA).frames["patients"]) == 59


def test_score_writes_one_file(command):
    assert "folder or .duckdb" not in command("score", "--help").out.split("--out")[1].split("--seed")[0]


def test_evaluate_takes_folders(hospital, command, tmp_path):
    for name, seed in (("held", 7), ("train", 8)):
        (tmp_path / name).mkdir()
        for table, frame in small_hospital(40, seed).items():
            frame.to_parquet(tmp_path / name / f"{table}.parquet")
    sides = ("--train", tmp_path / "train", "--holdout", tmp_path / "held", "--synthetic", hospital.run / "synthetic")
    sides += ("--synthetic", tmp_path / "train")
    said = command("evaluate", *sides, "--schema", hospital.yaml, "--out", tmp_path / "e", "--quick")
    assert said.code == 0, said.err
    assert {"evaluation.json", "schema.yaml", "run.json", "internal"} <= {p.name for p in (tmp_path / "e").iterdir()}
    assert json.loads((tmp_path / "e" / "run.json").read_text())["draws"] == 2
    assert "Mean of 2 draws." in (tmp_path / "e" / "evaluation.json").read_text()


def test_orphans_of_both_sides_are_told(hospital, command, tmp_path):
    for name, seed, gone in (("train", 8, 2), ("held", 7, 1)):
        (tmp_path / name).mkdir()
        for table, frame in small_hospital(40, seed).items():
            blank = frame.assign(patient=frame["patient"].mask(frame.index < gone)) if table == "labs" else frame
            blank.to_csv(tmp_path / name / f"{table}.csv", index=False)
    sides = ("--train", tmp_path / "train", "--holdout", tmp_path / "held", "--synthetic", hospital.run / "synthetic")
    words = ("--schema", hospital.yaml, "--out", tmp_path / "e", "--quick", "--orphans", "drop")
    said = command("evaluate", *sides, *words)
    assert said.code == 0, said.err
    assert "warning: train: `labs`: 2 rows that belong to nobody were left out (--orphans drop)" in said.err
    assert "warning: holdout: `labs`: 1 row that belongs to nobody was left out (--orphans drop)" in said.err
    kept = json.loads((tmp_path / "e" / "internal" / "validation_holdout.json").read_text())
    assert kept["orphans"]["labs"]["rows"] == 1
    assert "Held-out tables" in (tmp_path / "e" / "report.html").read_text()


def test_report_is_drawn_again(hospital, command):
    (hospital.run / "report.html").unlink()
    assert command("report", hospital.run).code == 0
    assert (hospital.run / "report.html").is_file()


def test_compare_lists_models(hospital, command, tmp_path):
    words = ("--schema", hospital.yaml, "--out", tmp_path / "c", "--models", "independent", "--units", 6, "--quick")
    said = command("compare", hospital.folder, *words)
    assert said.code == 0, said.err
    assert "6 synthetic units a draw" in said.out


def test_compare_tells_of_orphans(hospital, command, tmp_path):
    (tmp_path / "orphaned").mkdir()
    for table, frame in small_hospital().items():
        blank = frame.assign(patient=frame["patient"].mask(frame.index < 1)) if table == "labs" else frame
        blank.to_csv(tmp_path / "orphaned" / f"{table}.csv", index=False)
    words = ("--schema", hospital.yaml, "--out", tmp_path / "c", "--models", "independent", "--units", 6, "--quick")
    said = command("compare", tmp_path / "orphaned", *words, "--orphans", "drop")
    assert said.code == 0, said.err
    assert "warning: `labs`: 1 row that belongs to nobody was left out (--orphans drop)" in said.err


def test_the_run_of_the_fixture_keeps_its_rules(hospital):
    frames = read_linked(hospital.run / "synthetic", SCHEMA).frames
    assert broken(dict(frames), units=20) == []


def test_what_is_of_one_table_alone_is_refused(hospital, refused, tmp_path):
    for words, said in (
        (("sample", hospital.run, "--rows", 5, "-o", tmp_path / "x"), "`--rows` is of one table"),
        (("sample", hospital.run, "--units", 5, "--rake", "-o", tmp_path / "x"), "`--rake` is of one table"),
        (("impute", hospital.fit, hospital.folder, "--spreadsheet-safe", "-o", tmp_path / "x"), "Say --ending .csv"),
        (("sample", hospital.run, "--units", 5, "--spreadsheet-safe", "-o", tmp_path / "x.duckdb"), "is for CSV"),
    ):
        assert said in refused(*words), words


def test_what_cannot_be_run_is_refused(hospital, refused, tmp_path):
    given = (hospital.folder, "--schema", hospital.yaml, "--out", tmp_path / "x")
    for words, said in (
        (("run", *given, "--epsilon", 1, "--delta", 1e-6), "every line of a linked schema must be public"),
        (("run", *given, "--rows", 5), "Say `units`"),
        (("run", *given, "--model", "ctgan"), "one of independent, marginal, timeline for linked tables"),
        (("fit", *given, "--clamp"), "made without `clamp`"),
        (("validate", hospital.folder, "--schema", hospital.yaml, "--suite", tmp_path / "s.json"), "without `suite`"),
        (("run", hospital.folder / "labs.csv", "--schema", hospital.yaml, "--out", tmp_path / "x"), "is one file"),
        (("sample", hospital.run, "-o", tmp_path / "x"), "there is no --units"),
        (("sample", hospital.run, "--units", 1, "-o", tmp_path / "x.csv"), "is one table's"),
        (("sample", hospital.run, "--units", 1, "-o", tmp_path / "x", "--ending", ".xls"), "`--ending` must be one of"),
        (("sample", hospital.run, "--units", 1, "-o", tmp_path / "x.duckdb", "--ending", ".csv"), "is one file"),
        (("sample", hospital.run, "--given", "sex=F", "-o", tmp_path / "x"), "must name a file of `patients`"),
        (("sample", hospital.run, "--given", "a", "--given", "b", "-o", tmp_path / "x"), "2 are named"),
        (("init", hospital.folder, "-o", tmp_path / "x.svg"), "is the name of both"),
        (("init", hospital.folder, "-o", tmp_path / "x.yaml", "--declared-by", "A: b"), "declared line by line"),
    ):
        assert said in refused(*words), words


def test_a_folder_without_its_people_is_refused(hospital, refused, tmp_path):
    (tmp_path / "labs").mkdir()
    small_hospital()["labs"].to_csv(tmp_path / "labs" / "labs.csv", index=False)
    said = refused("sample", hospital.fit, "--given", tmp_path / "labs", "-o", tmp_path / "x")
    assert "has no table `patients`" in said


def test_several_draws_are_evaluated_one_after_the_other(hospital, refused, tmp_path):
    here = hospital.folder
    sides = (
        "--train",
        here,
        "--holdout",
        here,
        "--synthetic",
        here,
        "--schema",
        hospital.yaml,
        "--out",
        tmp_path / "x",
    )
    assert "`--with` is of one table" in refused("evaluate", *sides, "--with", here)


def test_flags_of_linked_tables_are_refused_for_one(fitted, toy, refused, tmp_path):
    assert "`--units` is of linked tables" in refused("sample", fitted, "--units", 3, "--out", tmp_path / "x.csv")
    said = refused("impute", fitted, toy.csv, "--ending", ".csv", "--out", tmp_path / "x.csv")
    assert "`--ending` is of linked tables" in said
    assert "`units` is of linked tables" in refused(
        "run", toy.csv, "--schema", toy.yaml, "--out", tmp_path / "x", "--units", 3
    )


def test_options_of_linked_tables_are_refused_by_every_command_on_one(fitted, toy, refused, tmp_path):
    schema, out, drop = ("--schema", toy.yaml), ("--out", tmp_path / "x.csv"), ("--orphans", "drop")
    sides = ("--train", toy.csv, "--holdout", toy.csv, "--synthetic", toy.csv)
    compared = ("compare", toy.csv, *schema, "--models", "independent", "--out", tmp_path / "x")
    for words in (
        ("evaluate", *sides, *schema, "--out", tmp_path / "x", *drop),
        ("validate", toy.csv, *schema, *drop),
        ("impute", fitted, toy.csv, *out, *drop),
        ("score", fitted, toy.csv, *out, *drop),
        (*compared, *drop),
    ):
        assert "`orphans` is of linked tables; however: the schema is of one table" in refused(*words), words[0]
    assert "`units` is of linked tables" in refused(*compared, "--units", 500)
    assert not list(tmp_path.iterdir())


def test_what_may_identify_people_is_one_line_a_kind(command, tmp_path):
    folder = tmp_path / "ward"
    folder.mkdir()
    frames = small_hospital()
    frames["visits"]["email"] = [f"v{k}@mail.example" for k in range(len(frames["visits"]))]
    frames["patients"]["email"] = [f"p{k}@mail.example" for k in range(60)]
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet")
    said = command("init", folder, "-o", tmp_path / "ward.yaml", "--unit", "patients").err.splitlines()
    lines = [line for line in said if "HIPAA" in line]
    dates = [line for line in lines if "(C) dates" in line]
    assert len(dates) == 1
    assert dates[0] == lines[0]
    assert all(f"`{c}`" in dates[0] for c in ("visits.admitted", "visits.left", "labs.taken"))
    (mails,) = [line for line in lines if "email" in line]
    assert "`patients.email` (" in mails
    assert "`visits.email` (" in mails
