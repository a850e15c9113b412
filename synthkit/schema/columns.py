"""What a column means: a closed union of kinds, each able to say which values it admits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from synthkit.runtime.lazy_imports import Later
from synthkit.schema import faker_providers
from synthkit.schema.datetimes import PRECISION_STEPS, MomentWriting, declared_moment, read_datetimes
from synthkit.schema.mixed_levels import OneType
from synthkit.schema.number_cells import MAX_WHOLE_FLOAT, numbers, rounded
from synthkit.schema.number_formats import Numerals
from synthkit.schema.number_steps import NumberSteps
from synthkit.schema.patterns import full_matcher, is_fresh, pattern_alphabets

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
else:  # a schema is read without them
    np, pd = Later("numpy"), Later("pandas")

DECLARER_PATTERN = r"^[^:]*\w[^:]*:.*\w.*$"  # "NAME: reason"
Declarer = Annotated[str, Field(pattern=DECLARER_PATTERN)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Level = StrictBool | StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)] | StrictStr
DERIVED_KEY = "derived"  # stands among `observed` of a column whose expression was found in the data


class _Column(BaseModel):
    """What all kinds share.

    Args:
        description: one line for people.
        declared_by: who declares that the lines of this column are public knowledge, and why: "NAME: reason"; whoever
            declares the schema, if not given.
        nullable: whether cells may be missing.
        observed: names of the keys of this column that were read off the data rather than declared, and `derived` if
            its expression was; under a privacy budget those are not public facts.
        paid: names of the keys that were bought from the data with noise, under a privacy budget: public since.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str | None = None
    declared_by: Declarer | None = None
    nullable: bool = False
    observed: tuple[str, ...] = ()
    paid: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_keys(self) -> _Column:
        for where, names in (("observed", self.observed), ("paid", self.paid)):
            keys = {*type(self).model_fields, *([DERIVED_KEY] if where == "observed" else [])}
            unknown = sorted(set(names) - keys)
            if unknown:
                msg = f"`{where}` must name keys of this column; however: {', '.join(unknown)}"
                raise ValueError(msg)
        return self

    def admits(self, values: pd.Series) -> NDArray[np.bool_]:
        """True where a value present in `values` is allowed; missing cells count as allowed here.

        **Shape**: `values` (n,) -> (n,) bool. Whether a cell may be missing is `nullable`'s business.
        """
        raise NotImplementedError


class Numeric(_Column, Numerals, NumberSteps):
    """A quantity: counts, ages, costs, laboratory values; `Numerals` tell how it is written, `NumberSteps` its lattice.

    Args:
        min: smallest meaningful value.
        max: largest meaningful value.
        decimals: digits behind the point, 0 for whole numbers; unrestricted if not given.
        unit: unit of measurement, as a person writes it ("mmHg").
        atoms: values with a meaning of their own, such as 0 or 99999, kept as exact spikes.
    """

    kind: Literal["numeric"] = "numeric"
    min: Finite | None = None
    max: Finite | None = None
    decimals: Annotated[int, Field(ge=0, le=15)] | None = None
    unit: str | None = None
    atoms: tuple[Finite, ...] = ()

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Numeric:
        if self.min is not None and self.max is not None and self.min > self.max:
            msg = f"`min` must not exceed `max`; however: min {self.min} > max {self.max}"
            raise ValueError(msg)
        if self.min is not None and self.max is not None and not self._some_between(self.min, self.max):
            msg = (
                f"between `min` and `max` there must be a number of {self.decimals} `decimals`; however: there is none "
                f"from {self.min} to {self.max}. Widen the bounds, or allow more decimals"
            )
            raise ValueError(msg)
        low, high = (-math.inf if self.min is None else self.min), (math.inf if self.max is None else self.max)
        outside = [f"{atom:g}" for atom in self.atoms if not low <= atom <= high]
        if outside:
            msg = f"`atoms` must lie between `min` and `max`; however: {', '.join(outside)} outside. Widen the bounds"
            raise ValueError(msg)
        return self

    def _some_between(self, low: float, high: float) -> bool:
        """Whether a number of so many decimals lies between two bounds."""
        grid = 10.0 ** (self.decimals or 0)
        if self.decimals is None or max(abs(low), abs(high)) * grid >= MAX_WHOLE_FLOAT:
            return True
        return math.ceil(low * grid - 1e-9) <= math.floor(high * grid + 1e-9)

    def admits(self, values: pd.Series) -> NDArray[np.bool_]:
        """True for finite numbers within the bounds of `decimals` and `step`; and where missing."""
        x = numbers(values)
        ok = np.isfinite(x)
        if self.min is not None:
            ok &= x >= self.min
        if self.max is not None:
            ok &= x <= self.max
        if self.decimals is not None:
            ok &= rounded(x, self.decimals, slack=10.0 ** -(self.decimals + 4))
        if (lattice := self.lattice) is not None:
            ok &= lattice.holds(x)
        return np.asarray(ok | values.isna().to_numpy())


