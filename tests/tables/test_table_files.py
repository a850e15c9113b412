"""Tables come in with the dtypes they mean and go out whole or not at all."""

import gzip
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT

from synthkit.errors import SchemaError, TableError
from synthkit.io.atomic_files import replacing
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.typed_columns import check_structure
from synthkit.tables.csv import read_text
from synthkit.tables.storage import restore, storages
from synthkit.tables.table_files import Table, read, read_cells, write

SCHEMA = Schema(
    columns={
        "id": {"kind": "identifier"},
        "age": {"kind": "numeric", "decimals": 0},
        "beds": {"kind": "numeric", "decimals": 0, "nullable": True},
        "crea": {"kind": "numeric", "nullable": True},
        "sex": {"kind": "categorical", "levels": ["F", "M"], "nullable": True},
        "stage": {"kind": "ordinal", "levels": [1, 2, 3]},
        "dead": {"kind": "boolean"},
        "dnr": {"kind": "boolean", "levels": [0, 1], "nullable": True},
        "icd": {"kind": "code", "nullable": True},
        "admitted": {"kind": "datetime", "nullable": True},
    }
)
CSV = (
    "id,age,beds,crea,sex,stage,dead,dnr,icd,admitted\n"
    "007,61,3,1.5,F,1,true,1,250.00,2019-05-01T10:30:00\n"
    "008,44,,,,3,False,,012,9999-12-31\n"
)


@pytest.fixture
def csv(tmp_path):
    def save(text, name="t.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return save


def message(error):
    return str(error.value)


# ---- typing by the schema


def dtypes(frame):
    """Names of dtypes by column."""
    return {name: stored.partition(" {")[0] for name, stored in storages(frame).items()}


def test_a_schema_gives_every_kind_its_dtype_and_codes_keep_their_zeros(csv):
    frame = read(csv(CSV), schema=SCHEMA).frame()
    assert dtypes(frame) == {
        "id": "object",
        "age": "int64",
        "beds": "Int64",
        "crea": "float64",
        "sex": "object",
        "stage": "int64",
        "dead": "bool",
        "dnr": "Int64",
        "icd": "object",
        "admitted": "datetime64[us]",
    }
    assert frame["icd"].tolist() == ["250.00", "012"]
    assert frame["id"].tolist() == ["007", "008"]
    assert frame["sex"].tolist() == ["F", None]
    assert frame["dead"].tolist() == [True, False]
    assert frame["admitted"][1] == np.datetime64("9999-12-31", "us")
    assert frame["beds"].isna().tolist() == [False, True]


def test_whole_numbers_beyond_float_precision_stay_exact():
    schema = Schema(columns={"n": {"kind": "numeric", "decimals": 0, "nullable": True}})
    frame = conform(pd.DataFrame({"n": pd.array([2**53 + 1, None], dtype="Int64")}), schema)
    assert int(frame["n"][0]) == 2**53 + 1


def test_levels_come_back_as_declared_whatever_the_frame_calls_them():
    schema = Schema(columns={"a": {"kind": "categorical", "levels": ["1", "2"], "nullable": True}})
    assert conform(pd.DataFrame({"a": [1.0, 2.0, np.nan]}), schema)["a"].tolist() == ["1", "2", None]
    assert conform(pd.DataFrame({"a": pd.Categorical(["2", "1", "2"])}), schema)["a"].tolist() == ["2", "1", "2"]
    mixed = Schema(columns={"a": {"kind": "categorical", "levels": [0, 1, "unknown"]}})
    assert conform(pd.DataFrame({"a": ["0", 1, "unknown"]}), mixed)["a"].tolist() == ["0", "1", "unknown"]


def test_a_domain_fault_is_left_for_the_validation():
    schema = Schema(
        columns={"n": {"kind": "numeric", "decimals": 0, "max": 3}, "m": {"kind": "numeric", "decimals": 0}}
    )
    frame = conform(pd.DataFrame({"n": [1.5, 9.0], "m": [1.0, np.nan]}), schema)
    assert dtypes(frame) == {"n": "float64", "m": "Int64"}


def test_dates_follow_the_declared_pattern_and_decimals_and_dates_of_the_standard_library_are_read():
    import datetime as dt
    from decimal import Decimal

    schema = Schema(
        columns={"d": {"kind": "datetime", "format": "%d/%m/%Y"}, "e": {"kind": "datetime"}, "x": {"kind": "numeric"}}
    )
    frame = pd.DataFrame({"d": ["03/04/2020"] * 2, "e": [dt.date(2020, 4, 3)] * 2, "x": [Decimal("1.25"), 2]})
    typed = conform(frame, schema)
    assert (typed["d"] == typed["e"]).all()
    assert typed["x"].tolist() == [1.25, 2.0]


def test_conform_lists_every_fault_at_once_without_a_value():
    frame = pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "age": ["61", "SECRET", "nan"],
            "beds": [1, 2, 3],
            "crea": [1.0, np.inf, -np.inf],
            "sex": ["F", "M", "F"],
            "stage": [1, 2, 3],
            "dead": ["true", "SECRET", "no"],
            "dnr": [0, 1, 0],
            "icd": ["a", "b", "c"],
            "admitted": ["2020-01-01", "SECRET", "2020-01-01T00:00:00+02:00"],
        }
    )
    with pytest.raises(SchemaError) as error:
        conform(frame, SCHEMA)
    text = message(error)
    assert "4 rules are broken" in text
    for line in (
        r"age .* 2 +2, 3$",
        r"crea .* 2 +2, 3$",
        r"dead .* 2 +2, 3$",
        r"admitted .* 2 +2, 3$",
    ):
        assert pd.Series(text.split("\n")).str.contains(line).any(), line
    assert "SECRET" not in text


