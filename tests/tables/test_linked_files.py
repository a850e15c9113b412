"""Linked tables from folders, DuckDB files and frames, and back: the same rows, stored as they were, or nothing."""

import sys

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linked_graphs import random_schema, random_tables

from synthkit.errors import ArtefactError, ConfigError, SchemaError, TableError, UnsupportedError
from synthkit.io.provenance_marks import provenance_mark, read_mark
from synthkit.schema.linked import LinkedSchema
from synthkit.tables import linked_files
from synthkit.tables.duckdb_files import DUCKDB_ENDINGS, read_duckdb, table_names, write_duckdb
from synthkit.tables.linked_files import load_linked, read_linked, table_paths, write_linked
from synthkit.tables.linked_tables import LinkedTables

SCHEMA = LinkedSchema.loads(
    """
unit: people
tables:
  people:
    key: [id]
    columns: {id: {kind: identifier}, born: {kind: datetime, precision: day}, pay: {kind: numeric, decimals: 2}}
  visits:
    links:
      - {columns: [id], to: people, kind: owner}
      - {columns: [code], to: codes, kind: reference}
    order: {from: day}
    columns: {id: {kind: identifier}, day: {kind: numeric, decimals: 0}, code: {kind: code, nullable: true}}
  codes: {role: reference, key: [code]}
"""
)


def frames():
    return {
        "people": pd.DataFrame(
            {
                "id": ["007", "b, c"],
                "born": pd.to_datetime(["1970-01-01", "1980-02-03"]),
                "pay": pd.Series([1.5, 2.25], dtype="float32"),
            }
        ),
        "visits": pd.DataFrame(
            {
                "id": ["b, c", "007", "007"],
                "day": pd.Series([3, 2, 1], dtype="int16"),
                "code": pd.Categorical(["x", None, "y"]),
            }
        ),
        "codes": pd.DataFrame({"code": ["x", "y"], "says": ["Ex", "Why"]}),
    }


def all_of(tables):
    return {**tables.frames, **tables.shared, **tables.references}


@pytest.mark.parametrize("ending", [*linked_files.TABLE_ENDINGS, "duckdb"])
def test_what_is_written_is_read_back(tmp_path, ending):
    """Rows and keys; and dtypes, where the format has them."""
    tables = LinkedTables.of(frames(), SCHEMA)
    place = tmp_path / ("a.duckdb" if ending == "duckdb" else "out")
    kind = {} if ending == "duckdb" else {"ending": ending}
    write_linked(all_of(tables), place, SCHEMA, stored=tables.storages, **kind)
    cells = read_linked(place, SCHEMA)
    again = LinkedTables.of(cells.frames, SCHEMA, texts=cells.texts)
    for name in SCHEMA.graph.records:
        pd.testing.assert_frame_equal(again.frames[name], tables.frames[name])
    assert again.owners["visits"].tolist() == [0, 0, 1]
    assert again.frames["visits"]["day"].tolist() == [1, 2, 3]
    if "sv" in ending:
        assert cells.texts == {"people", "visits", "codes"}
        assert again.storages["people"] == {}
    elif ending != "duckdb":
        assert cells.frames["visits"].dtypes.astype(str).to_dict() == frames()["visits"].dtypes.astype(str).to_dict()
        assert str(cells.frames["people"]["pay"].dtype) == "float32"


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 2**31))
def test_tables_of_random_graphs_are_read_back(tmp_path_factory, seed):
    schema = random_schema(seed)
    tables = LinkedTables.of(random_tables(schema, 6, seed), schema)
    folder = tmp_path_factory.mktemp("graphs") / "out"
    write_linked(all_of(tables), folder, schema, stored=tables.storages)
    again = LinkedTables.of(read_linked(folder, schema).frames, schema)
    for name, frame in tables.frames.items():
        pd.testing.assert_frame_equal(again.frames[name], frame, check_dtype=False)
    assert {k: v.tolist() for k, v in again.owners.items()} == {k: v.tolist() for k, v in tables.owners.items()}
    assert {k: v.tolist() for k, v in again.earlier.items()} == {k: v.tolist() for k, v in tables.earlier.items()}


def test_frames_arrow_tables_and_paths_by_name(tmp_path):
    given = frames()
    given["people"].to_csv(tmp_path / "somewhere.csv", index=False)
    source = {
        "people": tmp_path / "somewhere.csv",
        "visits": pa.Table.from_pandas(given["visits"]),
        "codes": given["codes"],
    }
    cells = read_linked(source, SCHEMA)
    assert cells.texts == {"people"}
    assert cells.frames["people"]["id"].tolist() == ["007", "b, c"]
    assert len(LinkedTables.of(cells.frames, SCHEMA, texts=cells.texts).frames["visits"]) == 3


def test_files_that_are_no_tables_are_passed_over(tmp_path):
    frames()["codes"].to_parquet(tmp_path / "codes.parquet")
    for name in ("README.md", "LICENSE.txt", ".hidden.csv", "schema.yaml", "codes.csv.synthetic.json"):
        (tmp_path / name).write_text("no table")
    (tmp_path / "old.parquet").mkdir()
    assert list(table_paths(tmp_path)) == ["codes"]


