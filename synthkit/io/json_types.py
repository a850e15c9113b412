"""The type of plain data: what JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

JSON = Mapping[str, "JSON"] | Sequence["JSON"] | str | float | int | bool | None
