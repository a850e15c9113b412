"""Settings of a model from plain data: every name known, every value one that can be meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from synthkit.errors import ConfigError
from synthkit.runtime.validation_words import must


def resolve_settings(model: str, record: type[Any], settings: Mapping[str, Any]) -> Any:
    """The record of a model's settings, defaults where nothing is given.

    Args:
        model: its name, for messages.
        record: the frozen dataclass of its settings.
        settings: by name.

    Raises:
        ConfigError: there is no such setting, or a value is out of its range.
    """
    known = {field.name for field in fields(record)}
    strange = sorted(set(settings) - known)
    if strange:
        msg = (
            f"settings of `{model}` must be among: {', '.join(sorted(known)) or 'none'}; however: {', '.join(strange)}"
        )
        raise ConfigError(msg)
    try:
        return TypeAdapter(record).validate_python(dict(settings))
    except ValidationError as error:
        said = [(".".join(map(str, e["loc"])), must(e)) for e in error.errors()]
        wrong = "; ".join(f"`{where}`: {what}" if where else what for where, what in said)
        msg = f"settings of `{model}` must have values that can be meant; however: {wrong}"
        raise ConfigError(msg) from error
