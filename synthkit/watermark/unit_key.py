"""The key of a watermark of linked tables: one secret, and the columns of each table that it marks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, SecretStr

from synthkit.errors import ConfigError
from synthkit.schema.columns import Identifier
from synthkit.watermark.key import WatermarkKey
from synthkit.watermark.keyed_hash import digest
from synthkit.watermark.marked_column import MarkedColumn, marked_columns
from synthkit.watermark.secret_key import DEFAULT_CANDIDATES, SecretKey, new_secret

if TYPE_CHECKING:
    from synthkit.schema.linked import LinkedSchema

FORMAT: Final = "synthkit-linked-watermark-key/1"


class UnitWatermarkKey(SecretKey):
    """A secret of 32 bytes, and the columns of each table of units that it marks. It is not shown by `repr`.

    Keys, places in line, computed columns, catalogues and shared tables are not marked: they are not drawn for a unit.

    Args:
        secret: 64 hexadecimal digits.
        tables: columns whose cells are scored, by table.
        candidates: units drawn for each that is released, 2 to 64.

    Raises:
        ConfigError: by `new`, for tables without a column to learn, or a number of candidates out of range.

    Example:
        >>> from synthkit.schema.linked import LinkedSchema
        >>> people = {"key": ["id"], "columns": {"id": {"kind": "identifier"}, "age": {"kind": "numeric"}}}
        >>> key = UnitWatermarkKey.new(LinkedSchema(unit="people", tables={"people": people}))
        >>> [column.name for column in key.tables["people"]], key.candidates
        (['age'], 4)
    """

    format: Literal["synthkit-linked-watermark-key/1"] = FORMAT
    tables: Annotated[Mapping[str, tuple[MarkedColumn, ...]], Field(min_length=1)]

    @classmethod
    def new(cls, schema: LinkedSchema, *, candidates: int = DEFAULT_CANDIDATES) -> UnitWatermarkKey:
        """Draw a key from the operating system, for linked tables of a schema.

        Raises:
            ConfigError: the number of candidates is not in 2 to 64, or no table has a column to learn.
        """
        secret, names = new_secret(candidates), _drawn_columns(schema)
        if not names:
            msg = "a watermark needs a column that is learned; however: the tables hold keys alone. Declare others"
            raise ConfigError(msg)
        tables = {table: marked_columns(schema.tables[table].alone(table), columns) for table, columns in names.items()}
        return cls.model_validate({**secret, "tables": tables})

    def of(self, schema: LinkedSchema) -> UnitWatermarkKey:
        """This key, if it was made for linked tables of a schema.

        Raises:
            ConfigError: tables or columns of the key are not drawn by the schema.
        """
        drawn = _drawn_columns(schema)
        lacking = [
            f"{table}.{column.name}"
            for table, columns in self.tables.items()
            for column in columns
            if column.name not in drawn.get(table, ())
        ]
        if lacking:
            msg = (
                f"a watermark's key must be of the tables' schema; however: there is no {', '.join(lacking)} among the "
                "columns that are drawn. Make a key with `synthkit watermark-key --schema`"
            )
            raise ConfigError(msg)
        return self

    def of_table(self, table: str) -> WatermarkKey:
        """The key of one table, whose coins have nothing to do with those of another."""
        words = (digest(self.raw, "table", table, str(k)) for k in range(4))
        secret = SecretStr("".join(f"{word:016x}" for word in words))
        return WatermarkKey(secret=secret, columns=self.tables[table], candidates=self.candidates)


def _drawn_columns(schema: LinkedSchema) -> dict[str, tuple[str, ...]]:
    """Values and moments of each table of records, in the order of the table; tables without any are left out."""
    found = {}
    for name in schema.graph.records:
        table = schema.tables[name]
        kept = {*table.payload, *table.moments}
        found[name] = tuple(c for c, kind in table.columns.items() if c in kept and not isinstance(kind, Identifier))
    return {name: columns for name, columns in found.items() if columns}
