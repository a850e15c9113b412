"""What a run is asked to do: a frozen record, read from YAML, overridden by flags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from synthkit.errors import ConfigError

Positive = Annotated[int, Field(ge=1)]


class RunConfig(BaseModel):
    """Everything a run can be asked; flag beats config beats default.

    Args:
        model: name of the model.
        settings: the model's own settings by name, such as `steps`.
        rows: rows a draw; as many as were fitted on if not given.
        draws: how many synthetic tables.
        calibrate: whether rows are chosen from a pool so that one- and two-way tables match the training rows'.
        seed: root of every random choice but roles and coins, below 2**63; drawn and recorded if not given.
        device: where to compute.
        max_minutes: a wish: minutes that fitting may take; as many steps are planned as fit, none beyond the usual.
        clamp: whether values outside the declared domain are mapped into it instead of refused.
        quick: whether to evaluate on samples of the tables.
        suite: JSON of a Great Expectations suite of your own, held against input and output too.
        delimiter: character between cells of a CSV file; found if not given.
        encoding: of a CSV file.
        missing: texts of a CSV file that mean missing, besides the empty cell.

    Example:
        >>> RunConfig(model="independent").draws
        1
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    model: str = "autoregressive"
    settings: dict[str, Any] = {}
    rows: Positive | None = None
    draws: Positive = 1
    calibrate: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    clamp: bool = False
    quick: bool = False
    suite: Path | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"
    missing: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: str | Path | None = None, **flags: Any) -> RunConfig:
        """The configuration in a YAML file, with flags that are not None over it.

        Args:
            path: a YAML file; the defaults if not given.
            flags: keys that beat those of the file; `settings` are merged key by key.

        Raises:
            ConfigError: the file cannot be read, or a key or value cannot be meant; lists all of them.
        """
        name = "the run configuration" if path is None else str(path)
        data = {} if path is None else dict(_mapping(Path(path)))
        said = {k: v for k, v in flags.items() if v is not None}
        if isinstance(data.get("settings"), Mapping) and isinstance(said.get("settings"), Mapping):
            said["settings"] = {**data["settings"], **said["settings"]}
        data |= said
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            lines = [
                f"  {'.'.join(map(str, e['loc'])) or '(top)'}: {_sentence(e['type'], e['msg'])}" for e in error.errors()
            ]
            msg = "\n".join([f"{name} must be a run configuration; however:", *lines])
            raise ConfigError(msg) from error


def _sentence(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"unknown key. Known: {', '.join(RunConfig.model_fields)}"
    return message


def _mapping(path: Path) -> Mapping[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        msg = f"the run configuration must be a readable file; however: {path}: {error.strerror}"
        raise ConfigError(msg) from error
    except (YAMLError, UnicodeDecodeError) as error:
        msg = f"{path} must be YAML in UTF-8; however: it cannot be parsed. Check quotes and indentation"
        raise ConfigError(msg) from error
    if data is not None and not isinstance(data, Mapping):
        msg = f"{path} must be a mapping of settings; however: it is a {type(data).__name__}"
        raise ConfigError(msg)
    return data or {}
