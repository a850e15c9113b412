"""JSON Schema of files that people write, so that editors complete keys and underline mistakes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from synthkit.io.atomic_files import replacing
from synthkit.runtime.docstrings import arguments
from synthkit.schema.censoring import Censored
from synthkit.schema.rules import Condition
from synthkit.schema.schema_errors import column_kinds, rule_kinds
from synthkit.schema.table import Schema
from synthkit.schema.target import Target


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a schema file, with the descriptions of the docstrings."""
    document = described(Schema, Target, Condition, Censored, *column_kinds().values(), *rule_kinds().values())
    return tagged(document, {"kind": column_kinds(), "rule": rule_kinds()})


def tagged(document: dict[str, Any], families: Mapping[str, Mapping[str, type[BaseModel]]]) -> dict[str, Any]:
    """The JSON Schema in which records must give the key that tells their kind; families of records by that key."""
    for tag, family in families.items():
        for model in family.values():
            part = document["$defs"][model.__name__]
            part["required"] = [tag, *part.get("required", [])]
            part["properties"][tag].pop("default", None)
    return document


def save_json_schema(path: str | Path, document: Mapping[str, object] | None = None) -> None:
    """Write a JSON Schema where editors find it: that of schema files is `schemas/synthkit-schema-1.json`."""
    text = json.dumps(json_schema() if document is None else document, indent=1, ensure_ascii=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def described(whole: type[BaseModel], *parts: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a model and those in it, with the descriptions of their docstrings."""
    document = whole.model_json_schema(by_alias=True)
    for model in (whole, *parts):
        part = document if model is whole else document["$defs"][model.__name__]
        part["description"] = (model.__doc__ or "").strip().splitlines()[0]
        _describe(part["properties"], [c.__doc__ or "" for c in reversed(model.__mro__)], model.model_fields)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def _describe(properties: dict[str, Any], docs: list[str], fields: dict[str, Any]) -> None:
    """Give each property the line its class's docstring has for it under Args."""
    for doc in docs:
        for name, text in arguments(doc).items():
            key = fields[name].alias or name if name in fields else None
            if key in properties:
                properties[key]["description"] = text