def test_columns_missing_unknown_or_twice_are_all_listed():
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "x"])
    schema = Schema(columns={"a": {"kind": "numeric"}, "b": {"kind": "numeric"}})
    with pytest.raises(SchemaError) as error:
        conform(frame, schema)
    assert all(
        part in message(error) for part in ("each column name once", "missing from the table", "from the schema")
    )


def test_a_partial_frame_may_lack_columns_but_not_add_any():
    assert list(conform(pd.DataFrame({"age": [3]}), SCHEMA, partial=True)) == ["age"]
    with pytest.raises(SchemaError, match="missing from the schema"):
        conform(pd.DataFrame({"x": [3]}), SCHEMA, partial=True)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pd.DataFrame({"n": pd.Series([], dtype=float)}), "at least 2 rows; however: 0"),
        (pd.DataFrame({"n": [1.0]}), "at least 2 rows; however: 1"),
        (pd.DataFrame(index=[0, 1]), "at least one column; however: none"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["n", "n"]), "each column name once"),
        (pd.DataFrame({"n": [1.0, 2.0], "m": [1, 2]}), "missing from the schema"),
        (pd.DataFrame({"m": [1, 2]}), "missing from the table"),
        (pd.DataFrame({"n": [np.nan, np.nan]}), "not nullable has values"),
        (pd.DataFrame({"n": [1, "x"]}), "a number, finite"),
        (pd.DataFrame({"n": [1.0, np.inf]}), "a number, finite"),
        (pd.DataFrame({"n": pd.to_datetime(["2020-01-01"] * 2)}), "a number, finite"),
    ],
)
def test_structure_is_refused_before_any_work(frame, says):
    with pytest.raises(SchemaError, match=says):
        check_structure(frame, Schema(columns={"n": {"kind": "numeric"}}))


def test_a_sound_structure_passes():
    check_structure(pd.DataFrame({"n": [1.0, 2.0]}), Schema(columns={"n": {"kind": "numeric"}}))


@pytest.mark.parametrize("values", [[1, 2], pd.to_datetime(["2020-01-01", "2021-01-01"], utc=True), [True, 2.5]])
def test_a_datetime_column_takes_moments_only(values):
    with pytest.raises(SchemaError, match="a moment written as ISO 8601"):
        conform(pd.DataFrame({"t": values}), Schema(columns={"t": {"kind": "datetime"}}))


# ---- CSV


