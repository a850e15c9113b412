"""Linked tables as they are fitted under a budget: bounds on rows declared, tables beside the units public."""

from __future__ import annotations

from collections.abc import Mapping

from synthkit.schema.linked import LinkedSchema

DECLARED_BY = "the authors of the benchmarks: bounds and levels are those of the published description"
MOST_ROWS_DECLARED: Mapping[str, int] = {"orders": 10, "doses": 10, "labs": 80, "events": 10}  # of an owner
MOST_OF_UNIT: Mapping[str, int] = {"orders": 60, "doses": 80}


def private_schema(schema: LinkedSchema) -> LinkedSchema:
    """The schema with somebody who answers for it, a bound for each owner, and no table that units share.

    Args:
        schema: as it is without a budget.
    """
    told = schema.model_dump(by_alias=True, exclude_none=True)
    for name, table in told["tables"].items():
        for link in table["links"]:
            link["kind"] = "reference" if link["kind"] == "shared" else link["kind"]
            if link["kind"] == "owner" and name in MOST_ROWS_DECLARED:
                link.setdefault("max_rows_per_owner", MOST_ROWS_DECLARED[name])
        table["role"] = "reference" if table["role"] == "shared" else table["role"]
        if name in MOST_OF_UNIT:
            table.setdefault("max_rows_per_unit", MOST_OF_UNIT[name])
    return LinkedSchema.model_validate({**told, "declared_by": DECLARED_BY})
