"""What the keys of watermarks have in common: a secret of 32 bytes, how many candidates, and a file for the owner."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from synthkit.errors import ArtefactError, ConfigError
from synthkit.io.atomic_files import write_secret
from synthkit.io.documents import read_json
from synthkit.watermark.keyed_hash import digest

SECRET_BYTES = 32
DEFAULT_CANDIDATES = 4  # drawn for each that is released
MOST_CANDIDATES = 64


class SecretKey(BaseModel):
    """A secret of 32 bytes. It is not shown by `repr`, and nothing logs it.

    Args:
        format: of the file, with its number.
        secret: 64 hexadecimal digits.
        candidates: how many are drawn for each that is released, 2 to 64: more make the watermark stronger and sampling
            slower.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str
    secret: SecretStr
    candidates: Annotated[int, Field(ge=2, le=MOST_CANDIDATES)] = DEFAULT_CANDIDATES

    @field_validator("secret")
    @classmethod
    def _whole(cls, secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value()
        if len(text) != 2 * SECRET_BYTES or set(text) - set("0123456789abcdef"):
            msg = "64 hexadecimal digits are needed"
            raise ValueError(msg)
        return secret

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a key file.

        Raises:
            ArtefactError: there is no such file, or it is no key of this kind; what it holds is never shown.
        """
        path = Path(path)
        try:
            return cls.model_validate(read_json(path))
        except OSError as error:
            msg = f"a watermark's key must be a readable file; however: {path}: {error.strerror}. Check the path"
            raise ArtefactError(msg) from error
        except (ValidationError, ValueError):
            msg = (
                f"{path} must be a key of a watermark ({cls.model_fields['format'].default}); however: it is none, or "
                "was changed. Make one with `synthkit watermark-key`"
            )
            raise ArtefactError(msg) from None  # the cause would show what the file holds

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


def new_secret(candidates: int) -> dict[str, object]:
    """A secret drawn from the operating system, and the number of candidates beside it.

    Raises:
        ConfigError: the number of candidates is not in 2 to 64.
    """
    if not 2 <= candidates <= MOST_CANDIDATES:
        msg = f"`candidates` must be 2 to {MOST_CANDIDATES}; however: {candidates}. Take {DEFAULT_CANDIDATES}"
        raise ConfigError(msg)
    return {"secret": secrets.token_hex(SECRET_BYTES), "candidates": candidates}
