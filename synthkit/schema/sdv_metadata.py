"""SDV Metadata V2 in and out: one table's columns as the Synthetic Data Vault declares them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from synthkit.errors import SchemaError
from synthkit.schema import faker_providers
from synthkit.schema.columns import Boolean, Categorical, Code, Column, Datetime, Identifier, Numeric, Ordinal
from synthkit.schema.datetimes import ISO_WRITING, MomentWriting
from synthkit.schema.patterns import is_fresh
from synthkit.schema.table import Schema

SDV_METADATA_VERSION = "V2"
_FORMAT_OF_PRECISION = {
    "day": "%Y-%m-%d",
    "hour": "%Y-%m-%dT%H:%M:%S",
    "minute": "%Y-%m-%dT%H:%M:%S",
    "second": "%Y-%m-%dT%H:%M:%S",
    "millisecond": "%Y-%m-%dT%H:%M:%S.%f",
    "microsecond": "%Y-%m-%dT%H:%M:%S.%f",
}
_PRECISIONS = (("microsecond", "%f"), ("second", "%S%T%c%X%s"), ("minute", "%M%R"), ("hour", "%H%I"))
_SUPPORTED_SDTYPES = frozenset(("numerical", "categorical", "ordinal", "boolean", "datetime", "id", "unknown"))


def to_sdv(schema: Schema) -> dict[str, object]:
    """The schema as SDV Metadata V2.

    What V2 cannot say is lost: descriptions, sources, units of measurement, how numbers are written as text and the
    zone of moments (so SDV is given what `synthkit.schema.conform.conform` makes of the table), atoms (bounds of
    moments are widened to hold them), patterns and systems of codes, `observed`, the roles (quasi-identifiers,
    secrets, protected, targets), the rules, what derived columns are computed by (they are learned like others),
    and a precision of hours, minutes or milliseconds (read back as seconds and microseconds). A boolean whose
    levels are not true and false becomes categorical. The unit becomes the sequence key if its values repeat and
    none is missing.

    Example:
        >>> schema = Schema(name="t", columns={"age": {"kind": "numeric", "min": 0, "max": 120, "decimals": 0}})
        >>> to_sdv(schema)["tables"]["t"]["columns"]["age"]["range_max"]
        120
    """
    columns = {name: _column_to_sdv(column) for name, column in schema.columns.items()}
    table: dict[str, object] = {"columns": columns}
    keys = [c for c, k in schema.columns.items() if isinstance(k, Identifier) and k.unique and not k.nullable]
    if keys:
        table["primary_key"] = schema.unit if schema.unit in keys else keys[0]
    if len(keys) > 1:
        table["alternate_keys"] = [c for c in keys if c != table["primary_key"]]
    unit = schema.columns[schema.unit] if schema.unit is not None else None
    if isinstance(unit, Identifier) and not unit.nullable and schema.unit not in keys:
        table["sequence_key"] = schema.unit
    return {"METADATA_SPEC_VERSION": SDV_METADATA_VERSION, "relationships": [], "tables": {schema.name: table}}


def _column_to_sdv(column: Column) -> dict[str, object]:
    said: dict[str, object] = {"range_is_nullable": column.nullable}
    if isinstance(column, Numeric):
        said |= {"sdtype": "numerical", "range_min": _short(column.min), "range_max": _short(column.max)}
        said["decimal_places"] = column.decimals
    elif isinstance(column, Boolean) and all(isinstance(level, bool) for level in column.levels):
        said["sdtype"] = "boolean"
    elif isinstance(column, Categorical | Ordinal | Boolean):
        said["sdtype"] = "ordinal" if isinstance(column, Ordinal) else "categorical"
        said["range_values"] = list(column.levels)
    elif isinstance(column, Code):
        said["sdtype"] = "categorical"
        said |= {"range_values": list(column.levels)} if column.levels else {"high_cardinality": True}
    elif isinstance(column, Datetime):
        how = column if column.format else MomentWriting(format=_FORMAT_OF_PRECISION[column.precision])
        assert how.written_as is not None
        said |= {"sdtype": "datetime", "datetime_format": how.written_as.plain}
        for key, bound, end in (("range_min", column.low, min), ("range_max", column.high, max)):
            if bound is not None:
                said[key] = how.text(int(end([bound, *column.points]).astype(int)))
    elif column.faker is not None:
        said |= {"sdtype": column.faker, "pii": True}
    else:
        said |= {"sdtype": "id", "regex_format": column.pattern}
    return {key: value for key, value in said.items() if value is not None}


def _short(number: float | None) -> float | None:
    return int(number) if number is not None and number.is_integer() else number


def from_sdv(metadata: Mapping[str, Any], table: str | None = None) -> Schema:
    """The schema of one table of SDV Metadata V2.

    Keys and sdtypes map as in `to_sdv`; `unknown` and Faker's semantic types become identifiers. What a schema
    cannot say is lost: relationships, column relationships, keys of several columns, the sequence index, and an id's
    `regex_format` beyond literals, classes and counts. A categorical column without its values becomes a code, and a
    column whose missing values are not mentioned may have them.

    Args:
        metadata: the mapping SDV writes (`Metadata.to_dict()`, or its JSON file).
        table: name of the table, if there are several.

    Raises:
        SchemaError: another version, no such table, or columns no schema can declare.
    """
    version = metadata.get("METADATA_SPEC_VERSION")
    if version != SDV_METADATA_VERSION:
        msg = (
            f"SDV metadata must have METADATA_SPEC_VERSION {SDV_METADATA_VERSION}; however: {version!r}. "
            "Let SDV upgrade it: `Metadata.load_from_dict(old).to_dict()`"
        )
        raise SchemaError(msg)
    tables = metadata.get("tables") or {}
    if table is None and len(tables) == 1:
        table = next(iter(tables))
    if table not in tables:
        msg = f"one table of the metadata must be named; however: {table!r}. There are: {', '.join(tables) or 'none'}"
        raise SchemaError(msg)
    said = tables[table]
    unique = [key for key in (said.get("primary_key"), *said.get("alternate_keys", ())) if isinstance(key, str)]
    columns = {name: _column_from_sdv(name, column, name in unique) for name, column in said.get("columns", {}).items()}
    keys = {"unit": said["sequence_key"]} if isinstance(said.get("sequence_key"), str) else {}
    return Schema.parse({"name": table, "columns": columns} | keys, f"SDV metadata of `{table}`")


def _column_from_sdv(name: str, said: Mapping[str, Any], unique: bool) -> dict[str, Any]:
    sdtype = said.get("sdtype")
    if not isinstance(sdtype, str):
        msg = f"each SDV column must have an `sdtype`; however: `{name}` has {sdtype!r}. Let SDV validate the metadata"
        raise SchemaError(msg)
    keys: dict[str, Any] = {"nullable": said.get("range_is_nullable", True) and not unique}
    if sdtype == "numerical" and not unique:
        keys |= {"kind": "numeric", "min": said.get("range_min"), "max": said.get("range_max")}
        keys["decimals"] = said.get("decimal_places")
    elif sdtype in ("categorical", "ordinal"):
        keys |= {"kind": sdtype, "levels": said["range_values"]} if said.get("range_values") else {"kind": "code"}
    elif sdtype == "boolean":
        keys["kind"] = "boolean"
    elif sdtype == "datetime":
        keys |= _datetime_from_sdv(name, said)
    else:
        keys |= {"kind": "identifier", "unique": unique}
        pattern = said.get("regex_format")
        if pattern and is_fresh(pattern):
            keys["pattern"] = pattern
        if sdtype not in _SUPPORTED_SDTYPES and not faker_providers.provider_fault(sdtype):
            keys["faker"] = sdtype
    return {key: value for key, value in keys.items() if value is not None}


def _datetime_from_sdv(name: str, said: Mapping[str, Any]) -> dict[str, Any]:
    pattern = said.get("datetime_format")
    keys: dict[str, Any] = {
        "kind": "datetime",
        "format": pattern if pattern not in _FORMAT_OF_PRECISION.values() else None,
    }
    keys["zone"] = "UTC" if "%z" in (pattern or "") else None
    directives = set(re.findall(r"%-?[A-Za-z]", pattern or "%S"))
    keys["precision"] = next((p for p, marks in _PRECISIONS if directives & set(re.findall("%.", marks))), "day")
    for key, moment in (("min", said.get("range_min")), ("max", said.get("range_max"))):
        if moment is not None:
            parsed = _parsed(name, moment, pattern, keys["zone"])
            keys[key] = (parsed.date() if keys["precision"] == "day" else parsed).isoformat()
    return keys


def _parsed(name: str, moment: str, pattern: str | None, zone: str | None) -> dt.datetime:
    try:
        how = MomentWriting(format=pattern, zone=zone)
    except ValidationError as error:
        msg = f"`datetime_format` of SDV column `{name}` must have known directives; however: {pattern!r}. Change it"
        raise SchemaError(msg) from error
    found = how.micro(moment) if pattern is None or how.by_format(str(moment)) is not None else None
    if found is None:
        msg = (
            f"the range of SDV column `{name}` must be written in its `datetime_format`; however: {moment!r} is not in "
            f"{pattern or 'ISO 8601'}. Correct one of the two"
        )
        raise SchemaError(msg)
    return dt.datetime.fromisoformat(ISO_WRITING.text(found))