class _Levels(_Column):
    """A column with a closed list of levels."""

    levels: Annotated[tuple[Level, ...], Field(min_length=1), OneType]

    @model_validator(mode="after")
    def _levels_once(self) -> _Levels:
        keys = [level_key(level) for level in self.levels]
        if len(set(keys)) < len(keys):
            twice = sorted({str(k) for k in keys if keys.count(k) > 1})
            msg = f"each level must be listed once; however: {', '.join(twice)} (listed twice)"
            raise ValueError(msg)
        return self

    def admits(self, values: pd.Series) -> NDArray[np.bool_]:
        """True for cells with one of the levels, for all while no level is known (under a budget); where missing."""
        if not self.levels:
            return np.ones(len(values), dtype=bool)
        return level_among(values, self.levels) | values.isna().to_numpy()


class Categorical(_Levels):
    """A name from a short list without an order: sex, ward, diagnosis group."""

    kind: Literal["categorical"] = "categorical"


class Ordinal(_Levels):
    """A level from an ordered list, lowest first: income band, tumour stage."""

    kind: Literal["ordinal"] = "ordinal"


class Boolean(_Levels):
    """Yes or no; `levels` gives the two values as the table writes them, false first."""

    kind: Literal["boolean"] = "boolean"
    levels: Annotated[tuple[Level, ...], Field(min_length=2, max_length=2), OneType] = (False, True)


