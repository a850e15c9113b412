"""Options of a run: frozen records by what they are about, and the configuration that has all of them.

An option is declared once, as a field: its name, type, range and default there, its words under Args. The flags of the
command line and their help are made from the fields (`synthkit.cli.config_flags`), and so are the keys of a YAML file.
"""

# The records are joined by inheritance and not nested: a run configuration stays flat, as people write it in Python, in
# YAML and as flags, and yet a command takes the records it needs. Nested, each option would have a path besides its
# name, and a flag would have to know both.

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from synthkit.errors import ConfigError, DocumentError
from synthkit.io.documents import MAX_YAML_BYTES, content, parse_yaml
from synthkit.runtime.validation_words import requirement

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from synthkit.privacy.accounting.budget import Budget

PositiveCount = Annotated[int, Field(ge=1)]


class OptionGroup(BaseModel):
    """Options that belong together; an unknown key is refused, and nothing changes after construction."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class ModelOptions(OptionGroup):
    """Which model is fitted, and how.

    Args:
        model: name of the model: autoregressive, ctgan, diffusion, independent, marginal (the default under a budget),
            tvae, or auto, which chooses one for the table; of linked tables timeline (the default there), independent
            or marginal.
        settings: the model's own settings by name, such as `steps`.
        max_minutes: time budget of the fit in minutes: as many steps are planned as fit, none beyond the usual.
        device: where to compute: auto, cpu, cuda or mps.
        seed: root of every random choice but roles and coins, below 2**63: same seed, same numbers; drawn and recorded
            if not given.
    """

    model: str = "autoregressive"
    settings: dict[str, Any] = {}
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None


class SamplingOptions(OptionGroup):
    """How many rows are drawn from the fitted model, and how they are chosen.

    Args:
        rows: synthetic rows a draw; as many as were fitted on if not given.
        draws: how many synthetic tables.
        rake: choose the rows from a pool for their one- and two-way tables, see `rake_to`.
        rake_to: tables to match when rows are raked: what the rows fitted tell of the population, chance taken out, or
            those of the sample itself, which are nearer to it and tell an attacker more.
        watermark: key by which each row is chosen among several, made by `synthkit watermark-key`; none if not given.
    """

    rows: PositiveCount | None = None
    draws: PositiveCount = 1
    rake: bool = False
    rake_to: Literal["population", "sample"] = "population"
    watermark: Path | None = None

    @property
    def raked(self) -> Literal[False, "population", "sample"]:
        """What `Synthesizer.sample` is told of raking."""
        return self.rake and self.rake_to

    @model_validator(mode="after")
    def _chosen_once(self) -> SamplingOptions:
        if self.rake and self.watermark is not None:
            msg = "rows are chosen by `rake` or by a `watermark`; however: both are asked for. Leave out one"
            raise ValueError(msg)
        return self


class LinkedOptions(OptionGroup):
    """What is asked of linked tables beyond what is asked of one.

    Args:
        units: people that are drawn, each with all that belongs to them; as many as were fitted on if not given.
        orphans: rows of linked tables that belong to nobody: refuse them, or drop them and say how many; under a budget
            they are dropped in any case, and nothing is said.
    """

    units: PositiveCount | None = None
    orphans: Literal["refuse", "drop"] = "refuse"


class EvaluationOptions(OptionGroup):
    """What is measured, and of which fits.

    Args:
        quick: evaluate on samples of the tables, with two learners.
        fits: fits whose people are attacked, 1 to 5, with coins of their own, the first that of the release; if not
            given as many as it takes to attack 500; one under a budget and where it has to be quick.
        final: fit all people once more; measured is a sibling, fitted to part of them, and the release says so.
        release_model: the fitted model is to be released too: attacks then use its likelihood.
        population: table of how many `people` of the population share each combination of the quasi-identifiers.
        baselines: your own scikit-learn estimators by name, trained on synthetic rows and tested on real ones: import
            paths, or mappings with one under `estimator` and settings beside it. Their code is run.
    """

    quick: bool = False
    fits: Annotated[int, Field(ge=1, le=5)] | None = None
    final: bool = False
    release_model: bool = False
    population: Path | None = None
    baselines: dict[str, str | dict[str, Any]] = {}


class ValidationOptions(OptionGroup):
    """What a table is held against besides its schema, and what becomes of cells outside it.

    Args:
        clamp: map cells outside the declared domain into it instead of refusing the table.
        suite: JSON of a Great Expectations suite of your own, checked as well.
    """

    clamp: bool = False
    suite: Path | None = None


class CSVOptions(OptionGroup):
    """How a CSV file is read.

    Args:
        delimiter: character between cells; found if not given.
        encoding: such as utf-8 or cp1252.
        missing: a text that means missing, besides the empty cell; may be repeated.
    """

    delimiter: str | None = None
    encoding: str = "utf-8"
    missing: tuple[str, ...] = ()


class ResourceOptions(OptionGroup):
    """What the work may take of the machine.

    Args:
        memory: memory that all parts of the work may hold together, such as 8GB, 2GB or more; six tenths of what there
            is if not given. A larger table in Parquet is counted, encoded on disk and learned from there.
        work_folder: folder in which files of a large table are kept while it is worked on, INTERNAL, and removed at the
            end; that of the output, or where the system keeps temporary files if there is none.
    """

    memory: str | None = None
    work_folder: Path | None = None

    @field_validator("memory")
    @classmethod
    def _enough(cls, memory: str | None) -> str | None:
        from synthkit.engine.memory_plan import MemoryPlan

        try:
            MemoryPlan.of(memory)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return memory


class PrivacyOptions(OptionGroup):
    """What may be learned of one person at most, and where it is written down.

    Args:
        epsilon: a privacy budget: everything that leaves but INTERNAL files stays inside it; none if not given.
        delta: its probability of failure, such as 1e-6; follows from the declared number of persons if not given.
        public_n: number of persons as you declare it, 2 or more; counting them would cost privacy.
        unit: column that names the person who is protected, over the schema's `unit`.
        max_rows_per_unit: rows of one person that are used at most, under a budget; of linked tables the schema says.
        ledger: what was spent on this table, before and now; DIR.ledger.json if not given.
    """

    epsilon: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    delta: Annotated[float, Field(gt=0, lt=1)] | None = None
    public_n: Annotated[int, Field(ge=2)] | None = None
    unit: str | None = None
    max_rows_per_unit: PositiveCount | None = None
    ledger: Path | None = None

    @model_validator(mode="after")
    def _whole_budget(self) -> PrivacyOptions:
        parts = [k for k in ("delta", "public_n", "max_rows_per_unit", "ledger") if getattr(self, k) is not None]
        if self.epsilon is None and parts:
            msg = f"`{parts[0]}` belongs to a privacy budget; however: there is no `epsilon`. Give one, such as 1"
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


class RunConfig(
    # a subclass has the fields of its last base first
    PrivacyOptions,
    ResourceOptions,
    CSVOptions,
    ValidationOptions,
    EvaluationOptions,
    LinkedOptions,
    SamplingOptions,
    ModelOptions,
):
    """Everything a run can be asked: the options of all groups; flag beats file beats default.

    Raises:
        ConfigError: by `of`, for a key or value that cannot be meant.

    Example:
        >>> RunConfig(model="independent").draws
        1
    """

    @model_validator(mode="before")
    @classmethod
    def _model_of_a_budget(cls, data: Any) -> Any:
        """Under a budget another model is the default."""
        if isinstance(data, Mapping) and data.get("epsilon") is not None and data.get("model") is None:
            return {**data, "model": "marginal"}
        return data

    @model_validator(mode="after")
    def _one_private_fit(self) -> RunConfig:
        if self.epsilon is not None and (self.fits or 1) > 1:
            msg = f"under a budget each fit is paid for, so there is one; however: `fits` is {self.fits}. Leave it out"
            raise ValueError(msg)
        return self

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
        file, lines = ({}, {}) if path is None else _mapping(Path(path))
        given = {key: value for key, value in flags.items() if value is not None}
        if isinstance(file.get("settings"), Mapping) and isinstance(given.get("settings"), Mapping):
            given["settings"] = {**file["settings"], **given["settings"]}
        try:
            return cls.model_validate({**file, **given})
        except ValidationError as error:
            faults = [
                f"  {'.'.join(map(str, e['loc'])) or '(top)'}{_line(e, lines, given)}: {_sentence(e)}"
                for e in error.errors()
            ]
            msg = "\n".join([f"{name} must be a run configuration; however:", *faults])
            raise ConfigError(msg) from error


def _line(detail: ErrorDetails, lines: Mapping[str, int], flags: Mapping[str, object]) -> str:
    """Where in the file a key stands; nothing if a flag said it."""
    key = str(detail["loc"][0]) if detail["loc"] else ""
    return f" (line {lines[key]})" if key in lines and key not in flags else ""


def _sentence(detail: ErrorDetails) -> str:
    if detail["type"] != "extra_forbidden":
        return requirement(detail)
    known = list(RunConfig.model_fields)
    near = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
    return f"unknown key. Known: {', '.join(known)}" + (f". Did you mean `{near[0]}`?" if near else "")


def _mapping(path: Path) -> tuple[Mapping[str, Any], Mapping[str, int]]:
    """The keys of a file with their values, and with their lines."""
    try:
        tree, data = parse_yaml(content(path, MAX_YAML_BYTES), str(path))
    except OSError as error:
        msg = f"the run configuration must be a readable file; however: {path}: {error.strerror}"
        raise ConfigError(msg) from error
    except DocumentError as error:
        raise ConfigError(str(error)) from error
    if data is None or tree is None:
        return {}, {}
    if not isinstance(data, Mapping):
        msg = f"{path} must be a mapping of settings; however: it is a {type(data).__name__}"
        raise ConfigError(msg)
    return data, {str(key.value): key.start_mark.line + 1 for key, _ in tree.value}