def test_a_csv_file_with_a_header_only_is_a_table_of_no_rows(tmp_path):
    """Alone it is no table; among others it is one that nobody has rows of."""
    (tmp_path / "people.csv").write_text("id\n1\n2\n")
    (tmp_path / "notes.csv").write_text("id,text\n")
    found = read_linked(tmp_path).frames
    assert (list(found["notes"].columns), len(found["notes"]), len(found["people"])) == (["id", "text"], 0, 2)


def test_a_file_of_one_table_is_a_linked_table(tmp_path):
    schema = LinkedSchema.loads("{unit: people, tables: {people: {columns: {a: {kind: numeric}}}}}")
    (tmp_path / "any.csv").write_text("a\n1\n2\n")
    assert read_linked(tmp_path / "any.csv", schema).frames["people"]["a"].tolist() == ["1", "2"]
    with pytest.raises(
        TableError, match=r"linked tables are a folder with a file a table, or a DuckDB file .* one file"
    ):
        read_linked(tmp_path / "any.csv", SCHEMA)
    with pytest.raises(TableError, match=r"nowhere is not there. Name the folder"):
        read_linked(tmp_path / "nowhere")


def test_tables_that_nobody_declared_and_absent_ones_are_refused_before_any_is_read(tmp_path):
    for name in ("people", "guests"):
        (tmp_path / f"{name}.parquet").write_text("this is no Parquet file")
    with pytest.raises(SchemaError) as caught:
        read_linked(tmp_path, SCHEMA)
    for line in (
        "`visits`  declared, but absent",
        "`codes`   declared, but absent",
        "`guests`  there, but not declared",
    ):
        assert line in str(caught.value)
    with pytest.raises(TableError, match="must be a whole parquet file"):
        read_linked(tmp_path)
    with pytest.raises(TableError, match=r"the mapping holds none. Export them again"):
        read_linked({})


def test_folders_without_tables_with_too_many_or_with_two_of_a_name_are_refused(tmp_path, monkeypatch):
    with pytest.raises(TableError, match=r"must end in \.parquet, .* however: none does. Name the folder"):
        table_paths(tmp_path)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x\n1\n")
    monkeypatch.setattr(linked_files, "MAX_TABLES", 1)
    with pytest.raises(TableError, match=r"however: 2 do. Name the folder"):
        table_paths(tmp_path)
    (tmp_path / "A.parquet").write_text("")
    with pytest.raises(TableError, match=r"holds one file a table; however: several in .* are called a. Keep one"):
        table_paths(tmp_path)


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    """What cannot be written leaves nothing behind; a folder that somebody else made is never replaced."""
    place, tables = tmp_path / "out", frames()
    with pytest.raises(TableError, match="a column is written with one type; however: mixed in says"):
        write_linked({**tables, "codes": pd.DataFrame({"code": ["x", "y"], "says": ["a", 1]})}, place, SCHEMA)
    with pytest.raises(ConfigError, match=r"`ending` must be one of .parquet, .* however: '.xlsx'. Leave it away"):
        write_linked(tables, place, SCHEMA, ending=".xlsx")
    with pytest.raises(
        SchemaError, match="what is written must hold the declared tables and no other; however: 1 differ"
    ):
        write_linked({**tables, "more": tables["codes"]}, place, SCHEMA)
    assert list(tmp_path.iterdir()) == []
    write_linked(tables, place, SCHEMA, mark=provenance_mark())
    assert sorted(p.name for p in place.iterdir()) == [
        "codes.parquet",
        "people.parquet",
        "tables.json",
        "visits.parquet",
    ]
    assert read_mark(place / "people.parquet")["content"] == "synthetic"
    with pytest.raises(ArtefactError, match="must not exist yet; however: it does"):
        write_linked(tables, place, SCHEMA)
    write_linked(tables, place, SCHEMA, overwrite=True, ending=".csv", mark=provenance_mark())
    assert sorted(p.name for p in place.glob("*.csv")) == ["codes.csv", "people.csv", "visits.csv"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtefactError, match="only a folder that synthkit wrote is replaced"):
        write_linked(tables, tmp_path / "mine", SCHEMA, overwrite=True)


def test_load_says_everything_that_is_wrong_or_gives_tables_in_order(tmp_path):
    tables = frames()
    for name, frame in tables.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False, sep=";")
    loaded = load_linked(tmp_path, SCHEMA)
    assert loaded.validation.success
    assert loaded.take(loaded.units["people"][:1]).validation is loaded.validation
    assert loaded.frames["visits"]["day"].tolist() == [1, 2, 3]
    tables["visits"].assign(id=["7", "007", "007"], day=[0.5, 2, 1]).to_csv(
        tmp_path / "visits.csv", index=False, sep=";"
    )
    with pytest.raises(SchemaError) as caught:
        load_linked(tmp_path, SCHEMA)
    assert "names a row of `people`" in str(caught.value)
    assert "whole numbers" in str(caught.value)
    tables["visits"].assign(id=["7", "007", "007"]).to_csv(tmp_path / "visits.csv", index=False, sep=";")
    assert load_linked(tmp_path, SCHEMA, orphans="drop").validation.orphans["visits"].rows == 1


