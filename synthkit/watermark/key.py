"""The key of a watermark: a secret, and the public meaning of the columns it marks; a file only its owner reads."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from synthkit.errors import ArtefactError, ConfigError
from synthkit.io.atomic_files import write_secret
from synthkit.io.documents import read_json
from synthkit.schema import Numeric, Schema
from synthkit.schema.columns import Column
from synthkit.schema.datetimes import MomentWriting
from synthkit.schema.number_formats import Numerals
from synthkit.watermark.keyed_hash import digest

FORMAT: Final = "synthkit-watermark-key/1"
SECRET_BYTES = 32
DEFAULT_CANDIDATES = 4  # rows drawn for each released one


class MarkedColumn(BaseModel):
    """What of a column's meaning is needed to read its cells: names and forms, no value of any table.

    Args:
        name: of the column.
        kind: how its cells are read.
        format: of moments in text, besides ISO 8601.
        zone: zone whose clock the column shows.
        pivot: first of the hundred years that two digits mean.
        numerals: how numbers are written as text, if not plainly.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Literal["number", "moment", "word"]
    format: str | None = None
    zone: str | None = None
    pivot: int | None = None
    numerals: Numeric | None = None

    @property
    def writing(self) -> MomentWriting:
        """How its moments are written."""
        return MomentWriting(format=self.format, zone=self.zone, pivot=self.pivot)


class WatermarkKey(BaseModel):
    """A secret of 32 bytes, and the columns it marks. It is not shown by `repr`, and nothing logs it.

    Args:
        secret: 64 hexadecimal digits.
        columns: columns whose cells are scored.
        candidates: rows drawn for each that is released, 2 to 64: more make the watermark stronger and sampling slower.

    Raises:
        ConfigError: by `new`, for a table without a column to learn, or a number of candidates out of range.

    Example:
        >>> schema = Schema(columns={"x": {"kind": "numeric"}, "y": {"kind": "code"}})
        >>> key = WatermarkKey.new(schema)
        >>> [column.kind for column in key.columns], key.candidates, len(key.name)
        (['number', 'word'], 4, 16)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["synthkit-watermark-key/1"] = FORMAT
    secret: SecretStr
    columns: Annotated[tuple[MarkedColumn, ...], Field(min_length=1)]
    candidates: Annotated[int, Field(ge=2, le=64)] = DEFAULT_CANDIDATES

    @field_validator("secret")
    @classmethod
    def _whole(cls, secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value()
        if len(text) != 2 * SECRET_BYTES or set(text) - set("0123456789abcdef"):
            msg = "64 hexadecimal digits are needed"
            raise ValueError(msg)
        return secret

    @classmethod
    def new(cls, schema: Schema, *, candidates: int = DEFAULT_CANDIDATES) -> WatermarkKey:
        """Draw a key from the operating system, for tables of a schema.

        Raises:
            ConfigError: the number of candidates is not in 2 to 64, or the schema has no column to learn.
        """
        if not 2 <= candidates <= 64:
            msg = f"`candidates` must be 2 to 64; however: {candidates}. Take 4"
            raise ConfigError(msg)
        if not schema.learned:
            msg = "a watermark needs a column that is learned; however: the schema has identifiers only. Declare others"
            raise ConfigError(msg)
        kinds = {"numeric": "number", "datetime": "moment"}
        columns = [
            {
                "name": name,
                "kind": kinds.get(schema.columns[name].kind, "word"),
                **{key: getattr(schema.columns[name], key, None) for key in MomentWriting.model_fields},
                "numerals": _numerals(schema.columns[name]),
            }
            for name in schema.learned
        ]
        found = {"secret": secrets.token_hex(SECRET_BYTES), "columns": columns, "candidates": candidates}
        return cls.model_validate(found)

    @classmethod
    def load(cls, path: str | Path) -> WatermarkKey:
        """Read a key file.

        Raises:
            ArtefactError: there is no such file, or it is no key; what it holds is never shown.
        """
        path = Path(path)
        try:
            return cls.model_validate(read_json(path))
        except OSError as error:
            msg = f"a watermark's key must be a readable file; however: {path}: {error.strerror}. Check the path"
            raise ArtefactError(msg) from error
        except (ValidationError, ValueError):
            msg = (
                f"{path} must be a key of a watermark ({FORMAT}); however: it is none, or was changed. "
                "Make one with `synthkit watermark-key`"
            )
            raise ArtefactError(msg) from None  # the cause would show what the file holds

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

    def save(self, path: str | Path) -> None:
        """Write a new file that only its owner may read; a file that is there is never replaced.

        Raises:
            ArtefactError: the file is there already, or cannot be written.
        """
        told = self.model_dump(exclude_none=True) | {"secret": self.secret.get_secret_value()}
        write_secret(path, json.dumps(told, indent=1).encode() + b"\n")

    @property
    def name(self) -> str:
        """16 hexadecimal digits that tell keys apart and say nothing of the secret."""
        return f"{digest(self.raw, 'name'):016x}"

    @property
    def raw(self) -> bytes:
        """The 32 secret bytes."""
        return bytes.fromhex(self.secret.get_secret_value())


def _numerals(column: Column) -> Numeric | None:
    """How the numbers of a column are written, without its bounds; None if plainly, or if it has none."""
    if not isinstance(column, Numeric) or not column.written:
        return None
    keys = (*Numerals.model_fields, "decimals")
    return Numeric(**{key: getattr(column, key) for key in keys})