def test_only_the_empty_unquoted_cell_is_missing(csv):
    frame = read(csv('a,b\nNone,1\nNA,2\nnan,3\nnull,4\n"",5\n,6\n')).frame()
    assert frame["a"].tolist() == ["None", "NA", "nan", "null", "", None]
    frame = read(csv("a,b\nNone,1\n?,2\n,3\n"), missing=("?",)).frame()
    assert frame["a"].tolist() == ["None", None, None]


def test_without_a_schema_numbers_moments_and_truth_are_typed_and_leading_zeros_stay_text(csv):
    frame = read(csv("n,m,x,z,t,b,e\n1,,1.5,012,2020-01-01,true,\n-2,3,2,7,2020-01-02 10:00,FALSE,\n")).frame()
    assert dtypes(frame) == {
        "n": "int64",
        "m": "Int64",
        "x": "float64",
        "z": "object",
        "t": "datetime64[us]",
        "b": "bool",
        "e": "object",
    }
    assert frame["z"].tolist() == ["012", "7"]
    assert read(csv("t\n2020-13-01\n2020-01-01\n")).frame()["t"].tolist() == ["2020-13-01", "2020-01-01"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(csv, delimiter):
    path = csv(f'a{delimiter}b\n"x,;\t|y"{delimiter}1\nz{delimiter}2\n')
    assert read(path).frame().to_dict("list") == {"a": ["x,;\t|y", "z"], "b": [1, 2]}


@pytest.mark.parametrize("given", [None, "\t"])
def test_a_delimiter_that_stands_in_quoted_texts_only_is_none(csv, given):
    """Read with `;` each line has as many cells as well, were a quote let end anywhere."""
    path = csv('";;"\t"n;;"\n"a;b;"\t1\n"c;d;"\t2\n')
    assert read(path, delimiter=given).frame().to_dict("list") == {";;": ["a;b;", "c;d;"], "n;;": [1, 2]}


def test_a_given_delimiter_that_fits_is_kept_where_another_gives_more_columns(csv):
    path = csv("a;b,c,d\n1;2,3,4\n")
    assert list(read(path, delimiter=";").frame()) == ["a", "b,c,d"]
    assert list(read(path).frame()) == ["a;b", "c", "d"]


@pytest.mark.parametrize("first", ["sep=;\n", "SEP=;\r\n", '"sep=;"\n', "\ufeffsep=;\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_first_line_of_excel_names_the_delimiter_and_is_no_row(csv, first, encoding):
    path = csv(first + "a;b,c\n1;2,5\n3;4,5\n", encoding=encoding)
    assert read(path, encoding=encoding).frame().to_dict("list") == {"a": [1, 3], "b,c": ["2,5", "4,5"]}
    assert list(read_cells(path, encoding=encoding)) == ["a", "b,c"]


def test_a_given_delimiter_outweighs_the_first_line_of_excel(csv):
    assert list(read(csv("sep=;\na,b\n1,2\n"), delimiter=",").frame()) == ["a", "b"]


def test_lines_are_counted_with_the_first_line_of_excel(csv):
    with pytest.raises(TableError, match=r"2 do not: line 4 \(3\), 5 \(1\)"):
        read(csv("sep=;\na;b\n1;2\n3;4;5\n7\n" + "1;2\n" * 30))


def test_a_wrong_delimiter_is_named_with_the_right_one(csv):
    said = r"',' gives 1 column and ';' gives 3\. Use `--delimiter ';'` \(in Python: delimiter=';'\)"
    with pytest.raises(TableError, match=said):
        read(csv("a;b;c\n1;2;3\n"), delimiter=",")
    with pytest.raises(TableError, match="one character"):
        read(csv("a;b;c\n1;2;3\n"), delimiter=";;")


def test_another_encoding_names_byte_line_and_remedy(csv):
    path = csv("a,b\nx,1\nJosé,2\n", encoding="cp1252")
    with pytest.raises(TableError) as error:
        read(path)
    assert "byte 11 (line 3)" in message(error)
    assert "`--encoding cp1252` (in Python: encoding='cp1252')" in message(error)
    assert read(path, encoding="cp1252").frame()["a"].tolist() == ["x", "José"]
    with pytest.raises(TableError, match="utf-16"):
        read(csv("a,b\nx,1\n", encoding="utf-16"))
    assert read(csv("a,b\nx,1\n", encoding="utf-16"), encoding="utf-16").frame()["b"].tolist() == [1]
    with pytest.raises(TableError, match="must be one Python knows"):
        read(path, encoding="klingon")
    path.write_bytes(b"a,b\nx,\xc3")
    with pytest.raises(TableError, match="line 2"):
        read(path)


def test_a_byte_order_mark_is_no_part_of_the_first_name(csv):
    assert read(csv("\ufeffa,b\n1,2\n")).columns == ("a", "b")


def test_ragged_lines_are_named_by_their_line_in_the_file_without_their_content(csv):
    with pytest.raises(TableError) as error:
        read(csv('a,b\n"two\nlines",1\nSECRET\n1,2\nSECRET,2,3\n'))
    assert "2 do not: line 4 (1), 6 (3)" in message(error)
    assert "SECRET" not in message(error)


def test_an_open_quote_is_named_without_the_text_behind_it(csv, monkeypatch):
    monkeypatch.setattr("synthkit.tables.csv._CSV_CHUNK_BYTES", 256)
    with pytest.raises(TableError) as error:
        read(csv('a,b\n1,"SECRET\n' + "3,4\n" * 400))
    assert "a quote is not closed" in message(error)
    assert "SECRET" not in message(error)


def test_an_open_quote_in_a_long_file_is_named_too(csv):
    with pytest.raises(TableError, match="a quote is not closed"):
        read(csv('a,b\n1,"SECRET\n' + "3,4\n" * 3_000_000))
    with pytest.raises(TableError, match="a quote is not closed"):
        read(csv('a,b\n1,2\n5,"x\n3,4\n'))
    assert read(csv('a,b\n6" pipe,2\n5,x\n')).frame()["a"].tolist() == ['6" pipe', "5"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("a,b\n", "only a header"),
        ("a,a\n1,2\n", "column 2 repeats one"),
        (",a\n0,1\n", "column 1 has none"),
        ("\n\n", "column 1 has none"),
    ],
)
def test_a_file_that_is_no_table_is_refused(csv, text, says):
    with pytest.raises(TableError, match=says):
        read(csv(text))


def test_a_path_that_is_no_table_is_refused(tmp_path, csv):
    with pytest.raises(TableError, match="there is no"):
        read(tmp_path / "absent.csv")
    with pytest.raises(TableError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(TableError, match="file name ends in"):
        read(csv("a", name="t.xlsx"))
    with pytest.raises(TableError, match="whole parquet file"):
        read(csv("not parquet", name="t.parquet"))
    with pytest.raises(TableError, match="whole arrow file"):
        read(csv("not arrow", name="t.arrow"))
    with pytest.raises(TableError, match="whole gzip file"):
        read(csv("not gzip", name="t.csv.gz"))
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 1000)[:-12])
    with pytest.raises(TableError, match="whole gzip file"):
        read(tmp_path / "cut.csv.gz")


def test_csv_is_read_in_typed_chunks_whose_faults_have_the_rows_of_the_table(csv, monkeypatch):
    monkeypatch.setattr("synthkit.tables.csv._CSV_CHUNK_BYTES", 64)
    schema = Schema(columns={"a": {"kind": "numeric", "decimals": 0}, "b": {"kind": "code"}})
    rows = [f"{i},c{i}" for i in range(100)]
    table = read(csv("a,b\n" + "\n".join(rows) + "\n"), schema=schema)
    assert len(table.chunks) > 5
    assert table.rows == 100
    assert table.frame()["a"].tolist() == list(range(100))
    rows[10], rows[90] = "x,c", "y,c"
    with pytest.raises(SchemaError, match="11, 91") as error:
        read(csv("a,b\n" + "\n".join(rows) + "\n"), schema=schema)
    assert "1 rule is broken" in message(error)
    rows[10], rows[90] = ",c", "1.5,c"
    assert read(csv("a,b\n" + "\n".join(rows) + "\n"), schema=schema).frame()["a"].dtype == "float64"


def test_a_table_of_one_column_keeps_its_empty_lines_as_missing_cells(csv):
    assert read(csv("a\nx\n\ny\n")).frame()["a"].tolist() == ["x", None, "y"]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)


