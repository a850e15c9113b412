"""A blind review: nothing tells who is synthetic, no identifier is shown, and a filled sheet says what it says."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks.linked import made_hospital
from synthkit.errors import ArtefactError, ConfigError, SynthkitError, TableError
from synthkit.metrics.stats import intervals
from synthkit.pipeline.review.blind_review import SHEET_COLUMNS, lay_out_review
from synthkit.pipeline.review.filled_sheet import evaluate_sheet, read_sheet
from synthkit.pipeline.review.reviewed_run import sides_of_run
from synthkit.pipeline.review.unit_rows import MAX_SHOWN_ROWS, reviewed_person
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_files import write_linked
from synthkit.tables.linked_tables import LinkedTables

KEY = {"kind": "identifier"}
WARD = LinkedSchema.parse(
    {
        "unit": "people",
        "tables": {
            "people": {"key": ["id"], "columns": {"id": KEY, "born": {"kind": "datetime", "precision": "day"}}},
            "stays": {
                "key": ["stay"],
                "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
                "order": {"from": "start", "until": "stop"},
                "columns": {
                    "stay": KEY,
                    "id": KEY,
                    "start": {"kind": "datetime", "precision": "minute"},
                    "stop": {"kind": "datetime", "precision": "minute"},
                    "temp": {"kind": "numeric", "decimals": 1, "unit": "°C", "nullable": True},
                },
            },
            "codes": {
                "links": [{"columns": ["stay"], "to": "stays", "kind": "owner"}],
                "columns": {"stay": KEY, "code": {"kind": "code"}},
            },
        },
    }
)


def ward(people: int, first: str = "2020-03-05T10:00") -> LinkedTables:
    """Two stays each, the second without a temperature, and a code in the first."""
    names = [f"SECRET-{k}" for k in range(people)]
    start = np.datetime64(first)
    stays = pd.DataFrame(
        {
            "stay": [f"S{k}" for k in range(2 * people)],
            "id": np.repeat(names, 2),
            "start": [start, start + np.timedelta64(30, "h")] * people,
            "stop": [start + np.timedelta64(20, "h"), start + np.timedelta64(31, "h")] * people,
            "temp": [36.5, np.nan] * people,
        }
    )
    who = pd.DataFrame({"id": names, "born": [np.datetime64(first[:10]) - np.timedelta64(3, "D")] * people})
    codes = pd.DataFrame({"stay": stays["stay"][::2], "code": "A<1>"})
    return LinkedTables.of({"people": who, "stays": stays, "codes": codes}, WARD)


def test_a_person_is_read_from_the_first_row_on():
    person = reviewed_person(ward(3), 1)
    assert person.about == (("born", "day −3"),)
    assert [(row.when, row.table) for row in person.rows] == [
        ("day 0, 10:00", "stays"),
        ("day 0, 10:00", "codes"),
        ("day 1, 16:00", "stays"),
    ]
    assert person.rows[0].values == (("temp", "36.5 °C"), ("stop", "day 1, 06:00"))
    assert person.rows[1].values == (("code", "A<1>"),)
    assert person.rows[2].values == (("stop", "day 1, 17:00"),)
    assert "SECRET" not in str(person)
    assert "2020" not in str(person)


def test_declared_contradictions_are_counted_among_the_people_of_the_sheet(tmp_path):
    """Every synthetic stay is feverish and no real one: told by the key in numbers, and by no person."""
    feverish = {"name": "fever", "table": "stays", "when": {"temp": {"min": 36}}}
    schema = LinkedSchema.parse(
        {**json.loads(WARD.model_dump_json(by_alias=True, exclude_none=True)), "contradictions": [feverish]}
    )
    sides = [{name: frame.copy() for name, frame in ward(9).frames.items()} for _ in (0, 1)]
    sides[0]["stays"]["temp"] = 35.0
    real, drawn = (LinkedTables.of(side, schema) for side in sides)
    review = lay_out_review(drawn, real, people=4, seed=1)
    assert review.declared == {"real": 0, "synthetic": 4}
    place = review.save(tmp_path / "review")
    said = json.loads((place / "key.json").read_text())
    assert said["declared"] == {"real": 0, "synthetic": 4}
    found = evaluate_sheet(place / "for_reviewers" / "sheet.csv", place / "key.json")
    assert found.declared.gap.value == 1.0
    assert found.to_dict()["declared"]["synthetic"]["value"] == 1.0
    assert (
        "One that the schema declares have 100.0 % of the synthetic and 0 % of the real people" in found.sentences()[-1]
    )
    (place / "key.json").write_text(json.dumps({**said, "declared": {"real": 0, "synthetic": 5}}))
    with pytest.raises(ArtefactError, match="must be the key of a review"):
        evaluate_sheet(place / "for_reviewers" / "sheet.csv", place / "key.json")


def test_dates_tell_nothing_of_the_calendar():
    assert reviewed_person(ward(1), 0) == reviewed_person(ward(1, "1987-11-30T10:00"), 0)


def test_long_units_are_cut_and_units_without_rows_are_shown():
    tables = LinkedTables.of(made_hospital.tables(30, 1), made_hospital.schema())
    people = [reviewed_person(tables, k) for k in range(30)]
    rows = sum(np.bincount(tables.units[name], minlength=30) for name in tables.schema.graph.owners)
    assert [len(p.rows) + p.left_out for p in people] == rows.tolist()
    assert all(len(p.rows) <= MAX_SHOWN_ROWS for p in people)


def test_rows_stand_in_order_of_time_and_numbers_count_from_the_first():
    schema = LinkedSchema.parse(
        {
            "unit": "people",
            "tables": {
                "people": {"key": ["id"], "columns": {"id": KEY}},
                "labs": {
                    "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
                    "order": {"from": "at"},
                    "columns": {"id": KEY, "at": {"kind": "numeric"}, "x": {"kind": "numeric", "decimals": 0}},
                },
                "notes": {
                    "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
                    "columns": {"id": KEY, "word": {"kind": "code"}},
                },
            },
        }
    )
    labs = pd.DataFrame({"id": 1, "at": [5.0, 2.5, 4.0], "x": [1, 2, 3]})
    notes = pd.DataFrame({"id": [1], "word": ["w"]})
    tables = LinkedTables.of({"people": pd.DataFrame({"id": [1]}), "labs": labs, "notes": notes}, schema)
    found = [(r.when, r.values) for r in reviewed_person(tables, 0).rows]
    assert found == [
        ("+0", (("x", "2"),)),
        ("+1.5", (("x", "3"),)),
        ("+2.5", (("x", "1"),)),
        ("", (("word", "w"),)),
    ]


@pytest.fixture(scope="module")
def sides():
    schema = made_hospital.schema()
    return tuple(LinkedTables.of(made_hospital.tables(30, k), schema) for k in (1, 2))


def test_people_are_chosen_and_shuffled_by_the_seed(sides):
    review = lay_out_review(*sides, people=8, seed=5)
    assert len(review.people) == 16
    assert sum(review.synthetic) == 8
    assert review == lay_out_review(*sides, people=8, seed=5)
    assert review.synthetic != lay_out_review(*sides, people=8, seed=6).synthetic
    units = [{reviewed_person(tables, k) for k in range(30)} for tables in sides]
    for person, made in zip(review.people, review.synthetic, strict=True):
        assert person in units[0 if made else 1]
    fresh = lay_out_review(*sides, people=8)
    assert fresh == lay_out_review(*sides, people=8, seed=fresh.seed)


def test_reviewers_get_no_key_and_no_identifier(sides, tmp_path):
    review = lay_out_review(*sides, people=4, seed=5)
    out = review.save(tmp_path / "review")
    files = {p.name for p in (out / "for_reviewers").iterdir()}
    assert files == {"people.html", "sheet.csv", "sheet.html"}
    page = (out / "for_reviewers" / "people.html").read_text(encoding="utf-8")
    assert len(re.findall("data-test-person", page)) == 8
    assert "INTERNAL: half of these people are real" in page
    assert not re.findall(r"\bP\d{4,}\b|\bV\d{4,}\b", page)
    assert "<script" not in page
    assert "The same numbers are in" not in page
    key = json.loads((out / "key.json").read_text(encoding="utf-8"))
    assert key["people"] == {str(k): "synthetic" if made else "real" for k, made in enumerate(review.synthetic, 1)}
    with (out / "for_reviewers" / "sheet.csv").open(encoding="utf-8") as file:
        assert [line["person"] for line in csv.DictReader(file)] == [str(k) for k in range(1, 9)]
    with pytest.raises(ArtefactError):
        review.save(out)
    review.save(out, overwrite=True)


def test_what_cannot_be_laid_out_is_refused(sides):
    with pytest.raises(ConfigError, match="between 1 and the number of held-out `patients`; however: 31 of 30"):
        lay_out_review(*sides, people=31)
    with pytest.raises(ConfigError, match="however: 0 of"):
        lay_out_review(*sides, people=0)
    with pytest.raises(TableError, match="must be of one schema"):
        lay_out_review(sides[0], ward(3))


@pytest.fixture
def filled(tmp_path):
    """A sheet of 20 real and 20 synthetic people, filled as told, and its key."""

    def build(rate, guess, note, *, delimiter=","):
        kinds = ["real", "synthetic"] * 20
        key, sheet = tmp_path / "key.json", tmp_path / "sheet.csv"
        people = {str(k): kind for k, kind in enumerate(kinds, 1)}
        key.write_text(json.dumps({"format": "synthkit-review-key/1", "seed": 1, "people": people}), encoding="utf-8")
        with sheet.open("w", encoding="utf-8-sig", newline="") as file:
            lines = csv.writer(file, delimiter=delimiter)
            lines.writerow(SHEET_COLUMNS)
            lines.writerows([k, rate(k, kind), guess(k, kind), note(k, kind)] for k, kind in enumerate(kinds, 1))
        return sheet, key

    return build


def test_a_filled_sheet_against_scipy(filled):
    rate = lambda k, kind: 1 + k % 5 if kind == "real" else 1 + (k // 2) % 3  # noqa: E731
    guess = lambda k, kind: kind.upper() if k % 4 else "r"  # noqa: E731
    sheet, key = filled(rate, guess, lambda k, kind: "dose" if kind == "synthetic" and k % 3 == 0 else "")
    found = evaluate_sheet(sheet, key)
    kinds = ["real", "synthetic"] * 20
    right = sum(guess(k, kind).casefold()[0] == kind[0] for k, kind in enumerate(kinds, 1))
    wilson = stats.binomtest(right, 40).proportion_ci(method="wilson")
    assert found.accuracy == pytest.approx((right / 40, wilson.low, wilson.high))
    ratings = [[rate(k, kind) for k, kind in enumerate(kinds, 1) if kind == each] for each in ("real", "synthetic")]
    test = stats.ttest_ind(*ratings, equal_var=False).confidence_interval()
    assert found.rating_gap == pytest.approx((np.mean(ratings[0]) - np.mean(ratings[1]), test.low, test.high))
    noted = sum(k % 3 == 0 for k, kind in enumerate(kinds, 1) if kind == "synthetic")
    assert found.contradiction_gap == intervals.newcombe(noted, 20, 0, 20)
    assert found.real.right.value == 1.0
    text = " ".join(found.sentences())
    assert f"Told right: {right} of 40" in text
    assert "better than a coin toss" in text
    assert json.loads(json.dumps(found.to_dict()))["synthetic"]["people"] == 20


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_empty_cells_are_no_answers(filled, delimiter):
    sheet, key = filled(lambda k, kind: "", lambda k, kind: "s" if k < 3 else "", lambda *_: "", delimiter=delimiter)
    found = evaluate_sheet(sheet, key)
    assert found.told == 2
    assert found.rating_gap is None
    assert found.real.rating is None
    assert "a coin toss cannot be ruled out" in found.sentences()[0]
    nobody = evaluate_sheet(*filled(lambda *_: 3, lambda *_: "", lambda *_: ""))
    assert nobody.sentences()[0] == "Nobody was guessed to be either."
    assert nobody.rating_gap.value == 0
    assert nobody.rating_gap.low < 0 < nobody.rating_gap.high  # all alike is no certainty


def test_worse_than_a_coin(filled):
    other = {"real": "synthetic", "synthetic": "real"}
    found = evaluate_sheet(*filled(lambda *_: 3, lambda k, kind: other[kind], lambda *_: ""))
    assert "worse than a coin toss" in found.sentences()[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2,3,real,", "2,6,real,", "line 3 of the sheet must be rated 1 to 5"),
        ("2,3,real,", "2,3,perhaps,", "line 3 of the sheet must say `real` or `synthetic`"),
        ("2,3,real,", "x,3,real,", "line 3 of the sheet must begin with the number"),
        ("2,3,real,", "1,3,real,", "a number is there twice"),
        ("2,3,real,", "77,3,real,", "40 lines and 40 people differ"),
        ("realistic_1_to_5", "rating", "realistic_1_to_5 not found"),
    ],
)
def test_answers_nobody_asked_for_are_refused_without_being_repeated(filled, old, new, said):
    sheet, key = filled(lambda *_: 3, lambda *_: "real", lambda *_: "")
    text = sheet.read_text(encoding="utf-8-sig").replace(old, new, 1)
    sheet.write_text(text, encoding="utf-8")
    with pytest.raises(SynthkitError, match=said) as error:
        evaluate_sheet(sheet, key)
    assert "perhaps" not in str(error.value)


def test_files_that_are_none(filled, tmp_path):
    sheet, key = filled(lambda *_: 3, lambda *_: "real", lambda *_: "")
    with pytest.raises(ArtefactError, match="it is not there"):
        evaluate_sheet(sheet, tmp_path / "none.json")
    key.write_text('{"format": "synthkit-review-key/1", "people": {"1": "maybe"}}', encoding="utf-8")
    with pytest.raises(ArtefactError, match="it is none"):
        evaluate_sheet(sheet, key)
    key.write_text("[]", encoding="utf-8")
    with pytest.raises(ArtefactError, match="it is none"):
        evaluate_sheet(sheet, key)
    sheet.write_text("", encoding="utf-8")
    with pytest.raises(TableError, match="it has no line"):
        read_sheet(sheet)
    sheet.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TableError, match="must be a score sheet"):
        read_sheet(sheet)


@pytest.fixture
def run(tmp_path):
    """A run folder as a run of linked tables leaves it, as far as a review reads it, and the real tables."""
    real, made = made_hospital.tables(40, 1), made_hospital.tables(25, 2)
    schema, folder = made_hospital.schema(), tmp_path / "run"
    (folder / "internal").mkdir(parents=True)
    schema.save(folder / "schema.yaml")
    write_linked(made, folder / "synthetic", schema)
    write_linked(real, tmp_path / "real", schema)
    roles = pd.DataFrame({"unit": real["patients"]["patient_id"], "role": "train"})
    roles["coin"] = pd.array([pd.NA] * 40, dtype="boolean")
    roles.loc[:9, "role"] = "test"
    roles.loc[10:19, "role"] = "pool"
    roles.loc[10:19, "coin"] = [True, False] * 5
    roles.loc[20:24, "role"] = "reference"
    roles.sample(frac=1, random_state=1).to_parquet(folder / "internal" / "roles.parquet")
    return folder, tmp_path / "real", set(real["patients"]["patient_id"][[*range(10), *range(11, 20, 2)]])


def test_people_of_a_run_are_those_it_held_out(run):
    synthetic, held = sides_of_run(*run[:2])
    assert set(held.frames["patients"]["patient_id"]) == run[2]
    assert len(synthetic.frames["patients"]) == 25


def test_folders_that_are_no_run(run, tmp_path):
    folder, real, _ = run
    with pytest.raises(ArtefactError, match=r"holds no internal/roles\.parquet"):
        sides_of_run(tmp_path, real)
    fewer = made_hospital.tables(30, 5)
    with pytest.raises(TableError, match="there are 40 roles"):
        sides_of_run(folder, fewer)
    (folder / "schema.yaml").write_text("columns: {age: {kind: numeric}}", encoding="utf-8")
    with pytest.raises(ConfigError, match="a run of one table"):
        sides_of_run(folder, real)
    (folder / "schema.yaml").unlink()
    with pytest.raises(ArtefactError, match=r"holds no schema\.yaml"):
        sides_of_run(folder, real)


def test_the_command(run, tmp_path):
    from typer.testing import CliRunner

    from synthkit.cli.app import app

    folder, real, _ = run
    out, cli = tmp_path / "review", CliRunner()
    words = ["review", str(folder), "--real", str(real), "--people", "3", "--seed", "1", "-o", str(out)]
    laid = cli.invoke(app, words)
    assert laid.exit_code == 0, laid.output
    assert "who is synthetic: not for the reviewers" in laid.output
    sheet = out / "for_reviewers" / "sheet.csv"
    figures = tmp_path / "found.json"
    told = cli.invoke(app, ["review", "--sheet", str(sheet), "--key", str(out / "key.json"), "--json", str(figures)])
    assert told.exit_code == 0, told.output
    assert "Nobody was guessed to be either." in told.output
    assert json.loads(figures.read_text(encoding="utf-8"))["told"] == 0
    assert cli.invoke(app, ["review", str(folder)]).exit_code == 2
    assert cli.invoke(app, ["review", "--sheet", str(sheet)]).exit_code == 2


def test_the_real_tables_are_read_as_the_run_read_them(run, tmp_path):
    from typer.testing import CliRunner

    from synthkit.cli.app import app

    folder, real, held_out = run
    written = tmp_path / "csv"
    written.mkdir()
    for file in real.glob("*.parquet"):
        pd.read_parquet(file).to_csv(written / f"{file.stem}.csv", index=False, sep="|", encoding="utf-16")
    _, held = sides_of_run(folder, written, delimiter="|", encoding="utf-16")
    assert set(held.frames["patients"]["patient_id"]) == held_out
    words = ["review", str(folder), "--real", str(written), "--people", "3", "-o", str(tmp_path / "review")]
    assert CliRunner().invoke(app, words).exit_code != 0
    assert CliRunner().invoke(app, [*words, "--delimiter", "|", "--encoding", "utf-16"]).exit_code == 0
