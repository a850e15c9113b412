"""Where a path of a file leads in the models that read the file: the record there, or the kinds one may choose from."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class RecordChoice:
    """What may stand at a place of a file: a record of one kind, or of one of several that a key tells apart.

    Args:
        models: the records, by the value of the key where there is one.
        key: the key that tells them apart, such as `kind`; empty if there is but one.
    """

    models: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    key: str = ""

    def of(self, data: object) -> type[BaseModel] | None:
        """The record that the data of the place mean; None if they do not say, or no record stands there."""
        if not self.key:
            return next(iter(self.models.values()), None)
        return self.models.get(str(data[self.key])) if isinstance(data, Mapping) and self.key in data else None


def choice_at(whole: type[BaseModel], path: Path, data: Any) -> RecordChoice:
    """What may stand at a path of a file.

    Args:
        whole: the model of the whole file.
        path: keys and numbers of items.
        data: what was read, which says of what kind the records on the way are.

    Example:
        >>> from synthkit.schema import Schema
        >>> sorted(choice_at(Schema, ("rules", 0), {"rules": [{}]}).models)
        ['comparison', 'exactly_one', 'fixed_combination', 'implication']
    """
    found: Any = whole
    for part in path:
        found = _inside(found, part, data)
        data = _below(data, part)
    return _choice(found)


def allowed_keys(model: type[BaseModel] | None) -> set[str]:
    """Keys that a file may give a record."""
    return set() if model is None else {each.alias or key for key, each in model.model_fields.items()}


def _below(data: Any, part: str | int) -> Any:
    if isinstance(data, Mapping):
        return data.get(part)
    known = isinstance(data, Sequence) and not isinstance(data, str) and isinstance(part, int) and part < len(data)
    return data[part] if known else None


def _inside(annotation: Any, part: str | int, data: Any) -> Any:
    """The annotation of what stands under a key or at a number."""
    model = _choice(annotation).of(data)
    if model is not None:
        return next((each for key, each in model.model_fields.items() if (each.alias or key) == part), None)
    plain, _ = _stripped(annotation)
    arguments = get_args(plain)
    if get_origin(plain) is dict:
        return arguments[1]
    return arguments[0] if get_origin(plain) in (tuple, list) else None


def _choice(annotation: Any) -> RecordChoice:
    plain, key = _stripped(annotation)
    if isinstance(plain, type) and issubclass(plain, BaseModel):
        return RecordChoice({plain.__name__: plain})
    if key and _is_union(plain):
        return RecordChoice({model.model_fields[key].default: model for model in get_args(plain)}, key)
    return RecordChoice()


def _stripped(annotation: Any) -> tuple[Any, str]:
    """The annotation without `Annotated` and None, and the key that tells the members of a union apart."""
    key = ""
    while True:
        if isinstance(annotation, FieldInfo):
            key = annotation.discriminator if isinstance(annotation.discriminator, str) else key
            annotation = annotation.annotation
        elif get_origin(annotation) is Annotated:
            said = (m.discriminator for m in get_args(annotation) if isinstance(m, FieldInfo))
            key = next((name for name in said if isinstance(name, str)), key)
            annotation = get_args(annotation)[0]
        elif _is_union(annotation) and type(None) in get_args(annotation):
            annotation = reduce(or_, (a for a in get_args(annotation) if a is not type(None)))
        else:
            return annotation, key


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)
