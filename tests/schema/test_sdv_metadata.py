"""SDV Metadata V2: valid for SDV itself, and back again with all that V2 can say."""

import copy

import pandas as pd
import pytest
from places import ROOT

from synthkit.errors import SchemaError
from synthkit.schema import Schema
from synthkit.schema.sdv_metadata import from_sdv, to_sdv

SHIPPED = sorted((ROOT / "schemas").glob("*.yaml"))

SPEC = {
    "METADATA_SPEC_VERSION": "V2",
    "relationships": [],
    "tables": {
        "patients": {
            "primary_key": "pid",
            "alternate_keys": ["mail"],
            "sequence_key": "house",
            "columns": {
                "pid": {"sdtype": "id", "regex_format": "P[0-9]{5}", "range_is_nullable": False},
                "mail": {"sdtype": "email", "pii": True, "range_is_nullable": False},
                "house": {"sdtype": "id", "range_is_nullable": False},
                "ssn": {"sdtype": "ssn", "pii": True, "range_is_nullable": True},
                "age": {
                    "sdtype": "numerical",
                    "range_min": 0,
                    "range_max": 110,
                    "decimal_places": 0,
                    "range_is_nullable": False,
                },
                "bmi": {"sdtype": "numerical", "range_min": 9.5, "range_is_nullable": True},
                "sex": {"sdtype": "categorical", "range_values": ["F", "M"], "range_is_nullable": False},
                "icd": {"sdtype": "categorical", "high_cardinality": True, "range_is_nullable": True},
                "stage": {"sdtype": "ordinal", "range_values": ["I", "II", "III"], "range_is_nullable": True},
                "dead": {"sdtype": "boolean", "range_is_nullable": False},
                "admit": {
                    "sdtype": "datetime",
                    "datetime_format": "%Y-%m-%d",
                    "range_min": "2020-01-01",
                    "range_max": "2023-12-31",
                    "range_is_nullable": False,
                },
                "left": {
                    "sdtype": "datetime",
                    "datetime_format": "%d.%m.%Y %H:%M",
                    "range_max": "31.12.2023 23:59",
                    "range_is_nullable": True,
                },
            },
        }
    },
}


def sdv():
    return pytest.importorskip("sdv.metadata", reason="SDV is not installed").Metadata


@pytest.mark.filterwarnings("ignore")
def test_the_example_is_what_sdv_itself_accepts():
    sdv().load_from_dict(SPEC).validate()


def test_metadata_comes_back_unchanged_through_a_schema():
    assert to_sdv(from_sdv(SPEC)) == SPEC


def test_each_sdtype_becomes_its_kind():
    columns = from_sdv(SPEC, "patients").columns
    assert {name: column.kind for name, column in columns.items()} == {
        "pid": "identifier",
        "mail": "identifier",
        "house": "identifier",
        "ssn": "identifier",
        "age": "numeric",
        "bmi": "numeric",
        "sex": "categorical",
        "icd": "code",
        "stage": "ordinal",
        "dead": "boolean",
        "admit": "datetime",
        "left": "datetime",
    }
    assert (columns["ssn"].faker, columns["pid"].pattern, columns["pid"].unique) == ("ssn", "P[0-9]{5}", True)
    assert (columns["left"].format, columns["left"].max, columns["left"].precision) == (
        "%d.%m.%Y %H:%M",
        "2023-12-31T23:59:00",
        "minute",
    )
    assert from_sdv(SPEC).unit == "house"
    frame = pd.DataFrame({"admit": ["2020-01-01", "2024-01-01"]})
    assert columns["admit"].admits(frame["admit"]).tolist() == [True, False]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_schemas_are_valid_for_sdv_and_come_back_as_far_as_v2_goes(path):
    schema = Schema.load(path)
    spec = to_sdv(schema)
    sdv().load_from_dict(copy.deepcopy(spec)).validate()
    back = from_sdv(spec)
    assert list(back.columns) == list(schema.columns)
    assert to_sdv(back) == spec
    for name, column in schema.columns.items():
        kept = {"nullable", "min", "max", "decimals", "levels", "unique"} & set(type(back.columns[name]).model_fields)
        assert all(getattr(back.columns[name], key) == getattr(column, key) for key in kept if hasattr(column, key))


