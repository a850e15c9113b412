"""The schema a command or a call is given: itself or a file of it, with what its use asks for beyond its form."""

from __future__ import annotations

from pathlib import Path

from synthkit.errors import SchemaError
from synthkit.schema.public_domain import refuse_undeclared
from synthkit.schema.spreads import with_differences
from synthkit.schema.table import Schema


def resolve_schema(schema: Schema | str | Path, unit: str | None = None, *, private: bool = False) -> Schema:
    """The schema itself, or the one in a file; with another unit if one is named, and comparisons as they are learned.

    Args:
        schema: the schema, or the path of its YAML file.
        unit: column that names the person, in place of the schema's own.
        private: whether it is for use under a privacy budget.

    Raises:
        SchemaError: the file is no schema, the schema declares no column that can be learned, or not the unit; under a
            budget a line is not public.

    Example:
        >>> age = {"kind": "numeric", "min": 0}
        >>> resolve_schema(Schema(columns={"age": age, "person": {"kind": "identifier"}}), "person").learned
        ('age',)
    """
    schema = schema if isinstance(schema, Schema) else Schema.load(schema)
    if unit is not None and unit not in schema.columns:
        msg = (
            f"the unit must be a column of the schema; however: `{unit}` is not. Declared: {', '.join(schema.columns)}"
        )
        raise SchemaError(msg)
    if unit is not None:
        schema = schema.model_copy(update={"unit": unit})
    if not schema.learned:
        msg = (
            "a schema must declare a column to learn; however: it declares only identifiers, which are made fresh. "
            "Declare another kind for the columns that describe the rows"
        )
        raise SchemaError(msg)
    if private:
        refuse_undeclared(schema)
    return with_differences(schema)
