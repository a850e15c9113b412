"""Typed dicts of the JSON of linked validations, as a report reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from synthkit.io.json_types import JSON
from synthkit.report.inputs import ValidationJson, ViolationJson


class LinkCountJson(TypedDict):
    """How the rows of a table are linked to those of another."""

    table: str
    columns: Sequence[str]
    to: str
    kind: str
    rows: int
    missing: int
    dangling: int
    without: int
    most: int


class LinkedValidationJson(TypedDict):
    """The validation of linked tables, `synthkit-linked-validation/1`."""

    success: bool
    amiss: Sequence[ViolationJson]
    tables: Mapping[str, ValidationJson]
    links: Sequence[LinkCountJson]
    orphans: Mapping[str, JSON]
    copied: NotRequired[Mapping[str, int]]