class Datetime(_Column, MomentWriting):
    """A point in time, in years 1 to 9999; how it is written as text is told by `MomentWriting`.

    Args:
        min: earliest meaningful moment, ISO 8601.
        max: latest meaningful moment, ISO 8601.
        precision: coarsest step that still tells values apart.
        atoms: moments with a meaning of their own, such as 9999-12-31 for "still open", kept as exact spikes; they may
            lie outside the bounds.
    """

    kind: Literal["datetime"] = "datetime"
    min: str | None = None
    max: str | None = None
    precision: Literal["day", "hour", "minute", "second", "millisecond", "microsecond"] = "second"
    atoms: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Datetime:
        first, last = self._calendar
        low = first if self.min is None else declared_moment("min", self.min)
        high = last if self.max is None else declared_moment("max", self.max)
        if low < first or high > last or any(not first <= declared_moment("atoms", t) <= last for t in self.atoms):
            msg = (
                "`min`, `max` and `atoms` must be moments that the format can write; however: a year of two digits "
                f"means {' to '.join(map(str, self._years))}. Move `pivot`, the first of these hundred years"
            )
            raise ValueError(msg)
        if low > high:
            msg = f"`min` must not be after `max`; however: {self.min} > {self.max}"
            raise ValueError(msg)
        if -(-low // self.step) > high // self.step:
            msg = (
                f"between `min` and `max` there must be a whole {self.precision}; however: there is none from "
                f"{self.min} to {self.max}. Widen the bounds, or name a finer `precision`"
            )
            raise ValueError(msg)
        twice = len(self.atoms) - len({declared_moment("atoms", text) // self.step for text in self.atoms})
        if twice:
            msg = f"each {self.precision} has one atom; however: {twice} of `atoms` fall where another one does"
            raise ValueError(f"{msg}. Take them out")
        return self

    @property
    def step(self) -> int:
        """Microseconds in one step of `precision`, or of the format where that tells less."""
        return (
            PRECISION_STEPS[self.precision]
            if self.written_as is None
            else max(PRECISION_STEPS[self.precision], self.written_as.step)
        )

    @property
    def _years(self) -> tuple[int, int]:
        return (1, 9999) if self.written_as is None else self.written_as.window

    @property
    def _calendar(self) -> tuple[int, int]:
        """First and last moment that can be written, in microseconds since 1970."""
        first, last = self._years
        return declared_moment("min", f"{first:04d}-01-01"), declared_moment("max", f"{last:04d}-12-31T23:59:59.999999")

    @property
    def low(self) -> np.datetime64 | None:
        """The declared `min` in microseconds."""
        return None if self.min is None else np.datetime64(declared_moment("min", self.min), "us")

    @property
    def high(self) -> np.datetime64 | None:
        """The declared `max` in microseconds."""
        return None if self.max is None else np.datetime64(declared_moment("max", self.max), "us")

    @property
    def ends(self) -> tuple[np.datetime64, np.datetime64]:
        """Bounds of what is written beside the atoms: those declared, else the calendar's."""
        low, high = (np.datetime64(end, "us") for end in self._calendar)
        return (low if self.low is None else self.low), (high if self.high is None else self.high)

    @property
    def points(self) -> NDArray[np.datetime64]:
        """The atoms in microseconds. **Shape**: (atoms,)."""
        return np.array([declared_moment("atoms", text) for text in self.atoms], dtype="datetime64[us]")

    def admits(self, values: pd.Series) -> NDArray[np.bool_]:
        """True for moments within the bounds, and for atoms; and where missing."""
        t = read_datetimes(values, self)
        ok = ~np.isnat(t)
        if self.low is not None:
            ok &= t >= self.low
        if self.high is not None:
            ok &= t <= self.high
        return np.asarray(ok | np.isin(t, self.points) | values.isna().to_numpy())


class Code(_Column):
    """A code from a large catalogue, such as ICD-9: hundreds of levels, kept as text.

    Args:
        system: name of the catalogue ("ICD-9-CM").
        pattern: regular expression every code matches in full; RE2, so without backreferences and looking around.
        levels: the admissible codes, if they are to be a closed list.
    """

    kind: Literal["code"] = "code"
    system: str | None = None
    pattern: str | None = None
    levels: Annotated[tuple[Level, ...], OneType] | None = None

    @model_validator(mode="after")
    def _pattern_compiles(self) -> Code:
        if self.pattern is not None:
            full_matcher(self.pattern)
        return self

    def admits(self, values: pd.Series) -> NDArray[np.bool_]:
        """True for codes that are listed and match `pattern` in full; and where missing."""
        ok = np.ones(len(values), dtype=bool)
        if self.levels is not None:
            ok &= level_among(values, self.levels)
        if self.pattern is not None:
            matches = full_matcher(self.pattern)
            ok &= _each(values, lambda cell: matches(str(cell)))
        return np.asarray(ok | values.isna().to_numpy())


class Identifier(_Column):
    """A name or number of one person or event: never learned, made fresh in the output.

    Args:
        pattern: regular expression of fresh values, made of literals, `[A-Z0-9]` classes and `{n}` counts.
        faker: name of a Faker provider of text for fresh values ("name", "ssn"), instead of a pattern.
        unique: whether every row has its own value.
    """

    kind: Literal["identifier"] = "identifier"
    pattern: str | None = None
    faker: str | None = None
    unique: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Identifier:
        if self.pattern is not None and not is_fresh(self.pattern):
            msg = (
                "an identifier's `pattern` must be made of literals, `[A-Z0-9]` classes and `{n}` counts; however: "
                f"{self.pattern!r}. Write alternatives and ranges of counts as one fixed shape"
            )
            raise ValueError(msg)
        if self.pattern is not None:
            pattern_alphabets(self.pattern)
        if self.pattern is not None and self.faker is not None:
            msg = "an identifier takes `pattern` or `faker`; however: both are given"
            raise ValueError(msg)
        faker_providers.check_provider(self.faker)
        return self

    def admits(self, values: pd.Series) -> NDArray[np.bool_]:
        """True everywhere: `pattern` shapes the fresh values, and the real ones often look different on purpose."""
        return np.ones(len(values), dtype=bool)


Column = Annotated[
    Numeric | Categorical | Ordinal | Boolean | Datetime | Code | Identifier, Field(discriminator="kind")
]
Discrete = (Categorical, Ordinal, Boolean, Code)


def level_key(level: object) -> object:
    """Form in which levels are compared: 1, 1.0 and True are one level, "1" is another."""
    if isinstance(level, str):
        return str(level)
    if isinstance(level, float):
        return float(level)
    if isinstance(level, int) or isinstance(level, np.integer):  # noqa: SIM101 - levels of a schema need no numpy
        return int(level) if abs(int(level)) > MAX_WHOLE_FLOAT else float(level)
    return float(level) if isinstance(level, np.number | np.bool_) else str(level)


def level_keys(values: pd.Series) -> pd.Index:
    """`level_key` of every cell, missing cells as None; **Shape**: (n,) -> (n,)."""
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    table = np.empty(len(uniques) + 1, dtype=object)
    table[:-1] = [level_key(u) for u in uniques]
    table[-1] = None
    keys: pd.Index = pd.Index(table[codes], dtype=object)
    return keys


def level_index(levels: tuple[Level, ...]) -> pd.Index:
    """Index of levels by their keys, for `get_indexer`."""
    index: pd.Index = pd.Index([level_key(level) for level in levels], dtype=object)
    return index


def level_among(values: pd.Series, levels: tuple[Level, ...]) -> NDArray[np.bool_]:
    """True where a cell has one of `levels`; **Shape**: (n,) -> (n,)."""
    keys = {level_key(level) for level in levels}
    return _each(values, lambda cell: level_key(cell) in keys)


def _each(values: pd.Series, test: Callable[[object], bool]) -> NDArray[np.bool_]:
    """`test` of every cell, asked once a distinct value; False for missing cells."""
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    table = np.array([test(u) for u in uniques] + [False], dtype=bool)
    return np.asarray(table[codes])