@pytest.mark.filterwarnings("ignore")
def test_sdv_finds_the_same_faults_in_data():
    """The ranges arrive: SDV refuses the rows that the schema refuses, and takes the others."""
    schema = Schema(
        name="t",
        columns={
            "age": {"kind": "numeric", "min": 0, "max": 120, "decimals": 0},
            "sex": {"kind": "categorical", "levels": ["f", "m"]},
        },
    )
    metadata = sdv().load_from_dict(to_sdv(schema))
    metadata.validate_data({"t": pd.DataFrame({"age": [1, 120], "sex": ["f", "m"]})})
    with pytest.raises(pytest.importorskip("sdv.errors").InvalidDataError, match="age"):
        metadata.validate_data({"t": pd.DataFrame({"age": [1, 121], "sex": ["f", "m"]})})


def test_a_boolean_of_numbers_is_categorical_for_sdv():
    schema = Schema(columns={"dead": {"kind": "boolean", "levels": [0, 1]}})
    assert to_sdv(schema)["tables"]["table"]["columns"]["dead"]["range_values"] == [0, 1]


def test_a_unit_that_is_unique_is_the_primary_key():
    schema = Schema(
        columns={"a": {"kind": "identifier", "unique": True}, "b": {"kind": "identifier", "unique": True}}, unit="b"
    )
    table = to_sdv(schema)["tables"]["table"]
    assert (table["primary_key"], table["alternate_keys"]) == ("b", ["a"])
    assert "sequence_key" not in table


def test_an_unknown_column_is_an_identifier_and_a_rich_regex_is_dropped():
    spec = {
        "METADATA_SPEC_VERSION": "V2",
        "tables": {
            "t": {"columns": {"x": {"sdtype": "unknown", "pii": True}, "y": {"sdtype": "id", "regex_format": "A|B"}}}
        },
    }
    schema = from_sdv(spec)
    assert [c.kind for c in schema.columns.values()] == ["identifier", "identifier"]
    assert (schema.columns["x"].faker, schema.columns["y"].pattern, schema.columns["x"].nullable) == (None, None, True)


@pytest.mark.parametrize(
    ("change", "table", "message"),
    [
        ({"METADATA_SPEC_VERSION": "V1"}, None, "must have METADATA_SPEC_VERSION V2; however: 'V1'"),
        ({"tables": {}}, None, "one table of the metadata must be named; however: None. There are: none"),
        ({}, "visits", "one table of the metadata must be named; however: 'visits'. There are: patients"),
        ({"tables": {"t": {"columns": {"a": {}}}}}, None, "must have an `sdtype`; however: `a` has None"),
        ({"tables": {"t": {"columns": {}}}}, None, "must be a synthkit schema"),
        (
            {"tables": {"t": {"columns": {"a": {"sdtype": "datetime", "datetime_format": "%Y", "range_min": "x"}}}}},
            None,
            "range of SDV column `a` must be written in its `datetime_format`; however: 'x'",
        ),
    ],
)
def test_metadata_no_schema_can_be_made_of_is_refused(change, table, message):
    with pytest.raises(SchemaError) as caught:
        from_sdv(SPEC | change, table)
    assert message in str(caught.value)


def test_several_tables_need_a_name():
    tables = {"a": {"columns": {"x": {"sdtype": "boolean"}}}, "b": {"columns": {"y": {"sdtype": "boolean"}}}}
    with pytest.raises(SchemaError, match="There are: a, b"):
        from_sdv(SPEC | {"tables": tables})
    assert list(from_sdv(SPEC | {"tables": tables}, "b").columns) == ["y"]
