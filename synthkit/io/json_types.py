"""The types of plain data: what JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

JSON: TypeAlias = Mapping[str, "JSON"] | Sequence["JSON"] | str | float | int | bool | None
JSONObject: TypeAlias = Mapping[str, Any]  # an object as it was read: what it holds is not checked yet
JSONDict: TypeAlias = dict[str, Any]  # the same while it is being made, to be written
