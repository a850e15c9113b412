"""What a fit without a budget found of the forms of numbers, beside what the schema declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from synthkit.encoding.constraints import Recoding
from synthkit.encoding.own_values import OwnValues
from synthkit.encoding.plain_numbers import steps_of, with_steps
from synthkit.schema import Schema


@dataclass(frozen=True, kw_only=True)
class FoundForms:
    """Lattices of columns of which the schema says nothing, and values that columns of gaps keep.

    Args:
        steps: keys of a lattice, by column.
        own: values that are coded as they are, by column.
    """

    steps: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    own: Mapping[str, OwnValues] = field(default_factory=dict)

    @classmethod
    def of(cls, recoding: Recoding) -> Self:
        """What a recoding holds, declared or found."""
        steps = {name: steps_of(column) for name, column in recoding.schema.columns.items()}
        return cls(steps={name: keys for name, keys in steps.items() if keys}, own=recoding.own)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; keys of what there is none of are left out."""
        own = {name: each.to_dict() for name, each in self.own.items()}
        said = {"steps": {name: dict(keys) for name, keys in self.steps.items()}, "own": own}
        return {key: value for key, value in said.items() if value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave, among other keys."""
        own = {name: OwnValues.from_dict(each) for name, each in data.get("own", {}).items()}
        return cls(steps=data.get("steps", {}), own=own)


def recoding_of(schema: Schema, found: FoundForms | None = None) -> Recoding:
    """The passage to coded columns that a schema asks for, with what was found beside it.

    Example:
        >>> schema = Schema(columns={"dose": {"kind": "numeric"}})
        >>> recoding_of(schema, FoundForms(steps={"dose": {"step": 12.5}})).schema.columns["dose"].step
        12.5
    """
    found = found or FoundForms()
    return Recoding.of(with_steps(schema, found.steps), found.own)
