"""Arguments of the command line parsed: settings of models, values given to columns, and the schema."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from synthkit.errors import ConfigError, DocumentError
from synthkit.io.documents import parse_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema

PASSPHRASE_VARIABLE = "SYNTHKIT_PASSPHRASE"  # of the environment


def settings(pairs: Sequence[str] | None, steps: int | None) -> dict[str, object] | None:
    """Settings of a model from words KEY=VALUE, values read as YAML; None if there are none.

    Raises:
        ConfigError: a word has no `=`, or its value is no YAML.

    Example:
        >>> settings(["width=64", "dropout=0.1"], 500)
        {'width': 64, 'dropout': 0.1, 'steps': 500}
    """
    found: dict[str, object] = {}
    for pair in pairs or ():
        key, sign, value = pair.partition("=")
        if not sign or not key:
            msg = f"`--set` must be followed by KEY=VALUE; however: `{pair}`. For example: --set width=64"
            raise ConfigError(msg)
        try:
            found[key] = parse_yaml(value)[1]
        except DocumentError as error:
            msg = (
                f"the value of `--set {key}=` must be a number, a word or YAML; however: it cannot be parsed. Quote it"
            )
            raise ConfigError(msg) from error
    if steps is not None:
        found["steps"] = steps
    return found or None


def settings_by_model(pairs: Sequence[str] | None) -> dict[str, dict[str, object]]:
    """Settings of several models from words MODEL.KEY=VALUE.

    Raises:
        ConfigError: a word has no `=` or no model, or its value is no YAML.

    Example:
        >>> settings_by_model(["ctgan.steps=500", "independent.x=1", "ctgan.width=64"])
        {'ctgan': {'steps': 500, 'width': 64}, 'independent': {'x': 1}}
    """
    out: dict[str, dict[str, object]] = {}
    for pair in pairs or ():
        model, dot, rest = pair.partition(".")
        if not dot or not model or "=" in model:
            msg = f"`--set` must be followed by MODEL.KEY=VALUE; however: `{pair}`. For example: --set ctgan.steps=500"
            raise ConfigError(msg)
        out.setdefault(model, {}).update(settings([rest], None) or {})
    return out


def means_by_table(pairs: Sequence[str] | None) -> dict[str, float]:
    """Mean numbers of rows by table from words TABLE=MEAN.

    Raises:
        ConfigError: a word has no `=`, its mean is no number, or a table is named twice.

    Example:
        >>> means_by_table(["labs=12.5", "visits=3"])
        {'labs': 12.5, 'visits': 3.0}
    """
    out: dict[str, float] = {}
    for pair in pairs or ():
        name, _, mean = pair.rpartition("=")
        try:
            number = float(mean)
        except ValueError:
            number = math.nan
        if not name or not math.isfinite(number):
            msg = f"`--rows-per-unit` must be followed by TABLE=MEAN; however: `{pair}`. For example: labs=25"
            raise ConfigError(msg)
        if name in out:
            msg = f"the rows of a table must be stated once; however: `{name}` is named twice. Keep one mean"
            raise ConfigError(msg)
        out[name] = number
    return out


def given(pairs: Sequence[str], schema: Schema) -> dict[str, str | None]:
    """Values that all rows must have, by column, from words COLUMN=VALUE; an empty value means missing.

    Raises:
        ConfigError: a word has no `=`, or a column is given twice.
        SchemaError: a column is not one the schema lets a model learn.

    Example:
        >>> from synthkit.schema import Schema
        >>> given(["sex=f", "age="], Schema(columns={"sex": {"kind": "code"}, "age": {"kind": "numeric"}}))
        {'sex': 'f', 'age': None}
    """
    out: dict[str, str | None] = {}
    for pair in pairs:
        fits = [name for name in schema.columns if pair.startswith(f"{name}=")]
        name = max(fits, key=len) if fits else pair.partition("=")[0]  # a name may hold a `=` itself
        if len(pair) <= len(name):
            msg = (
                f"`--given` must be followed by COLUMN=VALUE; however: `{name}` has no `=`. For example: --given sex=f"
            )
            raise ConfigError(msg)
        if name in out:
            msg = f"a column must be given once; however: `{name}` is given twice. Keep one value"
            raise ConfigError(msg)
        out[name] = pair[len(name) + 1 :] or None
    return out


def read_schema(path: Path, unit: str | None = None, *, private: bool = False) -> Schema:
    """The schema in a file, read and checked before a command loads anything that takes time.

    Args:
        path: of the YAML file.
        unit: column that names the person, in place of the schema's own.
        private: whether it is for use under a privacy budget.

    Raises:
        SchemaError: the file is no schema, or none that can be used so.
    """
    from synthkit.schema.resolve import resolve_schema

    return resolve_schema(path, unit, private=private)


def read_either_schema(path: Path, unit: str | None = None, *, private: bool = False) -> Schema | LinkedSchema:
    """The schema in a file, of one table or of linked ones; what it is decides what a command does with TABLE.

    Args:
        path: of the YAML file.
        unit: as for `read_schema`; linked tables name theirs in the schema.
        private: whether it is for use under a privacy budget.

    Raises:
        SchemaError: the file is no schema, or none that can be used so.
    """
    from synthkit.schema.linked.either_schema import load_either
    from synthkit.schema.resolve import resolve_schema
    from synthkit.schema.table import Schema

    found = load_either(path)
    return resolve_schema(found, unit, private=private) if isinstance(found, Schema) else found


def passphrase() -> str | None:
    """The passphrase of the custodian's key, from the environment; None if none is set."""
    return os.environ.get(PASSPHRASE_VARIABLE)
