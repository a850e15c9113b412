"""What rows mean: comparisons between columns, implications, fixed combinations; each checks a frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from synthkit.runtime.lazy_imports import Later
from synthkit.schema.columns import Finite, Level, level_among, level_key, level_keys
from synthkit.schema.datetimes import read_datetimes
from synthkit.schema.number_cells import numbers

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
else:  # a schema is read without them
    np, pd = Later("numpy"), Later("pandas")

# Key of a missing cell inside combinations: a private-use character, which no real level starts with. (Not NUL: pandas
# hashes text as C strings, in which "\0missing" and "" are one.)
MISSING_LEVEL = "\ue000missing"


class _Rule(BaseModel):
    """What all rules share; `observed` marks a rule that was found in the data rather than declared."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    description: str | None = None
    observed: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the rule speaks of."""
        raise NotImplementedError

    @property
    def sentence(self) -> str:
        """The rule in words, without any value of a row."""
        raise NotImplementedError

    def holds(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """True where a row obeys. **Shape**: frame of n rows -> (n,) bool."""
        raise NotImplementedError


class Comparison(_Rule):
    """`left op right` between two numeric or two datetime columns; holds where either is missing.

    Args:
        left: the column that is smaller, or earlier.
        op: `<` or `<=`.
        right: the column that is larger, or later.
        difference: which of the two is learned as its difference from the other, `left` or `right`; if not given, the
            one that spreads further by its declared bounds, and else the right one.
    """

    rule: Literal["comparison"] = "comparison"
    left: str
    op: Literal["<", "<="]
    right: str
    difference: Literal["left", "right"] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The two columns."""
        return (self.left, self.right)

    @property
    def sentence(self) -> str:
        """The comparison as written."""
        return f"{self.left} {self.op} {self.right}"

    def holds(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """True where the comparison holds or a side is missing; a cell that is no number or moment breaks it."""
        left, right = frame[self.left], frame[self.right]
        obeys = self._kept(numbers(left), numbers(right)) | self._kept(read_datetimes(left), read_datetimes(right))
        return np.asarray(obeys | left.isna().to_numpy() | right.isna().to_numpy())

    def _kept(self, left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.bool_]:
        """Where both are there and compare; moments as whole numbers, of which floats would round the late ones."""
        return np.asarray(left < right if self.op == "<" else left <= right)


class Condition(BaseModel):
    """What a single cell must satisfy; every key that is given must hold.

    Args:
        in_: (YAML: `in`) levels the cell may have.
        min: smallest number it may have.
        max: largest number it may have.
        missing: whether it must (true) or must not (false) be missing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    in_: Annotated[tuple[Level, ...], Field(min_length=1)] | None = Field(default=None, alias="in")
    min: Finite | None = None
    max: Finite | None = None
    missing: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if self.in_ is None and self.min is None and self.max is None and self.missing is None:
            msg = "a condition must give `in`, `min`, `max` or `missing`; however: none is given"
            raise ValueError(msg)
        if self.missing is True and (self.in_ is not None or self.min is not None or self.max is not None):
            msg = "a cell cannot be missing and have a value; however: `missing: true` stands beside others"
            raise ValueError(msg)
        if self.min is not None and self.max is not None and self.min > self.max:
            msg = f"`min` must not exceed `max`; however: min {self.min:g} > max {self.max:g}"
            raise ValueError(msg)
        return self

    def met(self, values: pd.Series) -> NDArray[np.bool_]:
        """True where the cell satisfies the condition; a missing cell satisfies only `missing: true`."""
        absent = values.isna().to_numpy()
        if self.missing is True:
            return np.asarray(absent)
        ok = ~absent
        if self.in_ is not None:
            ok &= level_among(values, self.in_)
        if self.min is not None or self.max is not None:
            x = numbers(values)
            ok &= (x >= (-np.inf if self.min is None else self.min)) & (x <= (np.inf if self.max is None else self.max))
        return np.asarray(ok)

    @property
    def sentence(self) -> str:
        """The condition in words."""
        parts = []
        if self.in_ is not None:
            parts.append("in {" + ", ".join(map(str, self.in_)) + "}")
        if self.min is not None:
            parts.append(f">= {self.min:g}")
        if self.max is not None:
            parts.append(f"<= {self.max:g}")
        if self.missing is not None:
            parts.append("missing" if self.missing else "present")
        return " and ".join(parts)


class Implication(_Rule):
    """Rows in which every `if` condition is met must meet every `then` condition.

    Written in YAML as `{rule: implication, if: {hospdead: {in: [1]}}, then: {death: {in: [1]}}}`.
    """

    rule: Literal["implication"] = "implication"
    if_: dict[str, Condition] = Field(alias="if", min_length=1)
    then: dict[str, Condition] = Field(min_length=1)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of both sides, each once."""
        return tuple(dict.fromkeys([*self.if_, *self.then]))

    @property
    def sentence(self) -> str:
        """Both sides in words; levels and bounds are the schema's, not a row's."""
        if_ = " and ".join(f"{name} {c.sentence}" for name, c in self.if_.items())
        then = " and ".join(f"{name} {c.sentence}" for name, c in self.then.items())
        return f"if {if_} then {then}"

    def holds(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """True where a condition of `if` is not met or every condition of `then` is."""
        applies = np.logical_and.reduce([c.met(frame[name]) for name, c in self.if_.items()])
        follows = np.logical_and.reduce([c.met(frame[name]) for name, c in self.then.items()])
        return np.asarray(~applies | follows)


class _Group(_Rule):
    """A rule on columns that go together."""

    of: Annotated[tuple[str, ...], Field(alias="columns", min_length=2)]

    @model_validator(mode="after")
    def _once(self) -> _Group:
        if len(set(self.of)) < len(self.of):
            msg = f"`columns` must name each column once; however: {', '.join(self.of)}"
            raise ValueError(msg)
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that go together."""
        return self.of


class FixedCombination(_Group):
    """Only certain combinations of levels occur together, such as a diagnosis group and its class.

    Args:
        of: (YAML: `columns`) two or more discrete columns.
        combinations: the admissible tuples, null for missing; those of the training table if not given.
    """

    rule: Literal["fixed_combination"] = "fixed_combination"
    combinations: Annotated[tuple[tuple[Level | None, ...], ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _widths_agree(self) -> FixedCombination:
        for combination in self.combinations or ():
            if len(combination) != len(self.of):
                msg = (
                    f"each combination must give {len(self.of)} levels, one a column; however: {len(combination)} given"
                )
                raise ValueError(msg)
        return self

    @property
    def sentence(self) -> str:
        """The columns, without their combinations."""
        return f"only known combinations of {', '.join(self.of)}"

    def keys(self, frame: pd.DataFrame) -> pd.MultiIndex:
        """One key a row, comparable with the declared combinations."""
        return pd.MultiIndex.from_arrays(
            [level_keys(frame[c]).where(frame[c].notna().to_numpy(), MISSING_LEVEL) for c in self.of]
        )

    def holds(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """True where the row's combination is listed, or none are."""
        if self.combinations is None or frame.empty:
            return np.ones(len(frame), dtype=bool)
        allowed = {tuple(MISSING_LEVEL if v is None else level_key(v) for v in row) for row in self.combinations}
        keys, cells = self.keys(frame), np.zeros(len(frame), dtype=np.intp)
        for level, codes in zip(keys.levels, keys.codes, strict=True):  # numbers, for a tuple a row would take long
            cells = pd.factorize(cells * (len(level) + 1) + codes + 1)[0]
        first = np.unique(cells, return_index=True)[1]
        return np.array([key in allowed for key in keys[first]], dtype=bool)[cells]


class ExactlyOne(_Group):
    """Of columns of 0 and 1 exactly one is 1, or all are missing: one answer, written as a column for each choice.

    Written in YAML as `{rule: exactly_one, columns: [home_own, home_rent, home_free]}`.

    Args:
        of: (YAML: `columns`) two or more boolean columns with the levels 0 and 1, or false and true.
    """

    rule: Literal["exactly_one"] = "exactly_one"

    @property
    def sentence(self) -> str:
        """The group in words."""
        return f"exactly one of {', '.join(self.of)}"

    def holds(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """True where one cell is 1 and the others are 0, or none is there."""
        x = np.array([numbers(frame[c]) for c in self.of])
        absent = np.array([frame[c].isna().to_numpy() for c in self.of])
        one = np.isin(x, (0.0, 1.0)).all(axis=0) & (np.nan_to_num(x).sum(axis=0) == 1)
        return np.asarray(one | absent.all(axis=0))


Rule = Annotated[Comparison | Implication | FixedCombination | ExactlyOne, Field(discriminator="rule")]


def rows_obeying(frame: pd.DataFrame, rules: Iterable[Rule]) -> NDArray[np.bool_]:
    """Rows in which every rule holds. **Shape**: frame of n rows -> (n,) bool."""
    held = [rule.holds(frame) for rule in rules]
    return np.asarray(np.logical_and.reduce([np.ones(len(frame), dtype=bool), *held]))