@given(
    st.lists(
        st.tuples(
            st.none() | texts,
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_csv_gives_back_every_cell(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    schema = Schema(
        columns={
            "s": {"kind": "code", "nullable": True},
            "n": {"kind": "numeric", "decimals": 0, "nullable": True},
            "x": {"kind": "numeric"},
        }
    )
    frame = conform(
        pd.DataFrame(
            {
                "s": pd.Series([r[0] for r in rows], dtype=object),
                "n": pd.array([r[1] for r in rows], dtype="Int64"),
                "x": [r[2] for r in rows],
            }
        ),
        schema,
    )
    write(frame, path)
    pd.testing.assert_frame_equal(read(path, schema=schema).frame(), frame, check_exact=True)


# ---- files


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.parquet", "t.arrow", "t.feather"])
def test_a_typed_frame_survives_every_format(tmp_path, csv, name):
    frame = read(csv(CSV, "source.csv"), schema=SCHEMA).frame()
    write(frame, tmp_path / name)
    pd.testing.assert_frame_equal(read(tmp_path / name, schema=SCHEMA).frame(), frame)


def test_parquet_keeps_the_dtypes_of_pandas(tmp_path):
    frame = pd.DataFrame(
        {
            "c": pd.Categorical(["a", "b", "a"], ordered=True),
            "f": np.array([1, 2, 3], dtype="float32"),
            "i": pd.array([1, None, 3], dtype="Int64"),
            "s": pd.array(["x", None, "z"], dtype="string"),
            "t": np.array(["2020-01-01"] * 3, dtype="datetime64[ns]"),
            "b": pd.array([True, None, False], dtype="boolean"),
            "u": np.array([1, 2, 3], dtype="uint8"),
        }
    )
    write(frame, tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read(tmp_path / "t.parquet").frame(), frame)


def test_arrow_without_notes_of_pandas_keeps_whole_numbers_whole(tmp_path):
    table = pa.table({"i": [1, None], "b": [True, None], "j": [1, 2]})
    assert dtypes(read(table).frame()) == {"i": "Int64", "b": "boolean", "j": "int64"}
    with pytest.raises(TableError, match="is there twice"):
        read(pa.table([[1], [2]], names=["a", "a"]))
    assert read(pd.DataFrame({"a": [1]})).frame().equals(pd.DataFrame({"a": [1]}))


def test_moments_are_written_in_the_pattern_of_the_schema(tmp_path):
    schema = Schema(columns={"d": {"kind": "datetime", "format": "%d/%m/%Y", "nullable": True}})
    frame = conform(pd.DataFrame({"d": ["03/04/2020", None]}), schema)
    write(frame, tmp_path / "t.csv", schema=schema)
    assert (tmp_path / "t.csv").read_text() == '"d"\n"03/04/2020"\n\n'
    assert read(tmp_path / "t.csv", schema=schema).frame()["d"][0] == pd.Timestamp("2020-04-03")
    write(frame, tmp_path / "u.csv")
    assert (tmp_path / "u.csv").read_text() == '"d"\n2020-04-03\n\n'


def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path):
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(TableError, match="No such file"):
        write(frame, tmp_path / "absent" / "t.csv")
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(TableError, match="is a folder"):
        write(frame, tmp_path / "t.csv")
    with pytest.raises(TableError, match="mixed in a"):
        write(pd.DataFrame({"a": [1, "SECRET"], "b": [1, 2]}), tmp_path / "u.csv")
    with pytest.raises(TableError, match="names are missing or repeated"):
        write(pd.DataFrame([[1, 2]], columns=["a", "a"]), tmp_path / "u.csv")
    with pytest.raises(TableError, match="file name ends in"):
        write(frame, tmp_path / "u.xlsx")
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


FULL = """
import resource, signal, sys
import pandas as pd
from synthkit.errors import TableError
from synthkit.tables.table_files import write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
frame = pd.DataFrame({"a": [str(hash((i, "x"))) for i in range(50_000)]})
try:
    write(frame, sys.argv[1])
except TableError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet", "t.arrow"])
def test_a_disk_that_refuses_more_bytes_leaves_the_old_file_whole(tmp_path, name):
    path = tmp_path / name
    write(pd.DataFrame({"a": [1, 2]}), path)
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    assert "Nothing was written" in done.stdout
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_ctrl_c_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("old")

    def interrupted():
        with replacing(path) as temporary:
            temporary.write_text("half of the n")
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    write(pd.DataFrame({"a": [1]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").stat().st_mode == (tmp_path / "plain").stat().st_mode


# ---- dtypes of the input for the output


@pytest.mark.parametrize(
    "dtype",
    [
        "float32",
        "Int64",
        "int8",
        "uint16",
        "string[pyarrow]",
        "string[python]",
        "category",
        "boolean",
        "bool",
        "Float32",
    ],
)
def test_restore_gives_the_output_the_dtypes_of_the_input(dtype):
    text = dtype.startswith("string") or dtype == "category"
    before = pd.DataFrame({"a": pd.Series(["x", "y"] if text else [0, 1]).astype(dtype)})
    after = restore(pd.DataFrame({"a": ["x", "y"] if text else [1, 0]}), storages(before))
    assert storages(after) == storages(before)
    assert dtypes(after) == {"a": dtype}


def test_restore_knows_moments():
    before = pd.DataFrame({"t": pd.to_datetime(["2020-01-01"]).astype("datetime64[ns]")})
    after = pd.DataFrame({"t": np.array(["2021-01-01"], dtype="datetime64[us]")})
    assert dtypes(restore(after, storages(before))) == {"t": "datetime64[ns]"}
    far = pd.DataFrame({"t": np.array(["9999-01-01"], dtype="datetime64[us]")})
    assert restore(far, storages(before))["t"].dtype == "datetime64[us]"


@pytest.mark.parametrize(
    ("values", "wanted", "comes"),
    [
        (pd.array([1, None], dtype="Int64"), "int64", "Int64"),
        (pd.array([True, None], dtype="boolean"), "bool", "boolean"),
        ([300, 1], "int8", "int64"),
        (["P1", "P2"], "int64", "object"),
        ([1.5, 2.0], "int64", "float64"),
        ([-1, 2], "uint8", "int64"),
    ],
)
def test_restore_loses_no_cell(values, wanted, comes):
    frame = pd.DataFrame({"a": values})
    after = restore(frame, {"a": wanted})
    assert dtypes(after) == {"a": comes}
    assert after["a"].astype(object).tolist() == frame["a"].astype(object).tolist()


def test_a_table_of_chunks_is_one_frame():
    table = Table((pd.DataFrame({"a": [1]}), pd.DataFrame({"a": pd.array([None], dtype="Int64")})))
    assert (table.rows, table.columns, str(table.frame()["a"].dtype)) == (2, ("a",), "Int64")
    assert Table(()).columns == ()


# ---- real tables

DATA = os.environ.get("SYNTHKIT_DATA")


@pytest.mark.skipif(not DATA, reason="SYNTHKIT_DATA names no folder with the public tables")
@pytest.mark.parametrize(
    ("schema", "file"),
    [("support2", "support2/support2"), ("adult", "adult/train"), ("diabetes130", "diabetes130/diabetic_data")],
)
def test_public_tables_survive_csv(tmp_path, schema, file):
    schema = Schema.load(ROOT / "schemas" / f"{schema}.yaml")
    frame = read(Path(DATA) / f"{file}.parquet", schema=schema).frame()
    write(frame, tmp_path / "t.csv", schema=schema)
    again = read(tmp_path / "t.csv", schema=schema).frame()
    ours = [c for c in schema.learned if c in frame]
    pd.testing.assert_frame_equal(again[ours], frame[ours], check_exact=True)


def test_read_text_yields_chunks_lazily(csv, monkeypatch):
    monkeypatch.setattr("synthkit.tables.csv._CSV_CHUNK_BYTES", 64)
    chunks = read_text(csv("a,b\n" + "1,2\n" * 100), delimiter=None, encoding="utf-8", missing=())
    assert next(chunks).num_rows < 100
