"""Whatever is wrong with what comes in, the command says so in one message, and leaves nothing half-written."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import SchemaError
from synthkit.pipeline.synthesize import synthesize
from synthkit.tables.table_files import write


@pytest.fixture
def broken(toy, tmp_path, refused):
    """Runs the toy table with some cells changed; the message of the refusal."""

    def run(changed: pd.DataFrame, *words: object) -> str:
        write(changed, tmp_path / "broken.csv")
        return refused("run", tmp_path / "broken.csv", "--schema", toy.yaml, "--out", tmp_path / "out", *words)

    return run


def text(toy, **cells: dict[int, object]) -> pd.DataFrame:
    """The toy table as text, with some cells replaced."""
    frame = toy.frame.astype(object)
    for name, new in cells.items():
        for row, value in new.items():
            frame.loc[row, name] = value
    return frame.map(lambda v: None if pd.isna(v) else str(v))


# ---- files ----


@pytest.mark.parametrize("verb", ["run", "fit"])
def test_a_missing_file(verb, toy, tmp_path, refused):
    said = refused(verb, tmp_path / "no.csv", "--schema", toy.yaml, "--out", tmp_path / "out")
    assert "there is no" in said


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty. Export it again"),
        (b"id,age,sex,crea,admitted,dead\n", "holds only a header"),
        (b"id,age,age\n1,2,3\n", "column 3 repeats one. Rename the columns"),
        ("id,name\n1,Müller\n".encode("cp1252"), "byte 11 (line 2) is not. Name the file's encoding"),
        (b"id,age\n1,2,3\n", "line 2 (3)"),
        (b'id,age\n1,"2\n', "a quote is not closed"),
    ],
    ids=["empty", "header only", "duplicate columns", "not UTF-8", "ragged", "open quote"],
)
def test_a_file_that_is_no_table(content, expected, toy, tmp_path, refused):
    (tmp_path / "bad.csv").write_bytes(content)
    assert expected in refused("run", tmp_path / "bad.csv", "--schema", toy.yaml, "--out", tmp_path / "out")
    assert expected in refused("init", tmp_path / "bad.csv", "-o", tmp_path / "new.yaml")


def test_the_encoding_can_be_named(tmp_path, command):
    (tmp_path / "names.csv").write_bytes("town;n\nKöln;1\nBonn;2\nKöln;3\n".encode("cp1252"))
    said = command(
        "init", tmp_path / "names.csv", "-o", tmp_path / "s.yaml", "--encoding", "cp1252", "--delimiter", ";"
    )
    assert said.code == 0
    assert "Köln" in (tmp_path / "s.yaml").read_text(encoding="utf-8")


def test_an_unknown_encoding(toy, tmp_path, refused):
    said = refused("run", toy.csv, "--schema", toy.yaml, "--out", tmp_path / "out", "--encoding", "latin-99")
    assert "`encoding` must be one Python knows" in said


def test_parquet_that_is_none_or_has_a_column_twice(toy, tmp_path, refused):
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "no.parquet").write_bytes(b"PAR1 is not enough")
    assert "cannot be read as one" in refused(
        "run", tmp_path / "no.parquet", "--schema", toy.yaml, "--out", tmp_path / "o"
    )
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "twice.parquet")
    assert "a is there twice" in refused(
        "run", tmp_path / "twice.parquet", "--schema", toy.yaml, "--out", tmp_path / "o"
    )


def test_a_file_name_without_a_known_ending(toy, fitted, tmp_path, refused):
    (tmp_path / "table.xls").write_bytes(b"x")
    assert "ends in .csv" in refused("run", tmp_path / "table.xls", "--schema", toy.yaml, "--out", tmp_path / "out")
    assert "ends in .csv" in refused("sample", fitted, "--rows", 3, "--out", tmp_path / "rows.xls")


# ---- size and shape ----


@pytest.mark.parametrize("rows", [1, 2, 39])
def test_too_few_rows_to_split(rows, toy, broken):
    said = broken(toy.frame.head(rows))
    assert f"a table is split from 40 units on; however: it has {rows}" in said
    assert "synthkit fit" in said


def test_one_row_is_too_few_to_fit_and_two_are_enough(toy, tmp_path, refused, command):
    for rows in (1, 2):
        write(toy.frame.head(rows), tmp_path / f"{rows}.csv")
    said = refused("fit", tmp_path / "1.csv", "--schema", toy.yaml, "--out", tmp_path / "out")
    assert "at least 2 rows; however: 1" in said
    words = ["--schema", toy.yaml, "--out", tmp_path / "out", "--model", "independent"]
    assert command("fit", tmp_path / "2.csv", *words).code == 0
    assert command("sample", tmp_path / "out", "--rows", 7, "--out", tmp_path / "rows.csv").code == 0
    assert len(pd.read_csv(tmp_path / "rows.csv")) == 7


def test_a_column_without_a_value_that_is_not_nullable(toy, broken):
    said = broken(toy.frame.assign(sex=None))
    assert "sex" in said
    assert "no missing cell" in said
    assert "nullable: true" in said


def test_only_identifiers(tmp_path, refused):
    (tmp_path / "ids.csv").write_text("id\n" + "".join(f"{k}\n" for k in range(50)))
    (tmp_path / "ids.yaml").write_text("columns: {id: {kind: identifier}}\n")
    for verb in ("run", "fit"):
        said = refused(verb, tmp_path / "ids.csv", "--schema", tmp_path / "ids.yaml", "--out", tmp_path / "out")
        assert "declares only identifiers" in said


# ---- cells and columns ----


def test_columns_that_the_schema_or_the_table_lacks(toy, broken):
    said = broken(toy.frame.drop(columns="crea").assign(ward="a"))
    assert "crea" in said
    assert "declared in the schema, missing from the table" in said
    assert "ward" in said
    assert "in the table, missing from the schema" in said


def test_everything_that_is_wrong_is_listed_at_once_and_no_value_is_told(toy, broken):
    """Bounds, levels, types, infinities and missing cells of one table, each with its row numbers."""
    said = broken(
        text(
            toy,
            age={0: 777, 3: -5},
            sex={1: "zebra"},
            crea={2: "inf", 4: "much"},
            dead={5: None},
            admitted={6: "1875-06-01"},
        )
    )
    listed = said.partition("could not check")[0].splitlines()
    lines = {line.split()[0]: line for line in listed if line.startswith("  ") and "->" not in line}
    assert lines["age"].split()[-2:] == ["1,", "4"]
    assert lines["sex"].split()[-1] == "2"
    assert lines["crea"].split()[-2:] == ["3,", "5"]
    assert lines["dead"].split()[-1] == "6"
    assert lines["admitted"].split()[-1] == "7"
    for secret in ("777", "zebra", "much", "1875"):
        assert secret not in said
    assert "--clamp" in said


def test_clamp_maps_them_and_says_how_many(toy, tmp_path, command):
    write(text(toy, age={0: 777, 3: -5}, crea={2: 99}), tmp_path / "wild.csv")
    words = ["--schema", toy.yaml, "--out", tmp_path / "out", "--model", "independent", "--clamp"]
    said = command("fit", tmp_path / "wild.csv", *words)
    assert said.code == 0
    assert "--clamp mapped 3 cells into the declared domain: age 2, crea 1" in said.err
    clamped = json.loads((tmp_path / "out" / "internal" / "clamped.json").read_text())
    assert clamped == {"age": 2, "crea": 1}


def test_clamp_does_not_guess_levels_or_types(toy, broken):
    assert "a declared level or code" in broken(text(toy, sex={1: "zebra"}), "--clamp")
    assert "crea" in broken(text(toy, crea={2: "inf", 4: "much"}), "--clamp")


def test_mixed_types_and_infinities_in_a_frame(toy):
    """In a CSV file all cells are text; a frame may mix them."""
    frame = toy.frame.astype({"age": object})
    frame.loc[2, "age"] = "sixty"
    with pytest.raises(SchemaError, match=r"age +a number, finite .* 1 +3\n") as caught:
        synthesize(frame, toy.schema)
    assert "sixty" not in str(caught.value)
    with pytest.raises(SchemaError, match=r"crea +a number, finite .* 80 +1, 2, 3"):
        synthesize(toy.frame.assign(crea=np.inf), toy.schema)


# ---- schemas and settings ----


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("columns: {age: {kind: numeric, maximum: 3}}", "however: `maximum`. Did you mean `max`?"),
        ("columns: {age: {kind: number}}", "numeric"),
        ("columns: [age", "must be valid YAML"),
        ("", "it holds nothing"),
    ],
    ids=["unknown key", "unknown kind", "no YAML", "empty"],
)
def test_a_schema_that_is_none(yaml, expected, toy, tmp_path, refused):
    (tmp_path / "s.yaml").write_text(yaml)
    for verb in (["run", toy.csv, "--out", tmp_path / "out"], ["validate", toy.csv]):
        said = refused(*verb, "--schema", tmp_path / "s.yaml")
        assert "s.yaml" in said
        assert expected in said


def test_a_schema_file_that_is_not_there(toy, tmp_path, refused):
    said = refused("run", toy.csv, "--schema", tmp_path / "no.yaml", "--out", tmp_path / "out")
    assert "`synthkit init TABLE -o" in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ["--model", "gan"],
            "`model` must be one of auto, autoregressive, ctgan, diffusion, independent, marginal, tvae; "
            "however: `gan`",
        ),
        (["--set", "depth=3"], "settings of `autoregressive` must be among"),
        (["--set", "width=wide"], "`width`: must be a whole number"),
        (["--set", "width"], "`--set` must be followed by KEY=VALUE"),
        (["--set", "width=[1"], "cannot be parsed"),
        (["--rows", "0"], "rows: must be 1 or greater"),
        (["--draws", "0"], "draws: must be 1 or greater"),
        (["--seed", "-1"], "seed: must be 0 or greater"),
        (["--device", "tpu"], "device: must be 'auto'"),
        (["--suite", "no.json"], "a suite of your own is a file that can be read"),
        (["--config", "no.yaml"], "the run configuration must be a readable file"),
    ],
)
def test_settings_that_cannot_be_meant(words, expected, toy, tmp_path, refused):
    assert expected in refused("run", toy.csv, "--schema", toy.yaml, "--out", tmp_path / "out", *words)


def test_an_unknown_key_in_the_configuration(toy, tmp_path, refused):
    (tmp_path / "run.yaml").write_text("modell: independent\n")
    words = ["--schema", toy.yaml, "--out", tmp_path / "out", "--config", tmp_path / "run.yaml"]
    said = refused("run", toy.csv, *words)
    assert "modell (line 1): unknown key. Known: model, settings, max_minutes" in said
    assert "Did you mean `model`?" in said


@pytest.mark.parametrize("missing", [["--out", "o"], ["--schema", "s"]])
def test_a_flag_that_is_not_there_is_a_usage_error(missing, toy, command):
    said = command("run", toy.csv, *missing)
    assert said.code == 2
    assert "Missing option" in said.err


# ---- what is given, and damaged folders ----


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--given", "weight=3"], "`weight` is not a learned column"),
        (["--given", "id=P0001"], "`id` is an identifier"),
        (["--given", "sex=x"], "Its levels: f, m"),
        (["--given", "age=900"], "Its bounds: 0"),
        (["--given", "age=old"], "age"),
        (["--given", "age"], "`--given` must be followed by COLUMN=VALUE"),
        (["--given", "sex=f", "--given", "sex=m"], "`sex` is given twice"),
        (["--given", "sex="], "`sex` is not nullable"),
    ],
)
def test_values_that_cannot_be_given(words, expected, fitted, tmp_path, refused):
    assert expected in refused("sample", fitted, "--rows", 5, "--out", tmp_path / "rows.csv", *words)


def test_given_rows_that_cannot_be_meant(toy, fitted, tmp_path, refused):
    out = ["--out", tmp_path / "rows.csv"]
    (tmp_path / "given.csv").write_text("sex,age\nf,50\nx,60\n")
    file = ["--given-file", tmp_path / "given.csv"]
    assert "Its levels: f, m" in refused("sample", fitted, *out, *file)
    assert "as many rows as are asked for" in refused("sample", fitted, "--rows", 9, *out, *file)
    assert "both --given and --given-file" in refused("sample", fitted, *out, *file, "--given", "sex=f")
    assert "there is no --rows" in refused("sample", fitted, *out)


def test_cells_that_cannot_be_imputed_around(toy, fitted, tmp_path, refused):
    """Whether or not something is missing in their row."""
    for row in (0, 1):
        write(text(toy, sex={row: "zebra"}, crea={1: None}), tmp_path / "gaps.csv")
        said = refused("impute", fitted, tmp_path / "gaps.csv", "--out", tmp_path / "full.csv")
        assert f"sex     in the declared domain  1     {row + 1}" in said
        assert "zebra" not in said


@pytest.mark.parametrize(
    "harm",
    ["synthesizer.json is gone", "model.safetensors is gone", "half the tensors", "no JSON", "altered card", "newer"],
)
def test_a_damaged_model(harm, fitted, tmp_path, refused):
    shutil.copytree(fitted, tmp_path / "run")
    card, tensors = tmp_path / "run" / "model" / "synthesizer.json", tmp_path / "run" / "model" / "model.safetensors"
    if harm.endswith("is gone"):
        (card if harm.startswith("synth") else tensors).unlink()
    elif harm == "half the tensors":
        tensors.write_bytes(tensors.read_bytes()[: tensors.stat().st_size // 2])
    elif harm == "no JSON":
        card.write_text(card.read_text()[:100])
    elif harm == "altered card":
        card.write_text(json.dumps({k: v for k, v in json.loads(card.read_text()).items() if k != "encoder"}))
    else:
        card.write_text(json.dumps({**json.loads(card.read_text()), "format": "synthkit-model/9"}))
    said = refused("sample", tmp_path / "run", "--rows", 5, "--out", tmp_path / "rows.csv")
    assert str(tmp_path / "run") in said


def test_a_folder_that_is_no_run(tmp_path, refused):
    said = refused("sample", tmp_path, "--rows", 5, "--out", tmp_path / "rows.csv")
    assert "holds no synthesizer.json" in said
    assert "holds no evaluation.json" in refused("report", tmp_path)
    assert "holds no evaluation.json" in refused("report", tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"format": "synthkit-evaluation/9"}', '{"format": "synthkit-evaluation/1"}']
)
def test_wrong_json_in_a_run_folder(content, tmp_path, refused):
    (tmp_path / "evaluation.json").write_text(content)
    assert "evaluation.json" in refused("report", tmp_path)


def test_an_altered_file_beside_the_evaluation(tmp_path, refused):
    whole = {"format": "synthkit-evaluation/1", "run": {}, "scores": [], "failures": [], "panels": {}}
    (tmp_path / "evaluation.json").write_text(json.dumps(whole))
    (tmp_path / "ledger.json").write_text("[1, 2]")
    assert "a file in it was altered" in refused("report", tmp_path)
