"""The key of a watermark: a secret, and the public meaning of the columns it marks; a file only its owner reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from synthkit.errors import ConfigError
from synthkit.watermark.marked_column import MarkedColumn, marked_columns
from synthkit.watermark.secret_key import DEFAULT_CANDIDATES, SecretKey, new_secret

if TYPE_CHECKING:
    from synthkit.schema import Schema

FORMAT: Final = "synthkit-watermark-key/1"


class WatermarkKey(SecretKey):
    """A secret of 32 bytes, and the columns it marks. It is not shown by `repr`, and nothing logs it.

    Args:
        secret: 64 hexadecimal digits.
        columns: columns whose cells are scored.
        candidates: rows drawn for each that is released, 2 to 64: more make the watermark stronger and sampling slower.

    Raises:
        ConfigError: by `new`, for a table without a column to learn, or a number of candidates out of range.

    Example:
        >>> from synthkit.schema import Schema
        >>> schema = Schema(columns={"x": {"kind": "numeric"}, "y": {"kind": "code"}})
        >>> key = WatermarkKey.new(schema)
        >>> [column.kind for column in key.columns], key.candidates, len(key.name)
        (['number', 'word'], 4, 16)
    """

    format: Literal["synthkit-watermark-key/1"] = FORMAT
    columns: Annotated[tuple[MarkedColumn, ...], Field(min_length=1)]

    @classmethod
    def new(cls, schema: Schema, *, candidates: int = DEFAULT_CANDIDATES) -> WatermarkKey:
        """Draw a key from the operating system, for tables of a schema.

        Raises:
            ConfigError: the number of candidates is not in 2 to 64, or the schema has no column to learn.
        """
        secret = new_secret(candidates)
        if not schema.learned:
            msg = "a watermark needs a column that is learned; however: the schema has identifiers only. Declare others"
            raise ConfigError(msg)
        return cls.model_validate({**secret, "columns": marked_columns(schema, schema.learned)})

    def of(self, schema: Schema) -> WatermarkKey:
        """This key, if it was made for tables with the columns of a schema.

        Raises:
            ConfigError: columns of the key are not learned in the schema.
        """
        lacking = [column.name for column in self.columns if column.name not in schema.learned]
        if lacking:
            msg = (
                f"a watermark's key must be of the table's schema; however: there is no {', '.join(lacking)} among the "
                "columns that are learned. Make a key with `synthkit watermark-key --schema`"
            )
            raise ConfigError(msg)
        return self
