"""Settings of a model from plain data: every name known, every value one that can be meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from synthkit.errors import ConfigError
from synthkit.runtime.validation_words import requirement

BEFORE = {"rate": "sampling_rate", "clip": "clip_norm", "copies": "augmentation_multiplicity"}  # names of 0.1.0


def resolve_settings(model: str, record: type[Any], settings: Mapping[str, Any], *, private: bool = False) -> Any:
    """The record of a model's settings, defaults where nothing is given.

    Args:
        model: its name, for messages.
        record: the frozen dataclass of its settings.
        settings: by name.
        private: whether the defaults are those of a training under a budget.

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
        defaults = getattr(record, "PRIVATE_DEFAULTS", {}) if private else {}
        return TypeAdapter(record).validate_python({**defaults, **settings})
    except ValidationError as error:
        said = [(".".join(map(str, e["loc"])), requirement(e)) for e in error.errors()]
        wrong = "; ".join(f"`{where}`: {what}" if where else what for where, what in said)
        msg = f"settings of `{model}` must have values that can be meant; however: {wrong}"
        raise ConfigError(msg) from error


def suited_settings(model: str, record: type[Any], settings: Mapping[str, Any], *, private: bool) -> Any:
    """The record of a model's settings, held against whether there is a budget.

    Args:
        model: its name, for messages.
        record: the frozen dataclass of its settings.
        settings: by name.
        private: whether there is a budget.

    Raises:
        ConfigError: there are settings of a privacy budget without one, or a value is out of its range.
    """
    if not private and is_private(record, settings):
        msg = (
            f"settings of `{model}` must be private ones where there is a budget; however: those of a private training "
        )
        raise ConfigError(msg + "came without a budget. Change one of them")
    return resolve_settings(model, record, settings, private=private)


def is_private(record: type[Any], names: Iterable[str]) -> bool:
    """Whether settings of these names are those of a training under a budget."""
    return bool(set(names) & set(getattr(record, "PRIVATE_ONLY", ())))


def renamed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as they are called today, from a file of an earlier version.

    Example:
        >>> renamed({"clip": 0.3, "steps": 500})
        {'clip_norm': 0.3, 'steps': 500}
    """
    return {BEFORE.get(name, name): value for name, value in settings.items()}