def test_duckdb_types_names_and_views(tmp_path):
    """Zoned moments are instants, whatever the machine's zone; views count where they are asked for."""
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """create table "odd "" name" as select 7 as id, 1.50::decimal(5, 2) as pay, date '2021-01-02' as day,
            timestamptz '2021-01-02 03:04:05+02' as at, 'a'::enum('a', 'b') as level, null::int as none"""
        )
        connection.execute('create view looks as select * from "odd "" name"')
        connection.execute("create table lists as select [1, 2] as cells")
    assert table_names(path) == ("lists", 'odd " name')
    assert table_names(path, ["looks"]) == ("lists", "looks", 'odd " name')
    frame = read_duckdb(path, ['odd " name'])['odd " name']
    assert str(frame["at"][0]) == "2021-01-02 01:04:05+00:00"
    assert frame["level"].tolist() == ["a"]
    assert str(frame["pay"][0]) == "1.50"
    with pytest.raises(
        TableError, match=r"a cell of .*\(lists\) must hold one value; however: those of cells hold others"
    ):
        read_duckdb(path, ["lists"])
    with pytest.raises(TableError, match=r"however: DuckDB does not \(CatalogException\)"):
        read_duckdb(path, ["nowhere"])


def test_a_duckdb_file_makes_nobody_read_another(tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"create view v as select * from read_csv('{tmp_path / 'secret.csv'}')")
    with pytest.raises(TableError, match=r"however: DuckDB does not \(PermissionException\)"):
        read_duckdb(path, ["v"])


def test_duckdb_files_that_are_none(tmp_path, monkeypatch):
    with pytest.raises(TableError, match="read from a DuckDB file that exists; however: there is no"):
        read_linked(tmp_path / "none.duckdb")
    (tmp_path / "a.duckdb").write_text("this is no database, and holds Margarete Steiff")
    with pytest.raises(TableError, match=r"opened and read; however: DuckDB does not \(IOException\)") as caught:
        read_linked(tmp_path / "a.duckdb")
    assert "Steiff" not in str(caught.value)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(UnsupportedError, match="a DuckDB file needs duckdb; however: it is not installed"):
        read_linked(tmp_path / "a.duckdb")


def test_a_duckdb_file_is_written_whole_and_marked(tmp_path):
    path = tmp_path / "out.duckdb"
    write_duckdb({"a": pd.DataFrame({"x": [1, 2]})}, path, mark=provenance_mark())
    with duckdb.connect(str(path), read_only=True) as connection:
        (said,) = connection.execute("select comment from duckdb_tables() where table_name = 'a'").fetchone()
    assert '"content": "synthetic"' in said
    assert [p.name for p in tmp_path.iterdir()] == ["out.duckdb"]
    with pytest.raises(TableError, match="a column is written with one type; however: mixed in x"):
        write_duckdb({"a": pd.DataFrame({"x": [1, "a"]})}, path)
    with pytest.raises(TableError, match="columns of a DuckDB table must differ by more than case; however: x of `a`"):
        write_duckdb({"a": pd.DataFrame([[1, 2]], columns=["x", "X"])}, path)
    with pytest.raises(TableError, match="must be writable by DuckDB; however: it is not"):
        write_duckdb({"a": pd.DataFrame({"x": pd.Series([1, 2], dtype="float16")})}, path)
    assert read_duckdb(path, ["a"])["a"]["x"].tolist() == [1, 2]


def test_parquet_of_an_empty_table_keeps_its_columns(tmp_path):
    tables = frames()
    for name, frame in tables.items():
        (frame.iloc[:0] if name == "visits" else frame).to_parquet(tmp_path / f"{name}.parquet")
    loaded = load_linked(tmp_path, SCHEMA)
    assert len(loaded.frames["visits"]) == 0
    assert loaded.counts("visits").tolist() == [0, 0]
    assert pq.read_schema(tmp_path / "visits.parquet").names == ["id", "day", "code"]


def test_all_endings_of_duckdb_are_said(tmp_path):
    with pytest.raises(TableError) as caught:
        linked_files.read_linked(tmp_path / "none.txt")
    assert all(f"NAME{ending}" in str(caught.value) for ending in DUCKDB_ENDINGS)


def test_absent_tables_and_others_have_each_their_own_remedy(tmp_path):
    write_linked(frames(), tmp_path / "t", SCHEMA)
    next((tmp_path / "t").glob("visits.*")).unlink()
    give, declare = (
        "-> give the absent tables, or take them and the links to them out of",
        "-> declare the other tables",
    )
    with pytest.raises(SchemaError, match="declared, but absent") as absent:
        load_linked(tmp_path / "t", SCHEMA)
    assert give in str(absent.value)
    assert declare not in str(absent.value)
    pd.DataFrame({"a": [1]}).to_csv(tmp_path / "t" / "more.csv", index=False)
    with pytest.raises(SchemaError, match="there, but not declared") as both:
        load_linked(tmp_path / "t", SCHEMA)
    assert give in str(both.value)
    assert declare in str(both.value)
