"""JSON Schema of files of linked schemas: `schemas/synthkit-linked-1.json`, so that editors complete and underline."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel

from synthkit.schema.censoring import Censored
from synthkit.schema.json_schema import described, tagged
from synthkit.schema.linked.link import Link, RowOrder
from synthkit.schema.linked.linked_rules import Contradiction, HistoryTarget, LinkedRule, RowsWhere
from synthkit.schema.linked.linked_schema import LinkedSchema
from synthkit.schema.linked.linked_table import LinkedTable
from synthkit.schema.rules import Condition
from synthkit.schema.schema_errors import column_kinds, rule_kinds
from synthkit.schema.target import Target


def linked_rule_kinds() -> dict[str, type[BaseModel]]:
    """Models of the rules across tables by `rule`."""
    return {model.model_fields["rule"].default: model for model in get_args(get_args(LinkedRule)[0])}


def linked_json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a linked schema's file, with the descriptions of the docstrings."""
    kinds = (column_kinds(), rule_kinds(), linked_rule_kinds())
    records = (LinkedTable, Link, RowOrder, RowsWhere, Contradiction, HistoryTarget, Target, Condition, Censored)
    document = described(LinkedSchema, *records, *(model for family in kinds for model in family.values()))
    return tagged(document, {"kind": kinds[0], "rule": {**kinds[1], **kinds[2]}})
