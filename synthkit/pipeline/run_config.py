"""What a run is asked to do: a frozen record, read from YAML, overridden by flags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from synthkit.errors import ConfigError, DocumentError
from synthkit.io.documents import read_yaml
from synthkit.runtime.validation_words import requirement

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from synthkit.privacy.accounting.budget import Budget

Positive = Annotated[int, Field(ge=1)]


class RunConfig(BaseModel):
    """Everything a run can be asked; flag beats config beats default.

    Args:
        model: name of the model; under a budget `marginal` if not given.
        settings: the model's own settings by name, such as `steps`.
        rows: rows a draw; as many as were fitted on if not given.
        draws: how many synthetic tables.
        calibrate: whether rows are chosen from a pool so that one- and two-way tables match the training rows'.
        watermark: key by which rows are chosen among several, see `synthkit.watermark`; none if not given.
        seed: root of every random choice but roles and coins, below 2**63; drawn and recorded if not given.
        device: where to compute.
        max_minutes: a wish: minutes that fitting may take; as many steps are planned as fit, none beyond the usual.
        clamp: whether values outside the declared domain are mapped into it instead of refused.
        quick: whether to evaluate on samples of the tables.
        fits: fits whose people are attacked, the first that of the release; if not given as many as it takes to attack
            500 people, at most 5; one under a budget and where it has to be quick.
        final: whether all people are fitted once more, after a fit to part of them is held back to be measured: the
            release is then audited by its sibling.
        release_model: whether the fitted model is to be released too: attackers then have its likelihood.
        suite: JSON of a Great Expectations suite of your own, held against input and output too.
        population: table of counts by quasi-identifiers, see `evaluate.risk.population`.
        delimiter: character between cells of a CSV file; found if not given.
        encoding: of a CSV file.
        missing: texts of a CSV file that mean missing, besides the empty cell.
        epsilon: most that may ever be learned of one unit of the table, see `privacy.Budget`; no budget if not given.
        delta: its probability of failure; follows from `public_n` if not given.
        public_n: number of units as somebody declares it, never counted in the table.
        unit: column that names the person, over the schema's.
        max_rows_per_unit: public bound on the rows of one person that are used.
        ledger: file of what was spent on this table, before and now; made if it is not there.

    Raises:
        ConfigError: by `of`, for a key or value that cannot be meant.

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
    watermark: Path | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    clamp: bool = False
    quick: bool = False
    fits: Annotated[int, Field(ge=1, le=5)] | None = None
    final: bool = False
    release_model: bool = False
    suite: Path | None = None
    population: Path | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"
    missing: tuple[str, ...] = ()
    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    delta: Annotated[float, Field(gt=0, lt=1)] | None = None
    public_n: Annotated[int, Field(ge=2)] | None = None
    unit: str | None = None
    max_rows_per_unit: Positive | None = None
    ledger: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _for_a_budget(cls, data: Any) -> Any:
        """Under a budget another model is the default."""
        if isinstance(data, Mapping) and data.get("epsilon") is not None and data.get("model") is None:
            return {**data, "model": "marginal"}
        return data

    @model_validator(mode="after")
    def _of_one_mind(self) -> RunConfig:
        if self.calibrate and self.watermark is not None:
            msg = "rows are chosen by `calibrate` or by a `watermark`; however: both are asked for. Leave out one"
            raise ValueError(msg)
        if self.epsilon is not None and (self.fits or 1) > 1:
            msg = f"under a budget each fit is paid for, so there is one; however: `fits` is {self.fits}. Leave it out"
            raise ValueError(msg)
        beside = [k for k in ("delta", "public_n", "max_rows_per_unit", "ledger") if getattr(self, k) is not None]
        if self.epsilon is None and beside:
            msg = f"`{beside[0]}` belongs to a privacy budget; however: there is no `epsilon`. Give one, such as 1"
            raise ValueError(msg)
        if self.epsilon is not None and self.delta is None and self.public_n is None:
            msg = (
                "a budget needs a `delta`, which must not be found by counting the table; however: none is given. "
                "Give one, such as 1e-6, or a `public_n`, a number of units you declare, from which it follows"
            )
            raise ValueError(msg)
        return self

    @property
    def budget(self) -> Budget | None:
        """The cap on everything that may be learned, None for none.

        Raises:
            ConfigError: delta is not below 1 / `public_n`, or there is a bound on rows without a unit.
        """
        from synthkit.privacy.accounting.budget import Budget

        if self.epsilon is None:
            return None
        terms: dict[str, Any] = {"unit": self.unit, "max_rows_per_unit": self.max_rows_per_unit}
        if self.delta is None and self.public_n is not None:
            return Budget.of_public_n(epsilon=self.epsilon, public_n=self.public_n, **terms)
        return Budget(epsilon=self.epsilon, delta=self.delta or 0.0, public_n=self.public_n, **terms)

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
            lines = [f"  {'.'.join(map(str, e['loc'])) or '(top)'}: {_sentence(e)}" for e in error.errors()]
            msg = "\n".join([f"{name} must be a run configuration; however:", *lines])
            raise ConfigError(msg) from error


def _sentence(detail: ErrorDetails) -> str:
    if detail["type"] == "extra_forbidden":
        return f"unknown key. Known: {', '.join(RunConfig.model_fields)}"
    return requirement(detail)


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        data = read_yaml(path)
    except OSError as error:
        msg = f"the run configuration must be a readable file; however: {path}: {error.strerror}"
        raise ConfigError(msg) from error
    except DocumentError as error:
        raise ConfigError(str(error)) from error
    if data is not None and not isinstance(data, Mapping):
        msg = f"{path} must be a mapping of settings; however: it is a {type(data).__name__}"
        raise ConfigError(msg)
    return data or {}
